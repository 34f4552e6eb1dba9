"""Tables as years of work leave them, in PostgreSQL's words: each column and what is put into it.

Jobs of sixty days, evenly: a tenth of them waits, among the newest fifth; of the rest, 88 in 100 have completed, 8
failed, 4 were cancelled, after one to three attempts. Eight kinds in five queues, a thousand owners, one of whom owns
a tenth of what is over and half of what waits. Every move of a job is there, and booked; tallies are the sums of
them. The same number makes the same rows, whatever the database; only the present moves on.
"""

from __future__ import annotations

from jobs.histogram import LAST, PER_DECADE

OWNERS = 1000
FLOOD = "owner0001"
"""Whose jobs are so many."""
RUNNING = 24
LETTERS_AT_LEAST = 700  # so that a page of them is full

DAYS = 60
KINDS = [
    ("videos.tasks.process_video", "media"),
    ("videos.tasks.generate_thumbnail", "media"),
    ("videos.tasks.export_video", "export"),
    ("videos.tasks.render_draft", "export"),
    ("assets.tasks.extract_assets", "ai"),
    ("assets.tasks.generate_image", "ai"),
    ("assets.tasks.deduplicate_assets", "assets"),
    ("jobs.tasks.send_notification", "maintenance"),
]
LIMITED = "assets.tasks.generate_image"  # its waiting jobs are held back

