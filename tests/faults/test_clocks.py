"""Clocks that are wrong, beats that are two or none: leases and slots go by the database's clock, once each."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from jobs.models import Attempt, Job, Tick
from tests import kinds
from tests.faults.arena import Arena, size
from tests.stack import Process, wait_for

pytestmark = pytest.mark.stack

HOUR = timedelta(hours=1)
_LEASE_AND_MORE = 6.0  # seconds; the lease is three


_SLEEP = """\
import select
import time


def sleep(seconds):
    select.select([], [], [], max(0, seconds))


time.sleep = sleep
"""
"""libfaketime 0.9 takes the instant until which Python sleeps, by the clock that is right, for one by the other."""


def wrong_clock(offset: str, folder: Path) -> dict[str, str]:
    """The environment of a program whose clock is off by so much; its children are told the truth.

    By libfaketime, which stands before the C library: what wraps Python's own functions misses `datetime`,
    which asks the system by itself, and every library that is not Python.
    """
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "faketime is not installed: bin/setup --dev installs it"
    (folder / "sitecustomize.py").write_text(_SLEEP)
    # Intervals are right on a machine whose clock is wrong.
    faked = {"LD_PRELOAD": str(found[0]), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return {**faked, "PYTHONPATH": str(folder)}


def is_off(worker: Process) -> timedelta:
    """How much the clock is off that a worker writes into its log."""
    said = re.findall(r"\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d", worker.text())
    return datetime.fromisoformat(said[-1]).replace(tzinfo=UTC) - datetime.now(UTC)


@pytest.mark.parametrize(("offset", "hours"), [("+1h", 1), ("-1h", -1)], ids=["ahead", "behind"])
def test_a_worker_whose_clock_is_wrong_by_an_hour_harms_nobody(arena: Arena, offset: str, hours: int) -> None:
    wrong = arena.worker(concurrency=1, **wrong_clock(offset, arena.folder))
    assert abs(is_off(wrong) - hours * HOUR) < timedelta(minutes=5)
    count = size(full=300, short=20)
    arena.submit(count, seconds=0.02, children=0.2)
    later = arena.submit_one(countdown=2, priority=10)
    arena.check(completed=count + 1)
    assert Attempt.objects.get(job_id=later).started_at >= Job.objects.get(pk=later).run_at

    arena.worker(concurrency=1)  # which would rescue what the other lets expire, as the other would its own
    long = [arena.submit_one(seconds=_LEASE_AND_MORE, child=child) for child in (True, False)]
    arena.check(completed=count + 3)
    assert arena.outcomes() == {"completed": count + 3}
    assert len(set(Attempt.objects.filter(job_id__in=long).values_list("worker", flat=True))) == 2
    times = Attempt.objects.values_list("started_at", "ended_at")
    assert all(abs(timezone.now() - at) < HOUR / 4 for pair in times for at in pair if at)


def beat(arena: Arena, name: str) -> Process:
    argv = [sys.executable, "-m", "celery", "-A", "tests.celery", "beat", "-l", "INFO", "--pidfile="]
    return arena.stack.start(name, argv)


def every(seconds: int, name: str, *, last_run_at: datetime) -> PeriodicTask:
    interval = IntervalSchedule.objects.get_or_create(every=seconds, period="seconds")[0]
    return PeriodicTask.objects.create(name=name, task=kinds.effect.name, interval=interval, last_run_at=last_run_at)


def ticks(name: str) -> list[Tick]:
    return list(Tick.objects.filter(schedule=name).order_by("slot"))


def wait_for_ticks(name: str, *, more: int = 3) -> None:
    seen = len(ticks(name))
    wait_for(lambda: len(ticks(name)) >= seen + more, what=f"{more} more ticks of {name}")


def test_two_beats_one_of_which_is_killed_now_and_then_give_one_job_a_slot(arena: Arena) -> None:
    PeriodicTask.objects.all().delete()
    entry = every(1, "each second", last_run_at=timezone.now())
    arena.worker()
    beats = [beat(arena, "beat0"), beat(arena, "beat1")]
    for death in range(size(full=10, short=2)):
        wait_for_ticks(entry.name)
        arena.random.choice([process for process in beats if process.alive]).kill()
        beats.append(beat(arena, f"beat{death + 2}"))
    wait_for_ticks(entry.name)
    PeriodicTask.objects.update(enabled=False)
    for process in beats:
        if process.alive:
            process.stop()
    done = ticks(entry.name)
    arena.check(completed=len(done))
    assert {tick.task_id for tick in done} == {str(pk) for pk in Job.objects.values_list("pk", flat=True)}
    assert len({tick.slot for tick in done}) == len(done)


def test_a_beat_that_is_down_for_an_hour_stops_nothing_and_makes_up_for_it_once(arena: Arena) -> None:
    PeriodicTask.objects.all().delete()
    every(300, "often", last_run_at=timezone.now() - HOUR)
    first = arena.worker()
    job_id = arena.submit_one(seconds=1.0, child=True)
    arena.running(job_id)
    first.kill_family()
    arena.worker()
    arena.check(completed=1)  # nobody but a worker could have rescued it
    began = timezone.now()
    every(1, "clock", last_run_at=began)
    for name in ("one", "other"):
        beat(arena, name)
    wait_for_ticks("clock", more=5)
    PeriodicTask.objects.update(enabled=False)
    assert len([tick for tick in ticks("often") if tick.slot <= began]) == 1
    arena.check()
    assert Job.objects.filter(status="completed").count() == 1 + len(ticks("often")) + len(ticks("clock"))
