"""What may be set about jobs: `settings.JOINTO_JOBS`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """How quickly the engine notices things, and how long it keeps them. Values come from the environment."""

    lease: timedelta  # a worker that has not renewed for so long has lost its job
    watch: timedelta  # between two looks of a running attempt at its row
    resend: timedelta  # a message that nobody took for so long, while workers were free, is sent again
    stop_grace: timedelta  # what a running attempt gets to finish when its worker stops
    pulse: timedelta  # between two heartbeats of a worker
    events_poll: timedelta  # between two looks for live events
    tick: timedelta  # between two looks of a worker for jobs whose time has come, and for what has ended
    aging: timedelta  # a job that waits for so long gains a level
    max_crashes: int  # so often may a job take its worker down
    keep_results: timedelta
    keep_jobs: timedelta
    keep_dead_letters: timedelta  # once resolved
    keep_statistics: timedelta
    operator_emails: tuple[str, ...]  # who hears of dead letters
    operator_webhook_url: str
    operator_webhook_secret: str
    alert_pause: timedelta  # between two alerts about the same
    webhook_timeout: timedelta
    inner_hosts: tuple[str, ...]  # addresses of our own network that URLs of users may lead to
    metrics_token: str  # empty: whoever reaches /metrics may read it
    public_url: str  # for links in what is sent out; may be empty
