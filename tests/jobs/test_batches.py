"""Many jobs as one: made, counted, ended once a round, cancelled, retried; whoever does it at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from celery import chain, chord, group
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.test import Client
from django.urls import include, path
from rest_framework.test import APIClient

from jobs import (
    admin_batches,  # noqa: F401  registers itself
    batch_tasks,
    batches,
    control,
    dispatch,
    journal,
    transitions,
)
from jobs.api import batch_serializers
from jobs.api import batches as api_batches
from jobs.context import JobContext
from jobs.models import Batch, FailurePolicy, Job, Transition
from jobs.retry import RetryPolicy
from jobs.task import job
from tests import kinds
from tests.builders import claim, make_user
from tests.stack import Process, wait_for

ONCE = RetryPolicy(retries=0, first_seconds=0)
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer")

urlpatterns = [
    path("api/", include("jobs.api.urls")),
    path("api/batches/", api_batches.BatchList.as_view(), name="batches"),
    path("api/batches/<uuid:batch_id>/", api_batches.BatchView.as_view(), name="batch"),
    path("api/batches/<uuid:batch_id>/jobs/", api_batches.BatchJobs.as_view(), name="batch-jobs"),
    path("api/batches/<uuid:batch_id>/cancel/", api_batches.CancelBatch.as_view(), name="batch-cancel"),
    path("api/batches/<uuid:batch_id>/retry-failed/", api_batches.RetryFailed.as_view(), name="batch-retry-failed"),
]


@job(queue="maintenance", retry=ONCE)
def told(ctx: JobContext, batch_id: str, note: str = "") -> str:
    """A callback."""
    return f"{note} {batch_id}"


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


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three members are a large batch."""
    monkeypatch.setattr(batches, "_AT_ONCE", 2)


# -- making ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_ten_thousand_members_are_recorded_in_seconds(ann: User, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.perf_counter()
    batch = make_batch(10_000, owner_id=ann.pk)
    took = time.perf_counter() - started
    with capsys.disabled():
        print(f"\n10,000 members on {connection.vendor}: {took:.2f} s")  # noqa: T201
    assert took < 20
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
def test_booking_that_breaks_in_the_middle_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = make_batch(2, callback=told.s())
    for member in members_of(batch):
        complete(member)

    def broken(moves: Any) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(journal.notifications, "tell", broken)
        with pytest.raises(RuntimeError):
            journal.book()
        assert (numbers(batch), now(batch).rounds, upkeep(told)) == ((0, 0, 0), 0, [])
    assert rounds(batch) == (1, True, 1)
    assert numbers(batch) == (2, 0, 0)


