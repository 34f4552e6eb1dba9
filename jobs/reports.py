"""The numbers of `jobs.statistics` put together: for the API, the dashboard, Prometheus.

A report reads tallies and a handful of rows by index; it costs the same with a thousand jobs and with a million.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from jobs import presence
from jobs.histogram import middle_seconds, percentiles
from jobs.models import Tally
from jobs.statistics import ENDS, EVER, HOURLY, RAN, RAN_MS, STATUS, WAITED
from jobs.status import WAITING, JobStatus

LONGEST_HOURS = 24 * 31
OWN_JOBS_AT_MOST = 1_000

_REMEMBER_SECONDS = 60.0
_REMEMBER_AT_MOST = 8

_PERCENTILES = """
    WITH sums AS (
        SELECT hour, measure, CAST(bucket AS INTEGER) AS bucket, SUM(n) AS n FROM jobs_tally
        WHERE measure IN ('waited', 'ran') AND hour >= %s AND hour < %s GROUP BY hour, measure, bucket
    ), ranked AS (
        SELECT hour, measure, bucket, SUM(n) OVER same AS total, SUM(n) OVER (same ORDER BY bucket) AS upto
        FROM sums WINDOW same AS (PARTITION BY hour, measure)
    )
    SELECT hour, measure, MAX(total), MIN(CASE WHEN upto >= 0.5 * total THEN bucket END),
        MIN(CASE WHEN upto >= 0.95 * total THEN bucket END), MIN(CASE WHEN upto >= 0.99 * total THEN bucket END)
    FROM ranked GROUP BY hour, measure
"""
_OWN = """
    SELECT status, COUNT(*) FROM (
        SELECT status FROM jobs_job WHERE owner_id = %s ORDER BY created_at DESC, id DESC LIMIT %s
    ) AS newest GROUP BY status
