"""When a waiting job will probably start."""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs import dispatch, statistics
from jobs.models import Job, Queue


def expected_start_at(job: Job, *, place: int, now: datetime) -> datetime | None:
    """By how long the queue's jobs took lately, and how many are done at once; None if nobody can say.

    `place` is the job's position in the line (jobs.line.positions). Nobody can say without a worker, while the
    queue is paused, or before anything of the queue was done.
    """
    places = dispatch.capacity(job.queue)
    mean = statistics.mean_seconds(job.queue)
    if not places or mean is None or Queue.objects.filter(name=job.queue, paused=True).exists():
        return None
    before = place + places - 1 if place else places / 2  # with those at work
    return now + timedelta(seconds=before / places * mean)
