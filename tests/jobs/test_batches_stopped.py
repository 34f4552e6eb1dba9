"""Batches that are cancelled, that stop at failures, and whose failed members are retried."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.db import connection

from jobs import (
    batch_tasks,
    batches,
    control,
    dispatch,
    journal,
    line,
    members,
    transitions,
)
from jobs.models import FailurePolicy, Job
from jobs.testing import Clock, run
from tests import kinds
from tests.builders import claim
from tests.jobs.test_batches import (
    at_once,
    complete,
    fail,
    make_batch,
    members_of,
    now,
    numbers,
    on_postgresql,
    rounds,
    told,
    upkeep,
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three members are a large batch."""
    monkeypatch.setattr(batches, "_AT_ONCE", 2)


# -- cancelling ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_cancelled_batch_starts_nothing_more_and_ends() -> None:
    batch = make_batch(3, callback=told.s())
    first, second, _ = members_of(batch)
    complete(first)
    running = claim(second)
    batches.cancel(batch, by="ann")
    assert not transitions.is_mine(running)
    assert [job.status for job in members_of(batch)] == ["completed", "cancelled", "cancelled"]
    assert rounds(batch) == (1, True, 1)
    assert numbers(batch) == (1, 0, 2)
    for _ in range(2):
        with pytest.raises(batches.BatchEnded):
            batches.cancel(now(batch), by="ann")
    with pytest.raises(batches.BatchClosed):
        batches.add(batch, kinds.add, [((6, 1), {})])


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_of_a_large_batch_a_job_cancels_the_rest_and_none_of_it_starts_meanwhile() -> None:
    batch = make_batch(7, callback=told.s())
    batches.cancel(batch, by="ann")
    left = Job.objects.filter(batch=batch, status="pending")
    assert left.count() == 5
    assert set(left.values_list("hold", flat=True)) == {"later"}
    batches.cancel(batch, by="ann")  # again, before the job has come to it: the next few
    assert left.count() == 3
    task = upkeep(batch_tasks.cancel_members)[0]
    assert task.priority == 10
    assert batch_tasks.cancel_members(**task.kwargs) == 3
    assert rounds(batch) == (1, True, 1)
    assert numbers(batch) == (0, 0, 7)


@pytest.mark.django_db
def test_thousands_are_cancelled_in_bounded_time(capsys: pytest.CaptureFixture[str]) -> None:
    count = 2000
    batch = make_batch(count)
    started = time.perf_counter()
    batches.cancel(batch, by="ann")
    answered = time.perf_counter() - started
    task = upkeep(batch_tasks.cancel_members)[0]
    batch_tasks.cancel_members(**task.kwargs)
    took = time.perf_counter() - started
    journal.book_all()
    booked = time.perf_counter() - started
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{count} cancelled on {connection.vendor}: answered in {answered:.2f} s, done in {took:.1f} s, "
            f"booked in {booked:.1f} s"
        )
    assert numbers(batch) == (0, 0, count)
    assert now(batch).rounds == 1


@pytest.mark.django_db
def test_a_failed_member_cancels_the_others_where_the_batch_says_so() -> None:
    batch = make_batch(4, on_failure=FailurePolicy.CANCEL, callback=told.s())
    first, second, third, _ = members_of(batch)
    complete(first)
    fail(second)
    fail(third)
    assert rounds(batch) == (0, False, 0)
    assert now(batch).cancelled_at
    (task,) = upkeep(batch_tasks.cancel_members)  # once, however many failed
    batch_tasks.cancel_members(**task.kwargs)
    assert rounds(batch) == (1, True, 1)
    assert numbers(batch) == (1, 2, 1)


