"""Mistakes in the configuration that would only show as jobs which never run, found at start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from jobs import kinds


@register()
def check_kinds(**_: Any) -> list[CheckMessage]:
    """E001: a kind's queue has no workers by configuration. E002: the result backend is not ours."""
    queues = set(settings.CELERY_TASK_QUEUES)
    found: list[CheckMessage] = [
        Error(
            f"{kind.name} uses the queue {kind.job_queue!r}, which is not in CELERY_TASK_QUEUES.",
            hint=f"Known queues: {', '.join(sorted(queues))}.",
            id="jobs.E001",
        )
        for kind in kinds.every()
        if kind.job_queue not in queues
    ]
    if settings.CELERY_RESULT_BACKEND != "jobs.backend:JobBackend":
        found.append(
            Error(
                "CELERY_RESULT_BACKEND has to be jobs.backend:JobBackend.",
                hint="AsyncResult of a job is answered from its row.",
                id="jobs.E002",
            )
        )
    return found
