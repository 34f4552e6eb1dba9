"""Chains, chords, links and error callbacks: what follows a job, whatever becomes of it."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from celery import chain, chord, group
from celery.result import AsyncResult
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django_celery_results.models import (  # type: ignore[attr-defined]  # the stubs miss the first
    ChordCounter,
    TaskResult,
)

from jobs import canvas, control, dispatch, members, quotas, rescue, retention, transitions
from jobs.models import Batch, Job, QuotaLimit
from jobs.status import WAITING
from jobs.testing import Clock, run
from tests import kinds
from tests.builders import claim, make_job, make_user
from tests.stack import Process, wait_for


def of(kind: Any) -> list[Job]:
    return list(Job.objects.filter(kind=kind.name).order_by("created_at", "id"))


def owned(signature: Any, owner_id: int) -> Any:
    signature.options["owner_id"] = owner_id
    return signature


def run_all() -> None:
    """Do everything that waits, and what follows it."""
    while waiting := list(Job.objects.filter(status__in=sorted(WAITING))):
        for job in waiting:
            run(job)


def fail(job: Job) -> None:
    """As a worker does whose attempt has failed for good."""
    error = kinds.Refused()
    tell = functools.partial(canvas.failed, error=error)
    assert transitions.fail(claim(job), code=error.code, message=error.message, then=tell)


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(deadline_at=job.created_at)
    assert rescue.expire() == 1


def crash(job: Job) -> None:
    claim(job, lease=timedelta(0))
    Job.objects.filter(pk=job.pk).update(max_attempts=1)
    Clock().turn(timedelta(seconds=1))
    assert rescue.rescue() == 1


def cancel(job: Job) -> None:
    control.cancel(job, by="ann")


def cancel_in_a_batch(job: Job) -> None:
    at = job.created_at
    batch = Batch.objects.create(created_at=at, updated_at=at, cancelled_at=at)
    Job.objects.filter(pk=job.pk).update(batch=batch)
    assert members.cancel(batch.pk, by="ann", limit=10) == 1


def forget_its_kind(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(kind="gone.away")
    job.refresh_from_db()
    dispatch._put_off(job)
    Clock().turn(timedelta(minutes=30))
    dispatch._put_off(job)


ENDS = [fail, expire, crash, cancel, cancel_in_a_batch, forget_its_kind]


# -- error callbacks ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("end", ENDS)
def test_an_error_callback_that_is_a_job_is_recorded_and_not_run_by_who_notices_the_failure(end: Any) -> None:
    ann = make_user()
    job = Job.objects.get(pk=kinds.add.apply_async((1,), link_error=kinds.record_failure.s(), owner_id=ann.pk).id)
    with mock.patch.object(kinds.record_failure, "run", side_effect=AssertionError("it was run here")):
        end(job)
    (told,) = of(kinds.record_failure)
    assert (told.args, told.owner_id, told.status) == ([str(job.pk)], ann.pk, "pending")
    assert run(told).result == str(job.pk)


@pytest.mark.django_db
def test_an_immutable_error_callback_gets_its_own_arguments_only() -> None:
    job = Job.objects.get(pk=kinds.add.apply_async((1,), link_error=kinds.add.si(7, 8)).id)
    cancel(job)
    assert [row.args for row in of(kinds.add)] == [[1], [7, 8]]


@pytest.mark.django_db
def test_an_error_callback_is_recorded_with_the_failure_or_not_at_all() -> None:
    job = Job.objects.get(pk=kinds.add.apply_async((1,), link_error=kinds.record_failure.s()).id)
    with pytest.raises(RuntimeError, match="no"), transaction.atomic():
        cancel(job)
        raise RuntimeError("no")
    assert (Job.objects.get(pk=job.pk).status, of(kinds.record_failure)) == ("pending", [])


@pytest.mark.django_db
def test_an_error_callback_comes_once_for_each_failure() -> None:
    job = Job.objects.get(pk=kinds.refuse.apply_async((), link_error=kinds.record_failure.s()).id)
    for failures in (1, 2):
        assert run(job).status == "failed"
        assert len(of(kinds.record_failure)) == failures
        with pytest.raises(control.NotCancellable):
            cancel(job)
        control.retry(Job.objects.get(pk=job.pk), by="ann")
    assert len(of(kinds.record_failure)) == 2


@pytest.mark.django_db
def test_an_error_callback_that_does_not_fit_is_logged_and_the_others_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong, right = kinds.refuse.s(), kinds.record_failure.s()
    job = Job.objects.get(pk=kinds.add.apply_async((1,), link_error=[wrong, right]).id)
    cancel(job)
    assert (Job.objects.get(pk=job.pk).status, len(of(kinds.record_failure))) == ("cancelled", 1)
    assert f"the error callback tests.kinds.refuse of {job.pk} was not submitted" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("callback", [kinds.plain, kinds.plain_failure])
def test_an_error_callback_that_is_a_plain_task_is_not_run_by_who_notices_the_failure(
    callback: Any, django_capture_on_commit_callbacks: Any
) -> None:
    job = Job.objects.get(pk=kinds.add.apply_async((1,), link_error=callback.s()).id)
    sent: list[Any] = []
    with (
        mock.patch.object(callback, "run", side_effect=AssertionError("it was run here")),
        mock.patch("celery.app.task.Task.apply_async", lambda task, args, **_: sent.append((task.name, args))),
    ):
        with django_capture_on_commit_callbacks(execute=False) as promised:
            cancel(job)
        assert not sent, "a message may not go before we have committed"
        for promise in promised:
            promise()
    names = [name for name, _ in sent if name != "tests.kinds.add"]
    assert names == ["jobs.tasks.call_errbacks"]


@pytest.mark.stack
def test_plain_tasks_are_called_with_the_failure_as_celery_does(worker: Process, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    link_error = [kinds.note.s(path=str(old)), kinds.plain_failure.s(path=str(new))]
    result = kinds.refuse.apply_async((), link_error=link_error)
    wait_for(lambda: old.exists() and new.exists(), what="both callbacks")
    assert old.read_text() == result.id
    assert new.read_text() == f"{result.id} Refused"


@pytest.mark.stack
def test_a_plain_task_that_fails_has_its_error_callback_recorded_as_a_job(worker: Process) -> None:
    result = kinds.note.apply_async(("", "/nowhere/at/all"), link_error=kinds.record_failure.s())
    wait_for(lambda: [job.status for job in of(kinds.record_failure)] == ["completed"], what="the callback's end")
    assert of(kinds.record_failure)[0].result == result.id


# -- what can't follow -------------------------------------------------------------------------------------


@pytest.fixture
def used_up() -> Iterator[None]:
    """Nobody may submit `collect`."""
    QuotaLimit.objects.create(tier="free", kind=kinds.collect.name, period="hour", limit=0)
    quotas.overridden.forget()
    yield
    quotas.overridden.forget()


@pytest.mark.django_db
def test_a_job_completes_though_the_quota_of_the_next_of_its_chain_is_used_up(
    used_up: None, caplog: pytest.LogCaptureFixture
) -> None:
    ann = make_user()
    steps = [owned(kinds.add.s(1, 2), ann.pk), kinds.collect.s(), kinds.add.s(1)]
    result: Any = chain(*steps).on_error(kinds.record_failure.s()).apply_async()
    job = run(of(kinds.add)[0])
    assert (job.status, job.result, len(of(kinds.add)), len(of(kinds.collect))) == ("completed", 3, 1, 0)
    assert f"job {job.pk} completed, but {kinds.collect.name}, which was to follow, was refused" in caplog.text
    assert "QuotaExceeded" in caplog.text
    assert AsyncResult(result.parent.id).status == "FAILURE"
    assert AsyncResult(result.id).status == "FAILURE", "nobody may wait for the end of the chain for ever"
    assert [row.args for row in of(kinds.record_failure)] == [[result.parent.id]]
    assert of(kinds.record_failure)[0].owner_id == ann.pk


@pytest.mark.django_db
def test_a_job_completes_once_though_the_next_of_its_chain_takes_no_result(caplog: pytest.LogCaptureFixture) -> None:
    result = chain(kinds.add.s(1, 2), kinds.refuse.s()).apply_async()
    job = run(of(kinds.add)[0])
    assert (job.status, job.attempt, len(of(kinds.refuse))) == ("completed", 1, 0)
    assert "TypeError" in caplog.text
    shown = TaskResult.objects.get(task_id=result.id)
    assert (shown.status, shown.task_name) == ("FAILURE", kinds.refuse.name)


@pytest.mark.django_db
def test_one_link_that_can_not_follow_does_not_keep_another_from_it() -> None:
    kinds.add.apply_async((1,), link=[kinds.refuse.s(), kinds.add.s(5)])
    run(of(kinds.add)[0])
    assert [row.args for row in of(kinds.add)] == [[1], [2, 5]]


@pytest.mark.django_db
def test_the_error_callback_of_a_chord_hears_that_its_body_can_not_follow(used_up: None) -> None:
    ann = make_user()
    header = [owned(kinds.add.s(n, 1), ann.pk) for n in range(2)]
    result = chord(header, kinds.collect.s().on_error(kinds.record_failure.s())).apply_async()
    run_all()
    assert {row.status for row in of(kinds.add)} == {"completed"}
    assert [row.args for row in of(kinds.record_failure)] == [[result.id]]
    assert AsyncResult(result.id).status == "FAILURE"


@pytest.mark.django_db
def test_a_chord_hears_of_a_chain_among_its_members_that_could_not_go_on() -> None:
    header = [chain(kinds.add.s(1, 1), kinds.refuse.s()), kinds.add.s(1, 1)]
    result = chord(header, kinds.collect.s().on_error(kinds.record_failure.s())).apply_async()
    run_all()
    assert AsyncResult(result.id).status == "FAILURE"
    assert len(of(kinds.record_failure)) == 1
    assert not ChordCounter.objects.exists()


@pytest.mark.django_db
def test_a_database_that_goes_away_is_not_taken_for_a_fault_of_what_follows() -> None:
    kinds.add.apply_async((1,), link=kinds.collect.s())
    job = claim(of(kinds.add)[0])
    gone = mock.patch.object(kinds.collect, "submit", side_effect=OperationalError("gone"))
    with gone, pytest.raises(OperationalError):
        transitions.complete(job, 2, effects=[lambda: canvas.succeeded(job, 2)])
    assert Job.objects.get(pk=job.pk).status == "processing"


# -- one signature applied twice ---------------------------------------------------------------------------


def shapes() -> dict[str, Any]:
    add, collect = kinds.add, kinds.collect
    return {
        "chain": chain(add.s(1), add.s(2), add.s(3)),
        "chain into group": chain(add.s(1), group(add.s(1), add.s(2))),
        "chain into chord": chain(add.s(1), group(add.s(1), add.s(2)), collect.s(), add.s(1)),
        "chord of chains": chord([chain(add.s(1), add.s(2)), chain(add.s(1), add.s(2))], collect.s()),
        "chord": chord([add.s(1), add.s(2)], collect.s()),
        "link": add.signature((1,), link=add.s(3).set(task_id="6f7a2c1e-5b0f-4c2e-9d55-0c5b1a7e9d11")),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("shape", list(shapes()))
def test_a_signature_that_is_applied_twice_is_done_twice(shape: str, caplog: pytest.LogCaptureFixture) -> None:
    signature = shapes()[shape]
    signature.apply_async()
    run_all()
    once = sorted((job.kind, job.result) for job in Job.objects.all())
    signature.apply_async()
    run_all()
    assert {job.status for job in Job.objects.all()} == {"completed"}
    assert sorted((job.kind, job.result) for job in Job.objects.all()) == sorted(once * 2)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# -- chords ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("end", ENDS[:-1])
def test_a_chord_whose_member_failed_runs_its_body_once_when_that_is_retried_and_completes(end: Any) -> None:
    result = chord([kinds.add.s(n, 1) for n in range(3)], kinds.collect.s()).apply_async()
    first, second, third = of(kinds.add)
    end(first)
    control.retry(Job.objects.get(pk=first.pk), by="ann")
    run(second)
    run(first)
    assert of(kinds.collect) == [], "one is at work still"
    run(third)
    assert [(row.args, str(row.pk)) for row in of(kinds.collect)] == [([[1, 2, 3]], result.id)]
    assert run(of(kinds.collect)[0]).result == 6
    assert AsyncResult(result.id).status == "SUCCESS"
    assert not ChordCounter.objects.exists()


@pytest.mark.django_db
def test_a_chord_whose_members_have_all_failed_can_be_retried_whole() -> None:
    chord([kinds.add.s(n, 1) for n in range(3)], kinds.collect.s().on_error(kinds.record_failure.s())).apply_async()
    for job in of(kinds.add):
        fail(job)
    assert len(of(kinds.record_failure)) == 1, "the chord failed once"
    for job in of(kinds.add):
        control.retry(job, by="ann")
        run(job)
    assert [row.args for row in of(kinds.collect)] == [[[1, 2, 3]]]
    assert len(of(kinds.record_failure)) == 1


@pytest.mark.django_db
def test_the_error_callback_of_a_chord_hears_of_a_failure_after_a_retry_again() -> None:
    body = kinds.collect.s().on_error(kinds.record_failure.s())
    result = chord([kinds.add.s(n, 1) for n in range(2)], body).apply_async()
    first, second = of(kinds.add)
    fail(first)
    control.retry(Job.objects.get(pk=first.pk), by="ann")
    fail(Job.objects.get(pk=first.pk))
    run(second)
    assert [row.args for row in of(kinds.record_failure)] == [[result.id]] * 2
    assert of(kinds.collect) == []


@pytest.mark.django_db
def test_a_chain_in_a_chord_that_broke_and_goes_on_is_counted_once() -> None:
    header = [chain(kinds.add.s(1, 1), kinds.add.s(1)), chain(kinds.add.s(2, 2), kinds.add.s(1))]
    chord(header, kinds.collect.s()).apply_async()
    first, _ = of(kinds.add)
    cancel(first)
    control.retry(Job.objects.get(pk=first.pk), by="ann")
    run_all()
    assert [row.result for row in of(kinds.collect)] == [8]


@pytest.mark.django_db
def test_a_chord_within_a_chord_goes_on_when_its_failed_member_is_retried() -> None:
    inner = chord([kinds.add.s(1, 1), kinds.add.s(2, 2)], kinds.collect.s())
    body = kinds.collect.s().on_error(kinds.record_failure.s())
    result = chord([inner, kinds.add.s(3, 3)], body).apply_async()
    first = next(job for job in of(kinds.add) if job.args == [1, 1])
    fail(first)
    assert [row.args for row in of(kinds.record_failure)] == [[result.id]]
    control.retry(Job.objects.get(pk=first.pk), by="ann")
    run_all()
    assert AsyncResult(result.id).status == "SUCCESS"
    assert Job.objects.get(pk=result.id).result == 12


@pytest.mark.django_db
def test_a_chord_with_a_group_for_its_body_tells_each_of_them_once() -> None:
    body = group(kinds.collect.s(), kinds.collect.s())
    chord([kinds.add.s(n, 1) for n in range(2)], body).apply_async()
    first, _ = of(kinds.add)
    fail(first)
    assert TaskResult.objects.filter(task_name=kinds.collect.name, status="FAILURE").count() == 2
    control.retry(Job.objects.get(pk=first.pk), by="ann")
    run_all()
    assert [row.result for row in of(kinds.collect)] == [3, 3]


@pytest.mark.django_db(transaction=True)
def test_members_of_a_chord_that_complete_and_fail_at_once_are_counted_right() -> None:
    for _ in range(3):
        Job.objects.all().delete()
        body = kinds.collect.s().on_error(kinds.record_failure.s())
        chord([kinds.add.s(n, 1) for n in range(6)], body).apply_async()
        jobs = of(kinds.add)
        barrier = threading.Barrier(len(jobs))

        def end(place: int, job: Job, barrier: threading.Barrier = barrier) -> None:
            try:
                barrier.wait()
                if place % 3 == 0:
                    cancel(job)
                    control.retry(Job.objects.get(pk=job.pk), by="ann")
                    job = Job.objects.get(pk=job.pk)
                claimed = claim(job)
                assert transitions.complete(claimed, 1, effects=[lambda: canvas.succeeded(claimed, 1)])
            finally:
                connection.close()

        with ThreadPoolExecutor(len(jobs)) as threads:
            list(threads.map(end, range(len(jobs)), jobs))
        assert [row.args for row in of(kinds.collect)] == [[[1] * 6]]
        assert len(of(kinds.record_failure)) == 1


@pytest.mark.django_db
def test_the_count_of_a_chord_that_never_came_to_its_body_goes_with_its_failed_member() -> None:
    chord([kinds.add.s(n, 1) for n in range(2)], kinds.collect.s()).apply_async()
    cancel(of(kinds.add)[0])
    assert ChordCounter.objects.count() == 1
    Clock().turn(timedelta(days=100))
    retention.clean_up(of(kinds.add)[1].updated_at + timedelta(days=100))
    assert not ChordCounter.objects.exists()


# -- the plain path ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_job_without_a_canvas_costs_no_statement_for_it() -> None:
    job = claim(make_job())
    with CaptureQueriesContext(connection) as told:
        canvas.succeeded(job, 1)
        canvas.failed(job, kinds.Refused())
    assert len(told) == 0