@pytest.mark.django_db
def test_a_batch_that_stops_at_failures_does_so_in_each_round() -> None:
    batch = make_batch(3, on_failure=FailurePolicy.CANCEL, callback=told.s())
    first, second, _ = members_of(batch)
    fail(first)
    journal.book_all()
    batch_tasks.cancel_members(**upkeep(batch_tasks.cancel_members)[0].kwargs)
    assert rounds(batch) == (1, True, 1)
    assert batches.retry_failed(batch, by="ann", cancelled=True) == 3
    journal.book_all()
    assert now(batch).cancelled_at is None
    fail(second)
    journal.book_all()
    assert len(upkeep(batch_tasks.cancel_members)) == 2
    assert now(batch).cancelled_at


@pytest.mark.django_db
@pytest.mark.parametrize("booked", [True, False])
def test_a_job_that_comes_late_to_cancel_leaves_a_batch_alone_that_goes_on(booked: bool) -> None:
    batch = make_batch(3)
    batches.cancel(batch, by="ann")
    if booked:
        journal.book_all()
    batches.retry_failed(batch, by="ann", cancelled=True)
    assert batch_tasks.cancel_members(**upkeep(batch_tasks.cancel_members)[0].kwargs) == 0
    assert {(job.status, job.hold) for job in members_of(batch)} == {("pending", "")}


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_nothing_of_a_batch_is_retried_while_the_rest_of_it_is_still_to_be_cancelled() -> None:
    batch = make_batch(7)
    batches.cancel(batch, by="ann")
    journal.book_all()
    with pytest.raises(batches.BatchBeingCancelled):
        batches.retry_failed(batch, by="ann", cancelled=True)
    assert now(batch).cancelled_at
    batch_tasks.cancel_members(**upkeep(batch_tasks.cancel_members)[0].kwargs)
    batches.retry_failed(batch, by="ann", cancelled=True)
    (rest,) = upkeep(batch_tasks.retry_members)
    batch_tasks.retry_members(**rest.kwargs)
    journal.book_all()
    assert {(job.status, job.hold) for job in members_of(batch)} == {("pending", "")}
    assert now(batch).cancelled_at is None


@pytest.mark.django_db
def test_a_batch_that_stops_at_a_failure_is_not_retried_before_it_has_stopped() -> None:
    batch = make_batch(3, on_failure=FailurePolicy.CANCEL)
    fail(members_of(batch)[0])
    journal.book_all()
    with pytest.raises(batches.BatchBeingCancelled):
        batches.retry_failed(batch, by="ann")
    batch_tasks.cancel_members(**upkeep(batch_tasks.cancel_members)[0].kwargs)
    assert batches.retry_failed(batch, by="ann", cancelled=True) == 3
    assert {(job.status, job.hold) for job in members_of(batch)} == {("pending", "")}


@pytest.mark.django_db
def test_a_member_that_is_retried_alone_keeps_nobody_from_retrying_the_others() -> None:
    batch = make_batch(3)
    batches.cancel(batch, by="ann")
    journal.book_all()
    control.retry(members_of(batch)[0], by="ann")
    assert batches.retry_failed(batch, by="ann", cancelled=True) == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_a_process_that_dies_amid_cancelling_leaves_nothing_that_ever_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = make_batch(7)

    def killed(*_: object, **__: object) -> int:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(members, "cancel", killed)
        with pytest.raises(SystemExit):
            batches.cancel(batch, by="ann")
    Clock().turn(timedelta(days=400))  # however late the job comes
    line.promote()
    dispatch.forget()
    assert {job.kind for job in line.take("maintenance", room=20)} == {batch_tasks.cancel_members.name}
    run(upkeep(batch_tasks.cancel_members)[0])
    assert rounds(batch)[:2] == (1, True)
    assert numbers(batch) == (0, 0, 7)


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_a_job_that_retries_stops_once_the_batch_is_cancelled() -> None:
    batch = make_batch(6)
    for member in members_of(batch)[:5]:
        fail(member)
    journal.book_all()
    batches.retry_failed(batch, by="ann")
    batches.cancel(batch, by="ann")
    batch_tasks.cancel_members(**upkeep(batch_tasks.cancel_members)[0].kwargs)
    (task,) = upkeep(batch_tasks.retry_members)
    assert batch_tasks.retry_members(**task.kwargs) == 0
    assert Counter(job.status for job in members_of(batch)) == {"failed": 3, "cancelled": 3}


