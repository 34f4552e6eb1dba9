"""When a schedule is due: the moments at which it is, the same for every beat that looks.

Celery asks "how long since the last run?", and two beats remember that differently. A slot depends on the
schedule and the time of day alone.

Where clocks change, an entry that names its hours runs once for each of them: at the first of two equal
times, and as much later as the clock jumped if there is no such time. One that runs in every hour runs
whenever the clock shows one of its minutes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from celery import schedules
from django_celery_beat.clockedschedule import clocked

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_SHORTEST = timedelta(milliseconds=100)  # beat could not keep up with less
_LONGEST_GAP_DAYS = 41 * 366  # 29 February on a Monday comes every 28 years, and once in 40


def latest(schedule: Any, *, now: datetime, since: datetime, start: datetime | None = None) -> datetime | None:
    """The slot that is due: the last one up to `now`, if it lies after `since` and not before `start`; else None.

    However many were missed, only the last one is due. A clocked schedule does not care for `since`.
    """
    slot: datetime | None
    if isinstance(schedule, clocked):
        slot, since = schedule.clocked_time, _EPOCH
    elif isinstance(schedule, schedules.crontab):
        slot = _last_of(schedule, now)
    elif isinstance(schedule, schedules.schedule):
        slot = _floor(now, schedule, start)
    else:  # solar: the event that followed the last run; computed anew each time, and not to the microsecond
        slot = (now + schedule.remaining_estimate(since)).replace(second=0, microsecond=0)
    if slot is None or slot > now or slot <= since or (start and slot < start):
        return None
    return slot.astimezone(UTC)


def following(schedule: Any, *, now: datetime, start: datetime | None = None) -> datetime | None:
    """The first slot after `now`; None if there is none any more."""
    slot: datetime | None
    after = max(now, start - timedelta(microseconds=1)) if start else now
    if isinstance(schedule, clocked):
        slot = schedule.clocked_time if schedule.clocked_time > now else None
    elif isinstance(schedule, schedules.crontab):
        slot = _first_of(schedule, after)
    elif isinstance(schedule, schedules.schedule):
        slot = start if start and start > now else _floor(now, schedule, start) + _every(schedule)
    else:
        slot = now + schedule.remaining_estimate(now)
    return slot.astimezone(UTC) if slot else None


def _floor(now: datetime, schedule: Any, start: datetime | None) -> datetime:
    """The last whole multiple of the interval, counted from the start that the operator gave, or the epoch."""
    begin = start or _EPOCH
    return begin + (now - begin) // _every(schedule) * _every(schedule)


def _every(schedule: Any) -> timedelta:
    every: timedelta = schedule.run_every
    return max(every, _SHORTEST)


def _last_of(cron: Any, now: datetime) -> datetime | None:
    # From tomorrow on, as a clock that is set back over midnight shows tomorrow before it shows today again;
    # and together with the day before, whose times may have been moved past midnight.
    day = now.astimezone(cron.tz).date() + _DAY
    for _ in range(_LONGEST_GAP_DAYS):
        if moments := [moment for moment in (*_of(cron, day), *_of(cron, day - _DAY)) if moment <= now]:
            return max(moments)
        day -= _DAY
    return None


def _first_of(cron: Any, now: datetime) -> datetime | None:
    day = now.astimezone(cron.tz).date() - _DAY
    for _ in range(_LONGEST_GAP_DAYS):
        if moments := [moment for moment in (*_of(cron, day), *_of(cron, day + _DAY)) if moment > now]:
            return min(moments)
        day += _DAY
    return None


def _of(cron: Any, day: date) -> tuple[datetime, ...]:
    """The moments of one day of the schedule's own calendar."""
    if day.month in cron.month_of_year and day.day in cron.day_of_month and day.isoweekday() % 7 in cron.day_of_week:
        return _moments(day, frozenset(cron.hour), frozenset(cron.minute), cron.tz)
    return ()


@lru_cache(maxsize=64)
def _moments(day: date, hours: frozenset[int], minutes: frozenset[int], zone: tzinfo) -> tuple[datetime, ...]:
    found = set()
    in_every_hour = len(hours) == 24
    for hour in hours:
        for minute in minutes:
            shown = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
            for fold in (0, 1) if in_every_hour else (0,):
                moment = shown.replace(fold=fold).astimezone(UTC)
                if not in_every_hour or moment.astimezone(zone).replace(fold=0, tzinfo=None) == shown.replace(
                    tzinfo=None
                ):
                    found.add(moment)
    return tuple(found)
