"""What is going on at this moment: who is at work and at what, which queues rest, who has waited longest.

Every question is answered by an index, or by a table of a few rows: the length of the backlog does not matter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from jobs.dispatch import MISSED_PULSES
from jobs.line import WAITS
from jobs.models import Attempt, DeadLetter, Queue, Worker
from jobs.now import Now
from jobs.status import JobStatus

_ATTEMPTS_AT_MOST = 1000
LETTERS_AT_MOST = 1000
_LEVELS = range(11)
_HOLDS = ("", "limit")

_OLDEST = """
    WITH line(queue, hold, level) AS (VALUES {lines})
    SELECT queue, MIN(since) FROM (
        SELECT line.queue AS queue, (
            SELECT run_at FROM jobs_job
            WHERE jobs_job.queue = line.queue AND jobs_job.hold = line.hold AND jobs_job.level = line.level AND {waits}
            ORDER BY turn, created_at LIMIT 1
        ) AS since FROM line
        UNION ALL
        SELECT queue, run_at AS since FROM jobs_job WHERE released_at IS NOT NULL
    ) AS heads
    WHERE since IS NOT NULL
    GROUP BY queue
"""


def workers() -> list[dict[str, Any]]:
    """Every worker heard of within a day, with the age of its heartbeat and the attempts that it is at."""
    fresh: timedelta = MISSED_PULSES * settings.JOINTO_JOBS.pulse
    silent = ExpressionWrapper(Now() - F("seen_at"), output_field=DurationField())
    running = _running()
    return [
        {
            "name": worker.name,
            "queues": worker.queues,
            "concurrency": worker.concurrency,
            "alive": worker.silent <= fresh,
            "seen_seconds_ago": _seconds(worker.silent),
            "started_at": worker.started_at,
            "running": running[worker.name],
        }
        for worker in Worker.objects.annotate(silent=silent).order_by("name")
    ]


def _running() -> defaultdict[str, list[dict[str, Any]]]:
    """The attempts that are going on, longest first, by worker."""
    so_far = ExpressionWrapper(Now() - F("started_at"), output_field=DurationField())
    attempts = (
        Attempt.objects.filter(job__status=JobStatus.PROCESSING, job__attempt=F("number"))
        .annotate(so_far=so_far)
        .order_by("started_at")
        .values_list("worker", "job_id", "job__kind", "job__subject", "number", "so_far")[:_ATTEMPTS_AT_MOST]
    )
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for worker, job_id, kind, subject, number, lasts in attempts:
        found[worker].append(
            {"job_id": job_id, "kind": kind, "subject": subject, "attempt": number, "seconds": _seconds(lasts)}
        )
    return found


def places(present: Iterable[dict[str, Any]]) -> Counter[str]:
    """How many attempts can run at once, by queue. A worker of several queues counts in full for each of them."""
    found: Counter[str] = Counter()
    for worker in present:
        if worker["alive"]:
            found.update(dict.fromkeys(worker["queues"], worker["concurrency"]))
    return found


def paused() -> set[str]:
    """The names of the queues that an operator has paused."""
    return set(Queue.objects.filter(paused=True).values_list("name", flat=True))


def waiting_seconds(queues: Iterable[str]) -> dict[str, float]:
    """How long the job has been due that has waited longest, by queue; queues without a line are left out.

    Of each level only the head is looked at. It comes first there because it has waited longest, but for the turns
    that keep it fair between owners: a later job of an owner with many may be a little older.
    """
    lines = list(product(sorted(queues), _HOLDS, _LEVELS))
    if not lines:
        return {}
    sql = _OLDEST.format(lines=", ".join(["(%s, %s, %s)"] * len(lines)), waits=WAITS)
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for line in lines for value in line])
        return {queue: _seconds(now - moment(since)) for queue, since in cursor.fetchall()}


def open_letters() -> list[tuple[str, str]]:
    """Kind and error code of the dead letters that nobody has resolved; no more than LETTERS_AT_MOST of them."""
    rows = DeadLetter.objects.filter(resolved_at__isnull=True).order_by()
    return list(rows.values_list("kind", "error_code")[:LETTERS_AT_MOST])


def moment(value: datetime | str) -> datetime:
    """A time as a raw query gives it: SQLite tells text, in UTC, without saying so."""
    moment = parse_datetime(value) if isinstance(value, str) else value
    assert moment is not None
    return moment.replace(tzinfo=UTC) if timezone.is_naive(moment) else moment


def _seconds(duration: timedelta) -> float:
    return round(max(0.0, duration.total_seconds()), 3)
