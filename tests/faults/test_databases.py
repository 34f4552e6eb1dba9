"""PostgreSQL restarted, killed, its answers lost: nothing is half done, nothing twice."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import InterfaceError, OperationalError, connection

from jobs import control
from jobs.models import Attempt, Job
from tests import kinds
from tests.faults import invariants
from tests.faults.arena import Arena, size
from tests.servers import attached
from tests.servers.proxy import PostgresProxy
from tests.stack import database_url, wait_for

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("how", ["restarted", "killed"])
def test_postgresql_is_restarted_while_jobs_run(arena: Arena, how: str) -> None:
    count = size(full=600, short=80)
    worker = arena.worker(JOINTO_JOB_LEASE_SECONDS="20")  # longer than a database needs to come back
    long = arena.submit_one(seconds=4.0, child=True, priority=10)
    arena.running(long)
    arena.submit(count, seconds=0.1, children=0.2)
    for _ in arena.moments(size(full=6, short=1), jobs=count):
        connection.close()
        if how == "killed":
            arena.postgres.kill()
            arena.postgres.start()
        else:
            arena.postgres.restart()
    arena.check(completed=count + 1)
    assert worker.alive
    assert Attempt.objects.filter(job_id=long).count() == 1


LOST = {"claim": b"INSERT INTO jobs_attempt", "completion": b"'completed'"}
"""By what is said in the transaction whose COMMIT is answered in vain."""


def is_over(lost: threading.Event) -> bool:
    return lost.is_set() or invariants.all_have_ended()


@pytest.mark.parametrize("what", ["claim", "completion"])
def test_the_answer_to_a_workers_commit_is_lost(arena: Arena, what: str) -> None:
    count, losses = size(full=200, short=30), size(full=10, short=2)
    with PostgresProxy(database_url()) as proxy:
        worker = arena.worker(JOINTO_DATABASE_URL=proxy.url)
        arena.submit(count, seconds=0.05)
        for _ in arena.moments(losses, jobs=count):
            lost = proxy.lose_answer_to(b"COMMIT", after=LOST[what])
            with contextlib.suppress(AssertionError):  # which does not say where the jobs were meanwhile
                wait_for(partial(is_over, lost), what="the loss")
            assert lost.is_set(), f"no {what} to lose the answer to: {arena.statuses()}, {arena.outcomes()}"
        arena.check(completed=count)
        assert worker.alive
        arena.stack.stop()
    # A claim that nobody heard of ends with its lease; a completion that nobody heard of is one.
    assert (arena.outcomes()["crashed"] > 0) == (what == "claim"), arena.outcomes()


def submit(arena: Arena) -> Job:
    return kinds.effect.submit((0.01,), {}, owner_id=arena.owner_id, idempotency_key="once")[0]


def cancel(arena: Arena) -> None:
    control.cancel(Job.objects.get(), by="test")


def _again(action: Callable[[], object]) -> None:
    with pytest.raises((OperationalError, InterfaceError)):
        action()
    connection.close()


def test_the_answer_to_the_commit_of_a_submission_is_lost(arena: Arena) -> None:
    """The caller does not know; asking again with the same key gives the job that is there."""
    with PostgresProxy(database_url()) as proxy:
        with attached.database(proxy.url, migrate=False):
            lost = proxy.lose_answer_to(b"COMMIT", after=b'INSERT INTO "jobs_job"')
            _again(lambda: submit(arena))
            assert lost.is_set()
            job = submit(arena)
            connection.close()
        assert Job.objects.get().pk == job.pk
        arena.worker()
        arena.check(completed=1)


def test_the_answer_to_the_commit_of_a_cancel_is_lost(arena: Arena) -> None:
    with PostgresProxy(database_url()) as proxy:
        with attached.database(proxy.url, migrate=False):
            submit(arena)
            lost = proxy.lose_answer_to(b"COMMIT", after=b"'cancelled'")
            _again(lambda: cancel(arena))
            assert lost.is_set()
            with pytest.raises(control.NotCancellable):
                cancel(arena)
            connection.close()
        arena.worker()
        arena.submit(5)
        arena.check(completed=5, cancelled=1)
