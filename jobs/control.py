"""What people do to jobs, from the API and the admin alike: cancel, retry, change priority."""

from __future__ import annotations

from typing import ClassVar

from celery.exceptions import TaskRevokedError
from django.db import transaction

from jobs import canvas, dispatch, kinds, transitions
from jobs.errors import JointoError, Remedy
from jobs.models import Job
from jobs.status import ACTIVE, RETRYABLE, WAITING, JobStatus


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
    cancelled = transitions.cancel(job.pk, reason=f"cancelled by {by}")
    if cancelled is None:
        raise NotCancellable
    canvas.failed(cancelled, TaskRevokedError("cancelled"))


def retry(job: Job, *, by: str) -> None:
    """Have a failed or cancelled job done again, with all of its kind's attempts.

    Raises NotRetryable, SubjectBusy.
    """
    with transaction.atomic():
        same = Job.objects.filter(kind=job.kind, subject=job.subject, status__in=sorted(ACTIVE)).exclude(pk=job.pk)
        if job.subject and same.exists():
            raise SubjectBusy
        if JobStatus(job.status) not in RETRYABLE or not transitions.retry(
            job, budget=_budget(job), reason=f"retried by {by}"
        ):
            raise NotRetryable
        if kind := kinds.find(job.kind):
            kind.link(job)
        transaction.on_commit(lambda: dispatch.release_quietly(job.queue))


def set_priority(job: Job, priority: int) -> None:
    """Change how soon a waiting job comes. Raises NotWaiting."""
    if not 0 <= priority <= 10:
        raise ValueError(f"a priority is from 0 to 10, not {priority}")
    if not Job.objects.filter(pk=job.pk, status__in=sorted(WAITING)).update(priority=priority):
        raise NotWaiting


def _budget(job: Job) -> int:
    kind = kinds.find(job.kind)
    return kind.policy.max_attempts if kind else 1
