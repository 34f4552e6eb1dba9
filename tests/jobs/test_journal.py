"""Each consequence of each move exactly once: whoever books, in whatever order, whatever crashes."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs import journal, notifications, statistics, transitions
from jobs.models import Job, Tally, Transition
from jobs.moves import Move
from jobs.now import Now
from jobs.status import RETRYABLE, WAITING, JobStatus
from jobs.testing import Clock
from tests.builders import make_claimed_job, make_job

pytestmark = pytest.mark.django_db
postgres_only = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")

STEPS = ("claim", "complete", "retry_later", "crash", "fail", "hand_back", "cancel", "retry", "refuse")


def tallied() -> dict[tuple[str, str, str], int]:
    """The jobs by kind, queue and status, as the tallies say."""
    rows = Tally.objects.filter(measure=statistics.STATUS).exclude(n=0)
    return {(row.kind, row.queue, row.bucket): row.n for row in rows}


def counted() -> dict[tuple[str, str, str], int]:
    """The same, as the table says."""
    groups = Job.objects.order_by().values_list("kind", "queue", "status").annotate(n=Count("pk"))
    return {(kind, queue, status): n for kind, queue, status, n in groups}


def step(job: Job, name: str) -> None:
    """Do something with a job, if it is in a state for it."""
    status = JobStatus(job.status)
    if name == "claim" and status in WAITING:
        waits = Job.objects.filter(pk=job.pk, status__in=sorted(WAITING))
        if waits.update(run_at=job.created_at, released_at=Now()):
            transitions.claim(job.pk, worker="w", pid=1, lease=timedelta(minutes=1))
    elif name == "complete" and status is JobStatus.PROCESSING:
        transitions.complete(job, 1)
    elif name in ("retry_later", "crash") and status is JobStatus.PROCESSING:
        crashed = name == "crash"
        transitions.retry_later(job, wait=timedelta(0), code="x", message="x", crashed=crashed)
    elif name == "fail" and status is JobStatus.PROCESSING:
        transitions.fail(job, code="x", message="x")
    elif name == "hand_back" and status is JobStatus.PROCESSING:
        transitions.hand_back(job)
    elif name == "cancel":
        transitions.cancel(job.pk)
    elif name == "retry" and status in RETRYABLE:
        transitions.retry(job, budget=2)
    elif name == "refuse" and status in WAITING:
        transitions.refuse(job, code="x", message="x")


def test_every_move_is_booked_once() -> None:
    job = make_claimed_job()
    transitions.complete(job, 3)
    assert journal.book() == 3
    assert journal.book() == 0
    assert tallied() == {("tests.kinds.add", "maintenance", "completed"): 1}
    assert not Transition.objects.filter(booked=False).exists()


def test_a_booking_that_crashes_leaves_everything_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    make_job()

    def crash(moves: Sequence[Move]) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(notifications, "tell", crash)
        journal.book_all()
    assert tallied() == {}
    Clock().turn(timedelta(hours=1))  # it was set aside for a while
    assert journal.book() == 1
    assert tallied() == counted()


def test_a_database_that_is_away_sets_nothing_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    make_job()

    def go_away(moves: Sequence[Move]) -> None:
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(notifications, "tell", go_away)
        with pytest.raises(OperationalError):
            journal.book()
        assert journal.book_quietly() == 0
    assert tallied() == {}
    assert journal.book() == 1
    assert tallied() == counted()


def test_booking_takes_no_more_than_it_may_and_all_takes_all() -> None:
    for _ in range(5):
        make_job()
    assert journal.book(2) == 2
    assert journal.book_all() == 3


def test_with_nothing_to_book_it_is_one_look() -> None:
    make_job()
    journal.book_all()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert journal.book() == 0
    assert len(queries) == 1


def test_a_booking_costs_the_same_for_one_move_and_for_a_hundred() -> None:
    costs = []
    for jobs in (1, 100):
        for _ in range(jobs):
            make_job()
        with CaptureQueriesContext(connection) as queries:
            assert journal.book() == jobs
        costs.append(len([q for q in queries if "SAVEPOINT" not in q["sql"]]))
    assert costs[0] == costs[1]


def test_a_move_comes_with_the_attempt_that_it_began_or_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Move] = []
    monkeypatch.setattr(notifications, "tell", seen.extend)
    job = make_claimed_job()
    transitions.retry_later(job, wait=timedelta(0), code="x", message="x")
    transitions.cancel(job.pk)
    journal.book()
    assert [(move.after, move.attempt and move.attempt.number) for move in seen] == [
        ("pending", None),
        ("processing", 1),
        ("retrying", 1),
        ("cancelled", None),
    ]
    assert [move.is_an_end for move in seen] == [False, False, False, True]


HISTORY = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([*STEPS, "book"])), max_size=25)


@given(history=HISTORY, limit=st.integers(1, 5), order=st.randoms(use_true_random=False))
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_after_any_history_the_tallies_are_what_a_count_would_say(
    history: list[tuple[int, str]], limit: int, order: random.Random
) -> None:
    with transaction.atomic():
        ids = [make_job(kind=kind, queue=queue).pk for kind in ("a", "b") for queue in ("ai", "media")]
        for number, name in history:
            if name == "book":
                journal.book(limit)
            else:
                step(Job.objects.get(pk=ids[number]), name)
        book_in_any_order(order)
        assert tallied() == counted()
        transaction.set_rollback(True)


def book_in_any_order(order: random.Random) -> None:
    rows = list(Transition.objects.filter(booked=False))
    order.shuffle(rows)
    for row in rows:
        Transition.objects.filter(booked=False).exclude(pk=row.pk).update(booked=True)
        journal.book()
        rest = [other.pk for other in rows[rows.index(row) + 1 :]]
        Transition.objects.filter(pk__in=rest).update(booked=False)


@contextmanager
def threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that each have a connection to the database, which is closed after them."""
    barrier = threading.Barrier(count)

    def close() -> None:
        barrier.wait(30)
        connection.close()

    with ThreadPoolExecutor(count) as pool:
        try:
            yield pool
        finally:
            for closing in [pool.submit(close) for _ in range(count)]:
                closing.result()


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_whoever_moves_and_books_at_once_the_tallies_are_right_in_the_end() -> None:
    ids = [make_job(kind=kind, queue=queue).pk for kind in "abc" for queue in ("ai", "media") for _ in range(3)]

    def work(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(60):
            step(Job.objects.get(pk=dice.choice(ids)), dice.choice(STEPS))
            journal.book(dice.randint(1, 20))

    with threads(4) as pool:
        for done in [pool.submit(work, seed) for seed in range(4)]:
            done.result()
    journal.book_all()
    assert tallied() == counted()


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_who_count_the_same_in_different_order_do_not_deadlock() -> None:
    jobs = [make_job(kind=kind) for kind in "abcdefgh"]
    moves = [Move(0, job, None, "", "pending", "", job.created_at) for job in jobs]

    def work(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(40):
            with transaction.atomic():
                statistics.count(dice.sample(moves, len(moves)))

    with threads(4) as pool:
        for done in [pool.submit(work, seed) for seed in range(4)]:
            done.result()
    assert set(tallied().values()) == {160}


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_while_another_books_nobody_waits_for_it() -> None:
    make_job()
    inside, go_on = threading.Event(), threading.Event()

    def book_slowly() -> bool:
        with transaction.atomic():
            assert journal.book() == 1
            inside.set()
            return go_on.wait(30)

    with threads(1) as pool:
        slow = pool.submit(book_slowly)
        assert inside.wait(30)
        make_job()
        try:
            assert journal.book() == 0
        finally:
            go_on.set()
        assert slow.result()
    assert journal.book() == 1
    assert tallied() == counted()
