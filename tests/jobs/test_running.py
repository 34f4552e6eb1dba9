"""Jobs over the real thing: Redis, a worker, its pool."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import pytest
from celery import Celery, chain, chord, current_app, group
from celery.result import AsyncResult
from django.db import transaction
from django.utils import timezone
from django_celery_results.models import TaskResult

from jobs import control
from jobs.models import Job
from tests import kinds
from tests.builders import make_user
from tests.stack import Process, wait_for

pytestmark = pytest.mark.stack


def ended(result: Any) -> Job:
    """The job of a result, once it has ended."""
    wait_for(lambda: Job.objects.get(pk=result.id).is_finished, what="the job's end")
    return Job.objects.get(pk=result.id)


def outcomes(job: Job) -> list[str]:
    return list(job.attempts.values_list("outcome", flat=True))


def moves(job: Job) -> list[str]:
    return list(job.transitions.values_list("after", flat=True))


def test_delay_records_a_job_that_a_worker_completes(worker: Process) -> None:
    result = kinds.add.delay(2, 3)
    job = ended(result)
    assert result.status == "SUCCESS"
    assert result.get(timeout=5) == 5
    assert (job.status, job.result, job.attempt, job.subject) == ("completed", 5, 1, "tests.Sum:2")
    assert outcomes(job) == ["completed"]
    assert moves(job) == ["pending", "processing", "completed"]


def test_a_result_is_seen_where_operators_look_for_results(worker: Process) -> None:
    job = ended(kinds.add.delay(2, 3))
    shown = TaskResult.objects.get(task_id=str(job.pk))
    assert (shown.status, shown.result, shown.task_name) == ("SUCCESS", "5", "tests.kinds.add")


def test_a_plain_task_still_is_a_plain_task(worker: Process) -> None:
    assert kinds.plain.delay(7).get(timeout=20) == 7
    assert not Job.objects.exists()


def test_a_message_from_somebody_who_knows_the_name_alone_becomes_a_job(worker: Process) -> None:
    """A client without our code, a beat with older code: no job was recorded, so the worker does."""
    app = cast(Any, current_app)._get_current_object()

    def send(*args: Any) -> AsyncResult:
        return Celery.send_task(app, kinds.add.name, args)

    result = send(2, 3)
    assert result.get(timeout=30) == 5
    assert (ended(result).status, outcomes(ended(result))) == ("completed", ["completed"])
    wrong = send(1, 2, 3)
    with pytest.raises(Exception, match="too many positional arguments"):
        wrong.get(timeout=30)
    assert not Job.objects.filter(pk=wrong.id).exists()


def test_an_attempt_that_an_operator_revokes_is_not_charged_and_done_again(worker: Process) -> None:
    result = kinds.sleep.delay(8)
    wait_for(lambda: Job.objects.get(pk=result.id).attempt == 1, what="the first attempt")
    current_app.control.revoke(result.id, terminate=True)
    job = ended(result)
    assert (job.status, outcomes(job)) == ("completed", ["handed_back", "completed"])
    assert job.max_attempts == kinds.QUICK.max_attempts + 1


def test_the_time_limits_of_one_job_can_not_be_asked_for(db: None) -> None:
    with pytest.raises(TypeError, match="those of its kind"):
        kinds.add.apply_async((1,), soft_time_limit=1)


def test_a_job_that_is_rolled_back_never_existed(worker: Process) -> None:
    with pytest.raises(RuntimeError, match="no"), transaction.atomic():
        result = kinds.add.delay(1)
        raise RuntimeError("no")
    assert not Job.objects.filter(pk=result.id).exists()


def test_a_job_in_a_transaction_waits_for_its_commit(worker: Process, tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    with transaction.atomic():
        result = kinds.count.delay(str(traces))
        assert not Job.objects.get(pk=result.id).released_at
        assert not traces.exists()
    assert ended(result).status == "completed"


def test_an_unexpected_error_is_tried_again_and_every_attempt_is_kept(worker: Process) -> None:
    job = ended(kinds.fail_until.delay(3))
    assert (job.status, job.result, job.retry_count) == ("completed", 3, 2)
    assert outcomes(job) == ["failed", "failed", "completed"]
    first = job.attempts.all()[0]
    assert first.error_code == "unexpected"
    assert "ValueError: not yet: 1" in first.traceback


def test_a_job_that_never_works_fails_once_its_attempts_are_used_up(worker: Process) -> None:
    result = kinds.fail_until.delay(100)
    job = ended(result)
    assert (job.status, job.attempt, job.max_attempts) == ("failed", 4, 4)
    assert "ValueError: not yet: 4" in job.error_message
    assert result.status == "FAILURE"
    assert "not yet: 4" in str(result.result)
    assert "Traceback" in str(result.traceback)


def test_bad_input_is_never_tried_again(worker: Process) -> None:
    job = ended(kinds.refuse.delay())
    assert (job.status, job.attempt, job.error_code) == ("failed", 1, "refused")


def test_a_rate_limited_job_waits_as_long_as_told(worker: Process) -> None:
    job = ended(kinds.limited.delay(1.5))
    first, second = job.attempts.all()
    assert first.ended_at
    assert (second.started_at - first.ended_at).total_seconds() >= 1.5


def test_after_two_failures_the_fallback_that_the_kind_names_does_it(worker: Process) -> None:
    job = ended(kinds.by_a_provider.delay([""]))
    assert (job.status, job.attempt, job.result, job.fallback) == ("completed", 3, "second", "second")


def test_when_the_fallback_is_away_too_the_job_dies_and_its_retry_begins_with_the_usual_way(worker: Process) -> None:
    job = ended(kinds.by_a_provider.delay(["", "second"]))
    assert (job.status, job.error_code, job.attempt) == ("failed", "away", 6)
    assert job.dead_letters.get().resolution == ""
    control.retry(job, by="ann")
    job.refresh_from_db()
    assert (job.fallback, job.setbacks) == ("", 0)
    assert job.dead_letters.get().resolution == "retried"
    control.cancel(job, by="ann")


def test_a_job_that_failed_is_retried_by_hand_with_fresh_attempts(worker: Process) -> None:
    job = ended(kinds.fail_until.delay(6))
    assert (job.status, job.attempt) == ("failed", 4)
    control.retry(job, by="ann")
    job = ended(AsyncResult(str(job.pk)))
    assert (job.status, job.attempt, job.result) == ("completed", 6, 6)
    assert AsyncResult(str(job.pk)).status == "SUCCESS"


def test_a_countdown_is_kept_in_the_row(worker: Process) -> None:
    started = time.monotonic()
    job = ended(kinds.add.apply_async((1,), countdown=1.5))
    assert job.status == "completed"
    assert time.monotonic() - started >= 1.5
    assert (job.attempts.get().started_at - job.created_at).total_seconds() >= 1.5


def test_a_job_that_is_not_started_before_its_deadline_fails(worker: Process) -> None:
    job = ended(kinds.add.apply_async((1,), countdown=60, expires=0.5))
    assert (job.status, job.error_code, job.attempt) == ("failed", "deadline_passed", 0)


def test_a_chain_goes_on_with_the_result_and_belongs_to_the_same_owner(worker: Process) -> None:
    user = make_user()
    first = kinds.add.s(1, 2)
    first.options["owner_id"] = user.pk
    result = chain(first, kinds.add.s(10), kinds.add.s(100)).apply_async()
    wait_for(result.ready, what="the chain")
    assert result.get(timeout=5) == 113
    jobs = Job.objects.order_by("created_at")
    assert [(job.result, job.owner_id) for job in jobs] == [(3, user.pk), (13, user.pk), (113, user.pk)]


def test_a_chain_goes_on_where_it_broke_once_the_job_is_retried(worker: Process) -> None:
    result = chain(kinds.fail_until.s(6), kinds.add.s(100)).apply_async()
    job = ended(result.parent)
    assert job.status == "failed"
    control.retry(job, by="ann")
    wait_for(lambda: Job.objects.filter(pk=result.id, status="completed").exists(), what="the chain's end")
    assert AsyncResult(result.id).get(timeout=5) == 106


def test_a_chain_may_lead_into_a_plain_task(worker: Process) -> None:
    assert chain(kinds.add.s(1, 2), kinds.plain.s()).apply_async().get(timeout=20) == 3


def test_a_group_is_as_many_jobs(worker: Process) -> None:
    result = group(kinds.add.s(number) for number in range(5)).apply_async()
    assert result.get(timeout=20) == [1, 2, 3, 4, 5]
    assert Job.objects.filter(status="completed").count() == 5


def test_a_chord_calls_its_body_once_with_all_results(worker: Process) -> None:
    result = chord((kinds.add.s(number) for number in range(4)), kinds.collect.s()).apply_async()
    assert result.get(timeout=20) == 10
    assert Job.objects.filter(kind="tests.kinds.collect").count() == 1


def test_links_are_followed(worker: Process, tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    kinds.add.apply_async((1,), link=kinds.count.si(str(traces)))
    wait_for(lambda: Job.objects.filter(kind="tests.kinds.count", status="completed").exists())
    assert traces.read_text().count("\n") == 1


def test_progress_is_seen_while_it_moves_and_never_goes_back(worker: Process) -> None:
    steps: list[list[Any]] = [[1, 4, "one"], [2, 4, "two"], [1, 4, "back"], [3, 4, "three"]]
    result = kinds.report_progress.delay(steps, 2.5)
    seen = []

    def look() -> bool:
        job = Job.objects.get(pk=result.id)
        if job.status == "processing" and (job.percent, job.message) not in seen:
            seen.append((job.percent, job.message))
            assert result.state in ("STARTED", "PROGRESS")
        return job.is_finished

    wait_for(look, what="the end of the steps")
    assert [step for step in seen if step[1]] == [(25, "one"), (50, "two"), (50, "back"), (75, "three")]
    assert Job.objects.get(pk=result.id).percent == 100


def test_a_sleeping_body_is_cancelled_within_two_seconds(worker: Process) -> None:
    result = kinds.sleep.delay(60)
    wait_for(lambda: Job.objects.get(pk=result.id).status == "processing")
    started = time.monotonic()
    control.cancel(Job.objects.get(pk=result.id), by="ann")
    assert str(result.status) == "REVOKED"
    again = kinds.add.delay(1)  # both processes of the pool are wanted for what follows
    other = kinds.sleep.delay(0)
    assert (ended(again).status, ended(other).status) == ("completed", "completed")
    assert time.monotonic() - started < 30
    assert outcomes(Job.objects.get(pk=result.id)) == ["cancelled"]


def test_a_waiting_job_that_is_cancelled_never_starts(worker: Process, tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    result = kinds.count.apply_async((str(traces),), countdown=3600)
    control.cancel(Job.objects.get(pk=result.id), by="ann")
    Job.objects.filter(pk=result.id).update(run_at=timezone.now())
    ended(kinds.add.delay(1))
    assert not traces.exists()
    assert Job.objects.get(pk=result.id).attempt == 0


def test_a_soft_time_limit_takes_the_children_with_it(worker: Process) -> None:
    job = kinds.overrun.delay()
    wait_for(lambda: Job.objects.get(pk=job.id).attempts.exclude(outcome="running").exists())
    control.cancel(Job.objects.get(pk=job.id), by="ann")
    assert Job.objects.get(pk=job.id).attempts.all()[0].error_code == "time_limit"
    wait_for(lambda: not worker.children("sleep"), what="the children's end")


def test_a_hard_time_limit_is_charged_and_the_job_is_tried_again(worker: Process) -> None:
    job = ended(kinds.overrun_hard.delay(61))
    # TERM comes first, and mostly leaves the time to say so; KILL makes it a crash.
    assert (job.status, outcomes(job)[0] in ("failed", "crashed"), job.attempt) == ("completed", True, 2)
    assert not worker.children("sleep")


def test_the_same_idempotency_key_of_the_same_user_gives_the_same_job(worker: Process) -> None:
    ann, bob = make_user(), make_user()
    first = kinds.add.apply_async((1,), owner_id=ann.pk, idempotency_key="k")
    assert kinds.add.apply_async((1,), owner_id=ann.pk, idempotency_key="k").id == first.id
    assert kinds.add.apply_async((1,), owner_id=bob.pk, idempotency_key="k").id != first.id
