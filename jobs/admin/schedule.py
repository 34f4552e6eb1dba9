"""The schedule as operators see it: what ran last and next, and what came of it; edited as ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from celery import states
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from django_celery_results.models import TaskResult
from kombu.exceptions import OperationalError

from jobs import beat
from jobs.errors import JointoError
from jobs.models import Job, Tick
from jobs.results import job_id_of


class Entries(ChangeList):
    """A page of entries, together with what came of their last ticks, in two queries however many there are."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        results = _results(entry.tick_task_id for entry in self.result_list)
        for entry in self.result_list:
            entry.tick_result = results.get(entry.tick_task_id)


class ScheduleAdmin(PeriodicTaskAdmin):  # type: ignore[misc]
    """django-celery-beat's page, with the columns that an operator asks for first."""

    date_hierarchy = None
    list_display = ("name", "enabled", "runs", "last_run", "next_run", "last_result")
    list_filter = ("enabled", "one_off")
    ordering = ("name",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Entries

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeriodicTask]:
        last = Tick.objects.filter(schedule=OuterRef("name")).order_by("-slot")
        entries: QuerySet[PeriodicTask] = super().get_queryset(request)
        task_id = Subquery(last.values("task_id")[:1])
        annotated: QuerySet[PeriodicTask] = entries.annotate(
            tick_at=Subquery(last.values("at")[:1]), tick_task_id=task_id
        )
        return annotated

    @admin.display(description=_("schedule"))
    def runs(self, entry: PeriodicTask) -> str:
        return str(entry.scheduler or "–")

    @admin.display(description=_("last run"), ordering="last_run_at")
    def last_run(self, entry: Any) -> datetime | None:
        at: datetime | None = entry.tick_at or entry.last_run_at
        return at

    @admin.display(description=_("next run"))
    def next_run(self, entry: PeriodicTask) -> datetime | None:
        try:
            return beat.next_run(entry, now=timezone.now())
        except Exception:  # noqa: BLE001  beat can't tell either, and its log says why: a page of entries opens all the same
            return None

    @admin.display(description=_("last result"))
    def last_result(self, entry: Any) -> SafeString | str | None:
        found = getattr(entry, "tick_result", None)
        return format_html('<a href="{}">{}</a>', *found) if found else None

    @admin.action(description=_("Enable selected entries"), permissions=["change"])
    def enable_tasks(self, request: HttpRequest, entries: QuerySet[PeriodicTask]) -> None:
        self._say(request, _enable(entries.filter(enabled=False)))

    @admin.action(description=_("Disable selected entries"), permissions=["change"])
    def disable_tasks(self, request: HttpRequest, entries: QuerySet[PeriodicTask]) -> None:
        self._say(request, _disable(entries.filter(enabled=True)))

    @admin.action(description=_("Enable those that are disabled, disable the others"), permissions=["change"])
    def toggle_tasks(self, request: HttpRequest, entries: QuerySet[PeriodicTask]) -> None:
        off = list(entries.filter(enabled=False).values_list("pk", flat=True))
        disabled = _disable(entries.filter(enabled=True))
        self._say(request, disabled + _enable(PeriodicTask.objects.filter(pk__in=off)))

    @admin.action(description=_("Run selected entries now"), permissions=["change"])
    def run_tasks(self, request: HttpRequest, entries: QuerySet[PeriodicTask]) -> None:
        try:
            super().run_tasks(request, entries)
        except (OperationalError, OSError, JointoError, TypeError, ValueError) as error:
            self.message_user(request, _("Not all could be run: %s") % error, messages.ERROR)

    def _say(self, request: HttpRequest, changed: int) -> None:
        PeriodicTasks.update_changed()
        said = ngettext("%(count)d entry was changed.", "%(count)d entries were changed.", changed)
        self.message_user(request, said % {"count": changed}, messages.SUCCESS)


def _enable(entries: QuerySet[PeriodicTask]) -> int:
    # From now on: beat makes up for what was missed since `date_changed`, and nothing was missed while it was off.
    return entries.update(enabled=True, last_run_at=None, date_changed=timezone.now())


def _disable(entries: QuerySet[PeriodicTask]) -> int:
    return entries.update(enabled=False, last_run_at=None, date_changed=timezone.now())


def _results(task_ids: Iterable[str | None]) -> dict[str, Sequence[Any]]:
    """Where the results of these tasks are shown, and what they are."""
    wanted = {task_id for task_id in task_ids if task_id}
    found: dict[str, Sequence[Any]] = {}
    for pk, task_id, status in TaskResult.objects.filter(task_id__in=wanted).values_list("pk", "task_id", "status"):
        words = {states.SUCCESS: _("completed"), states.FAILURE: _("failed")}
        found[task_id] = (
            reverse("admin:django_celery_results_taskresult_change", args=[pk]),
            words.get(status, status),
        )
    job_ids = {job_id for task_id in wanted if (job_id := job_id_of(task_id))}
    for job in Job.objects.filter(pk__in=job_ids).only("pk", "status"):
        found[str(job.pk)] = (reverse("admin:jobs_job_change", args=[job.pk]), job.get_status_display())
    return found


admin.site.unregister(PeriodicTask)
admin.site.register(PeriodicTask, ScheduleAdmin)
