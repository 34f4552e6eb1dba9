"""One tenant floods: another one's job starts as soon as what was already released is done."""

from __future__ import annotations

import uuid

import pytest

from jobs.models import Attempt, Job
from tests import kinds
from tests.builders import make_user
from tests.faults.arena import Arena, size
from tests.stack import wait_for

pytestmark = pytest.mark.stack

_CONCURRENCY = 2
_RACING = 2  # who counted the places before the guest came may take after
_OUT_AT_MOST = 2 * _CONCURRENCY + _RACING  # a message for each that runs, and one that follows


def started(owner_id: int) -> set[uuid.UUID]:
    return set(Attempt.objects.filter(job__owner_id=owner_id).values_list("job_id", flat=True))


def out(owner_id: int) -> set[uuid.UUID]:
    """The jobs of an owner that are given to a worker, or were."""
    rows = Job.objects.filter(owner_id=owner_id).exclude(status="pending", released_at__isnull=True)
    return set(rows.values_list("pk", flat=True))


def test_a_flood_holds_up_nobody_else_and_moves_on(arena: Arena) -> None:
    flood, guests = size(full=10_000, short=500), size(full=20, short=4)
    worker = arena.worker(concurrency=_CONCURRENCY)
    arena.submit(flood, seconds=0.02)
    arena.wait_until_ended(5)
    for guest in range(guests):
        done = arena.ended()
        before = started(arena.owner_id)
        job, _ = kinds.effect.submit((0.0,), {}, owner_id=make_user(f"guest{guest}").pk)
        already_out = out(arena.owner_id)
        wait_for(lambda pk=job.pk: Job.objects.get(pk=pk).is_finished, what="the guest's end")  # type: ignore[misc]
        came = Attempt.objects.get(job_id=job.pk)
        sooner = Attempt.objects.filter(job__owner_id=arena.owner_id, started_at__lt=came.started_at)
        overtook = set(sooner.values_list("job_id", flat=True)) - already_out
        assert len(overtook) <= _RACING, f"guest {guest} was overtaken by {len(overtook)} of the flood"
        assert len(already_out - before) <= 10**6
        arena.wait_until_ended(done + 5)
    arena.check(seconds=size(full=900, short=120), completed=flood + guests)
    assert worker.alive
