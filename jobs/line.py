"""Where a waiting job stands in its queue's line: what holds it back, its level, its turn.

The line is ordered by level, then by turn. All of it is in the job's row, so that the best one is found by an
index, whatever the backlog's length.

- **Level**: the priority, and one more for each `JOINTO_JOB_AGING_SECONDS` that the head of a level has waited;
  never more than 9, so that what is critical stays so. Only heads gain, so an old flood does not bury what is new.
  Who waits for a limit gains as well, since those of a kind are let in by level too.
- **Turn**: rounds, as in start-time fair queueing. An owner's job comes one round after their last of the same
  kind and priority, but never before the round that is being served; so the thousandth job of one owner stands
  behind the first of another. Without a line, a round is the clock's millisecond: old rounds are forgotten. Nor does
  a job count that ended without having begun: nobody pays for what was cancelled. Who lost their turn by no fault of
  their own, in a crash or as the worker was stopped, goes before their equals; who failed takes a new turn.
- **Hold**: `later` until `run_at` has come, `limit` while as many run as may (jobs.limits).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from jobs.models import Attempt, Hold, Job, KindLimit
from jobs.now import Now
from jobs.statements import NOW
from jobs.status import WAITING, JobStatus, Outcome

ORDER = ("-level", "turn", "created_at")
"""For `order_by`: best first; the index `job_backlog` has the same."""

HIGHEST_BY_AGE = 9
WAITS = "status IN ('pending', 'retrying') AND released_at IS NULL"
"""Not parameters: only so can SQLite see that a partial index has the row."""

_AT_ONCE = 200
POSITIONS = 1000  # nobody wants to know more exactly

_NOW_MS = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP()) * 1000 AS BIGINT)",
    "sqlite": "CAST((JULIANDAY('now') - 2440587.5) * 86400000 AS INTEGER)",
}
_LARGER = {"postgresql": "GREATEST", "sqlite": "MAX"}

# The head of those who stand at this level, held back or not; NULL if nobody does.
_HEAD = f"""
    (SELECT MIN(head) FROM (
        SELECT MIN(turn) AS head FROM jobs_job WHERE queue = %s AND hold = '' AND level = %s AND {WAITS}
        UNION ALL
        SELECT MIN(turn) AS head FROM jobs_job WHERE queue = %s AND hold = 'limit' AND level = %s AND {WAITS}
    ) AS heads)
"""
# The round that is being served: of those that are out or at work, a few rows.
_SERVED = """
    (SELECT MAX(turn) FROM jobs_job
     WHERE queue = %s AND priority = %s AND (status = 'processing' OR released_at IS NOT NULL))
"""
_OUT = """
    SELECT COUNT(*) AS n FROM jobs_job WHERE queue = %s AND (status = 'processing' OR released_at IS NOT NULL)
"""
# The condition is that of the index `job_turn`, word for word. Ordered by all of the index, and not just the largest
# turn: so PostgreSQL reads one row of it for jobs of nobody too.
_OWN = """
    (SELECT turn + 1 FROM jobs_job
     WHERE owner_id {is_owner} AND kind = %s AND priority = %s AND turn IS NOT NULL
       AND (started_at IS NOT NULL OR finished_at IS NULL)
     ORDER BY owner_id DESC, kind DESC, priority DESC, turn DESC LIMIT 1)
