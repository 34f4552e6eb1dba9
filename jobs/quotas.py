"""How many jobs of a kind a user may have done in an hour and in a month: reserved when a job is submitted,
given back when it fails for good or is cancelled. docs/decisions/0008.

A window is a row, keyed by its beginning. A job is counted in the transaction that records it, and its count
is given back in the transaction that ends it: so neither a crash nor a race can leak or exceed.

Whoever locks windows locks the month's first, and last of all that he locks: rows that jobs are about come before. All
jobs of one owner and kind meet there, so that transactions with several of them wait for each other in a line, and not
in a circle.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, TypedDict

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from jobs import kinds
from jobs.accounts import ENTERPRISE, FREE, PRO, tier_of
from jobs.errors import JointoError, Remedy
from jobs.memory import Remembered
from jobs.models import Job, Period, QuotaLimit, QuotaUse

Limits = Mapping[str, int | None]
"""By period; None is without limit."""

_PERIODS = (Period.MONTH.value, Period.HOUR.value)  # in the order in which their rows are locked
_HOUR = timedelta(hours=1)
_KEEP_OVER = _HOUR  # a machine whose clock is late still counts in a window that is over for the others
_DELETE_AT_ONCE = 1000
_NO_LIMIT = 2**31 - 1  # what the column holds

# Both windows in one statement, and each only if it stays within its limit. The rows are locked in this order.
_RESERVE = """
    INSERT INTO jobs_quotause (owner_id, kind, period, starts_at, used)
    VALUES (%s, %s, 'month', %s, %s), (%s, %s, 'hour', %s, %s)
    ON CONFLICT (owner_id, kind, period, starts_at) DO UPDATE SET used = jobs_quotause.used + excluded.used
    WHERE jobs_quotause.used + excluded.used <= CASE excluded.period WHEN 'month' THEN %s ELSE %s END
    RETURNING period
