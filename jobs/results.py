"""Where results live: a job's in its row, mirrored once into django-celery-results for the admin.

`AsyncResult(id)` of a job is answered from the Job row, whatever attempt it is at; every other task's
from django-celery-results, as usual. docs/decisions/0002.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from celery import states
from celery.exceptions import TimeLimitExceeded
from django.utils import timezone
from django_celery_results.backends.database import DatabaseBackend
from django_celery_results.models import TaskResult

from jobs import kinds
from jobs.models import Attempt, Job
from jobs.status import JobStatus, celery_state

_ID_LENGTH = 36


def job_id_of(task_id: str | None) -> uuid.UUID | None:
    """The job that a Celery task id belongs to: the id itself, or the part before `.2`, `.3`, … of a resend."""
    try:
        return uuid.UUID(str(task_id)[:_ID_LENGTH])
    except ValueError:
        return None


def mirror(
    job: Job,
    status: JobStatus,
    *,
    result: Any = None,
    error: dict[str, str] | None = None,
    traceback: str | None = None,
) -> None:
    """Write how a job ended where operators look for results; one statement, in the caller's transaction."""
    now = timezone.now()
    failure: dict[str, Any] | None = None
    if error:
        failure = {"exc_type": error["code"], "exc_message": [error["message"]], "exc_module": "jobs"}
    fields = {
        "task_name": job.kind,
        "task_args": json.dumps(repr(tuple(job.args))),
        "task_kwargs": json.dumps(repr(job.kwargs)),
        "status": celery_state(status),
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "result": json.dumps(failure if failure else result),
        "traceback": traceback,
        "meta": json.dumps({"children": []}),
        "date_created": job.created_at,
        "date_done": now,
    }
    TaskResult.objects.bulk_create(
        [TaskResult(task_id=str(job.pk), **fields)],
        update_conflicts=True,
        unique_fields=["task_id"],
        update_fields=[name for name in fields if name != "date_created"],
    )


class JobBackend(DatabaseBackend):
    """django-celery-results, except that a job's own row answers for it."""

    def _store_result(
        self,
        task_id: str,
        result: Any,
        status: str,
        traceback: str | None = None,
        request: Any = None,
        using: str | None = None,
    ) -> Any:
        if self._is_job(request):
            return result  # its row says it already, or knows better
        return super()._store_result(task_id, result, status, traceback, request, using)

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        job_id = job_id_of(task_id)
        job = Job.objects.filter(pk=job_id).first() if job_id else None
        if job is None:
            return dict(super()._get_task_meta_for(task_id))
        return dict(self.meta_from_decoded(_meta(job, task_id)))

    def mark_as_failure(self, task_id: str, exc: BaseException, *args: Any, **kwargs: Any) -> None:
        """Besides what Celery does: a child that died is a job that can be rescued now, not a lease later."""
        request: Any = kwargs.get("request")
        if self._is_job(request) and (_is_lost_child(exc) or isinstance(exc, TimeLimitExceeded)):
            from jobs import rescue

            if job_id := job_id_of(task_id):
                rescue.child_died(job_id, worker=request.hostname)
        super().mark_as_failure(task_id, exc, *args, **kwargs)

    def _is_job(self, request: Any) -> bool:
        return kinds.find(getattr(request, "task", None)) is not None


def _is_lost_child(exc: BaseException) -> bool:
    # billiard's exception and Celery's have the same name and no common base.
    return type(exc).__name__ == "WorkerLostError"


def _meta(job: Job, task_id: str) -> dict[str, Any]:
    result: Any = job.result
    if job.state == "PROGRESS":
        result = {
            "current": job.current,
            "total": job.total,
            "percent": job.percent,
            "message": job.message,
        }
    elif job.state in states.EXCEPTION_STATES:
        kind = "TaskRevokedError" if job.status == JobStatus.CANCELLED else job.error_code or "error"
        module = "celery.exceptions" if job.status == JobStatus.CANCELLED else "jobs"
        message = job.error_message or job.status
        result = {"exc_type": kind, "exc_message": [message], "exc_module": module}
    traceback = None
    if job.status == JobStatus.FAILED:
        last = Attempt.objects.filter(job_id=job.pk, number=job.attempt).values_list("traceback", flat=True)
        traceback = last.first()
    return {
        "task_id": task_id,
        "status": job.state,
        "result": result,
        "traceback": traceback,
        "children": [],
        "date_done": job.finished_at and job.finished_at.isoformat(),
        "name": job.kind,
        "args": job.args,
        "kwargs": job.kwargs,
        "queue": job.queue,
        "retries": job.retry_count,
    }