"""
_HELD = (
    "CASE WHEN EXISTS (SELECT 1 FROM jobs_kindlimit WHERE kind = %s"
    " AND (at_once IS NOT NULL OR per_user IS NOT NULL)) THEN 'limit' ELSE '' END"
)


def held(kind: str) -> Any:
    """`hold` of a job that is due: an expression for INSERT and UPDATE."""
    return RawSQL(_HELD, [kind])


def turn(*, queue: str, kind: str, priority: int, owner_id: int | None) -> Any:
    """`turn` of a job that takes its place in the line: an expression for INSERT and UPDATE."""
    vendor = connection.vendor
    owner, who = ("= %s", [owner_id]) if owner_id is not None else ("IS NULL", [])
    own = _OWN.format(is_owner=owner)
    sql = f"{_LARGER[vendor]}(COALESCE({_SERVED}, {_HEAD}, {_NOW_MS[vendor]}), COALESCE({own}, 0))"
    return RawSQL(sql, [queue, priority, queue, priority, queue, priority, *who, kind, priority])


def front(*, queue: str, priority: int) -> Any:
    """`turn` of a job that lost its turn by no fault of its own: before all others of its level."""
    return RawSQL(f"COALESCE({_HEAD} - 1, {_NOW_MS[connection.vendor]})", [queue, priority, queue, priority])


def read(*, queue: str, kind: str, priority: int, owner_id: int | None) -> tuple[str, int]:
    """`held` and `turn` as values, for many jobs that stand one behind the other from there on."""
    hold, standing = held(kind), turn(queue=queue, kind=kind, priority=priority, owner_id=owner_id)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {hold.sql}, {standing.sql}", [*hold.params, *standing.params])
        row = cursor.fetchone()
    return str(row[0]), int(row[1])


def place(job: Job, *, again: bool) -> dict[str, Any]:
    """The columns of a job that takes its place now; `again`: one that lost its turn by no fault of its own."""
    standing = (
        front(queue=job.queue, priority=job.priority)
        if again
        else turn(queue=job.queue, kind=job.kind, priority=job.priority, owner_id=job.owner_id)
    )
    return {"hold": held(job.kind), "level": F("priority"), "turn": standing}


def promote() -> set[tuple[str, str]]:
    """Have the jobs stand in line whose time has come; of which queues and kinds."""
    due = Job.objects.filter(_waits(), hold=Hold.LATER, run_at__lte=Now()).order_by("run_at")
    if not due.exists():
        return set()
    last = Attempt.objects.filter(job=OuterRef("pk"), number=OuterRef("attempt"), outcome=Outcome.CRASHED)
    with transaction.atomic():
        due = due.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        jobs = list(due.annotate(crashed=Exists(last))[:_AT_ONCE])
        for job in jobs:
            again = job.status == JobStatus.RETRYING and job.crashed
            Job.objects.filter(pk=job.pk, hold=Hold.LATER).update(**place(job, again=again))
    return {(job.queue, job.kind) for job in jobs}


def age(queue: str, *, heads: int) -> int:
    """Let the first few of each level gain what they have waited for; how many gained.

    Of those whom a limit holds back, the first few of each kind, as kinds do not wait for each other there.
    """
    waiting = Job.objects.filter(_waits(), queue=queue)
    gained = _gain(waiting.filter(hold=Hold.NONE), heads=heads)
    for kind in KindLimit.objects.values_list("kind", flat=True):
        held_back = waiting.filter(hold=Hold.LIMIT, kind=kind)
        if held_back.exists():
            gained += _gain(held_back, heads=heads)
    return gained


def _gain(waiting: QuerySet[Job], *, heads: int) -> int:
    step = settings.JOINTO_JOBS.aging
    waited = ExpressionWrapper(Now() - F("run_at"), output_field=DurationField())
    gained = 0
    for level in range(HIGHEST_BY_AGE):
        rows = waiting.filter(level=level).order_by("turn", "created_at").annotate(waited=waited)
        for pk, priority, wait in rows.values_list("pk", "priority", "waited")[:heads]:
            reached = min(HIGHEST_BY_AGE, priority + max(timedelta(0), wait) // step)
            if reached > level:
                gained += Job.objects.filter(_waits(), pk=pk, level=level).update(level=reached)
    return gained


def take(queue: str, *, room: int) -> list[Job]:
    """Mark the best jobs of a queue as released, as many as fit into `room` with those already out; best first.

    One statement, so that it costs the same with a hundred thousand waiting; and nothing is taken before a quarter
    of the room is free, so that it need not be one for each job. Two dispatchers at once never take the same row;
    each may have counted before the other took, and together they take a little more.
    """
    if room <= 0:
        return []
    full = room - max(1, room // 4)
    postgresql = connection.vendor == "postgresql"
    if not postgresql and _out(queue) > full:
        return []  # SQLite has one writer at a time: an UPDATE that finds nothing would wait for it all the same
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    # What a crash of the database forgets of this is released once more: no need to wait for the disk.
    lazy = "AND set_config('synchronous_commit', 'off', true) <> ''"
    sql = f"""
        WITH out AS ({_OUT}), best AS (
            SELECT id FROM jobs_job
            WHERE queue = %s AND hold = '' AND {WAITS}
              AND NOT EXISTS (SELECT 1 FROM jobs_queue WHERE name = %s AND paused)
              {lazy if postgresql and not connection.in_atomic_block else ""}
            ORDER BY level DESC, turn, created_at
            LIMIT (SELECT CASE WHEN n > %s THEN 0 ELSE %s - n END FROM out)
            {lock}
        )
        UPDATE jobs_job SET released_at = {NOW[connection.vendor]}, releases = releases + 1
        WHERE id IN (SELECT id FROM best)
        RETURNING id, kind, queue, args, kwargs, status, attempt, releases, level, turn, created_at
    """
    jobs = list(Job.objects.raw(sql, [queue, queue, queue, full, room]))
    return sorted(jobs, key=lambda job: (-job.level, job.turn, job.created_at))


def _out(queue: str) -> int:
    """How many jobs of the queue are at work, or given to a worker."""
    with connection.cursor() as cursor:
        cursor.execute(_OUT, [queue])
        return int(cursor.fetchone()[0])


def positions(jobs: Iterable[Job]) -> dict[Any, int | None]:
    """How many are before each waiting job, and itself: 1 is next. 0: given to a worker. None: not due, not waiting.

    A queue's line is read once, and no further than a thousand: whoever stands behind is told a thousand and one.
    """
    found: dict[Any, int | None] = {}
    waiting: dict[str, list[Job]] = {}
    for job in jobs:
        stands = job.status in WAITING and job.hold != Hold.LATER
        found[job.pk] = 0 if stands and job.released_at else None
        if stands and not job.released_at:
            waiting.setdefault(job.queue, []).append(job)
    for queue, standing in waiting.items():
        places = _places(queue, [job.pk for job in standing])
        found.update({job.pk: places.get(job.pk, POSITIONS + 1) for job in standing})
    return found


_ONE_LINE = f"""
    SELECT * FROM (
        SELECT id, level, turn, created_at FROM jobs_job WHERE queue = %s AND hold = '{{hold}}' AND {WAITS}
        ORDER BY level DESC, turn, created_at LIMIT {POSITIONS}
    ) AS held_by_{{name}}
"""
_PLACES = f"""
    SELECT id, place FROM (
        SELECT id, ROW_NUMBER() OVER (ORDER BY level DESC, turn, created_at) AS place FROM (
            {_ONE_LINE.format(hold="", name="nothing")} UNION ALL {_ONE_LINE.format(hold="limit", name="limit")}
        ) AS lines
    ) AS places WHERE place <= {POSITIONS} AND id IN ({{ids}})
"""


def _places(queue: str, wanted: list[Any]) -> dict[Any, int]:
    """Where these stand among the first in line, those that a limit holds back among them; the database counts."""
    pk = Job._meta.pk
    ids = [pk.get_db_prep_value(one, connection) for one in wanted]
    with connection.cursor() as cursor:
        cursor.execute(_PLACES.format(ids=", ".join(["%s"] * len(ids))), [queue, queue, *ids])
        return {pk.to_python(one): place for one, place in cursor.fetchall()}


def _waits() -> Q:
    return Q(status__in=sorted(WAITING), released_at__isnull=True)
