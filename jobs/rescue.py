"""Finds the jobs whose worker is gone, and what their attempts left behind."""

from __future__ import annotations

import functools
import logging
import os
import shutil
import time
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from jobs import canvas, dispatch, transitions
from jobs.errors import JointoError
from jobs.models import Attempt, Instant, Job, Worker
from jobs.now import Now
from jobs.results import job_id_of
from jobs.retry import crash_wait_seconds
from jobs.status import WAITING, JobStatus

logger = logging.getLogger(__name__)

_AT_ONCE = 100


class Crashed(JointoError):
    """The process that ran an attempt died, or stopped renewing its lease."""

    code = "crashed"
    message = "The worker that ran this attempt died, or was not heard of any more."


class CrashedTooOften(JointoError):
    """A job that took its workers down with it as often as it may."""

    code = "crashed_too_often"
    message = "The job's worker died each time it was tried. It is not tried again by itself."


class DeadlinePassed(JointoError):
    """A job that may not be started any more."""

    code = "deadline_passed"
    message = "The job was not started before its deadline."


def sweep() -> dict[str, int]:
    """Put right what can be: rescue, fail what is too late, send again, send. Harmless at any time, by anyone."""
    return {
        "rescued": rescue(),
        "expired": expire(),
        "resent": dispatch.resend(older_than=settings.JOINTO_JOBS.resend),
        "released": dispatch.release_all(),
    }


def rescue(*, now: Instant | None = None) -> int:
    """End the attempts whose lease ran out, as crashed, and have their jobs tried again; how many."""
    lost = Job.objects.filter(status=JobStatus.PROCESSING, lease_expires_at__lt=now or Now())
    return sum(_rescue_one(job) for job in lost.order_by("lease_expires_at")[:_AT_ONCE])


def _rescue_one(job: Job) -> bool:
    crashes = job.crashes + 1
    exhausted = job.attempt >= job.max_attempts
    if crashes >= settings.JOINTO_JOBS.max_crashes or exhausted:
        error: JointoError = Crashed() if exhausted else CrashedTooOften()
        tell = functools.partial(canvas.failed, error=error)
        moved = transitions.fail(job, code=error.code, message=error.message, crashed=True, dead=True, then=tell)
    else:
        wait = timedelta(seconds=crash_wait_seconds(crashes))
        moved = transitions.retry_later(job, wait=wait, code=Crashed.code, message=Crashed.message, crashed=True)
    if moved:
        logger.warning("rescued job %s (%s) from attempt %d", job.pk, job.kind, job.attempt)
        discard(f"{job.pk}-{job.attempt}")
    return moved


def expire(*, now: Instant | None = None) -> int:
    """Fail the waiting jobs whose deadline has passed; how many."""
    late = Job.objects.filter(status__in=sorted(WAITING), deadline_at__lte=now or Now())
    return sum(_expire_one(job) for job in late[:_AT_ONCE])


def _expire_one(job: Job) -> bool:
    error = DeadlinePassed()
    tell = functools.partial(canvas.failed, error=error)
    return transitions.refuse(job, code=error.code, message=error.message, then=tell)


def child_died(job_id: uuid.UUID, *, worker: str) -> None:
    """Let a lease run out now, because the worker saw the process die that held it.

    Only if that process really is gone: a worker may hear of a death late, when the next attempt runs already.
    """
    held = Attempt.objects.filter(job_id=job_id, worker=worker, ended_at__isnull=True)
    gone = [attempt.number for attempt in held if not _is_running(attempt.pid)]
    Job.objects.filter(pk=job_id, status=JobStatus.PROCESSING, attempt__in=gone).update(lease_expires_at=Now())


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def discard(name: str) -> None:
    """Remove the private folder of one attempt, if it is on this machine."""
    shutil.rmtree(Path(settings.SCRATCH_DIR) / name, ignore_errors=True)


def forget_workers() -> int:
    """Remove the rows of workers that have not been heard of for a day; how many."""
    gone, _ = Worker.objects.filter(seen_at__lt=transitions.after(Now(), -timedelta(days=1))).delete()
    return gone


def discard_leftovers() -> int:
    """Remove the private folders of attempts that run no more; how many. A folder is named `job-attempt`."""
    root = Path(settings.SCRATCH_DIR)
    names = {path.name for path in root.iterdir()} if root.is_dir() else set()
    running = Job.objects.filter(status=JobStatus.PROCESSING).values_list("pk", "attempt")
    leftovers = names - {f"{job_id}-{attempt}" for job_id, attempt in running}
    gone = [name for name in leftovers if _is_of_a_job(name) or _is_old(root / name)]
    for name in gone:
        discard(name)
    return len(gone)


def _is_of_a_job(name: str) -> bool:
    job_id = job_id_of(name)
    return job_id is not None and Job.objects.filter(pk=job_id).exists()


def _is_old(path: Path) -> bool:
    """A body that was called as a function has a folder too, and no row: a day is enough for it."""
    try:
        return time.time() - path.stat().st_mtime > timedelta(days=1).total_seconds()
    except FileNotFoundError:
        return False
