"""What `jobs.testing` gives to those who write kinds of job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from jobs import control, rescue, retention
from jobs.context import JobContext
from jobs.errors import JointoError
from jobs.models import Attempt, Job, Period, QuotaUse, Tally, Tick, Transition, Worker
from jobs.now import Now
from jobs.retry import RetryPolicy
from jobs.task import job
from jobs.testing import Clock, assert_enqueued, enqueued, run
from tests import kinds
from tests.builders import make_claimed_job, make_job, make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


class Down(JointoError):
    code = "down"
    message = "The other side is down."


@job(queue="maintenance", retry=RetryPolicy(retries=1, first_seconds=600))
def ask(ctx: JobContext) -> str:
    """Fails at first."""
    if ctx.attempt == 1:
        raise Down
    return "said"


@job(queue="maintenance")
def measure(ctx: JobContext, clip: int, *, exactly: bool = False) -> int:
    """Reports its progress, and submits another."""
    ctx.progress(1, 4, "began")
    ctx.progress(3, 4, "nearly")
    kinds.add.delay(clip, 1)
    return clip


@job(queue="maintenance")
def cancel_me(ctx: JobContext) -> None:
    """Is cancelled while it runs."""
    control.cancel(Job.objects.get(pk=ctx.job_id), by="test")
    ctx.progress(1, 2)
    raise AssertionError("went on")


def test_a_job_is_run_in_place_and_its_row_given() -> None:
    done = run(kinds.add.delay(2, 3))
    assert (done.status, done.result, done.attempt) == ("completed", 5, 1)
    assert list(done.transitions.values_list("after", flat=True)) == ["pending", "processing", "completed"]
    assert Attempt.objects.get().worker == "jobs.testing"


@pytest.mark.django_db(transaction=True)
def test_it_works_without_a_transaction_around_the_test_too() -> None:
    assert run(kinds.add.delay(2, 3)).result == 5


@pytest.mark.parametrize("given", ["row", "result", "id", "text"])
def test_a_job_is_named_by_its_row_its_result_or_its_id(given: str) -> None:
    result = kinds.add.delay(1, 1)
    row = Job.objects.get(pk=result.id)
    ways: dict[str, Any] = {"row": row, "result": result, "id": row.pk, "text": str(row.pk)}
    assert run(ways[given]).result == 2


def test_what_the_body_raises_is_in_the_row() -> None:
    refused = run(kinds.refuse.delay())
    assert (refused.status, refused.error_code) == ("failed", "refused")
    assert "Refused" in Attempt.objects.get().traceback


def test_a_retry_waits_until_the_clock_is_turned() -> None:
    waiting = run(ask.delay())
    assert (waiting.status, waiting.error_code) == ("retrying", "down")
    with pytest.raises(AssertionError, match="can't be claimed: it is retrying"):
        run(waiting)
    Clock().turn(timedelta(minutes=11))
    again = run(waiting)
    assert (again.status, again.result, again.attempt) == ("completed", "said", 2)


def test_a_job_that_has_ended_can_not_be_run() -> None:
    done = run(kinds.add.delay(1, 1))
    with pytest.raises(AssertionError, match="it is completed"):
        run(done)


def test_progress_is_in_the_row() -> None:
    done = run(measure.delay(7))
    assert (done.current, done.total) == (3, 4)


def test_a_body_that_is_cancelled_stops_at_its_next_report() -> None:
    assert run(cancel_me.delay()).status == "cancelled"


def test_jobs_recorded_inside_a_block_are_collected_in_order() -> None:
    kinds.add.delay(0, 0)
    with enqueued() as found:
        kinds.add.delay(1, 1)
        run(measure.delay(2))
    assert [job.kind for job in found] == [kinds.add.name, measure.name, kinds.add.name]


def test_what_was_enqueued_is_asserted_whichever_way_it_was_given() -> None:
    measure.delay(1)
    measure.delay(clip=1, exactly=False)
    measure.delay(2)
    assert_enqueued(measure, 1, times=2)
    assert_enqueued(measure, clip=2)
    assert_enqueued(measure, times=3)
    assert_enqueued(kinds.add, times=0)
    with pytest.raises(AssertionError, match=r"recorded 0 times, not 1. There are: \{'clip': 1"):
        assert_enqueued(measure, 3)
    with pytest.raises(AssertionError, match="There are: none"):
        assert_enqueued(kinds.add, 1, 2)


def test_a_lease_runs_out_when_the_clock_is_turned() -> None:
    held = make_claimed_job()
    assert rescue.rescue() == 0
    Clock().turn(timedelta(minutes=2))
    assert rescue.rescue() == 1
    assert Job.objects.get(pk=held.pk).status == "retrying"


def test_a_deadline_passes_when_the_clock_is_turned() -> None:
    late = make_job(deadline_at=timezone.now() + HOUR)
    Clock().turn(2 * HOUR)
    rescue.expire()
    assert Job.objects.get(pk=late.pk).error_code == "deadline_passed"


def test_a_job_gets_old_enough_to_be_removed() -> None:
    done = run(kinds.add.delay(1, 1))
    Clock().turn(settings.JOINTO_JOBS.keep_jobs + HOUR)
    retention.clean_up(timezone.now())
    assert not Job.objects.filter(pk=done.pk).exists()


def test_all_times_of_a_row_move_alike_and_what_is_empty_stays_so() -> None:
    before = run(kinds.add.delay(1, 1))
    moved = Transition.objects.earliest("id").at
    Clock().turn(timedelta(days=1, seconds=1, microseconds=1))
    after = Job.objects.get(pk=before.pk)
    by = timedelta(days=1, seconds=1, microseconds=1)
    for name in ("created_at", "updated_at", "started_at", "finished_at", "run_at"):
        assert getattr(before, name) - getattr(after, name) == by, name
    assert (after.lease_expires_at, after.deadline_at) == (None, None)
    assert moved - Transition.objects.earliest("id").at == by


def test_rows_that_are_unique_by_time_move_all_the_same() -> None:
    owner = make_user()
    hours = [datetime(2026, 6, 15, hour, tzinfo=UTC) for hour in range(4)]
    for hour in hours:
        Tick.objects.create(schedule="s", slot=hour, at=hour)
        QuotaUse.objects.create(owner=owner, kind="k", period=Period.HOUR, starts_at=hour, used=1)
        Tally.objects.create(measure="ended", kind="k", queue="q", hour=hour, n=1)
    Tally.objects.create(measure="status", kind="k", queue="q", hour=datetime(1970, 1, 1, tzinfo=UTC), n=1)
    Clock().turn(HOUR)
    earlier = [hour - HOUR for hour in hours]
    assert list(Tick.objects.order_by("slot").values_list("slot", flat=True)) == earlier
    assert list(QuotaUse.objects.order_by("starts_at").values_list("starts_at", flat=True)) == earlier
    tallies = list(Tally.objects.filter(kind="k").order_by("hour").values_list("hour", flat=True))
    assert tallies == [datetime(1970, 1, 1, tzinfo=UTC), *earlier]


def test_a_worker_that_is_not_heard_of_for_so_long_is_gone() -> None:
    Worker.objects.create(name="w", queues=["media"], started_at=Now(), seen_at=Now())
    Clock().turn(timedelta(days=2))
    assert rescue.forget_workers() == 1


def test_time_does_not_go_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        Clock().turn(-HOUR)
