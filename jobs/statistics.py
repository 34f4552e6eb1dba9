"""Numbers that are kept as jobs move (`jobs.models.Tally`), so that nobody counts the table of jobs.

A tally is a sum, so it does not matter in which order moves are counted, nor by how many processes at once; that each
is counted once is the journal's part. What is counted by the hour is counted a second time under `EVER`: those sums
never shrink, whatever is pruned, as Prometheus wants it.

Of what ends, a move may be counted under several words: `completed`, `failed` and `cancelled` are ends of jobs;
`retried`, `crashed` and `handed_back` are ends of attempts, whatever became of their jobs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q, Sum
from django.utils import timezone

from jobs.histogram import bucket_of
from jobs.models import Tally
from jobs.moves import Move
from jobs.status import JobStatus, Outcome

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The `hour` of what is not counted by the hour: jobs by status, and sums over all time."""

STATUS, SUBMITTED, ENDED = "status", "submitted", "ended"
WAITED, RAN, WAITED_MS, RAN_MS = "waited", "ran", "waited_ms", "ran_ms"
HOURLY = (SUBMITTED, ENDED, WAITED, RAN, WAITED_MS, RAN_MS)
ENDS = ("completed", "failed", "cancelled", "retried", "crashed", "handed_back")

_RECENT = timedelta(hours=6)
_ROWS_AT_ONCE = 1000  # six values each; SQLite takes 32,766 in a statement

Key = tuple[str, datetime, str, str, str]
"""Measure, hour, kind, queue, bucket: in the order of the index, which is the order in which rows are locked."""

_ADD = """
    INSERT INTO jobs_tally (measure, hour, kind, queue, bucket, n) VALUES {rows}
    ON CONFLICT (measure, hour, kind, queue, bucket) DO UPDATE SET n = jobs_tally.n + excluded.n
"""


def count(moves: Sequence[Move]) -> None:
    """Count moves, each exactly once; inside the transaction that marks them as booked."""
    sums: Counter[Key] = Counter()
    for move in moves:
        kind, queue = move.job.kind, move.job.queue
        for status, n in ((move.before, -1), (move.after, 1)):
            if status:
                sums[STATUS, EVER, kind, queue, status] += n
        hour = move.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        for measure, bucket, n in _facts(move):
            sums[measure, hour, kind, queue, bucket] += n
            sums[measure, EVER, kind, queue, bucket] += n
    _add(sums)


def removed(counts: Mapping[tuple[str, str, str], int]) -> None:
    """Take jobs out of the counts by status that are being deleted: so many of each kind, queue and status.

    Inside the transaction that deletes them; their moves must have been booked before.
    """
    _add(Counter({(STATUS, EVER, kind, queue, status): -n for (kind, queue, status), n in counts.items()}))


def prune(now: datetime) -> int:
    """Remove the hours that are older than `keep_statistics`; how many rows. Sums over all time stay."""
    until = now - settings.JOINTO_JOBS.keep_statistics
    gone, _ = Tally.objects.filter(measure__in=HOURLY, hour__gt=EVER, hour__lt=until).delete()
    return gone


def mean_seconds(queue_or_kind: str, *, now: datetime | None = None) -> float | None:
    """How long the attempts in a queue, or of a kind, ran on average in the last six hours; None: none did."""
    since = (now or timezone.now()) - _RECENT
    rows = Tally.objects.filter(Q(queue=queue_or_kind) | Q(kind=queue_or_kind), measure__in=[RAN, RAN_MS])
    sums = dict(rows.filter(hour__gte=since).order_by().values_list("measure").annotate(total=Sum("n")))
    return sums[RAN_MS] / sums[RAN] / 1000 if sums.get(RAN) else None


def _facts(move: Move) -> Iterator[tuple[str, str, int]]:
    """What a move adds to an hour: measure, bucket, number."""
    if not move.before:
        yield SUBMITTED, "", 1
    if move.is_an_end:
        yield ENDED, move.after, 1
    if move.after == JobStatus.RETRYING:
        yield ENDED, "retried", 1
    attempt = move.attempt
    if attempt is None:
        return
    if move.after == JobStatus.PROCESSING:
        yield from _duration(WAITED, WAITED_MS, attempt.started_at - attempt.due_at)
        return
    if attempt.outcome in (Outcome.CRASHED, Outcome.HANDED_BACK):
        yield ENDED, attempt.outcome, 1
    if attempt.ended_at:
        yield from _duration(RAN, RAN_MS, attempt.ended_at - attempt.started_at)


def _duration(measure: str, sum_measure: str, lasted: timedelta) -> Iterator[tuple[str, str, int]]:
    milliseconds = max(0.0, lasted / timedelta(milliseconds=1))
    yield measure, str(bucket_of(milliseconds)), 1
    yield sum_measure, "", round(milliseconds)


def _add(sums: Counter[Key]) -> None:
    """Add to tallies, making those that are not there yet."""
    # Everybody locks the rows in this order: two who add at once wait for one another, and never both.
    rows = sorted((key, n) for key, n in sums.items() if n)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        with connection.cursor() as cursor:
            sql = _ADD.format(rows=", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(some)))
            cursor.execute(sql, list(_values(some)))


def _values(rows: Iterable[tuple[Key, int]]) -> Iterator[Any]:
    for (measure, hour, kind, queue, bucket), n in rows:
        yield from (measure, connection.ops.adapt_datetimefield_value(hour), kind, queue, bucket, n)
