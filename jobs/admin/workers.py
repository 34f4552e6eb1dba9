"""Workers, queues and limits."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from jobs import control, dispatch, limits
from jobs.admin.base import ReadOnly
from jobs.models import KindLimit, Queue, Worker


@admin.register(Worker)
class WorkerAdmin(ReadOnly, admin.ModelAdmin[Worker]):
    """The workers that are there."""

    list_display = ("name", "queues", "concurrency", "pid", "started_at", "seen_at")
    ordering = ("name",)


@admin.register(Queue)
class QueueAdmin(ReadOnly, admin.ModelAdmin[Queue]):
    """The queues, to be paused and resumed. What was released before a pause is still done."""

    list_display = ("name", "paused", "changed_at")
    actions = ("pause", "resume")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Queue]:
        # A row for each queue: one that was never paused has none yet.
        Queue.objects.bulk_create([Queue(name=name) for name in settings.CELERY_TASK_QUEUES], ignore_conflicts=True)
        return super().get_queryset(request)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_queue")

    @admin.action(description=_("Pause"), permissions=["operate"])
    def pause(self, request: HttpRequest, queues: QuerySet[Queue]) -> None:
        for queue in queues:
            control.pause(queue.name, by=request.user.get_username())

    @admin.action(description=_("Resume"), permissions=["operate"])
    def resume(self, request: HttpRequest, queues: QuerySet[Queue]) -> None:
        for queue in queues:
            control.resume(queue.name, by=request.user.get_username())


@admin.register(KindLimit)
class KindLimitAdmin(admin.ModelAdmin[KindLimit]):
    """How many of a kind may run at once; changes hold for what is submitted from then on, and for what waits.

    Only what is at work, or on its way to a worker, still is done beyond a limit that was lowered.
    """

    list_display = ("kind", "at_once", "per_user")
    list_editable = ("at_once", "per_user")
    search_fields = ("kind",)

    def save_model(self, request: HttpRequest, obj: KindLimit, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: _changed(obj.kind))


def _changed(kind: str) -> None:
    dispatch.forget()
    limits.enforce(kind)
