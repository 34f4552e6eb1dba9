"""Workers and their children killed, stopped, told to go; every job still ends, its effect once."""

from __future__ import annotations

import contextlib
import os
import signal
import uuid
from functools import partial

import psutil
import pytest
from django.db import transaction

from jobs.models import Attempt, DeadLetter, Hold, Job, Worker
from tests import kinds
from tests.faults.arena import EVERYWHERE, Arena, pause, size
from tests.servers.process import Process, lives
from tests.stack import wait_for

pytestmark = pytest.mark.stack


def kill(arena: Arena, worker: Process) -> None:
    """-9, to the worker with all that it has started, or to itself alone."""
    if arena.random.random() < 0.5:
        worker.kill_family()
    else:
        worker.kill()


@EVERYWHERE
def test_workers_that_are_killed_again_and_again_lose_no_job(arena: Arena) -> None:
    count = size(full=2000, short=150)
    worker = arena.worker()
    arena.submit(count, seconds=0.05, children=0.2)
    for _ in arena.moments(size(full=20, short=3), jobs=count):
        kill(arena, worker)
        worker = arena.worker()
    arena.check(completed=count)
    assert worker.alive


def test_pool_children_that_are_killed_again_and_again_lose_no_job(arena: Arena) -> None:
    count = size(full=2000, short=150)
    worker = arena.worker()
    arena.submit(count, seconds=0.05, children=0.2)
    for _ in arena.moments(size(full=20, short=4), jobs=count):
        pids = list(Attempt.objects.filter(outcome="running").values_list("pid", flat=True))
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(arena.random.choice(pids), signal.SIGKILL)
    arena.check(completed=count)
    assert worker.alive


@pytest.mark.parametrize("arena", ["sqlite_redis", "pg_redis"], indirect=True)
def test_a_worker_whose_children_are_recycled_all_the_time_goes_on_and_stops_when_told(arena: Arena) -> None:
    """Each is forked from a process whose pulse is at the database now and then; see tests.jobs.test_forks."""
    count = size(full=300, short=20)
    options = ["--max-tasks-per-child", "3"]
    quick = {"JOINTO_JOB_TICK_SECONDS": "0.1", "JOINTO_WORKER_PULSE_SECONDS": "0.2"}
    # A new child takes a second. Messages wait longer than elsewhere, and those sent again would cost children too.
    worker = arena.worker(options=options, JOINTO_JOB_RESEND_SECONDS="60", **quick)
    arena.submit(count)
    arena.check(completed=count)
    assert arena.outcomes() == {"completed": count}
    assert "database is locked" not in worker.text()
    assert worker.stop(seconds=20) == 0


def test_a_job_that_always_kills_its_child_becomes_a_dead_letter_and_the_worker_goes_on(arena: Arena) -> None:
    worker = arena.worker()
    deadly = kinds.die.submit((), {}, owner_id=arena.owner_id)[0].pk
    arena.submit(40, seconds=0.05)

    def has_crashed(times: int) -> bool:
        Job.objects.filter(pk=deadly, hold=Hold.LATER).update(run_at="2000-01-01T00:00Z")  # it waits longer each time
        return Job.objects.get(pk=deadly).crashes == times

    for times in (1, 2, 3):
        wait_for(partial(has_crashed, times), what=f"crash {times}")
    arena.check(completed=40, failed=1)
    letter = DeadLetter.objects.get()
    assert (letter.job_id, letter.error_code, letter.resolved_at) == (deadly, "crashed_too_often", None)
    assert (arena.outcomes()["crashed"], worker.alive) == (3, True)


@pytest.mark.parametrize("back", ["while_the_next_attempt_runs", "after_the_job_has_ended"])
def test_an_attempt_that_was_stopped_past_its_lease_writes_nothing_and_its_child_dies(arena: Arena, back: str) -> None:
    first = arena.worker(concurrency=1)
    job_id = arena.submit_one(seconds=4.0, child=True)
    arena.running(job_id)
    child = wait_for(lambda: first.children("sleep"), what="the child")[0]
    first.suspend_family()
    arena.worker(concurrency=1)
    arena.running(job_id, attempt=2)
    if back == "after_the_job_has_ended":
        arena.wait_until_ended(1)
    before = Job.objects.values().get(pk=job_id)
    first.resume_family()
    wait_for(lambda: not lives(child), seconds=5, what="the end of the old attempt's child")
    if back == "after_the_job_has_ended":
        assert Job.objects.values().get(pk=job_id) == before
    arena.check(completed=1)
    assert arena.outcomes() == {"crashed": 1, "completed": 1}
    arena.submit(10)
    arena.check(completed=11)


def has_heard_of(worker: Process, job_id: uuid.UUID) -> bool:
    return str(job_id) in worker.text()


@EVERYWHERE
def test_a_worker_that_is_told_to_go_in_the_moment_of_the_claim_charges_nothing(arena: Arena) -> None:
    for moment in range(size(full=10, short=2)):
        worker = arena.worker(concurrency=1)
        with transaction.atomic():  # on SQLite it would keep the one lock for writing, were it stopped with it
            worker.suspend_family()
        job_id = arena.submit_one(seconds=0.2, child=arena.random.random() < 0.5)
        assert Job.objects.filter(pk=job_id, released_at__isnull=False).exists()
        with arena.holding(job_id):  # so that the claim has begun, and can't end
            worker.resume_family()
            wait_for(partial(has_heard_of, worker, job_id), what="the message's arrival")
            wait_for(pause(arena.random.uniform(0, 0.3)), what="the moment")
            worker.signal(signal.SIGTERM)
            wait_for(pause(arena.random.uniform(0, 0.5)), what="the moment")
        assert worker.stop(seconds=20) == 0
        if not Job.objects.get(pk=job_id).is_finished:
            arena.worker(concurrency=1)
            arena.wait_until_ended(moment + 1)
        arena.stack.stop()
    arena.check(completed=size(full=10, short=2))
    assert arena.outcomes().keys() <= {"completed", "handed_back"}


@EVERYWHERE
def test_deploys_hand_back_what_runs_and_charge_nothing(arena: Arena) -> None:
    """TERM, time to hand back, KILL for whatever is left; and the next version starts."""
    count, deploys = size(full=600, short=60), size(full=8, short=2)
    worker = arena.worker()
    arena.submit(count, seconds=0.1, children=0.3)
    for _ in arena.moments(deploys, jobs=count):
        long = [arena.submit_one(seconds=6.0, child=child, priority=10) for child in (True, False)]
        for job_id in long:
            arena.running(job_id)
        assert worker.stop(seconds=20) == 0
        assert not Worker.objects.exists()
        assert set(Job.objects.filter(pk__in=long).values_list("status", flat=True)) == {"pending"}
        worker = arena.worker()
    arena.check(completed=count + 2 * deploys)
    assert arena.outcomes().keys() == {"completed", "handed_back"}
    assert not any(process.name() == "sleep" for process in psutil.Process(worker.pid).children(recursive=True))