@pytest.mark.django_db
def test_a_batch_that_is_retried_while_a_second_job_cancels_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = make_batch(4)
    batches.cancel(batch, by="ann")
    late = upkeep(batch_tasks.cancel_members)[0]
    batches.retry_failed(batch, by="ann", cancelled=True)
    batches.cancel(batch, by="ann")
    look = members._next

    def look_and_be_overtaken(batch_id: UUID, *, limit: int) -> list[UUID]:
        """The batch's members as they were before the retry; by now they wait again."""
        batches.retry_failed(batch, by="ann", cancelled=True)
        return look(batch_id, limit=limit)

    monkeypatch.setattr(members, "_next", look_and_be_overtaken)
    assert batch_tasks.cancel_members(**late.kwargs) == 0
    assert {job.status for job in members_of(batch)} == {"pending"}


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_member_that_is_added_while_the_batch_is_cancelled_is_refused_or_cancelled() -> None:
    for _ in range(10):
        batch = make_batch(3)
        raised = at_once(
            partial(batches.cancel, batch, by="ann"), partial(batches.add, batch, kinds.add, [((9, 1), {})])
        )
        assert [type(error) for error in raised] in ([], [batches.BatchClosed])
        journal.book_all()
        row = now(batch)
        assert (row.total, row.cancelled, row.rounds) == (4 - len(raised), 4 - len(raised), 1)


# -- retrying --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_failed_is_retried_and_the_end_is_told_again() -> None:
    batch = make_batch(4, callback=told.s())
    first, second, third, fourth = members_of(batch)
    complete(first)
    fail(second)
    fail(third)
    control.cancel(fourth, by="ann")
    assert rounds(batch) == (1, True, 1)
    assert batches.retry_failed(batch, by="ann") == 2
    assert [job.status for job in members_of(batch)] == ["completed", "pending", "pending", "cancelled"]
    assert rounds(batch) == (1, False, 1)
    with pytest.raises(batches.NothingToRetry):
        batches.retry_failed(batch, by="ann")
    complete(second)
    fail(third)
    assert rounds(batch) == (2, True, 2)
    assert batches.retry_failed(batch, by="ann", cancelled=True) == 2
    complete(third)
    complete(fourth)
    assert rounds(batch) == (3, True, 3)
    assert numbers(batch) == (4, 0, 0)


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_of_a_large_batch_a_job_retries_the_rest_and_nothing_twice() -> None:
    batch = make_batch(5)
    for member in members_of(batch):
        fail(member)
    journal.book_all()
    assert batches.retry_failed(batch, by="ann") == 2
    again = Job.objects.filter(batch=batch, status="pending")[0]
    fail(again)
    (task,) = upkeep(batch_tasks.retry_members)
    assert batch_tasks.retry_members(**task.kwargs) == 3
    assert batch_tasks.retry_members(**task.kwargs) == 0
    assert Job.objects.get(pk=again.pk).status == "failed"  # it failed once more: nobody has asked for that one
    assert {job.retry_count for job in members_of(batch)} == {1}


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_two_who_retry_at_the_same_time_retry_each_member_once() -> None:
    batch = make_batch(8, callback=told.s())
    for member in members_of(batch):
        fail(member)
    journal.book_all()
    raised = at_once(*[lambda: batches.retry_failed(batch, by="ann")] * 2, lambda: journal.book_all())
    assert [type(error) for error in raised] in ([], [batches.NothingToRetry])
    assert {job.retry_count for job in members_of(batch)} == {1}
    assert rounds(batch)[:2] == (1, False)
    for member in members_of(batch):
        complete(member)
    assert rounds(batch) == (2, True, 2)