@pytest.mark.django_db
def test_a_callback_that_can_not_be_submitted_any_more_does_not_stop_the_journal() -> None:
    batch = make_batch(1, callback=told.s())
    Batch.objects.filter(pk=batch.pk).update(callback={"task": "gone.away", "args": [], "kwargs": {}, "options": {}})
    complete(members_of(batch)[0])
    assert rounds(batch) == (1, True, 0)


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
    assert answered < 10
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
def test_a_job_that_comes_late_to_cancel_leaves_a_batch_alone_that_goes_on() -> None:
    batch = make_batch(3, on_failure=FailurePolicy.CANCEL)
    fail(members_of(batch)[0])
    journal.book_all()
    batches.retry_failed(batch, by="ann")
    assert batch_tasks.cancel_members(**upkeep(batch_tasks.cancel_members)[0].kwargs) == 0
    assert {job.status for job in members_of(batch)} == {"pending"}


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_member_that_is_added_while_the_batch_is_cancelled_is_refused_or_cancelled() -> None:
    for _ in range(10):
        batch = make_batch(3)
        raised = at_once(
            lambda batch=batch: batches.cancel(batch, by="ann"),
            lambda batch=batch: batches.add(batch, kinds.add, [((9, 1), {})]),
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


# -- the API ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.urls(__name__)
class TestApi:
    """What users may do with batches."""

    def post(self, api: APIClient, **said: Any) -> Any:
        body = {"kind": even.name, "members": [{"kwargs": {"number": 2}}, {"kwargs": {"number": 4}}], **said}
        headers = {"Idempotency-Key": body.pop("key")} if "key" in body else {}
        return api.post("/api/batches/", body, format="json", headers=headers)

    def test_a_batch_is_made_and_looked_at(self, api: APIClient, ann: User) -> None:
        answer = self.post(api, name="two", callback_url="https://example.org/told")
        assert answer.status_code == 202, answer.content
        said = answer.json()
        assert (said["batch_id"], said["total_tasks"], said["name"]) == (said["id"], 2, "two")
        looked = api.get(said["urls"]["self"]).json()
        assert (looked["percent"], looked["rounds"], looked["counts"]["pending"]) == (0, 0, 2)
        jobs = api.get(said["urls"]["jobs"]).json()["results"]
        assert {(job["kind"], job["status"], job["priority"]) for job in jobs} == {(even.name, "pending", 3)}
        batch = Batch.objects.get()
        assert (batch.owner, batch.callback_url) == (ann, "https://example.org/told")
        assert batch_serializers.render(batch)["id"] == said["id"]

    def test_the_same_key_gives_the_same_batch(self, api: APIClient) -> None:
        first = self.post(api, key="k").json()
        assert self.post(api, key="k").json()["id"] == first["id"]
        other = self.post(api, key="k", members=[{"kwargs": {"number": 6}}])
        assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")
        assert Job.objects.count() == 2

    @pytest.mark.parametrize(
        ("said", "wanted"),
        [
            ({"kind": "tests.kinds.add"}, (403, "kind_not_allowed", None)),
            ({"kind": "no.such.kind"}, (403, "kind_not_allowed", None)),
            ({"kind": "tests.kinds.plain"}, (403, "kind_not_allowed", None)),
            ({"members": [{"kwargs": {"number": 2}}, {"kwargs": {}}]}, (422, "bad_member", 1)),
            ({"members": [{"kwargs": {"number": 2, "ctx": 1}}]}, (422, "bad_member", 0)),
            ({"members": [{"kwargs": {"number": "two"}}]}, (422, "bad_member", 0)),
            ({"members": [{"kwargs": [2]}]}, (422, "bad_member", 0)),
            ({"members": [2]}, (422, "bad_member", 0)),
            ({"members": [{"kwargs": {"number": 2}}, {"kwargs": {"number": 3}}]}, (403, "member_not_allowed", 1)),
            ({"members": []}, (400, "invalid", None)),
            ({"members": [{}] * 10_001}, (422, "batch_too_large", None)),
            ({"callback_url": "ftp://example.org/"}, (400, "invalid", None)),
            ({"on_failure": "explode"}, (400, "invalid", None)),
            ({"key": "k" * 256}, (400, "idempotency_key_too_long", None)),
        ],
        ids=[
            *("kind without may", "unknown kind", "plain task", "missing argument", "context", "wrong type"),
            *("kwargs no object", "member no object", "not theirs", "none", "too many", "no web address"),
            *("unknown policy", "long key"),
        ],
    )
    def test_what_can_not_be_is_refused(
        self, api: APIClient, said: dict[str, Any], wanted: tuple[int, str, int | None]
    ) -> None:
        answer = self.post(api, **said)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["details"].get("index")) == wanted, error
        assert not Batch.objects.exists()

    def test_a_user_sees_and_touches_only_what_is_theirs(self, api: APIClient) -> None:
        foreign = make_batch(1, owner_id=make_user().pk)
        address = f"/api/batches/{foreign.pk}/"
        assert api.get("/api/batches/").json()["results"] == []
        assert {api.get(address).status_code, api.get(f"{address}jobs/").status_code} == {404}
        assert {api.post(f"{address}{act}/").status_code for act in ("cancel", "retry-failed")} == {404}
        assert APIClient().get("/api/batches/").status_code == 401

    def test_the_list_has_filters(self, api: APIClient, ann: User) -> None:
        running, over = make_batch(1, owner_id=ann.pk, name="a"), make_batch(0, owner_id=ann.pk, name="b")

        def listed(**filters: str) -> list[str]:
            return [batch["id"] for batch in api.get("/api/batches/", filters).json()["results"]]

        assert listed() == [str(over.pk), str(running.pk)]
        assert (listed(ended="true"), listed(ended="false")) == ([str(over.pk)], [str(running.pk)])
        assert listed(name="a") == [str(running.pk)]

    def test_all_members_come_page_by_page_though_they_are_of_one_moment(self, api: APIClient, ann: User) -> None:
        batch = make_batch(1500, owner_id=ann.pk)
        complete(members_of(batch)[0])
        seen: list[str] = []
        address = f"/api/batches/{batch.pk}/jobs/?page_size=200&status=pending"
        while address:
            page = api.get(address).json()
            seen += [job["id"] for job in page["results"]]
            address = page["next"]
        assert len(seen) == len(set(seen)) == 1499
        assert api.get(f"/api/batches/{batch.pk}/jobs/?cursor=cD1ub25zZW5zZQ==").status_code == 404

    def test_cancel_and_retry_answer_with_the_batch(self, api: APIClient, ann: User) -> None:
        batch = make_batch(3, owner_id=ann.pk)
        address = f"/api/batches/{batch.pk}/"
        nothing = api.post(f"{address}retry-failed/")
        assert (nothing.status_code, nothing.json()["error"]["code"]) == (409, "nothing_to_retry")
        fail(members_of(batch)[0])
        cancelled = api.post(f"{address}cancel/")
        assert (cancelled.status_code, cancelled.json()["counts"]["cancelled"]) == (202, 2)
        again = api.post(f"{address}cancel/")
        assert (again.status_code, again.json()["error"]["code"]) == (409, "batch_ended")
        assert api.post(f"{address}retry-failed/").json()["counts"]["pending"] == 1
        more = api.post(f"{address}retry-failed/", {"cancelled": True}, format="json")
        assert (more.status_code, more.json()["counts"]["pending"]) == (202, 3)


