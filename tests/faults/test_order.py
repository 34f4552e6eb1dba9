"""The same order on every broker: what comes first is decided in the database, and the broker only carries it."""

from __future__ import annotations

import os
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from jobs import control, line
from jobs.models import Attempt, Hold, Job
from jobs.now import Now
from jobs.priority import CRITICAL, HIGH, LOW, NORMAL
from jobs.status import JobStatus
from tests import kinds
from tests.builders import make_user
from tests.faults.arena import SEED, Arena
from tests.stack import wait_for

pytestmark = pytest.mark.stack

ON_EACH_BROKER = pytest.mark.parametrize(
    "arena", ["pg_redis", "pg_rabbitmq", "sqlite_redis", "sqlite_rabbitmq"], indirect=True
)
_QUEUE = "maintenance"
_OUT_AT_ONCE = 4  # two processes that release at once may send in the other order what both have taken
_GATE = -1  # the number of the job that was given out before all others


@contextmanager
def busy(arena: Arena) -> Iterator[None]:
    """A worker with one place is at a job that does not end before the context does, and nothing more is given out."""
    fifo = arena.folder / "gate"
    os.mkfifo(fifo)
    arena.worker(concurrency=1, queues=_QUEUE)
    first, _ = kinds.count.submit((str(fifo),), {}, priority=CRITICAL)  # opening it waits for a reader
    wait_for(lambda: Job.objects.get(pk=first.pk).status == JobStatus.PROCESSING, what="the first job's start")
    while not Job.objects.filter(status=JobStatus.PENDING, released_at=None).exists():
        last = submit(_GATE, priority=CRITICAL)
    control.cancel(last, by="the test")  # it is the one for whom there was no room
    given = out()
    yield
    assert out() == given
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    wait_for(lambda: Job.objects.get(pk=first.pk).is_finished, what="the first job's end")
    os.close(reader)


def submit(number: int, **options: Any) -> Job:
    """One job that is told from others by its number."""
    job, _ = kinds.add.submit((number, 0), {}, **options)
    return job


def out() -> set[uuid.UUID]:
    """The jobs that are at work, or with the broker."""
    at_work = Q(status=JobStatus.PROCESSING) | Q(released_at__isnull=False)
    return set(Job.objects.filter(at_work).values_list("pk", flat=True))


def standing() -> list[int]:
    """The numbers of those who wait, in the order of the line."""
    rows = Job.objects.filter(status=JobStatus.PENDING, released_at=None, hold=Hold.NONE).order_by(*line.ORDER)
    return [args[0] for args in rows.values_list("args", flat=True)]


def begun() -> list[int]:
    """The numbers of those whose bodies have begun, in that order."""
    rows = Attempt.objects.filter(job__kind=kinds.add.name).order_by("id")
    return [args[0] for args in rows.values_list("job__args", flat=True) if args[0] != _GATE]


def overtaken(expected: list[int]) -> int:
    """How many that stand before it a job overtook, at most."""
    assert sorted(begun()) == sorted(expected)
    places = [expected.index(number) for number in begun()]
    return max(sum(later < place for later in places[at:]) for at, place in enumerate(places))


@ON_EACH_BROKER
def test_what_is_most_urgent_runs_first_and_owners_take_turns(arena: Arena) -> None:
    chance = random.Random(SEED)  # not the arena's: the same jobs on each broker
    owners = [make_user().pk for _ in range(3)]
    asked = [(owner, priority) for owner in owners for priority in (CRITICAL, HIGH, NORMAL, LOW) for _ in range(3)]
    chance.shuffle(asked)
    turns: Counter[tuple[int, int]] = Counter()
    places = []
    with busy(arena):
        for number, (owner, priority) in enumerate(asked):
            submit(number, owner_id=owner, priority=priority)
            places.append((-priority, turns[owner, priority], number))
            turns[owner, priority] += 1
        expected = [number for *_, number in sorted(places)]
        assert standing() == expected
    arena.check()
    assert overtaken(expected) <= _OUT_AT_ONCE


@ON_EACH_BROKER
def test_one_job_waits_for_one_of_anothers_flood(arena: Arena) -> None:
    flood, guest = make_user().pk, make_user().pk
    with busy(arena):
        for number in range(30):
            submit(number, owner_id=flood)
        mine = submit(30, owner_id=guest)
        assert line.positions([Job.objects.get(pk=mine.pk)]) == {mine.pk: 2}
    arena.check()
    assert overtaken([0, 30, *range(1, 30)]) <= _OUT_AT_ONCE


@ON_EACH_BROKER
def test_what_is_not_due_lets_others_pass_and_then_comes_by_its_priority(arena: Arena) -> None:
    with busy(arena):
        late = submit(0, priority=CRITICAL, countdown=3600)
        later = submit(1, priority=HIGH, eta=timezone.now() + timedelta(hours=1))
        for number in range(2, 5):
            submit(number)
        assert standing() == [2, 3, 4]
        assert set(line.positions(Job.objects.filter(pk__in=[late.pk, later.pk])).values()) == {None}
    wait_for(lambda: begun() == [2, 3, 4] and not out(), what="those that are due")

    control.pause(_QUEUE, by="an operator")
    for number in range(5, 25):
        submit(number)
    Job.objects.filter(hold=Hold.LATER).update(run_at=Now())  # the hour has passed
    wait_for(lambda: not Job.objects.filter(hold=Hold.LATER).exists(), what="their places in line")
    assert (standing(), out()) == ([0, 1, *range(5, 25)], set())
    control.resume(_QUEUE, by="an operator")
    arena.check()
    *_, first, second = sorted(begun().index(number) for number in (0, 1))
    assert first >= 3
    assert second <= 4 + _OUT_AT_ONCE
