"""Mistakes in the configuration that would only show as jobs which never run, found at start."""

from __future__ import annotations

import inspect
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils import timezone

from jobs import kinds, outbound, schedule, signing
from jobs.errors import JointoError


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


@register()
def check_outbound(**_: Any) -> list[CheckMessage]:
    """E003: an entry of JOINTO_INNER_HOSTS is none. E004: the operator's webhook can't be signed."""
    found: list[CheckMessage] = []
    try:
        outbound.check_allow(settings.JOINTO_JOBS.inner_hosts)
    except (ValueError, JointoError) as error:
        found.append(Error(f"JOINTO_INNER_HOSTS can't be used: {error}", id="jobs.E003"))
    if settings.JOINTO_JOBS.operator_webhook_url:
        try:
            signing.headers(
                b"", message_id="check", at=timezone.now(), secrets=[settings.JOINTO_JOBS.operator_webhook_secret]
            )
        except ValueError as error:
            hint = "Make one with: python -c 'from jobs import signing; print(signing.new_secret())'"
            found.append(Error(f"JOINTO_OPERATOR_WEBHOOK_SECRET can't be used: {error}", hint=hint, id="jobs.E004"))
    return found


@register()
def check_schedule(**_: Any) -> list[CheckMessage]:
    """E005: what the schedule is to send would fail each time, as nobody has declared it, or it needs arguments."""
    return [
        Error(f"The periodic entry {name!r} can't send {task}: {why}.", id="jobs.E005")
        for task, name in schedule.entries()
        if (why := _why_not_sent(task))
    ]


def _why_not_sent(task_name: str) -> str:
    task: Any = current_app.tasks.get(task_name)
    if task is None:
        return "there is no such task"
    context = (None,) if kinds.find(task_name) else ()
    try:
        inspect.signature(task.run).bind(*context)
    except TypeError as error:
        return f"an entry gives no arguments, and it has a {error}"
    return ""