"""


@dataclass
class _Sums:
    """What tallies say of one kind, or of one hour, or of everything."""

    submitted: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    waited: Counter[int] = field(default_factory=Counter)
    ran: Counter[int] = field(default_factory=Counter)
    found: dict[str, list[int]] = field(default_factory=dict)
    waited_ms: int = 0
    ran_ms: int = 0

    def add(self, measure: str, bucket: str, n: int) -> None:
        match measure:
            case "submitted":
                self.submitted += n
            case "ended":
                self.ended[bucket] += n
            case "waited":
                self.waited[int(bucket)] += n
            case "ran":
                self.ran[int(bucket)] += n
            case "waited_ms":
                self.waited_ms += n
            case "ran_ms":
                self.ran_ms += n

    @property
    def mean_running_seconds(self) -> float | None:
        return self.ran_ms / self.ran.total() / 1000 if self.ran.total() else None

    def told(self) -> dict[str, Any]:
        """As JSON. The success rate is that of the jobs that completed or failed; None: none did."""
        completed, failed = self.ended["completed"], self.ended["failed"]
        return {
            "submitted": self.submitted,
            "ended": {word: self.ended[word] for word in ENDS},
            "success_rate": round(completed / (completed + failed), 4) if completed + failed else None,
            "waiting": _durations(self.waited, self.waited_ms, self.found.get(WAITED)),
            "running": _durations(self.ran, self.ran_ms, self.found.get(RAN)),
        }


def report(*, hours: int = 24, now: datetime | None = None) -> dict[str, Any]:
    """Everything about all jobs, as JSON: `hours` back from now, durations in seconds, percentiles within 5 %."""
    now = now or timezone.now()
    hours = max(1, min(hours, LONGEST_HOURS))
    first = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
    overall, by_kind, by_queue, by_hour = _sums(first)
    status, status_by_kind, status_by_queue = _statuses()
    workers = presence.workers()
    kinds = sorted(status_by_kind.keys() | by_kind.keys())
    return {
        "at": now,
        "hours": hours,
        "status": _by_status(status),
        "overall": overall.told(),
        "kinds": [{"kind": kind, "status": _by_status(status_by_kind[kind]), **by_kind[kind].told()} for kind in kinds],
        "queues": _queues(status_by_queue, by_queue, workers),
        "hourly": [
            {"hour": hour, **by_hour[hour].told()} for hour in (first + timedelta(hours=n) for n in range(hours))
        ],
        "workers": workers,
        "dead_letters": _letters(),
    }


def report_for(owner_id: int, *, now: datetime | None = None) -> dict[str, Any]:
    """What a user may know: how their newest jobs stand, and how long the queues are.

    Tallies are not kept by owner. The user's jobs are counted themselves, by index and no more than
    OWN_JOBS_AT_MOST of them; `complete` tells whether these were all.
    """
    now = now or timezone.now()
    own = _own(owner_id)
    *_, status_by_queue = _statuses()
    by_queue = _sums_by_queue(now - timedelta(hours=6))
    public = ("name", "waiting", "paused", "expected_wait_seconds")
    queues = _queues(status_by_queue, by_queue, presence.workers())
    return {
        "at": now,
        "status": _by_status(own),
        "complete": own.total() < OWN_JOBS_AT_MOST,
        "queues": [{name: queue[name] for name in public} for queue in queues],
    }


def _own(owner_id: int) -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute(_OWN, [owner_id, OWN_JOBS_AT_MOST])
        return Counter(dict(cursor.fetchall()))


def _sums(first: datetime) -> tuple[_Sums, defaultdict[str, _Sums], defaultdict[str, _Sums], defaultdict[Any, _Sums]]:
    """The tallies since then: altogether, by kind, by queue, by hour. The database adds up, so that little is read."""
    overall = _Sums()
    by_kind: defaultdict[str, _Sums] = defaultdict(_Sums)
    by_queue: defaultdict[str, _Sums] = defaultdict(_Sums)
    by_hour: defaultdict[Any, _Sums] = defaultdict(_Sums)
    for found in _found(first):
        for kind, queue, measure, bucket, n in found.by_kind:
            for sums in (overall, by_kind[kind], by_queue[queue]):
                sums.add(measure, bucket, n)
        for hour, measure, bucket, n in found.by_hour:
            by_hour[hour].add(measure, bucket, n)
        for hour, measure, *buckets in found.percentiles:
            by_hour[hour].found[measure] = buckets
    return overall, by_kind, by_queue, by_hour


@dataclass(frozen=True)
class _Found:
    """What the database added up over some hours."""

    by_kind: list[Any]
    by_hour: list[Any]
    percentiles: list[Any]


_past: dict[tuple[datetime, datetime], tuple[float, _Found]] = {}


def forget() -> None:
    """Forget what this process remembers of the hours that are over."""
    _past.clear()


def _found(first: datetime) -> Iterator[_Found]:
    """The hours that are over, which hardly change and are remembered for a minute, and the present ones."""
    this_hour = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    present = max(first, this_hour - timedelta(hours=1))
    if first < present:
        read_at, past = _past.get((first, present), (None, None))
        if past is None or read_at is None or time.monotonic() - read_at > _REMEMBER_SECONDS:
            if len(_past) >= _REMEMBER_AT_MOST:
                _past.clear()
            past = _look(first, present)
            _past[first, present] = (time.monotonic(), past)
        yield past
    yield _look(present, None)


def _look(first: datetime, until: datetime | None) -> _Found:
    rows = Tally.objects.filter(measure__in=HOURLY, hour__gte=first).order_by()
    if until is not None:
        rows = rows.filter(hour__lt=until)
    counted = rows.exclude(measure__in=[WAITED, RAN])
    return _Found(
        by_kind=list(rows.values_list("kind", "queue", "measure", "bucket").annotate(s=Sum("n"))),
        by_hour=list(counted.values_list("hour", "measure", "bucket").annotate(s=Sum("n"))),
        percentiles=_percentiles(first, until),
    )


def _percentiles(first: datetime, until: datetime | None) -> list[Any]:
    """Hour, measure, number, and the buckets of the three percentiles; the database looks for them."""
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(_PERCENTILES, [adapt(first), adapt(until or datetime(9999, 1, 1, tzinfo=UTC))])
        return [(presence.moment(hour), *rest) for hour, *rest in cursor.fetchall()]


def _sums_by_queue(first: datetime) -> defaultdict[str, _Sums]:
    """How long the attempts ran since then, by queue."""
    found: defaultdict[str, _Sums] = defaultdict(_Sums)
    rows = Tally.objects.filter(measure__in=[RAN, RAN_MS], hour__gte=first).order_by()
    for queue, measure, bucket, n in rows.values_list("queue", "measure", "bucket").annotate(s=Sum("n")):
        found[queue].add(measure, bucket, n)
    return found


def _statuses() -> tuple[Counter[str], defaultdict[str, Counter[str]], defaultdict[str, Counter[str]]]:
    """How many jobs are in each status: altogether, by kind, by queue."""
    overall: Counter[str] = Counter()
    by_kind: defaultdict[str, Counter[str]] = defaultdict(Counter)
    by_queue: defaultdict[str, Counter[str]] = defaultdict(Counter)
    rows = Tally.objects.filter(measure=STATUS, hour=EVER).order_by()
    for kind, queue, status, n in rows.values_list("kind", "queue", "bucket", "n"):
        for counts in (overall, by_kind[kind], by_queue[queue]):
            counts[status] += n
    return overall, by_kind, by_queue


def _by_status(counts: Counter[str]) -> dict[str, int]:
    """All statuses; one whose moves are booked in another order than they were made may be below none for a moment."""
    return {status.value: max(0, counts[status]) for status in JobStatus}


def _queues(
    statuses: defaultdict[str, Counter[str]],
    sums: defaultdict[str, _Sums],
    workers: Iterable[dict[str, Any]],
) -> list[dict[str, Any]]:
    names = sorted(set(settings.CELERY_TASK_QUEUES) | statuses.keys())
    oldest, paused, places = presence.waiting_seconds(names), presence.paused(), presence.places(workers)
    told = []
    for name in names:
        counts, mean = _by_status(statuses[name]), sums[name].mean_running_seconds
        waiting = sum(counts[status] for status in WAITING)
        processing = counts[JobStatus.PROCESSING]
        wait = None if name in paused else _expected_wait(waiting + processing, places[name], mean)
        told.append(
            {
                "name": name,
                "waiting": waiting,
                "processing": processing,
                "paused": name in paused,
                "places": places[name],
                "oldest_waiting_seconds": oldest.get(name),
                "mean_running_seconds": _rounded(mean),
                "expected_wait_seconds": _rounded(wait),
            }
        )
    return told


def _expected_wait(ahead: int, places: int, mean: float | None) -> float | None:
    """How long a job that joins the line now will stand in it, if all jobs run as long as the mean; None: unknown."""
    if mean is None or not places:
        return None
    return max(0, ahead - places + 1) * mean / places


def _letters() -> dict[str, Any]:
    letters = presence.open_letters()
    codes = Counter(code for _, code in letters).most_common()
    return {
        "open": len(letters),
        "more": len(letters) == presence.LETTERS_AT_MOST,
        "by_code": [{"code": code, "open": n} for code, n in codes],
    }


def _durations(buckets: Counter[int], sum_ms: int, found: list[int] | None = None) -> dict[str, Any]:
    p50: float | None
    p95: float | None
    p99: float | None
    if found:
        n = int(found[0])
        p50, p95, p99 = map(middle_seconds, found[1:])
    else:
        n = buckets.total()
        p50, p95, p99 = percentiles(buckets, (0.5, 0.95, 0.99))
    return {
        "n": n,
        "mean": round(sum_ms / n / 1000, 4) if n else None,
        "p50": _rounded(p50),
        "p95": _rounded(p95),
        "p99": _rounded(p99),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
