"""A beat and its entries, for tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import shared_task
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from kombu.exceptions import OperationalError

from jobs import beat
from jobs.models import Job
from jointo.celery import app
from tests import kinds

HOUR = timedelta(hours=1)


@shared_task
def plain() -> str:
    """A task that is no job."""
    return "done"


def take_broker_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on it refuses every message."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("refused")

    monkeypatch.setattr("celery.app.amqp.Producer.publish", refuse)


def make_entry(task: str = kinds.add.name, *, name: str = "entry", every: int = 3600, **fields: Any) -> PeriodicTask:
    """An entry that last ran two hours ago, of an interval in seconds unless it is given another schedule."""
    if not fields.keys() & {"crontab", "clocked", "solar"}:
        fields["interval"] = IntervalSchedule.objects.get_or_create(every=every, period="seconds")[0]
    fields.setdefault("args", "[1]" if task == kinds.add.name else "[]")
    fields.setdefault("last_run_at", timezone.now() - 2 * HOUR)
    return PeriodicTask.objects.create(name=name, task=task, **fields)


def nightly(hour: int = 2, **fields: Any) -> CrontabSchedule:
    return CrontabSchedule.objects.create(minute="0", hour=str(hour), timezone="UTC", **fields)


def make_beat() -> beat.Scheduler:
    return beat.Scheduler(app)


def turn(scheduler: beat.Scheduler) -> None:
    """Let a beat send all that it holds to be due."""
    for _ in range(20):
        if scheduler.tick() > 0:
            return
    raise AssertionError("there is always more that is due")


def jobs_recorded() -> int:
    return Job.objects.count()


def look_again(scheduler: beat.Scheduler) -> None:
    """Have a beat look at all entries now, and not when it meant to."""
    scheduler._heap = None
