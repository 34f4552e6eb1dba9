"""The statements that every attempt makes, written out: building them anew each time cost more than running them.

Rows and columns are those of jobs.models; the tests of `jobs.transitions` hold them together.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from jobs.models import Instant, Job
from jobs.now import SQLITE, Now

NOW = {"postgresql": "STATEMENT_TIMESTAMP()", "sqlite": SQLITE}
"""The database's clock, as Django's `Now` reads it."""

_AFTER = {
    "postgresql": "STATEMENT_TIMESTAMP() + make_interval(secs => %s)",
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f000', 'NOW', %s || ' seconds')",
}
_WAITING = "SELECT status, attempt FROM jobs_job WHERE id = %s AND status IN ('pending', 'retrying')"
_CLAIM = """
    UPDATE jobs_job SET
        status = 'processing', attempt = attempt + 1, lease_expires_at = {after}, released_at = NULL, level = priority,
        unknown_since = NULL, started_at = COALESCE(started_at, {now}), updated_at = {now},
        "current" = 0, total = 0, message = '', error_code = '', error_message = ''
    WHERE id = %s AND status = %s AND attempt = %s
        AND released_at IS NOT NULL AND run_at <= {now} AND (deadline_at IS NULL OR deadline_at > {now})
    RETURNING *
"""
_COMPLETE = """
    UPDATE jobs_job SET
        status = 'completed', result = {result}, finished_at = {now}, lease_expires_at = NULL, updated_at = {now},
        message = ''
    WHERE id = %s AND status = 'processing' AND attempt = %s
"""
_NOTE = """
    INSERT INTO jobs_transition (job_id, attempt, before, after, reason, at, booked)
    VALUES (%s, %s, %s, %s, %s, {now}, {no})
"""
_BEGIN = """
    INSERT INTO jobs_attempt
        (job_id, number, worker, pid, outcome, due_at, started_at, error_code, error_message, traceback, log_tail)
    VALUES (%s, %s, %s, %s, 'running', %s, {now}, '', '', '', '')
"""
_END = "UPDATE jobs_attempt SET outcome = %s, ended_at = {now}{said} WHERE job_id = %s AND number = %s"
_SAYABLE = frozenset({"error_code", "error_message", "traceback", "log_tail"})

_RESULT = (
    "task_id",
    "task_name",
    "task_args",
    "task_kwargs",
    "status",
    "content_type",
    "content_encoding",
    "result",
    "traceback",
    "meta",
    "date_created",
    "date_done",
)
_MIRROR = """
    INSERT INTO django_celery_results_taskresult ({columns}) VALUES ({values})
    ON CONFLICT (task_id) DO UPDATE SET {updates}
""".format(
    columns=", ".join(_RESULT),
    values=", ".join(["%s"] * len(_RESULT)),
    updates=", ".join(f"{name} = excluded.{name}" for name in _RESULT if name not in ("task_id", "date_created")),
)


def waiting(job_id: uuid.UUID) -> tuple[str, int] | None:
    """Status and attempt of a job that waits; None if it does not."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [_key(job_id)])
        row = cursor.fetchone()
    return (str(row[0]), int(row[1])) if row else None


def claim(job_id: uuid.UUID, *, before: str, attempt: int, lease: timedelta) -> Job | None:
    """Move a released job that is due from that status and attempt to its next attempt; the row, or None."""
    sql = _CLAIM.format(after=_AFTER[connection.vendor], now=NOW[connection.vendor])
    found = list(Job.objects.raw(sql, [lease.total_seconds(), _key(job_id), before, attempt]))
    return found[0] if found else None


def complete(job_id: uuid.UUID, *, attempt: int, result: Any) -> bool:
    """Move a job that runs, at that attempt, to its good end; whether it was. Raises TypeError: no JSON."""
    text = None if result is None else json.dumps(result)
    to_json = "CAST(%s AS JSONB)" if connection.vendor == "postgresql" else "%s"
    with connection.cursor() as cursor:
        cursor.execute(_COMPLETE.format(result=to_json, now=NOW[connection.vendor]), [text, _key(job_id), attempt])
        return bool(cursor.rowcount)


def note(
    job_id: uuid.UUID, *, attempt: int, before: str, after: str, reason: str = "", at: Instant | None = None
) -> None:
    """Write down a move."""
    now, moment = _clock(at)
    no = "FALSE" if connection.vendor == "postgresql" else "0"
    _execute(_NOTE.format(now=now, no=no), [_key(job_id), attempt, before, after, reason[:200], *moment])


def begin_attempt(
    job_id: uuid.UUID, *, number: int, worker: str, pid: int, due_at: datetime, at: Instant | None = None
) -> None:
    """Write down that an attempt runs."""
    now, moment = _clock(at)
    due = connection.ops.adapt_datetimefield_value(due_at)
    _execute(_BEGIN.format(now=now), [_key(job_id), number, worker[:200], pid, due, *moment])


def end_attempt(job_id: uuid.UUID, *, number: int, outcome: str, **said: str) -> None:
    """Write down how an attempt ended, and what it said."""
    assert _SAYABLE.issuperset(said)
    columns = "".join(f", {name} = %s" for name in said)
    sql = _END.format(now=NOW[connection.vendor], said=columns)
    _execute(sql, [outcome, *said.values(), _key(job_id), number])


def mirror_result(**columns: Any) -> None:
    """Write a result where operators look for results, in place of an earlier one."""
    adapt = connection.ops.adapt_datetimefield_value
    values = [adapt(columns[name]) if name.startswith("date_") else columns[name] for name in _RESULT]
    _execute(_MIRROR, values)


def _execute(sql: str, params: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def _clock(at: Instant | None) -> tuple[str, list[Any]]:
    """The SQL of a point in time, and its parameter if it is one that was read."""
    if isinstance(at, datetime):
        return "%s", [connection.ops.adapt_datetimefield_value(at)]
    assert at is None or isinstance(at, Now)
    return NOW[connection.vendor], []


def _key(job_id: uuid.UUID) -> Any:
    return job_id if connection.features.has_native_uuid_field else job_id.hex