# What a job's life was; everything else follows from it.
LIVES = """
    CREATE TEMPORARY TABLE lives AS
    WITH kinds (number, kind, queue) AS (VALUES {kinds}),
    chances AS MATERIALIZED (
        SELECT g, random() AS a, random() AS b, random() AS c, random() AS d, random() AS e, random() AS f
        FROM generate_series(1, {jobs}) AS g
    ),
    states AS (
        SELECT *, md5('job ' || g)::uuid AS id, now() - interval '{days} days' * (1 - g::float / {jobs}) AS created_at,
            CASE WHEN g > {jobs} - 2 * {running} AND g % 2 = 1 THEN 'processing'
                 WHEN g > {jobs} * 0.8 AND g % 2 = 0 THEN CASE WHEN a < 0.08 THEN 'retrying' ELSE 'pending' END
                 WHEN a < 0.08 THEN 'failed' WHEN a < 0.12 THEN 'cancelled' ELSE 'completed' END AS status,
            interval '1 ms' * round(20 * exp(8 * e)) AS wait, interval '1 ms' * round(100 * exp(7.6 * f)) AS run
        FROM chances
    ),
    shares AS (
        SELECT *, b < CASE WHEN status IN ('pending', 'retrying') THEN 0.5 ELSE 0.1 END AS flood FROM states
    )
    SELECT shares.*, kind, queue,
        CASE WHEN flood THEN 1 WHEN kinds.number = 7 AND b > 0.9 THEN NULL
             ELSE 2 + g::bigint * 7919 % ({owners} - 1) END AS owner_id,
        CASE WHEN d < 0.02 THEN 10 WHEN d < 0.12 THEN 7 WHEN d < 0.85 THEN 5 ELSE 3 END AS priority,
        CASE WHEN status = 'pending' OR status = 'cancelled' AND d < 0.5 THEN 0
             WHEN status IN ('processing', 'retrying', 'cancelled') OR c < 0.85 THEN 1
             WHEN c < 0.97 THEN 2 ELSE 3 END AS attempts,
        CASE WHEN status = 'retrying' OR status = 'pending' AND c < 0.03 THEN 'later'
             WHEN status = 'pending' AND kind = '{limited}' THEN 'limit' ELSE '' END AS hold,
        CASE WHEN status = 'failed' THEN (ARRAY['network', 'rate_limited', 'bad_input', 'crashed', 'unexpected',
             'storage'])[1 + floor(e * 6)::int] ELSE '' END AS error_code,
        CASE WHEN g / 4 % 4 = 0 THEN md5('batch ' || g / 4)::uuid END AS batch_id
    FROM shares JOIN kinds ON kinds.number = CASE
        WHEN status = 'processing' THEN g / 2 % 8
        WHEN flood AND status IN ('pending', 'retrying') THEN 0 ELSE floor(c * 1000)::int % 8 END
"""
ENDED = "CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN created_at + (wait + run) * attempts END"
JOB = {
    "id": "id",
    "kind": "kind",
    "queue": "queue",
    "owner_id": "owner_id",
    "batch_id": "batch_id",
    "subject": "'videos.Video:' || g / 3",
    "args": "jsonb_build_array(g / 3)",
    "kwargs": "'{}'::jsonb",
    "canvas": "'{}'::jsonb",
    "callback_url": "''",
    "status": "status",
    "priority": "priority",
    "level": "priority",
    "hold": "hold",
    # In line: the owner's rounds. Before: the rounds of then.
    "turn": """CASE WHEN hold = 'later' THEN NULL ELSE floor(extract(epoch FROM now()) * 1000)::bigint - 1
        + CASE WHEN status = 'pending' THEN row_number() OVER (
              PARTITION BY status = 'pending' AND hold <> 'later', owner_id, kind, priority ORDER BY g)
          ELSE g - (SELECT max(g) FROM lives) END END""",
    "attempt": "attempts",
    "max_attempts": "4",
    "retry_count": "greatest(0, attempts - 1)",
    "crashes": "CASE WHEN error_code = 'crashed' THEN attempts ELSE 0 END",
    "setbacks": "0",
    "fallback": "''",
    "current": "CASE WHEN attempts > 0 THEN 1800 ELSE 0 END",
    "total": "CASE WHEN attempts > 0 THEN 1800 ELSE 0 END",
    "message": "''",
    "result": """CASE WHEN status = 'completed' THEN jsonb_build_object('video_id', g / 3, 'duration', 61.4,
        'playlist_url', '/media/videos/' || g || '/master.m3u8', 'poster_url', '/media/videos/' || g || '/poster.jpg',
        'renditions', jsonb_build_array(jsonb_build_object('name', '720p', 'bytes', 7340032 + g))) END""",
    "error_code": "error_code",
    "error_message": "CASE WHEN error_code <> '' THEN 'The other side answered with a sentence of ' || g ELSE '' END",
    "run_at": "CASE WHEN hold = 'later' THEN now() + interval '1 day' * (1 + 30 * d) ELSE created_at END",
    "releases": "attempts",
    "lease_expires_at": "CASE WHEN status = 'processing' THEN now() + interval '1 day' END",
    "created_at": "created_at",
    "started_at": "CASE WHEN attempts > 0 THEN created_at + wait END",
    "finished_at": ENDED,
    "updated_at": f"coalesce({ENDED}, created_at + (wait + run) * attempts)",
}
TRIES = "lives CROSS JOIN LATERAL generate_series(1, attempts) AS try"
_OUTCOME = "CASE WHEN try < attempts OR status = 'retrying' THEN 'failed' ELSE status END"
ATTEMPT = {
    "job_id": "id",
    "number": "try",
    "worker": "'celery@' || queue",
    "pid": "1000 + g % 64",
    "outcome": f"CASE WHEN status = 'processing' THEN 'running' ELSE {_OUTCOME} END",
    "due_at": "created_at + (wait + run) * (try - 1)",
    "started_at": "created_at + (wait + run) * (try - 1) + wait",
    "ended_at": "CASE WHEN status <> 'processing' THEN created_at + (wait + run) * try END",
    "error_code": f"CASE WHEN {_OUTCOME} = 'failed' THEN coalesce(nullif(error_code, ''), 'network') ELSE '' END",
    "error_message": "''",
    "traceback": f"CASE WHEN {_OUTCOME} = 'failed' THEN repeat('  in jobs/runner.py, line ' || g, 20) ELSE '' END",
    "log_tail": "repeat('a line of the log about ' || g || chr(10), 4)",
}
MOVES = f"""(
    SELECT id, 0 AS attempt, '' AS before, 'pending' AS after, created_at AS at, 0 AS place, g FROM lives
    UNION ALL
    SELECT id, try, CASE WHEN try = 1 THEN 'pending' ELSE 'retrying' END, 'processing',
        created_at + (wait + run) * (try - 1) + wait, 2 * try - 1, g FROM {TRIES}
    UNION ALL
    SELECT id, try, 'processing', CASE WHEN try < attempts THEN 'retrying' ELSE status END,
        created_at + (wait + run) * try, 2 * try, g FROM {TRIES} WHERE status <> 'processing'
    UNION ALL
    SELECT id, 0, 'pending', 'cancelled', created_at, 1, g FROM lives WHERE status = 'cancelled' AND attempts = 0
    ORDER BY g, place) AS moves"""
