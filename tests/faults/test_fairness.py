"""One tenant floods: another one's job starts as soon as what was already released is done."""

from __future__ import annotations

from functools import partial

import pytest

from jobs.models import Attempt, Job
from tests import kinds
from tests.builders import make_user
from tests.faults.arena import Arena, size
from tests.stack import wait_for

pytestmark = pytest.mark.stack

_CONCURRENCY = 2
_OUT_AT_MOST = 2 * _CONCURRENCY + 1  # a message for each that runs and one that follows; and two who release at once


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
        wait_for(partial(is_finished, job), what="the guest's end")
        came = Attempt.objects.get(job_id=job.pk)
        before = Attempt.objects.filter(
            job__owner_id=arena.owner_id, started_at__gte=came.due_at, started_at__lt=came.started_at
        )
        assert before.count() <= _OUT_AT_MOST, f"guest {guest} waited for {before.count()} of the flood"
        arena.wait_until_ended(done + 5)
    arena.check(seconds=size(full=900, short=120), completed=flood + guests)
    assert worker.alive
