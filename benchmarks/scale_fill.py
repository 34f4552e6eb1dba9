"""Fills the tables, by a few statements. To be imported once Django is set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import connection

from benchmarks import scale_rows as rows

_TABLES = ["jobs_job", "jobs_attempt", "jobs_transition", "jobs_delivery", "jobs_batch", "jobs_deadletter"]
_FASTER = {
    "synchronous_commit": "off",
    "session_replication_role": "replica",  # no look at foreign keys for each row: they are right
    "maintenance_work_mem": "512MB",
    "work_mem": "256MB",
    "jit": "off",
}
_QUIETER = {"max_wal_size": "16GB", "autovacuum": "off"}  # while it lasts; of the whole server


def fill(jobs: int) -> None:
    """Fill the empty tables with so many jobs and all that belongs to them, and have PostgreSQL look at them."""
    users = [User(username=f"owner{number:04}", email=f"{number}@site.example") for number in range(1, rows.OWNERS + 1)]
    User.objects.bulk_create(users)
    assert User.objects.get(username=rows.FLOOD).pk == 1
    for name, value in _FASTER.items():
        _run(f"SET {name} = '{value}'")
    for name, value in _QUIETER.items():
        _run(f"ALTER SYSTEM SET {name} = '{value}'")
    _run("SELECT pg_reload_conf()")
    with _without_indexes():
        _run("SELECT setseed(0.25)")
        kinds = ", ".join(f"({number}, '{kind}', '{queue}')" for number, (kind, queue) in enumerate(rows.KINDS))
        figures = {"kinds": kinds, "jobs": jobs, "days": rows.DAYS, "running": rows.RUNNING, "owners": rows.OWNERS}
        _run(rows.LIVES.format(**figures, limited=rows.LIMITED))
        _run("ANALYZE lives")
        _insert("jobs_job", rows.JOB, "lives ORDER BY g")
        _insert("jobs_attempt", rows.ATTEMPT, f"{rows.TRIES} ORDER BY g, try")
        _insert("jobs_transition", rows.TRANSITION, rows.MOVES)
        _insert("jobs_batch", rows.BATCH, rows.BATCHES)
        _insert("jobs_delivery", rows.DELIVERY, f"lives WHERE g % 4 = 0 AND owner_id > 0 AND {rows.ENDED} IS NOT NULL")
        _insert("jobs_deadletter", rows.LETTER, rows.LETTERS.format(least=rows.LETTERS_AT_LEAST))
        _tallies()
    _beside()
    _run("DROP TABLE lives")
    for name in _FASTER:
        _run(f"RESET {name}")
    _run("VACUUM ANALYZE")
    _run("CHECKPOINT")


def filled() -> None:
    """When all is filled: the server is again as it comes."""
    for name in _QUIETER:
        _run(f"ALTER SYSTEM RESET {name}")
    _run("SELECT pg_reload_conf()")


def _tallies() -> None:
    begun = "created_at + (wait + run) * (try - 1) + wait"
    wait, run = rows.BUCKET.format("wait"), rows.BUCKET.format("run")
    facts = rows.FACTS.format(ended=rows.ENDED, tries=rows.TRIES, begun=begun, wait=wait, run=run)
    keys = {name: name for name in ("measure", "kind", "queue", "bucket")}
    hour = "date_trunc('hour', at, 'UTC')"
    _insert("jobs_tally", {**keys, "hour": hour, "n": "sum(n)"}, f"{facts} GROUP BY 1, 2, 3, 4, 5 ORDER BY 5")
    _insert("jobs_tally", {**keys, "hour": rows.EVER, "n": "sum(n)"}, "jobs_tally GROUP BY 1, 2, 3, 4, 5")
    states = {"measure": "'status'", "kind": "kind", "queue": "queue", "bucket": "status", "hour": rows.EVER}
    _insert("jobs_tally", {**states, "n": "count(*)"}, "lives GROUP BY 2, 3, 4")


def _beside() -> None:
    """What does not become more with the jobs: accounts, workers, limits, ticks."""
    _run(
        "INSERT INTO jobs_account (user_id, tier, notify_by_email, webhook_url, webhook_secret)"
        " SELECT id, (ARRAY['free', 'pro', 'enterprise'])[1 + id % 3], false, '', '' FROM auth_user"
    )
    # As many messages as are out already fit for them: nothing is released but by who measures.
    _run(
        "INSERT INTO jobs_worker (name, queues, concurrency, pid, started_at, seen_at)"
        " SELECT DISTINCT 'celery@' || queue, jsonb_build_array(queue), 1, 1, now(), now() + interval '1 day'"
        " FROM lives"
    )
    _run(
        f"INSERT INTO jobs_kindlimit (kind, at_once, per_user) VALUES ('{rows.LIMITED}', 4, 2)"
        " ON CONFLICT (kind) DO UPDATE SET at_once = 4, per_user = 2"
    )
    _run(
        "INSERT INTO jobs_tick (schedule, slot, task_id, at) SELECT name, slot, '', slot FROM"
        " django_celery_beat_periodictask, generate_series(now() - interval '1 day', now(), '1 minute') AS slot"
    )


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Take the indexes away that hold no rule, and make them again when the rows are there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique",
            [_TABLES],
        )
        found = cursor.fetchall()
    for name, _ in found:
        _run(f"DROP INDEX {name}")
    yield
    for _, definition in found:
        _run(definition)


def _insert(table: str, columns: Mapping[str, str], source: str) -> None:
    _run(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {source}")


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
