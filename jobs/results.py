"""Where results live: a job's in its row, mirrored once into django-celery-results for the admin."""

from __future__ import annotations

import json
import uuid
from typing import Any

from celery import states
from django.utils import timezone

from jobs import statements
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
    statements.mirror_result(
        task_id=str(job.pk),
        task_name=job.kind,
        task_args=json.dumps(repr(tuple(job.args))),
        task_kwargs=json.dumps(repr(job.kwargs)),
        status=celery_state(status),
        content_type="application/json",
        content_encoding="utf-8",
        result=json.dumps(failure if failure else result),
        traceback=traceback,
        meta=json.dumps({"children": []}),
        date_created=job.created_at,
        date_done=now,
    )


def meta(job: Job, task_id: str) -> dict[str, Any]:
    """What Celery wants to know of a task, read from the job's row."""
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
