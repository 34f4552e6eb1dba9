"""What people do to jobs, from the API and the admin alike: cancel, retry, change priority."""

from __future__ import annotations

import functools
import logging
from datetime import datetime
from typing import Any, ClassVar

from celery.exceptions import TaskRevokedError
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from jobs import accounts, canvas, dispatch, kinds, line, quotas, transitions
from jobs.errors import JointoError, Remedy
from jobs.models import Hold, Job, Queue
from jobs.now import Now
from jobs.status import ACTIVE, RETRYABLE, WAITING, JobStatus

logger = logging.getLogger(__name__)


class NotCancellable(JointoError):
    """The job has ended already."""

    code = "job_finished"
    status = 409
    remedy: ClassVar[Remedy] = Remedy.NONE
    message = "The job has ended already, so there is nothing to cancel."


class NotRetryable(JointoError):
    """Only a job that failed or was cancelled can be retried."""

    code = "job_not_retryable"
    status = 409
    remedy: ClassVar[Remedy] = Remedy.NONE
    message = "Only a job that failed or was cancelled can be retried."


class SubjectBusy(JointoError):
    """Another job of the same kind works for the same thing."""

    code = "subject_busy"
    status = 409
    remedy: ClassVar[Remedy] = Remedy.NONE
    message = "Another job works for the same thing already. Wait for it, or cancel it first."


class NotWaiting(JointoError):
    """The priority of a job matters only while it waits."""

    code = "job_not_waiting"
    status = 409
    remedy: ClassVar[Remedy] = Remedy.NONE
    message = "The job does not wait any more, so its priority changes nothing."


def cancel(job: Job, *, by: str) -> None:
    """Cancel a job: a waiting one never starts, a running one stops at its worker's next look.

    Raises NotCancellable if it has ended.
    """
    tell = functools.partial(canvas.failed, error=TaskRevokedError("cancelled"))
    if transitions.cancel(job.pk, reason=f"cancelled by {by}", then=tell) is None:
        raise NotCancellable
    dispatch.release_quietly(job.queue, job.kind)


def retry(job: Job, *, by: str) -> None:
    """Have a failed or cancelled job done again, with all of its kind's attempts.

    Raises NotRetryable, SubjectBusy, QuotaExceeded.
    """
    if JobStatus(job.status) not in RETRYABLE:
        raise NotRetryable
    kind = kinds.find(job.kind)
    with transaction.atomic():
        if job.subject:
            _one_at_a_time(job)
        if kind:
            kind.link(job)  # before the look: what is submitted for the same row meanwhile, is seen then
        same = Job.objects.filter(kind=job.kind, subject=job.subject, status__in=sorted(ACTIVE)).exclude(pk=job.pk)
        if job.subject and (kind is None or kind.one_a_subject) and same.exists():
            raise SubjectBusy
        budget = kind.policy.max_attempts if kind else 1
        if not transitions.retry(job, budget=budget, by=by, reserved_at=_reserve(job)):
            raise NotRetryable
        transaction.on_commit(lambda: dispatch.release_quietly(job.queue, job.kind))


def _one_at_a_time(job: Job) -> None:
    """Until no other job for the subject is being retried; SQLite has one writer at a time anyhow."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{job.kind} {job.subject}"])


def set_priority(job: Job, priority: int) -> None:
    """Change how soon a waiting job comes. Raises NotWaiting.

    A job that was given to a worker already keeps its place for the case that it comes back; one that has gained
    as much by its age keeps its place as well.
    """
    if not 0 <= priority <= 10:
        raise ValueError(f"a priority is from 0 to 10, not {priority}")
    with transaction.atomic():
        waiting = Job.objects.select_for_update(of=("self",)).filter(pk=job.pk, status__in=sorted(WAITING))
        row = waiting.first()
        if row is None:
            raise NotWaiting
        changed = {"priority": priority, **_standing(row, priority), "updated_at": Now()}
        if not waiting.filter(hold=row.hold, released_at__isnull=row.released_at is None).update(**changed):
            raise NotWaiting
    job.priority = priority
    transaction.on_commit(lambda: dispatch.release_quietly(job.queue, job.kind))


def _standing(job: Job, priority: int) -> dict[str, Any]:
    """What a new priority changes of a waiting job's place."""
    level = max(job.level, priority) if priority >= job.priority else priority
    if job.hold == Hold.LATER or job.released_at or level == job.level:
        return {"level": level}
    job.priority = priority
    return {**line.place(job, again=False), "level": level}


def pause(queue: str, *, by: str) -> None:
    """Release nothing more of a queue; what was released already is still done. Raises UnknownQueue."""
    _set_paused(queue, True, by)


def resume(queue: str, *, by: str) -> None:
    """Release what waits in a paused queue again. Raises UnknownQueue."""
    _set_paused(queue, False, by)
    transaction.on_commit(lambda: dispatch.release_quietly(queue))


def _set_paused(queue: str, paused: bool, by: str) -> None:
    if queue not in settings.CELERY_TASK_QUEUES:
        raise dispatch.UnknownQueue(f"There is no queue called {queue!r}.")
    Queue.objects.update_or_create(name=queue, defaults={"paused": paused})
    logger.info("queue %s was %s by %s", queue, "paused" if paused else "resumed", by)


def _reserve(job: Job) -> datetime | None:
    """The quota of a job that is done again; what it had reserved was given back when it ended."""
    kind = kinds.find(job.kind)
    if kind is None or job.owner_id is None or not quotas.applies_to(job.kind, kind.quota):
        return None
    tier = accounts.tier_of(job.owner_id)
    return quotas.reserve(owner_id=job.owner_id, kind=job.kind, quota=kind.quota, tier=tier, now=timezone.now())
