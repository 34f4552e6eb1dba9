"""What follows from a job's moves, once each: counted in statistics and batches, told to those who listen.

A move writes one `Transition` row, unbooked, in the transaction that makes it, and nothing else. Booking takes such
rows in batches, draws every consequence of them and marks them, all in one transaction: whatever crashes, each
consequence happens exactly once for each move. Moves are booked soon, not at once, and not always in order. One whose
consequences raise is set aside for some minutes, so that it is not in the way of all others.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from jobs import batches, notifications, statistics, transitions
from jobs.models import Attempt, Job, Transition
from jobs.moves import Move
from jobs.now import Now
from jobs.status import JobStatus

logger = logging.getLogger(__name__)

_LOCK = 0x6A6F696E746F  # "jointo": the advisory lock of whoever books
_IDLE = "30s"
_ASIDE = timedelta(minutes=5)


def book(limit: int = 1000) -> int:
    """Draw the consequences of at most `limit` moves that nobody has booked yet; how many, those set aside included.

    0 also means that another process is at it at this moment. Call it as often as you like: with nothing to
    book it is one look at a small index.
    """
    # Read before the transaction, so that nobody waits for the reading. What a row says of the past stays true.
    moves = _moves(list(_to_book().order_by("id")[:limit]))
    if not moves:
        return 0
    try:
        return _book(moves)
    except OperationalError:  # the database's own trouble: it is no move's fault
        raise
    except Exception:  # whichever move it is, the others must not wait for it
        logger.exception("%d moves could not be booked together", len(moves))
    return sum(_book_alone(move) for move in moves)


def book_all() -> int:
    """Book until nothing is left to be booked, or another process is at it; how many."""
    booked = 0
    while more := book():
        booked += more
    return booked


def book_quietly() -> int:
    """`book`, for those whose own work is done whatever becomes of it, such as a worker after an attempt."""
    try:
        return book()
    except Exception:  # the rows stay unbooked, so that the next look of anybody draws the consequences
        logger.exception("moves could not be booked")
        return 0


def _to_book() -> QuerySet[Transition]:
    return Transition.objects.filter(Q(aside_until__isnull=True) | Q(aside_until__lte=Now()), booked=False)


def _book(moves: list[Move]) -> int:
    """Draw the consequences of those of these moves that still are to be booked, all or none; how many."""
    with transaction.atomic():
        if not _is_my_turn():
            return 0
        still = _to_book().filter(pk__in=[move.id for move in moves]).select_for_update(skip_locked=True)
        mine = set(still.values_list("pk", flat=True))
        moves = [move for move in moves if move.id in mine]
        if moves:
            statistics.count(moves)
            batches.count(moves)
            notifications.tell(moves)
            Transition.objects.filter(pk__in=mine).update(booked=True)
    return len(moves)


def _book_alone(move: Move) -> int:
    """Draw the consequences of one move, or set it aside for a while."""
    try:
        return _book([move])
    except OperationalError:
        raise
    except Exception:  # it is tried again: what it met may be mended by then
        logger.exception("move %d of job %s could not be booked and is set aside", move.id, move.job.pk)
    until = transitions.after(Now(), _ASIDE)
    return Transition.objects.filter(pk=move.id, booked=False).update(aside_until=until)


def _is_my_turn() -> bool:
    """Whether no other process books. The rows' own locks keep it right; this keeps workers from queueing up.

    All who book add to the same few counters, so that they would wait for each other there, and for long if one of
    them is stopped in the middle: PostgreSQL ends the session of one that stays there. SQLite has one writer anyhow.
    """
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s), set_config('idle_in_transaction_session_timeout', %s, true)",
            [_LOCK, _IDLE],
        )
        return bool(cursor.fetchone()[0])


def _moves(rows: Iterable[Transition]) -> list[Move]:
    jobs = Job.objects.defer("args", "kwargs", "canvas").in_bulk({row.job_id for row in rows})
    attempts = _attempts(rows)
    return [
        Move(
            id=row.pk,
            job=jobs[row.job_id],
            attempt=attempts.get((row.job_id, row.attempt)) if _concerns_attempt(row) else None,
            before=row.before,
            after=row.after,
            reason=row.reason,
            at=row.at,
        )
        for row in rows
    ]


def _concerns_attempt(row: Transition) -> bool:
    """Whether the move began or ended an attempt; the number of any other move names one that is long over."""
    return JobStatus.PROCESSING in (row.before, row.after)


def _attempts(rows: Iterable[Transition]) -> dict[tuple[uuid.UUID, int], Attempt]:
    named = {(row.job_id, row.attempt) for row in rows if _concerns_attempt(row)}
    found = Attempt.objects.filter(
        job_id__in={job_id for job_id, _ in named}, number__in={number for _, number in named}
    ).defer("traceback", "log_tail")
    return {(attempt.job_id, attempt.number): attempt for attempt in found}
