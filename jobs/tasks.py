"""The engine's own tasks: upkeep. The sweeps are plain tasks, as they are what keeps jobs going."""

from __future__ import annotations

import json
from typing import Any

from celery import current_app, shared_task
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from jobs import batch_tasks, dead_letters, health, journal, letter_tasks, quotas, reports, rescue, retention  # noqa: F401
from jobs.context import JobContext
from jobs.retry import RetryPolicy
from jobs.schedule import Daily, Every, Hourly, Monthly, periodic
from jobs.task import job, minutes

UPKEEP = RetryPolicy(retries=3, first_seconds=60)


@shared_task(expires=60)
def sweep() -> dict[str, int]:
    """Rescue, expire, send again, release: every minute. The workers' pulse does the same in between."""
    return {**rescue.sweep(), "booked": journal.book_all(), "alerts": dead_letters.alert()}


@shared_task(expires=300)
def check_processing_status() -> dict[str, int]:
    """The deeper check: the sweep, the folders that dead attempts left on this machine, workers long gone."""
    return {**rescue.sweep(), "folders": rescue.discard_leftovers(), "workers": rescue.forget_workers()}


@shared_task(expires=300)
def health_check() -> dict[str, Any]:
    """How the parts are that jobs need; kept as a result for the operator."""
    return health.report()


@shared_task(ignore_result=True)
def call_errbacks(failed: dict[str, Any], errbacks: list[Any], error: dict[str, Any]) -> None:
    """Call the error callbacks of a failed job that are plain tasks (jobs.backend)."""
    backend: Any = current_app.backend
    backend.call_errbacks(failed, errbacks, error)


@job(queue="maintenance", retry=UPKEEP, soft_time_limit=minutes(55))
def cleanup_expired_results(ctx: JobContext) -> dict[str, int]:
    """Remove results, finished jobs and what else is past its time."""
    journal.book_all()
    return retention.clean_up(timezone.now(), on_batch=lambda removed: ctx.progress(0, 0, f"{removed} rows removed"))


@job(queue="maintenance", retry=UPKEEP)
def calculate_stats(ctx: JobContext) -> dict[str, Any]:
    """Book what has not been booked, and keep the hour's figures as a result for the operator."""
    journal.book_all()
    return dict(json.loads(json.dumps(reports.report(hours=1), cls=DjangoJSONEncoder)))


@job(queue="maintenance", retry=UPKEEP)
def reset_hourly_quota(ctx: JobContext) -> int:
    """Remove the hours that are over. A new hour begins by the clock, so that a late reset hurts nobody."""
    return quotas.forget_hours(timezone.now())


@job(queue="maintenance", retry=UPKEEP)
def reset_monthly_quota(ctx: JobContext) -> int:
    """Remove the months that are over; see `reset_hourly_quota`."""
    return quotas.forget_months(timezone.now())


periodic("jobs.tasks.sweep", "Sweep: rescue and release jobs", Every(seconds=60))
periodic("jobs.tasks.check_processing_status", "Check for stuck jobs", Every(seconds=300))
periodic("jobs.tasks.health_check", "Health check", Every(seconds=300))
periodic("jobs.tasks.cleanup_expired_results", "Remove expired results", Daily(hour=2))
periodic("jobs.tasks.calculate_stats", "Hourly statistics", Hourly())
periodic("jobs.tasks.reset_hourly_quota", "Begin the hour's quotas", Hourly())
periodic("jobs.tasks.reset_monthly_quota", "Begin the month's quotas", Monthly(day=1, hour=0))
