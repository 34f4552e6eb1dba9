"""What batches have done in the background: large ones are cancelled and retried by a job."""

from __future__ import annotations

import uuid
from datetime import datetime

from jobs import members
from jobs.context import JobContext
from jobs.retry import RetryPolicy
from jobs.task import job, minutes

_UPKEEP = RetryPolicy(retries=5, first_seconds=5, factor=2, cap_seconds=300)
_AT_ONCE = 200


@job(queue="maintenance", retry=_UPKEEP, soft_time_limit=minutes(30), subject="jobs.Batch:{batch_id}")
def cancel_members(ctx: JobContext, batch_id: str, by: str) -> int:
    """Cancel what has not ended of a batch that is cancelled; how many members. Stops once the batch goes on."""
    batch = uuid.UUID(batch_id)
    members.set_aside(batch)
    cancelled = 0
    while True:
        met = members.cancel(batch, by=by, limit=_AT_ONCE)
        cancelled += met
        ctx.progress(0, 0, f"{cancelled} jobs cancelled")
        if met < _AT_ONCE:
            break
    return cancelled


@job(queue="maintenance", retry=_UPKEEP, soft_time_limit=minutes(30))
def retry_members(ctx: JobContext, batch_id: str, by: str, before: str, cancelled: bool = False) -> int:
    """Retry the members of a batch that failed up to the moment `before` (ISO 8601); how many."""
    retried = 0
    moment = datetime.fromisoformat(before)
    for more in members.pages(uuid.UUID(batch_id), by=by, before=moment, cancelled=cancelled):
        retried += more
        ctx.progress(0, 0, f"{retried} jobs retried")
    return retried
