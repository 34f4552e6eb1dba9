"""What Celery's clients are told of a job: `AsyncResult(id)` is answered from its row."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import TaskRevokedError
from celery.result import AsyncResult

from jobs import rescue, results, transitions
from jobs.models import Attempt, Job
from jobs.tasks import health_check
from tests.builders import claim, make_claimed_job, make_job

pytestmark = pytest.mark.django_db


def test_a_job_is_told_in_celerys_words_through_all_of_its_life() -> None:
    job = make_job()
    result: Any = AsyncResult(str(job.pk))
    assert (result.state, result.result) == ("PENDING", None)
    claimed = claim(job)
    assert result.state == "STARTED"
    transitions.renew(claimed, lease=timedelta(minutes=1), current=1, total=4, message="one")
    assert (result.state, result.info) == ("PROGRESS", {"current": 1, "total": 4, "percent": 25, "message": "one"})
    transitions.retry_later(claimed, wait=timedelta(0), code="busy", message="Later.")
    assert (result.state, str(result.result)) == ("RETRY", "Later.")
    transitions.complete(claim(Job.objects.get(pk=job.pk)), {"sum": 3})
    assert (result.state, result.get(timeout=1)) == ("SUCCESS", {"sum": 3})
    assert (result.name, result.args, result.queue, result.retries) == (
        "tests.kinds.add",
        [1, 2],
        "maintenance",
        1,
    )


def test_a_failure_and_a_cancel_are_raised_where_the_result_is_wanted() -> None:
    failed, cancelled = make_claimed_job(), make_job()
    transitions.fail(failed, code="broken", message="It broke.", traceback="Traceback: here")
    transitions.cancel(cancelled.pk)
    result: AsyncResult = AsyncResult(str(failed.pk))
    assert result.state == "FAILURE"
    assert str(result.traceback) == "Traceback: here"
    with pytest.raises(Exception, match="It broke"):
        result.get(timeout=1)
    with pytest.raises(TaskRevokedError):
        AsyncResult(str(cancelled.pk)).get(timeout=1)


def test_the_id_of_a_message_that_was_sent_again_finds_the_same_job() -> None:
    job = make_job()
    assert results.job_id_of(f"{job.pk}.3") == results.job_id_of(str(job.pk)) == job.pk
    assert AsyncResult(f"{job.pk}.3").state == "PENDING"
    for nothing in (None, "", "nonsense", "x" * 36):
        assert results.job_id_of(nothing) is None


def test_what_is_no_job_is_answered_as_celery_always_does() -> None:
    assert AsyncResult(str(uuid.uuid4())).state == "PENDING"
    assert not getattr(health_check, "is_job", False)


def test_a_death_that_is_heard_of_late_does_not_end_the_next_attempt() -> None:
    job = make_claimed_job()
    living = Attempt.objects.get(job=job)
    Attempt.objects.filter(pk=living.pk).update(pid=1)  # a process that is there
    rescue.child_died(job.pk, worker="w")
    rescue.child_died(job.pk, worker="another")
    assert rescue.rescue() == 0
    assert Job.objects.get(pk=job.pk).status == "processing"