# -- the admin -------------------------------------------------------------------------------------------


@pytest.fixture
def operator() -> Client:
    user = make_user(is_staff=True)
    wanted = ["view_batch", "change_batch", "view_job"]
    user.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, *chosen: Batch) -> list[str]:
    """What the admin says after an action."""
    said = {"action": action, "_selected_action": [str(batch.pk) for batch in chosen]}
    answer = client.post("/admin/jobs/batch/", said, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.django_db
def test_an_operator_finds_a_batch_and_goes_to_its_jobs(operator: Client, ann: User) -> None:
    batch = make_batch(2, owner_id=ann.pk, name="<b>night</b>")
    make_batch(1, name="day")
    complete(members_of(batch)[0])
    journal.book_all()
    for term in (str(batch.pk), batch.name, "ann"):
        page = operator.get("/admin/jobs/batch/", {"q": term}).content.decode()
        assert "&lt;b&gt;night" in page
        assert "50 %" in page
        assert ">day<" not in page
    assert operator.get(f"/admin/jobs/batch/{batch.pk}/change/").status_code == 200
    jobs = operator.get("/admin/jobs/job/", {"batch__id__exact": str(batch.pk)})
    assert (jobs.status_code, jobs.context["cl"].result_count) == (200, 2)


@pytest.mark.django_db
def test_an_operator_cancels_and_retries_batches(operator: Client) -> None:
    batch, over = make_batch(2), make_batch(0)
    fail(members_of(batch)[0])
    assert act(operator, "cancel", batch, over) == [
        "1 batch was changed.",
        f"{str(over.pk)[:8]}: All jobs of the batch have ended already, so there is nothing to cancel.",
    ]
    assert act(operator, "retry_failed", batch) == ["1 batch was changed."]
    assert sorted(job.status for job in members_of(batch)) == ["cancelled", "pending"]


# -- over the real thing ---------------------------------------------------------------------------------


@pytest.mark.stack
def test_workers_do_a_batch_and_it_ends_with_its_failed_members(worker: Process) -> None:
    batch = batches.create_mixed([kinds.add.si(1, 2), kinds.refuse.si(), kinds.add.si(3), kinds.fail_until.si(2)])
    wait_for(lambda: now(batch).ended_at, what="the batch's end")
    assert (numbers(batch), now(batch).rounds, now(batch).percent) == ((3, 1, 0), 1, 100)
    batches.retry_failed(batch, by="ann")
    wait_for(lambda: now(batch).rounds == 2 and now(batch).ended_at, what="the second round")
    assert numbers(batch) == (3, 1, 0)


@pytest.mark.stack
def test_a_running_batch_is_cancelled_within_seconds(worker: Process) -> None:
    batch = batches.create(kinds.sleep, [((60,), {})] * 20)
    wait_for(lambda: Job.objects.filter(batch=batch, status="processing").count() == 2, what="two that run")
    batches.cancel(batch, by="ann")
    wait_for(lambda: now(batch).ended_at, what="the batch's end", seconds=10)
    assert numbers(batch) == (0, 0, 20)
    assert Job.objects.filter(batch=batch, attempt__gt=0).count() <= 4


@pytest.mark.stack
def test_a_chord_of_groups_and_chains_is_tracked_whole(worker: Process, ann: User) -> None:
    header = group(chain(kinds.add.s(number, 1), kinds.add.s(10)) for number in range(3))
    for signature in header.tasks:
        signature.tasks[0].options["owner_id"] = ann.pk
    result = chord(header, kinds.collect.s()).apply_async()
    assert result.get(timeout=30) == 36
    jobs = Job.objects.filter(status="completed")
    assert sorted(jobs.values_list("kind", flat=True)) == [*["tests.kinds.add"] * 6, "tests.kinds.collect"]
    assert set(jobs.filter(kind="tests.kinds.add").values_list("owner_id", flat=True)) == {ann.pk}


@pytest.mark.stack
def test_a_job_of_a_group_that_fails_leaves_the_others(worker: Process) -> None:
    result = group(kinds.add.s(1), kinds.refuse.s(), kinds.add.s(2)).apply_async()
    wait_for(lambda: Job.objects.filter(finished_at__isnull=False).count() == 3, what="all three")
    assert sorted(Job.objects.values_list("status", flat=True)) == ["completed", "completed", "failed"]
    assert len(result.results) == 3


@pytest.mark.stack
def test_a_chain_into_a_chord_goes_on_with_all_results(worker: Process) -> None:
    result = chain(kinds.add.s(1, 1), group(kinds.add.s(10), kinds.add.s(20)), kinds.collect.s()).apply_async()
    assert result.get(timeout=30) == 34