"""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What one tier may have of a kind; None is without limit."""

    hourly: int | None = None
    monthly: int | None = None

    def __post_init__(self) -> None:
        if min(self.hourly or 0, self.monthly or 0) < 0:
            raise ValueError("an allowance below nothing makes no sense")


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What each tier may have of a kind: `@job(quota=Quota(free=Allowance(hourly=20, monthly=300)))`.

    A tier that is not named here may have all it wants; one that nobody knows is treated as `pro`.
    """

    free: Allowance = Allowance()
    pro: Allowance = Allowance()
    enterprise: Allowance = Allowance()

    def limits(self, tier: str) -> dict[str, int | None]:
        """The limits of a tier by period."""
        allowance = {FREE: self.free, ENTERPRISE: self.enterprise}.get(tier, self.pro)
        return {Period.MONTH.value: allowance.monthly, Period.HOUR.value: allowance.hourly}


class QuotaExceeded(JointoError):
    """The user has had what their tier may have for now."""

    code = "quota_exceeded"
    status = 429
    remedy = Remedy.NONE
    message = "You have had all jobs of this kind that your tier may have for now. Try again later."


class Usage(TypedDict):
    """How much of one quota is used up."""

    kind: str
    period: str
    limit: int | None
    used: int
    remaining: int | None
    resets_at: datetime


@Remembered
def overridden() -> frozenset[str]:
    """The kinds for which an operator has set a quota."""
    return frozenset(QuotaLimit.objects.values_list("kind", flat=True).distinct().order_by())


def applies_to(kind: str, quota: Quota | None) -> bool:
    """Whether anybody may be refused a job of the kind."""
    return quota is not None or kind in overridden()


def window(period: str, now: datetime, *, zone: tzinfo | None = None) -> tuple[datetime, datetime]:
    """Beginning and end, in UTC, of the hour or month that `now` lies in, by the clocks of the site's zone.

    An hour that clocks show twice is two hours; a month begins when its first day does.
    """
    local = now.astimezone(zone or timezone.get_default_timezone())
    if period == Period.HOUR:
        into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        begin = now.astimezone(UTC) - into  # elapsed time: clocks put forward or back do not come in between
        return begin, begin + _HOUR
    first = datetime(local.year, local.month, 1, tzinfo=local.tzinfo)
    year, month = (local.year, local.month + 1) if local.month < 12 else (local.year + 1, 1)
    following = datetime(year, month, 1, tzinfo=local.tzinfo)
    return first.astimezone(UTC), following.astimezone(UTC)


def reserve(
    *, owner_id: int, kind: str, quota: Quota | None, tier: str, now: datetime, count: int = 1
) -> datetime | None:
    """Count so many jobs in the owner's month and hour, all or none; inside the transaction that records them.

    Gives the instant for `Job.reserved_at`, by which `give_back` finds the windows; None if the kind has neither
    a quota nor one set by the operator. What a quota does not limit is counted too: it is the same statement, and
    a limit that is set later knows what was used. Raises QuotaExceeded; then nothing was counted.
    """
    limits = _limits(tier, {kind: quota} if quota else {}, kind=kind).get(kind)
    if limits is None:
        return None
    starts = {period: window(period, now)[0] for period in _PERIODS}
    refused = {period for period, limit in limits.items() if limit is not None and count > limit}
    if not refused:
        taken = _take(owner_id, kind, starts, limits, count=count)
        if len(taken) == len(_PERIODS):
            return now
        refused = set(_PERIODS) - taken
        _windows(owner_id, kind, starts).filter(period__in=taken).update(used=F("used") - count)
    used = dict(_windows(owner_id, kind, starts).values_list("period", "used"))
    raise _exceeded(kind, refused, limits, used, now=now, count=count)


def give_back(job: Job) -> None:
    """Take one job off the windows that it was counted in; inside the transaction that ends it.

    The caller sets `Job.reserved_at` to None in the UPDATE that moves the job, so that this happens once.
    """
    if job.owner_id is None or job.reserved_at is None:
        return
    for period in _PERIODS:  # one statement for both would lock them in any order
        starts = {period: window(period, job.reserved_at)[0]}
        # A window that is over may be gone, and then nothing is to be given back.
        _windows(job.owner_id, job.kind, starts).filter(used__gte=1).update(used=F("used") - 1)


def usage(user_id: int, now: datetime, *, tier: str | None = None) -> list[Usage]:
    """What the user has used of every kind that has a quota, by kind and period; spares a query if told the tier."""
    declared = {kind.name: quota for kind in kinds.every() if (quota := kind.quota)}
    windows = {period: window(period, now) for period in _PERIODS}
    rows = QuotaUse.objects.filter(owner_id=user_id, starts_at__in=[start for start, _ in windows.values()])
    used = {(kind, period, at): n for kind, period, at, n in rows.values_list("kind", "period", "starts_at", "used")}
    told: list[Usage] = []
    for kind, limits in sorted(_limits(tier or tier_of(user_id), declared).items()):
        for period in reversed(_PERIODS):
            start, end = windows[period]
            limit, count = limits[period], used.get((kind, period, start), 0)
            left = None if limit is None else max(0, limit - count)
            told.append(
                {"kind": kind, "period": period, "limit": limit, "used": count, "remaining": left, "resets_at": end}
            )
    return told


def forget_hours(now: datetime) -> int:
    """Delete the hours that are over; how many. A late run harms nobody: a new hour has a row of its own."""
    return _forget(Period.HOUR, now)


def forget_months(now: datetime) -> int:
    """Delete the months that are over; how many."""
    return _forget(Period.MONTH, now)


def _limits(tier: str, declared: Mapping[str, Quota], *, kind: str | None = None) -> dict[str, dict[str, int | None]]:
    """The limits by kind and period: what the kind declares, and over it what the operator set."""
    limits = {name: quota.limits(tier) for name, quota in declared.items()}
    known = tier in (FREE, PRO, ENTERPRISE)
    rows = QuotaLimit.objects.filter(tier__in=[tier] if known else [tier, PRO])
    if kind is not None:
        rows = rows.filter(kind=kind)
    found = rows.values_list("tier", "kind", "period", "limit")
    for _, name, period, limit in sorted(found, key=lambda row: row[0] == tier):  # the tier's own has the last word
        limits.setdefault(name, Quota().limits(tier))[period] = limit
    return limits


def _take(owner_id: int, kind: str, starts: Mapping[str, datetime], limits: Limits, *, count: int) -> set[str]:
    """The periods in which so many more were within the limit, and are counted now."""
    values: list[Any] = []
    for period in _PERIODS:
        values += [owner_id, kind, connection.ops.adapt_datetimefield_value(starts[period]), count]
    values += [_NO_LIMIT if (limit := limits[period]) is None else limit for period in _PERIODS]
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, values)
        return {period for (period,) in cursor.fetchall()}


def _windows(owner_id: int, kind: str, starts: Mapping[str, datetime]) -> QuerySet[QuotaUse]:
    at = Q(*(Q(period=period, starts_at=start) for period, start in starts.items()), _connector=Q.OR)
    return QuotaUse.objects.filter(at, owner_id=owner_id, kind=kind)


def _exceeded(
    kind: str, refused: Collection[str], limits: Limits, used: Mapping[str, int], *, now: datetime, count: int
) -> QuotaExceeded:
    """The error for the quota that refused; for the month's if both did, as it ends later."""
    period = next(period for period in _PERIODS if period in refused)
    limit, so_far = limits[period], used.get(period, 0)
    end = window(period, now)[1]
    until = timezone.localtime(end, timezone.get_default_timezone()).isoformat()
    each = "an hour" if period == Period.HOUR else "a month"
    asked = f" and ask for {count} more" if count > 1 else ""
    return QuotaExceeded(
        f"Your tier may have {limit} jobs of the kind {kind} {each}; you have had {so_far}{asked}."
        f" Try again at {until}.",
        details={"quota": kind, "period": period, "limit": limit, "used": so_far, "resets_at": until},
        retry_after=max(1, math.ceil((end - now).total_seconds())),
    )


def _forget(period: Period, now: datetime) -> int:
    over = QuotaUse.objects.filter(period=period, starts_at__lt=window(period, now - _KEEP_OVER)[0])
    # Rows that a job is just given back in are left for the next time, instead of waiting for each other in a circle.
    rows = over.order_by("starts_at", "pk").select_for_update(
        skip_locked=connection.features.has_select_for_update_skip_locked
    )
    deleted = 0
    while True:
        with transaction.atomic():
            ids = list(rows.values_list("pk", flat=True)[:_DELETE_AT_ONCE])
            QuotaUse.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
        if len(ids) < _DELETE_AT_ONCE:
            return deleted
