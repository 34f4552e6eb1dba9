"""The pages that people look at: the API's as the owner of most jobs, the admin's as an operator.

To be imported once Django is set up. The first word of a page's name is its group.

A week's statistics are looked at, but in no group: they read what a week's hours count, of which ten thousand jobs in
two months leave next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from benchmarks import scale_side
from benchmarks.scale_side import Page
from jobs.line import ORDER
from jobs.models import Attempt, Batch, DeadLetter, Delivery, Job
from jobs.status import JobStatus


def every(*, staff: str, owner: str) -> dict[str, Page]:
    """All pages, by name."""
    found: dict[str, Page] = {}
    for pages, who in ((_api(owner), owner), (_statistics(), staff), (_jobs(owner), staff), (_others(owner), staff)):
        found.update((name, Page(who, url)) for name, url in pages)
    found["stats, of an owner"] = Page(owner, reverse("jobs-statistics"))
    return found


def _api(owner: str) -> Iterator[tuple[str, str]]:
    jobs = Job.objects.filter(owner=User.objects.get(username=owner))
    middle = _middle(jobs.order_by("created_at"))
    address = reverse("jobs")
    yield "list, first page", address
    yield "list, in the middle", f"{address}?{scale_side.cursor(middle.created_at)}"
    asked: dict[str, dict[str, Any]] = {
        "status=failed": {"status": "failed"},
        "status=pending": {"status": "pending"},
        "status=processing": {"status": "processing"},
        "kind": {"kind": "jobs.tasks.send_notification"},
        "an unknown kind": {"kind": "tests.none"},
        "queue": {"queue": "assets"},
        "subject": {"subject": middle.subject},
        "created_before": {"created_before": middle.created_at.isoformat()},
    }
    for name, query in asked.items():
        yield f"list, {name}", f"{address}?{urlencode(query)}"
    often = Attempt.objects.filter(number=3, job__in=jobs).order_by("pk").first()
    assert often is not None
    in_line = jobs.filter(status=JobStatus.PENDING, queue="media", hold="", released_at=None).order_by(*ORDER)
    last = in_line.reverse().first()
    assert last is not None
    yield "detail, three attempts", reverse("job", args=[often.job_id])
    yield "detail, at the line's end", reverse("job", args=[last.pk])
    later = jobs.filter(status=JobStatus.PENDING, hold="later").first()
    assert later is not None
    yield "detail, not due yet", reverse("job", args=[later.pk])


def _statistics() -> Iterator[tuple[str, str]]:
    yield "stats, 24 hours", reverse("jobs-statistics")
    yield "a week's stats", reverse("jobs-statistics") + "?hours=168"


def _jobs(owner: str) -> Iterator[tuple[str, str]]:
    """The changelist: unfiltered, by each filter, by what can be searched for; the page of a job."""
    now = timezone.now()
    address = reverse("admin:jobs_job_changelist")
    yield "admin jobs", address
    yield "admin jobs, page 100", f"{address}?p=100"
    asked: list[dict[str, Any]] = [{"status__exact": status.value} for status in JobStatus]
    asked += [{"queue": name} for name in ("ai", "assets", "export", "maintenance", "media")]
    asked += [{"level": level} for level in (10, 7, 5, 3)]
    asked += [{"created_at__gte": str(now - timedelta(days=days))} for days in (1, 7, 365)]
    asked += [
        {"status__exact": "failed", "queue": "assets"},
        {"status__exact": "failed", "level": 7},
        {"status__exact": "processing", "level": 3},
        {"status__exact": "completed", "queue": "media", "level": 5},
        {"queue": "assets", "level": 7},
        {"status__exact": "completed", "created_at__gte": str(now - timedelta(days=7))},
    ]
    for query in asked:
        words = ", ".join(f"{name.removesuffix('__exact')}={str(value)[:10]}" for name, value in query.items())
        yield f"admin jobs, {words}", f"{address}?{urlencode(query)}"
    failed = Job.objects.filter(status=JobStatus.FAILED).filter(attempt=1).order_by("created_at").first()
    assert failed is not None
    for what, text in {
        "an id": str(failed.pk),
        "a subject": failed.subject,
        "a kind": failed.kind,
        "an error code": failed.error_code,
        "a user": owner,
        "nothing known": "no such thing",
    }.items():
        yield f"admin jobs, search {what}", f"{address}?{urlencode({'q': text})}"
    yield "admin jobs, search a kind, failed", f"{address}?{urlencode({'q': failed.kind, 'status__exact': 'failed'})}"
    yield "admin jobs, search a user, failed", f"{address}?{urlencode({'q': owner, 'status__exact': 'failed'})}"
    yield "admin a failed job", reverse("admin:jobs_job_change", args=[failed.pk])


def _others(owner: str) -> Iterator[tuple[str, str]]:
    batch, letter = _middle(Batch.objects.order_by("created_at")), _middle(DeadLetter.objects.order_by("pk"))
    delivery = _middle(Delivery.objects.order_by("created_at"))
    letters = reverse("admin:jobs_deadletter_changelist")
    yield "admin a batch's jobs", f"{reverse('admin:jobs_job_changelist')}?batch__id__exact={batch.pk}"
    yield "admin dead letters", letters
    yield "admin dead letters, all", f"{letters}?state=all"
    yield "admin dead letters, one code", f"{letters}?error_code={letter.error_code}"
    yield "admin dead letters, search a kind", f"{letters}?q={letter.kind}"
    yield "admin a dead letter", reverse("admin:jobs_deadletter_change", args=[letter.pk])
    yield "admin batches", reverse("admin:jobs_batch_changelist")
    yield "admin batches, not ended", reverse("admin:jobs_batch_changelist") + "?ended_at__isempty=1"
    yield "admin batches, search a user", reverse("admin:jobs_batch_changelist") + f"?q={owner}"
    yield "admin a batch", reverse("admin:jobs_batch_change", args=[batch.pk])
    yield "admin deliveries", reverse("admin:jobs_delivery_changelist")
    yield "admin deliveries, failed", reverse("admin:jobs_delivery_changelist") + "?status__exact=failed"
    yield "admin deliveries, e-mail", reverse("admin:jobs_delivery_changelist") + "?channel__exact=email"
    yield "admin deliveries, search a user", reverse("admin:jobs_delivery_changelist") + f"?q={owner}"
    yield "admin a delivery", reverse("admin:jobs_delivery_change", args=[delivery.pk])
    yield "admin workers", reverse("admin:jobs_worker_changelist")
    yield "admin accounts", reverse("admin:jobs_account_changelist")
    yield "admin periodic tasks", reverse("admin:django_celery_beat_periodictask_changelist")
    yield "admin results", reverse("admin:django_celery_results_taskresult_changelist")
    yield "admin dashboard", reverse("admin:jobs_dashboard")
    yield "admin dashboard, data", reverse("admin:jobs_dashboard_data")
    yield "admin home", reverse("admin:index")


def _middle(rows: QuerySet[Any]) -> Any:
    return rows[rows.count() // 2]
