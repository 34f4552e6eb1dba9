"""One tenant floods: another one's job starts as soon as what was already released is done."""

from __future__ import annotations

from functools import partial

import pytest

from jobs.dispatch import MOST_AHEAD
from jobs.models import Attempt, Job
from tests import kinds
from tests.builders import make_user
from tests.faults.arena import Arena, size
from tests.stack import wait_for

pytestmark = pytest.mark.stack

_CONCURRENCY = 2
_RACING = 2  # who counted the places before the guest came may take after
# For each that runs, those that follow: one as long as nobody knows how short these are, as many as may be after.
_OUT_AT_MOST = _CONCURRENCY * (1 + MOST_AHEAD) + _RACING


def is_finished(job: Job) -> bool:
    return Job.objects.get(pk=job.pk).is_finished


def test_a_flood_holds_up_nobody_else_and_moves_on(arena: Arena) -> None:
    flood, guests = size(full=10_000, short=500), size(full=20, short=4)
    worker = arena.worker(concurrency=_CONCURRENCY)
    arena.submit(flood, seconds=0.02)
    arena.wait_until_ended(5)
    for guest in range(guests):
        done = arena.ended()
        job, _ = kinds.effect.submit((0.0,), {}, owner_id=make_user(f"guest{guest}").pk)
        flood_waits = Job.objects.filter(owner_id=arena.owner_id, status="pending", released_at__isnull=True)
        behind = set(flood_waits.values_list("pk", flat=True))
        out = Job.objects.filter(owner_id=arena.owner_id, released_at__isnull=False).count()
        assert out <= _OUT_AT_MOST, f"{out} messages are out"
        wait_for(partial(is_finished, job), what="the guest's end")
        came = Attempt.objects.get(job_id=job.pk)
        sooner = Attempt.objects.filter(job__owner_id=arena.owner_id, started_at__lt=came.started_at)
        overtook = behind & set(sooner.values_list("job_id", flat=True))
        assert len(overtook) <= _RACING, f"guest {guest} was overtaken by {len(overtook)} of the flood"
        arena.wait_until_ended(done + 5)
    arena.check(completed=flood + guests)
    assert worker.alive
