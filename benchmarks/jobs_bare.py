"""The side of bare Celery: an application with its defaults, its tasks, and what the measurement asks of it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from celery import Celery
from celery.app.task import Context

app = Celery("bare")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.task
def nothing() -> None:
    """What the waiting tasks do."""


@app.task
def start(number: int) -> list[float]:
    """Tells when its body started."""
    return [number, time.time()]


def submit() -> None:
    nothing.delay()


def submit_at_commit(number: int) -> None:
    cast(Any, start).delay_on_commit(number)  # of Celery's class for Django, which has no types


def completed() -> int:
    return int(_rows().count())


def first_and_last() -> tuple[datetime, datetime]:
    ends = _rows().order_by("date_done").values_list("date_done", flat=True)
    return ends[0], ends[len(ends) - 1]


def starts() -> dict[int, float]:
    return {
        int(number): at
        for number, at in map(json.loads, _rows().exclude(result="null").values_list("result", flat=True))
    }


def statements(count: Callable[[], int]) -> tuple[int, int, int]:
    """SQL to submit one, for its attempt, and after it. Of an attempt, the end alone reaches the database."""
    before = count()
    nothing.delay()
    submitted = count()
    nothing.backend.mark_as_done(str(uuid.uuid4()), None, request=Context(task=nothing.name, args=(), kwargs={}))
    return submitted - before, count() - submitted, 0


def _rows() -> Any:
    from django_celery_results.models import TaskResult  # Django is set up by now

    return TaskResult.objects.filter(status="SUCCESS")
