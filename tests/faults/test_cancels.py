"""Jobs cancelled at all moments of their lives: each completes with its effect, or is cancelled and leaves nothing."""

from __future__ import annotations

import heapq
import time
import uuid
from collections import Counter

import pytest

from jobs import control
from jobs.models import Attempt, Job, Transition
from tests.faults.arena import EVERYWHERE, Arena, pause, size
from tests.stack import wait_for

pytestmark = pytest.mark.stack

_GROUP = 10  # submitted together, so that some wait while others run
_LASTS_SECONDS = 0.3


def cancel(job_id: uuid.UUID) -> None:
    try:
        control.cancel(Job.objects.get(pk=job_id), by="test")
    except control.NotCancellable:
        assert Job.objects.get(pk=job_id).is_finished


def cancel_all(arena: Arena, jobs: list[uuid.UUID]) -> None:
    """Cancel each at its own moment: while it waits, while it runs, or about when it finishes."""
    moments = {job_id: arena.random.choice(["queued", "running", "finishing"]) for job_id in jobs}
    due: list[tuple[float, uuid.UUID]] = []
    now = time.monotonic()
    for job_id, moment in list(moments.items()):
        if moment == "queued":
            heapq.heappush(due, (now + arena.random.uniform(0, 0.1), job_id))
            del moments[job_id]

    def step() -> bool:
        started = Attempt.objects.filter(job_id__in=list(moments)).values_list("job_id", flat=True)
        for job_id in list(started):
            early, late = {"running": (0, 0.9), "finishing": (0.9, 1.2)}[moments.pop(job_id)]
            wait = arena.random.uniform(early, late) * _LASTS_SECONDS
            heapq.heappush(due, (time.monotonic() + wait, job_id))
        while due and due[0][0] - time.monotonic() < 0.05:
            at, job_id = heapq.heappop(due)
            time.sleep(max(0.0, at - time.monotonic()))  # to the millisecond: it is the moment that is tested
            cancel(job_id)
        return not moments and not due

    wait_for(step, seconds=120, what=f"all to be cancelled: {arena.statuses()}")


@EVERYWHERE
def test_jobs_are_cancelled_while_queued_while_running_and_in_the_instant_of_finishing(arena: Arena) -> None:
    count = size(full=500, short=60)
    worker = arena.worker()
    for _ in range(count // _GROUP):
        jobs = [
            arena.submit_one(seconds=_LASTS_SECONDS, child=arena.random.random() < 0.5, priority=10)
            for _ in range(_GROUP)
        ]
        cancel_all(arena, jobs)
    arena.check()
    assert arena.statuses().keys() == {"completed", "cancelled"}
    cancelled = Counter(Transition.objects.filter(after="cancelled").values_list("before", flat=True))
    assert min(cancelled["pending"], cancelled["processing"]) > count // 20, cancelled
    arena.submit(5)
    arena.check()
    assert worker.alive


def test_a_cancel_stops_a_running_job_and_its_child_within_two_seconds(arena: Arena) -> None:
    worker = arena.worker()
    for _ in range(size(full=10, short=2)):
        job_id = arena.submit_one(seconds=61.0, child=True)
        wait_for(lambda: worker.children("sleep"), what="the child")
        wait_for(pause(arena.random.uniform(0, 0.3)), what="the moment")
        cancel(job_id)
        wait_for(lambda: not worker.children("sleep"), seconds=2, what="the child's end")
    arena.check(cancelled=size(full=10, short=2))
