"""The engine's own tasks: upkeep. The sweeps are plain tasks, as they are what keeps jobs going."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from jobs import health, rescue, retention
from jobs.context import JobContext
from jobs.retry import RetryPolicy
from jobs.schedule import Daily, Every, periodic
from jobs.task import job, minutes


@shared_task(expires=60)
def sweep() -> dict[str, int]:
    """Rescue, expire, send again, release: every minute. The workers' pulse does the same in between."""
    return rescue.sweep()


@shared_task(expires=300)
def check_processing_status() -> dict[str, int]:
    """The deeper check: the sweep, the folders that dead attempts left on this machine, workers long gone."""
    return {**rescue.sweep(), "folders": rescue.discard_leftovers(), "workers": rescue.forget_workers()}


@shared_task(expires=300)
def health_check() -> dict[str, Any]:
    """How the parts are that jobs need; kept as a result for the operator."""
    return health.report()


@job(queue="maintenance", retry=RetryPolicy(retries=3, first_seconds=60), soft_time_limit=minutes(55))
def cleanup_expired_results(ctx: JobContext) -> dict[str, int]:
    """Remove results and finished jobs that are past their time."""
    return retention.clean_up(timezone.now(), on_batch=lambda removed: ctx.progress(0, 0, f"{removed} rows removed"))


periodic("jobs.tasks.sweep", "Sweep: rescue and release jobs", Every(seconds=60))
periodic("jobs.tasks.check_processing_status", "Check for stuck jobs", Every(seconds=300))
periodic("jobs.tasks.health_check", "Health check", Every(seconds=300))
periodic("jobs.tasks.cleanup_expired_results", "Remove expired results", Daily(hour=2))
