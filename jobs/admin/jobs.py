"""The operator's view of jobs: find one, read why, retry it; nothing counts a million rows on the way."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from jobs import control
from jobs.admin.base import Bounded, ReadOnly, ids_of_user
from jobs.admin.dashboard import Dashboard
from jobs.errors import JointoError
from jobs.models import Attempt, Job, Transition
from jobs.priority import CRITICAL, HIGH, LOW, NORMAL


class QueueFilter(admin.SimpleListFilter):
    """The queues that there are, without asking the table which."""

    title = _("queue")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(settings.CELERY_TASK_QUEUES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(queue=self.value()) if self.value() else queryset


class PriorityFilter(admin.SimpleListFilter):
    """The priorities that have names."""

    title = _("priority")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        names = {CRITICAL: _("critical"), HIGH: _("high"), NORMAL: _("normal"), LOW: _("low")}
        return [(str(level), name) for level, name in names.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        value = self.value() or ""
        return queryset.filter(priority=int(value)) if value.isdigit() and len(value) < 3 else queryset


class AttemptInline(ReadOnly, admin.StackedInline[Attempt, Job]):
    """Every attempt, with how it ended, and its last words."""

    model = Attempt
    extra = 0
    ordering = ("-number",)
    fields = (
        ("number", "outcome", "worker", "pid"),
        ("started", "ended"),
        ("error_code", "error_message"),
        "traceback_text",
        "log_text",
    )
    readonly_fields = ("started", "ended", "traceback_text", "log_text")

    @admin.display(description=_("started"))
    def started(self, attempt: Attempt) -> str:
        return _to_the_millisecond(attempt.started_at)

    @admin.display(description=_("ended"))
    def ended(self, attempt: Attempt) -> str:
        return _to_the_millisecond(attempt.ended_at)

    @admin.display(description=_("traceback"))
    def traceback_text(self, attempt: Attempt) -> SafeString | str:
        return _preformatted(attempt.traceback)

    @admin.display(description=_("last log lines"))
    def log_text(self, attempt: Attempt) -> SafeString | str:
        return _preformatted(attempt.log_tail)


class TransitionInline(ReadOnly, admin.TabularInline[Transition, Job]):
    """Every move, in order."""

    model = Transition
    extra = 0
    fields = ("moment", "before", "after", "attempt", "reason")
    readonly_fields = fields

    @admin.display(description=_("when"))
    def moment(self, transition: Transition) -> str:
        return _to_the_millisecond(transition.at)


@admin.register(Job)
class JobAdmin(Dashboard, ReadOnly, Bounded, admin.ModelAdmin[Job]):
    """Jobs: state, kind, progress, owner, age, attempts, error; retry, cancel, priority."""

    list_display = (
        "short_id",
        "name",
        "status",
        "error_code",
        "progress_bar",
        "age",
        "attempts_used",
        "owner",
        "subject",
        "priority",
    )
    list_filter = ("status", QueueFilter, PriorityFilter, ("created_at", admin.DateFieldListFilter))
    list_select_related = ("owner",)
    list_per_page = 50
    ordering = ("-created_at", "-id")
    search_fields = ("=id", "=subject", "=kind", "=error_code", "=owner__username")
    search_help_text = _("A job's id, a subject such as videos.Video:12, a kind, an error code or a user's name")
    actions = ("retry", "cancel", "make_critical", "make_high", "make_normal", "make_low")
    inlines = (AttemptInline, TransitionInline)
    readonly_fields = ("progress_bar",)
    fieldsets = (
        (None, {"fields": (("kind", "status", "progress_bar"), ("owner", "subject"), "message")}),
        (_("How it went"), {"fields": ("error_code", "error_message", "result")}),
        (_("Arguments"), {"fields": ("args", "kwargs", "canvas", "idempotency_key")}),
        (
            _("Engine"),
            {
                "fields": (
                    ("queue", "priority"),
                    ("attempt", "max_attempts", "retry_count", "crashes"),
                    ("created_at", "started_at", "finished_at"),
                    ("run_at", "deadline_at", "lease_expires_at"),
                    ("released_at", "releases"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).defer("canvas")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """An id is looked up as one; everything else by equality, which the indexes answer."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(pk=uuid.UUID(term)), False
        except ValueError:
            pass
        for field in ("subject", "kind", "error_code"):
            found = queryset.filter(**{field: term})
            if found.exists():
                return found, False
        return queryset.filter(owner_id__in=ids_of_user(term)), False

    @admin.display(description=_("id"))
    def short_id(self, job: Job) -> str:
        return str(job.pk)[:8]

    @admin.display(description=_("kind"), ordering="kind")
    def name(self, job: Job) -> SafeString:
        return format_html('<span title="{}">{}</span>', job.kind, job.kind.rpartition(".")[2])

    @admin.display(description=_("progress"))
    def progress_bar(self, job: Job) -> SafeString:
        return format_html(
            '<progress max="100" value="{}" title="{}" aria-label="{} %"></progress> {} %',
            job.percent,
            job.message,
            job.percent,
            job.percent,
        )

    @admin.display(description=_("attempts"), ordering="attempt")
    def attempts_used(self, job: Job) -> str:
        return f"{job.attempt} / {job.max_attempts}"

    @admin.display(description=_("age"), ordering="created_at")
    def age(self, job: Job) -> str:
        return timesince(job.created_at, timezone.now(), depth=1)

    @admin.action(description=_("Retry"), permissions=["operate"])
    def retry(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        by = request.user.get_username()
        self._each(request, jobs, lambda job: control.retry(job, by=by))

    @admin.action(description=_("Cancel"), permissions=["operate"])
    def cancel(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        by = request.user.get_username()
        self._each(request, jobs, lambda job: control.cancel(job, by=by))

    @admin.action(description=_("Priority: critical"), permissions=["operate"])
    def make_critical(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._prioritise(request, jobs, CRITICAL)

    @admin.action(description=_("Priority: high"), permissions=["operate"])
    def make_high(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._prioritise(request, jobs, HIGH)

    @admin.action(description=_("Priority: normal"), permissions=["operate"])
    def make_normal(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._prioritise(request, jobs, NORMAL)

    @admin.action(description=_("Priority: low"), permissions=["operate"])
    def make_low(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._prioritise(request, jobs, LOW)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Rows are not edited by hand, but who may change jobs may act on them."""
        return request.user.has_perm("jobs.change_job")

    def _prioritise(self, request: HttpRequest, jobs: QuerySet[Job], priority: int) -> None:
        self._each(request, jobs, lambda job: control.set_priority(job, priority))

    def _each(self, request: HttpRequest, jobs: Iterable[Job], act: Any) -> None:
        done, refused = 0, []
        for job in jobs:
            try:
                act(job)
                done += 1
            except JointoError as error:
                refused.append(f"{str(job.pk)[:8]}: {error.message}")
        if done:
            said = ngettext("%(count)d job was changed.", "%(count)d jobs were changed.", done)
            self.message_user(request, said % {"count": done}, messages.SUCCESS)
        for sentence in refused[:20]:
            self.message_user(request, sentence, messages.WARNING)


def _to_the_millisecond(moment: datetime | None) -> str:
    """A time as an operator compares it with a log's."""
    return timezone.localtime(moment).isoformat(" ", "milliseconds") if moment else "–"


def _preformatted(text: str) -> SafeString | str:
    return (
        format_html('<pre style="white-space: pre-wrap; max-height: 30em; overflow: auto">{}</pre>', text)
        if text
        else "–"
    )