TRANSITION = {
    "job_id": "id",
    "attempt": "attempt",
    "before": "before",
    "after": "after",
    "reason": "''",
    "at": "at",
    "booked": "true",
}
_COUNTS = ", ".join(
    f"count(*) FILTER (WHERE status = '{word}') AS {word}" for word in ("completed", "failed", "cancelled")
)
BATCHES = f"""(
    SELECT batch_id, min(owner_id) AS owner_id, count(*) AS total, {_COUNTS}, min(created_at) AS created_at,
        CASE WHEN bool_and(status IN ('completed', 'failed', 'cancelled')) THEN max({ENDED}) END AS ended_at
    FROM lives WHERE batch_id IS NOT NULL GROUP BY batch_id) AS batches"""
BATCH = {
    "id": "batch_id",
    "name": "'episode ' || left(batch_id::text, 8)",
    "owner_id": "owner_id",
    "on_failure": "'go_on'",
    "callback": "'{}'::jsonb",
    "callback_url": "''",
    "asked": "''",
    **{name: name for name in ("total", "completed", "failed", "cancelled", "created_at", "ended_at")},
    "rounds": "CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END",
    "revision": "total",
    "updated_at": "coalesce(ended_at, created_at)",
}
DELIVERY = {
    "id": "md5('delivery ' || g)::uuid",
    "key": "'job:' || g",
    "channel": "CASE WHEN c < 0.5 THEN 'email' ELSE 'webhook' END",
    "event": "'job.' || status",
    "target": "'https://client.example/' || owner_id",
    "payload": "jsonb_build_object('id', id, 'status', status)",
    "user_id": "owner_id",
    "job_id": "id",
    "status": "CASE WHEN e < 0.01 THEN 'pending' WHEN e < 0.05 THEN 'failed' ELSE 'delivered' END",
    "tries": "1",
    "answer": "'200'",
    "created_at": ENDED,
}
_IS_OPEN = "place % 4 > 0"
LETTERS = """(
    SELECT *, row_number() OVER (ORDER BY md5(g::text)) AS place FROM lives WHERE status = 'failed'
    ORDER BY place LIMIT greatest({least}, (SELECT count(*) FROM lives) / 500)) AS letters"""
LETTER = {
    "job_id": "id",
    "kind": "kind",
    "error_code": "error_code",
    "error_message": "'The other side answered with a sentence of ' || g",
    "attempt": "attempts",
    "created_at": ENDED,
    "alerted_at": ENDED,
    "resolution": f"CASE WHEN {_IS_OPEN} THEN '' ELSE 'discarded' END",
    "resolved_at": f"CASE WHEN {_IS_OPEN} THEN NULL ELSE {ENDED} + interval '1 hour' END",
    "resolved_by": "''",
    "note": "''",
}
EVER = "'1970-01-01 00:00+00'::timestamptz"
FACTS = """(
    SELECT 'submitted' AS measure, kind, queue, created_at AS at, '' AS bucket, 1 AS n FROM lives
    UNION ALL SELECT 'ended', kind, queue, {ended}, status, 1 FROM lives WHERE {ended} IS NOT NULL
    UNION ALL SELECT 'ended', kind, queue, created_at + (wait + run) * try, 'retried', 1 FROM {tries}
        WHERE try < attempts OR status = 'retrying'
    UNION ALL SELECT 'waited', kind, queue, {begun}, {wait}, 1 FROM {tries}
    UNION ALL SELECT 'waited_ms', kind, queue, {begun}, '', extract(epoch FROM wait) * 1000 FROM {tries}
    UNION ALL SELECT 'ran', kind, queue, {begun} + run, {run}, 1 FROM {tries} WHERE status <> 'processing'
    UNION ALL SELECT 'ran_ms', kind, queue, {begun} + run, '', extract(epoch FROM run) * 1000 FROM {tries}
        WHERE status <> 'processing') AS facts"""
BUCKET = (
    f"least({LAST}, greatest(0, ceil(log((extract(epoch FROM {{}}) * 1000)::float) * {PER_DECADE} - 1e-9)))::int::text"
)
