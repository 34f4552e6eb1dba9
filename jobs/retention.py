"""What is old enough goes, in small batches, so that nobody waits behind a long DELETE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django_celery_results.models import GroupResult, TaskResult

from jobs.models import Job
from jobs.status import FINISHED

_BATCH = 500


def clean_up(now: datetime, *, on_batch: Callable[[int], None] = lambda removed: None) -> dict[str, int]:
    """Remove results and finished jobs that are past their time; how many of each.

    `on_batch` hears the running total after each batch. Broken off, it goes on where it stopped.
    """
    results = now - settings.JOINTO_JOBS.keep_results
    jobs = now - settings.JOINTO_JOBS.keep_jobs
    old: dict[str, QuerySet[Any]] = {
        "results": TaskResult.objects.filter(date_done__lt=results).order_by("date_done"),
        "groups": GroupResult.objects.filter(date_done__lt=results).order_by("date_done"),
        "jobs": Job.objects.filter(finished_at__lt=jobs, status__in=sorted(FINISHED)).order_by("finished_at"),
    }
    removed = dict.fromkeys(old, 0)
    for name, rows in old.items():
        while batch := list(rows.values_list("pk", flat=True)[:_BATCH]):
            removed[name] += _remove(rows, batch)
            on_batch(sum(removed.values()))
    return removed


def _remove(rows: QuerySet[Any], keys: list[Any]) -> int:
    with transaction.atomic():
        # With the conditions once more, and held until deleted: a job may have been retried since it was found.
        still = list(rows.order_by().filter(pk__in=keys).select_for_update().values_list("pk", flat=True))
        rows.model._default_manager.filter(pk__in=still).delete()
    return len(still)
