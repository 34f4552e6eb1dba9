"""What is old enough goes in batches; what is young, or not over, stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from django_celery_results.models import TaskResult

from jobs import journal, retention, transitions
from jobs.models import Attempt, Batch, DeadLetter, Job, Tally, Transition
from tests.builders import make_claimed_job, make_job

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NOTHING = {
    "results": 0,
    "groups": 0,
    "dead_letters": 0,
    "deliveries": 0,
    "jobs": 0,
    "batches": 0,
    "ticks": 0,
    "tallies": 0,
}


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def make_ended(now: datetime, age: timedelta, *, failed: bool = False) -> Job:
    job = make_claimed_job()
    if failed:
        transitions.fail(job, code="broken", message="No.")
    else:
        transitions.complete(job, None)
    Job.objects.filter(pk=job.pk).update(finished_at=now - age, created_at=now - age)
    return Job.objects.get(pk=job.pk)


def make_result(now: datetime, age: timedelta) -> None:
    result = TaskResult.objects.create(task_id=f"{age} {TaskResult.objects.count()}")
    TaskResult.objects.filter(pk=result.pk).update(date_done=now - age)


def test_jobs_go_with_all_that_is_theirs_thirty_days_after_their_end(now: datetime) -> None:
    make_ended(now, 31 * DAY), make_ended(now, 31 * DAY, failed=True)
    kept = make_ended(now, 29 * DAY)
    TaskResult.objects.all().delete()
    assert retention.clean_up(now) == {**NOTHING, "jobs": 2}
    assert list(Job.objects.all()) == [kept]
    assert {row.job_id for rows in (Attempt, Transition) for row in rows.objects.all()} == {kept.pk}
    assert retention.clean_up(now) == NOTHING


def test_a_job_that_is_not_over_stays_however_old_it_is(now: datetime) -> None:
    make_job(), make_claimed_job()
    transitions.retry_later(make_claimed_job(), wait=400 * DAY, code="c", message="m")
    Job.objects.update(created_at=now - 400 * DAY, updated_at=now - 400 * DAY)
    assert retention.clean_up(now) == NOTHING
    assert Job.objects.count() == 3


def test_results_go_after_a_day(now: datetime) -> None:
    for age in (25 * DAY / 24, 23 * DAY / 24):
        make_result(now, age)
    assert retention.clean_up(now) == {**NOTHING, "results": 1}
    assert TaskResult.objects.count() == 1


def test_much_goes_in_small_batches_and_a_broken_off_run_is_taken_up_again(now: datetime) -> None:
    TaskResult.objects.bulk_create(TaskResult(task_id=str(number)) for number in range(1203))
    TaskResult.objects.update(date_done=now - 2 * DAY)
    told: list[int] = []

    def break_off(removed: int) -> None:
        told.append(removed)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retention.clean_up(now, on_batch=break_off)
    assert told == [500, 1000]
    assert TaskResult.objects.count() == 203
    assert retention.clean_up(now) == {**NOTHING, "results": 203}


def test_a_job_that_is_retried_while_the_clean_up_runs_stays(now: datetime) -> None:
    job = make_ended(now, 31 * DAY, failed=True)
    retried: list[bool] = []

    def retry_between(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if "finished_at" in sql and "LIMIT 500" in sql and not retried:
            retried.append(transitions.retry(job, budget=4))
        return answer

    with connection.execute_wrapper(retry_between):
        retention.clean_up(now)
    assert retried == [True]
    assert Job.objects.get(pk=job.pk).status == "pending"


def test_a_job_with_a_dead_letter_stays_until_the_letter_has_been_resolved_for_its_time(now: datetime) -> None:
    job = make_claimed_job()
    transitions.fail(job, code="broken", message="No.", dead=True)
    Job.objects.filter(pk=job.pk).update(finished_at=now - 400 * DAY, created_at=now - 400 * DAY)
    TaskResult.objects.all().delete()
    assert retention.clean_up(now) == NOTHING
    DeadLetter.objects.update(resolution="discarded", resolved_at=now - 29 * DAY)
    assert retention.clean_up(now) == NOTHING
    DeadLetter.objects.update(resolved_at=now - 31 * DAY)
    assert retention.clean_up(now) == {**NOTHING, "dead_letters": 1, "jobs": 1}


def test_what_is_removed_is_taken_off_the_statistics(now: datetime) -> None:
    for _ in range(3):
        make_ended(now, 31 * DAY)
    make_ended(now, DAY)
    journal.book_all()
    retention.clean_up(now)
    completed = Tally.objects.filter(measure="status", bucket="completed").aggregate(n=Sum("n"))["n"]
    assert completed == Job.objects.filter(status="completed").count() == 1


def test_a_batch_goes_after_its_last_job(now: datetime) -> None:
    batch = Batch.objects.create(total=1, completed=1, created_at=now, updated_at=now, ended_at=now - 31 * DAY)
    job = make_ended(now, DAY)
    Job.objects.filter(pk=job.pk).update(batch=batch)
    TaskResult.objects.all().delete()
    assert retention.clean_up(now) == NOTHING
    Job.objects.update(finished_at=now - 31 * DAY)
    assert retention.clean_up(now) == {**NOTHING, "jobs": 1, "batches": 1}
