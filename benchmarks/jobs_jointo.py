"""The side of Jointo: kinds of job, and what the measurement asks of it. To be imported once Django is set up."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Max, Min
from django.utils import timezone

from jobs import runner
from jobs.context import JobContext
from jobs.models import Job, Worker
from jobs.status import JobStatus
from jobs.task import job

_WORKER = "benchmark"

_when_settled: list[Callable[[], None]] = []


@job(queue="maintenance")
def nothing(ctx: JobContext) -> None:
    """What the waiting jobs do."""


@job(queue="maintenance")
def start(ctx: JobContext, number: int) -> list[float]:
    """Tells when its body started."""
    return [number, time.time()]


@job(queue="maintenance")
def settled(ctx: JobContext) -> None:
    """Lets the process that runs it know when the transaction is over that completed it."""
    for tell in _when_settled:
        ctx.once_completed(tell)


def submit() -> None:
    nothing.delay()


def submit_at_commit(number: int) -> None:
    start.delay(number)


def completed() -> int:
    return Job.objects.filter(status=JobStatus.COMPLETED).count()


def first_and_last() -> tuple[datetime, datetime]:
    ends = Job.objects.aggregate(first=Min("finished_at"), last=Max("finished_at"))
    return ends["first"], ends["last"]


def starts() -> dict[int, float]:
    results: Any = Job.objects.filter(kind=start.name, status=JobStatus.COMPLETED).values_list("result", flat=True)
    return {int(number): at for number, at in results}


def statements(count: Callable[[], int]) -> tuple[int, int, int]:
    """SQL to submit one that is released at once, from its claim until it is settled, and after that.

    After it: what the worker asks in order to send the next ones. The watch over the attempt has a thread and a
    connection of its own, and does not count.
    """
    now = timezone.now()
    there = {"queues": ["maintenance"], "concurrency": 2, "started_at": now, "seen_at": now}
    Worker.objects.update_or_create(name=_WORKER, defaults=there)
    at_settled: list[int] = []
    _when_settled[:] = [lambda: at_settled.append(count())]
    before = count()
    job_id = settled.delay().id
    submitted = count()
    runner.run(settled, job_id, worker=_WORKER)
    after = count()
    Worker.objects.filter(name=_WORKER).delete()
    (settled_at,) = at_settled
    return submitted - before, settled_at - submitted, after - settled_at
