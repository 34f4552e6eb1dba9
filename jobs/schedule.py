"""The periodic entries that Jointo brings, installed after migrate, once each.

An operator's edits survive the next migrate, a deleted or renamed entry too: what was installed once is
remembered by its task. If the site's time zone has changed since, the entries that still come at the hour at which
they were installed, come at that hour of the new zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.db import connection

if TYPE_CHECKING:
    from jobs.models import InstalledSchedule


@dataclass(frozen=True, kw_only=True)
class Daily:
    """Every day at that hour, in the site's time zone."""

    hour: int
    minute: int = 0


@dataclass(frozen=True, kw_only=True)
class Hourly:
    """In every hour, at that minute."""

    minute: int = 0


@dataclass(frozen=True, kw_only=True)
class Monthly:
    """Once a month, in the site's time zone; a day beyond the 28th does not come every month."""

    day: int = 1
    hour: int = 0


@dataclass(frozen=True, kw_only=True)
class Every:
    """Every so many seconds."""

    seconds: int


When = Daily | Hourly | Monthly | Every

_entries: dict[str, tuple[str, When]] = {}


def periodic(task: str, name: str, when: When) -> None:
    """Have an entry for the task installed; called where the task is defined. The task is given no arguments."""
    _entries[task] = (name, when)


def entries() -> list[tuple[str, str]]:
    """The task and the name of each entry."""
    return [(task, name) for task, (name, _when) in _entries.items()]


def install(**_: Any) -> None:
    """Add the entries that were never added before, move the others to the site's zone; a receiver of post_migrate."""
    from django_celery_beat.models import PeriodicTask

    from jobs.models import InstalledSchedule

    tables = set(connection.introspection.table_names())
    needed = {PeriodicTask._meta.db_table, InstalledSchedule._meta.db_table}
    if not needed <= tables:
        return
    known = InstalledSchedule.objects.in_bulk()
    for task, (name, when) in _entries.items():
        if task in known:
            _move(known[task], when)
            continue
        zone = ""
        if not PeriodicTask.objects.filter(task=task).exists():
            taken = PeriodicTask.objects.filter(name=name).exists()
            zone = settings.TIME_ZONE
            PeriodicTask.objects.create(
                name=f"{name} ({task})" if taken else name, task=task, **_schedule_of(when, zone=zone)
            )
        InstalledSchedule.objects.create(task=task, time_zone=zone)


def _move(installed: InstalledSchedule, when: When) -> None:
    """Have an entry come by the site's clocks that was installed by those of another zone, unless it was edited."""
    if installed.time_zone in ("", settings.TIME_ZONE):
        return
    before = _schedule_of(when, zone=installed.time_zone)
    if "crontab" in before:
        for entry in apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task=installed.task, **before):
            entry.crontab = _schedule_of(when, zone=settings.TIME_ZONE)["crontab"]
            entry.save()
    installed.time_zone = settings.TIME_ZONE
    installed.save(update_fields=["time_zone"])


def _schedule_of(when: When, *, zone: str) -> dict[str, Any]:
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    cron: tuple[int | str, int | str, int | str]
    match when:
        case Every(seconds=seconds):
            return {"interval": interval.objects.get_or_create(every=seconds, period="seconds")[0]}
        case Hourly(minute=minute):
            cron = (minute, "*", "*")
        case Daily(hour=hour, minute=minute):
            cron = (minute, hour, "*")
        case Monthly(day=day, hour=hour):
            cron = (0, hour, day)
    named = dict(zip(("minute", "hour", "day_of_month"), map(str, cron), strict=True))
    always = {"day_of_week": "*", "month_of_year": "*", "timezone": zone}
    return {"crontab": crontab.objects.get_or_create(**named, **always)[0]}
