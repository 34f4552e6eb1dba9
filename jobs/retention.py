"""What is old enough goes, in small batches, so that nobody waits behind a long DELETE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django_celery_results.models import (  # type: ignore[attr-defined]  # the stubs miss the first
    ChordCounter,
    GroupResult,
    TaskResult,
)

from jobs import beat, statistics
from jobs.models import Batch, DeadLetter, Delivery, Job
from jobs.status import FINISHED

_BATCH = 500


def clean_up(now: datetime, *, on_batch: Callable[[int], None] = lambda removed: None) -> dict[str, int]:
    """Remove results, finished jobs and what else is past its time; how many of each.

    A job with a dead letter stays as long as the letter: until it is resolved, and then for its own time.
    `on_batch` hears the running total after each batch. Broken off, it goes on where it stopped.
    """
    old = _old(now)
    removed = dict.fromkeys(old, 0)
    for name, rows in old.items():
        while batch := list(rows.values_list("pk", flat=True)[:_BATCH]):
            removed[name] += _remove(rows, batch)
            on_batch(sum(removed.values()))
    return {**removed, "ticks": beat.forget(now), "tallies": statistics.prune(now)}


def _old(now: datetime) -> dict[str, QuerySet[Any]]:
    results = now - settings.JOINTO_JOBS.keep_results
    jobs = now - settings.JOINTO_JOBS.keep_jobs
    letters = now - settings.JOINTO_JOBS.keep_dead_letters
    has_letter = Exists(DeadLetter.objects.filter(job_id=OuterRef("pk")))
    has_member = Exists(Job.objects.filter(batch_id=OuterRef("pk")))
    finished = Job.objects.filter(finished_at__lt=jobs, status__in=sorted(FINISHED))
    return {
        "results": TaskResult.objects.filter(date_done__lt=results).order_by("date_done"),
        "groups": GroupResult.objects.filter(date_done__lt=results).order_by("date_done"),
        "dead_letters": DeadLetter.objects.filter(resolved_at__lt=letters).order_by("resolved_at"),
        "deliveries": Delivery.objects.filter(created_at__lt=jobs, job=None).order_by("created_at"),
        "jobs": finished.filter(~has_letter).order_by("finished_at"),
        "batches": Batch.objects.filter(ended_at__lt=jobs).filter(~has_member).order_by("ended_at"),
    }


def _remove(rows: QuerySet[Any], keys: list[Any]) -> int:
    with transaction.atomic():
        # With the conditions once more, and held until deleted: a job may have been retried since it was found.
        held = rows.order_by().filter(pk__in=keys).select_for_update(of=("self",))
        if rows.model is Job:
            found = list(held.values_list("pk", "kind", "queue", "status"))
            _forget_chords([row[0] for row in found])
        else:
            found = list(held.values_list("pk"))
        rows.model._default_manager.filter(pk__in=[row[0] for row in found]).delete()
        if rows.model is Job:  # last, as whoever books meanwhile waits for these few rows
            statistics.removed(Counter(row[1:] for row in found))
    return len(found)


def _forget_chords(job_ids: list[Any]) -> None:
    """Remove the counters of chords that can't complete any more: a member of theirs has failed, and goes now."""
    members = Job.objects.filter(pk__in=job_ids, canvas__has_key="chord")
    groups = set(members.values_list("canvas__group_id", flat=True))
    if groups:
        ChordCounter.objects.filter(group_id__in=groups).delete()
