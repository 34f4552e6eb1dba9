"""Many jobs as one: made, counted, ended once a round, cancelled, retried; whoever does it at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction

from jobs import (
    batches,
    control,
    dispatch,
    journal,
    notifications,
    quotas,
    statistics,
    transitions,
)
from jobs.context import JobContext
from jobs.models import Batch, DeadLetter, Delivery, FailurePolicy, Job, QuotaLimit, Transition
from jobs.retry import RetryPolicy
from jobs.task import job
from jobs.testing import Clock, run
from tests import kinds
from tests.builders import claim, make_user

ONCE = RetryPolicy(retries=0, first_seconds=0)
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer")


@job(queue="maintenance", retry=ONCE)
def told(ctx: JobContext, batch_id: str, note: str = "") -> str:
    """A callback."""
    return f"{note} {batch_id}"


def _ann(**_: object) -> int:
    return User.objects.get(username="ann").pk


@job(queue="maintenance", retry=ONCE, owner=_ann)
def owned(ctx: JobContext, batch_id: str) -> str:
    """A callback that belongs to Ann."""
    return batch_id


@job(queue="maintenance", retry=ONCE, may=lambda user_id, number, word: int(number) % 2 == 0)
def even(ctx: JobContext, number: int, word: str = "") -> int:
    """What any user may ask for, with even numbers."""
    return number


def make_batch(count: int, **terms: Any) -> Batch:
    """A batch of so many jobs that wait."""
    return batches.create(kinds.add, [((number, 1), {}) for number in range(count)], **terms)


def members_of(batch: Batch) -> list[Job]:
    return list(Job.objects.filter(batch=batch).order_by("args"))


def complete(job: Job) -> None:
    assert transitions.complete(claim(Job.objects.get(pk=job.pk)), 1)


def fail(job: Job) -> None:
    assert transitions.fail(claim(Job.objects.get(pk=job.pk)), code="broken", message="It broke.")


def now(batch: Batch) -> Batch:
    return Batch.objects.get(pk=batch.pk)


def numbers(batch: Batch) -> tuple[int, int, int]:
    row = now(batch)
    return row.completed, row.failed, row.cancelled


def rounds(batch: Batch) -> tuple[int, bool, int]:
    """How often the batch ended, whether it is at its end now, how many callbacks were submitted."""
    journal.book_all()
    row = now(batch)
    return row.rounds, row.ended_at is not None, Job.objects.filter(kind=told.name).count()


def upkeep(kind: Any) -> list[Job]:
    return list(Job.objects.filter(kind=kind.name))


def at_once(*acts: Callable[[], object]) -> list[Exception]:
    """Do all of it at the same time, each over a connection of its own; what was raised."""
    barrier, raised = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            act()
        except Exception as error:  # noqa: BLE001  whatever it is, the test tells it
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


@pytest.fixture
def ann() -> User:
    return make_user("ann")


# -- making ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_ten_thousand_members_are_recorded_in_seconds(ann: User, capsys: pytest.CaptureFixture[str]) -> None:
    started, busy = time.perf_counter(), time.process_time()
    batch = make_batch(10_000, owner_id=ann.pk)
    took, busy = time.perf_counter() - started, time.process_time() - busy
    with capsys.disabled():
        print(f"\n10,000 members on {connection.vendor}: {took:.1f} s, {busy:.1f} s of it ours")  # noqa: T201
    assert busy < 60  # by our own processor's time, as others may keep the machine busy
    assert (batch.total, batch.percent, batch.ended_at) == (10_000, 0, None)
    assert Job.objects.filter(batch=batch, owner=ann, priority=3, status="pending").count() == 10_000


@pytest.mark.django_db
def test_one_member_too_many_is_refused_and_nothing_is_recorded() -> None:
    with pytest.raises(batches.BatchTooLarge):
        make_batch(batches.LARGEST + 1)
    assert not Job.objects.exists()
    assert not Batch.objects.exists()


@pytest.mark.django_db
def test_arguments_that_do_not_fit_leave_no_batch() -> None:
    with pytest.raises(TypeError):
        batches.create(kinds.add, [((1, 2), {}), ((1, 2, 3), {})])
    assert not Batch.objects.exists()


@pytest.mark.django_db
def test_a_batch_of_nothing_is_at_its_end_and_calls_back() -> None:
    batch = make_batch(0, callback=told.s(note="all"))
    assert rounds(batch) == (1, True, 1)
    assert Job.objects.get().kwargs == {"batch_id": str(batch.pk), "note": "all"}
    assert batch.percent == 100


@pytest.mark.django_db
def test_a_callback_that_could_never_be_submitted_is_refused_at_once() -> None:
    with pytest.raises(TypeError):
        make_batch(1, callback=kinds.add.s(1))  # takes no batch_id
    with pytest.raises(ValueError, match="no kind of job"):
        make_batch(1, callback=kinds.plain.s(1))


@pytest.mark.django_db
def test_members_may_be_of_several_kinds(ann: User) -> None:
    batch = batches.create_mixed([kinds.add.si(1, b=2), even.si(number=2), kinds.add.si(3)], owner_id=ann.pk)
    found = sorted(Job.objects.filter(batch=batch).values_list("kind", "owner_id"))
    assert found == [("tests.jobs.test_batches.even", ann.pk), *[("tests.kinds.add", ann.pk)] * 2]
    with pytest.raises(ValueError, match="options"):
        batches.create_mixed([kinds.add.si(1).set(countdown=3)])


@pytest.mark.django_db
def test_a_batch_that_a_job_makes_belongs_to_the_jobs_owner(ann: User) -> None:
    parent, _ = kinds.add.submit((1,), {}, owner_id=ann.pk)
    with dispatch.on_behalf_of(Job.objects.get(pk=parent.pk)):
        batch = make_batch(2)
    assert batch.owner == ann
    assert {job.owner for job in members_of(batch)} == {ann}


@pytest.mark.django_db
def test_the_same_key_of_the_same_owner_gives_the_same_batch(ann: User) -> None:
    batch = make_batch(2, owner_id=ann.pk, idempotency_key="k")
    assert make_batch(2, owner_id=ann.pk, idempotency_key="k") == batch
    assert make_batch(2, owner_id=make_user().pk, idempotency_key="k") != batch
    for other in ({"name": "other"}, {"on_failure": FailurePolicy.CANCEL}):
        with pytest.raises(dispatch.IdempotencyKeyReused):
            make_batch(2, owner_id=ann.pk, idempotency_key="k", **other)
    with pytest.raises(dispatch.IdempotencyKeyReused):
        batches.create(kinds.add, [((0, 1), {}), ((7, 1), {})], owner_id=ann.pk, idempotency_key="k")
    assert Batch.objects.count() == 2


@pytest.mark.django_db
def test_the_same_key_gives_the_same_batch_whoever_the_owner_is_known_from(ann: User) -> None:
    by_members = [batches.create(owned, [((), {"batch_id": "x"})], idempotency_key="members") for _ in range(2)]
    parent = claim(kinds.add.submit((1,), {}, owner_id=ann.pk)[0])
    with dispatch.on_behalf_of(parent):
        by_maker = [make_batch(count, idempotency_key=f"maker {count}") for count in (1, 1, 0, 0)]
    assert [batch.owner for batch in (*by_members, *by_maker)] == [ann] * 6
    assert Batch.objects.count() == 3


@pytest.mark.django_db
def test_the_same_key_gives_the_same_batch_though_members_were_added_or_removed(ann: User) -> None:
    batch = make_batch(2, owner_id=ann.pk, idempotency_key="k")
    batches.add(batch, kinds.add, [((5, 1), {})])
    assert make_batch(2, owner_id=ann.pk, idempotency_key="k") == batch
    with pytest.raises(dispatch.IdempotencyKeyReused):
        make_batch(3, owner_id=ann.pk, idempotency_key="k")
    Job.objects.filter(batch=batch).delete()
    assert make_batch(2, owner_id=ann.pk, idempotency_key="k") == batch


@pytest.mark.django_db
def test_members_are_added_while_the_batch_is_open(ann: User) -> None:
    batch = make_batch(1, owner_id=ann.pk)
    assert batches.add(batch, kinds.add, [((5, 1), {})]) == 1
    first, second = members_of(batch)
    complete(first)
    assert rounds(batch) == (0, False, 0)
    complete(second)
    assert rounds(batch) == (1, True, 0)
    with pytest.raises(batches.BatchClosed):
        batches.add(batch, kinds.add, [((6, 1), {})])
    assert now(batch).total == 2


# -- counting --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_batch_ends_with_its_last_member_the_failed_ones_included(ann: User) -> None:
    batch = make_batch(3, owner_id=ann.pk, callback=told.s())
    first, second, third = members_of(batch)
    complete(first)
    fail(second)
    assert rounds(batch) == (0, False, 0)
    assert (numbers(batch), now(batch).percent) == ((1, 1, 0), 66)
    control.cancel(third, by="ann")
    assert rounds(batch) == (1, True, 1)
    assert (numbers(batch), now(batch).percent) == ((1, 1, 1), 100)
    callback = Job.objects.get(kind=told.name)
    assert (callback.owner, callback.batch_id) == (ann, None)
    assert rounds(batch) == (1, True, 1)


@pytest.mark.django_db
def test_counts_are_of_this_moment_and_outlast_the_members() -> None:
    batch = make_batch(4)
    first, second, third, _ = members_of(batch)
    complete(first)
    claim(second)
    fail(third)
    wanted = {"pending": 1, "processing": 1, "retrying": 0, "completed": 1, "failed": 1, "cancelled": 0}
    assert batches.counts(now(batch)) == wanted
    batches.cancel(batch, by="ann")
    journal.book_all()
    Job.objects.filter(batch=batch).delete()
    wanted |= {"pending": 0, "processing": 0, "cancelled": 2}
    assert batches.counts(now(batch)) == wanted


@pytest.mark.django_db
def test_each_end_calls_back_once_and_a_retry_by_hand_opens_the_batch_again() -> None:
    batch = make_batch(2, callback=told.s())
    first, second = members_of(batch)
    complete(first)
    fail(second)
    assert rounds(batch) == (1, True, 1)
    control.retry(Job.objects.get(pk=second.pk), by="ann")
    assert rounds(batch) == (1, False, 1)
    assert numbers(batch) == (1, 0, 0)
    complete(second)
    assert rounds(batch) == (2, True, 2)
    assert numbers(batch) == (2, 0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1), (1, 0, 2), (0, 2, 1)], ids=str)
def test_whichever_move_is_booked_first_the_numbers_and_the_rounds_come_out_right(order: tuple[int, ...]) -> None:
    batch = make_batch(1, callback=told.s())
    (member,) = members_of(batch)
    journal.book_all()
    fail(member)
    control.retry(Job.objects.get(pk=member.pk), by="ann")
    complete(member)
    telling = Transition.objects.filter(job=member, booked=False)
    moves = list(telling.filter(after__in=["failed", "pending", "completed"]).exclude(before="").order_by("id"))
    assert [move.after for move in moves] == ["failed", "pending", "completed"]
    for index in order:
        Transition.objects.exclude(pk=moves[index].pk).filter(pk__in=[move.pk for move in moves]).update(booked=True)
        with transaction.atomic():
            _count_only(moves[index], moves, done=[moves[i] for i in order[: order.index(index)]])
    assert numbers(batch) == (1, 0, 0)
    row = now(batch)
    assert (row.ended_at is not None, row.rounds, Job.objects.filter(kind=told.name).count()) == (True, 1, 1)


def _count_only(move: Transition, moves: list[Transition], *, done: list[Transition]) -> None:
    """Book this one alone, though the others wait to be booked too."""
    Transition.objects.filter(pk__in=[m.pk for m in moves if m not in done]).update(booked=False)
    batches.count(journal._moves([move]))
    Transition.objects.filter(pk=move.pk).update(booked=True)


@pytest.mark.django_db
def test_the_callback_url_hears_of_each_end_once(ann: User) -> None:
    url = "https://example.org/told"
    batch = make_batch(1, owner_id=ann.pk, callback_url=url)
    fail(members_of(batch)[0])
    journal.book_all()
    batches.retry_failed(batch, by="ann")
    complete(members_of(batch)[0])
    journal.book_all()
    nothing = make_batch(0, owner_id=ann.pk, callback_url=url)
    told_of = Delivery.objects.filter(target=url).order_by("created_at", "key").values_list("batch", "event")
    assert list(told_of) == [(batch.pk, "batch.failed"), (batch.pk, "batch.completed"), (nothing.pk, "batch.completed")]


@pytest.mark.django_db
def test_booking_that_breaks_in_the_middle_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = make_batch(2, callback=told.s())
    for member in members_of(batch):
        complete(member)

    def broken(moves: Any) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(notifications, "tell", broken)
        journal.book_all()
        assert (numbers(batch), now(batch).rounds, upkeep(told)) == ((0, 0, 0), 0, [])
    Clock().turn(timedelta(minutes=5))
    assert rounds(batch) == (1, True, 1)
    assert numbers(batch) == (2, 0, 0)


@pytest.mark.django_db
def test_a_batch_whose_end_breaks_is_set_aside_and_all_others_are_booked(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, other = make_batch(2, callback=told.s()), make_batch(1)
    tell = notifications.tell_of_batch

    def tell_of_some(batch: Batch) -> None:
        if batch == broken:
            raise RuntimeError("nobody can be told of this one")
        tell(batch)

    for member in [*members_of(broken), *members_of(other)]:
        complete(member)
    with monkeypatch.context() as patch:
        patch.setattr(notifications, "tell_of_batch", tell_of_some)
        assert rounds(other) == (1, True, 0)
        aside = Transition.objects.filter(booked=False)
        assert [move.job.batch for move in aside] == [broken]  # the last of its moves, without which it does not end
        assert "nobody can be told of this one" in caplog.text
        assert journal.book() == 0
    assert (rounds(broken), numbers(broken)) == ((0, False, 0), (1, 0, 0))
    Clock().turn(timedelta(minutes=5))
    assert (rounds(broken), numbers(broken)) == ((1, True, 1), (2, 0, 0))


@pytest.mark.django_db
def test_while_the_database_is_in_trouble_no_move_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    complete(members_of(make_batch(1))[0])

    def full(moves: Any) -> None:
        raise OperationalError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(statistics, "count", full)
        with pytest.raises(OperationalError):
            journal.book()
    assert journal.book() == 3
    assert not Transition.objects.filter(booked=False).exists()


@pytest.mark.django_db
def test_a_callback_that_can_not_be_submitted_any_more_does_not_stop_the_journal() -> None:
    batch = make_batch(1, callback=told.s())
    Batch.objects.filter(pk=batch.pk).update(callback={"task": "gone.away", "args": [], "kwargs": {}, "options": {}})
    complete(members_of(batch)[0])
    assert rounds(batch) == (1, True, 0)
    letter = DeadLetter.objects.get()
    assert (letter.kind, letter.error_code, letter.job.kwargs) == (
        "gone.away",
        "callback_not_submitted",
        {"batch_id": str(batch.pk)},
    )


@pytest.mark.django_db
def test_a_callback_whose_kind_breaks_stops_nothing_and_is_a_letter_from_which_it_is_retried() -> None:
    batch, other = make_batch(1, callback=owned.s()), make_batch(1)
    for one in (batch, other):
        complete(members_of(one)[0])
    assert (rounds(batch), rounds(other)) == ((1, True, 0), (1, True, 0))
    letter = DeadLetter.objects.get()
    assert (letter.job.kind, letter.job.status, letter.job.owner_id) == (owned.name, "failed", None)
    assert "User matching query does not exist" in letter.error_message
    control.retry(letter.job, by="operator")
    assert run(letter.job).result == str(batch.pk)
    assert rounds(batch) == (1, True, 0)


@pytest.mark.django_db
def test_a_callback_was_promised_so_no_quota_keeps_it_back(ann: User) -> None:
    batch = make_batch(1, owner_id=ann.pk, callback=told.s())
    QuotaLimit.objects.create(tier="free", kind=told.name, period="hour", limit=0)
    quotas.overridden.forget()
    complete(members_of(batch)[0])
    assert rounds(batch) == (1, True, 1)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_two_that_book_at_the_same_time_call_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_is_my_turn", lambda: True)  # the rows' locks alone have to keep it right
    for _ in range(15):
        batch = make_batch(6, callback=told.s())
        for index, member in enumerate(members_of(batch)):
            (fail if index % 2 else complete)(member)

        def book() -> None:
            while Transition.objects.filter(booked=False).exists():
                journal.book(2)

        assert at_once(book, book) == []
        assert (numbers(batch), rounds(batch)) == ((3, 3, 0), (1, True, 1))
        Job.objects.filter(kind=told.name).delete()
