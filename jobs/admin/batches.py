"""The operator's view of batches: how far they are, who owns them, what failed; cancel, retry."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from jobs import batches
from jobs.admin.base import Bounded, ReadOnly, ids_of_user
from jobs.errors import JointoError
from jobs.models import Batch


@admin.register(Batch)
class BatchAdmin(ReadOnly, Bounded, admin.ModelAdmin[Batch]):
    """Batches: progress, numbers, owner; cancel, retry what failed, go to the jobs."""

    list_display = (
        *("label", "progress_bar", "total", "completed", "failed", "cancelled"),
        *("rounds", "owner", "created_at", "ended_at", "its_jobs"),
    )
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "on_failure", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("owner",)
    list_per_page = 50
    ordering = ("-created_at", "-id")
    search_fields = ("=id", "=name", "=owner__username")
    search_help_text = _("A batch's id or name, or a user's name")
    actions = ("cancel", "retry_failed")
    readonly_fields = ("progress_bar", "its_jobs")
    fieldsets = (
        (None, {"fields": (("name", "owner"), "progress_bar", "its_jobs")}),
        (_("How it went"), {"fields": (("total", "completed", "failed", "cancelled"), "rounds")}),
        (_("What follows"), {"fields": ("on_failure", "callback", "callback_url", "idempotency_key")}),
        (_("Times"), {"fields": (("created_at", "updated_at"), ("ended_at", "cancelled_at"))}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Batch], search_term: str
    ) -> tuple[QuerySet[Batch], bool]:
        """An id is looked up as one; a name and a user by equality."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(pk=uuid.UUID(term)), False
        except ValueError:
            named = queryset.filter(name=term)
            return (named if named.exists() else queryset.filter(owner_id__in=ids_of_user(term))), False

    @admin.display(description=_("batch"))
    def label(self, batch: Batch) -> str:
        return batch.name or str(batch.pk)[:8]

    @admin.display(description=_("progress"))
    def progress_bar(self, batch: Batch) -> SafeString:
        return format_html(
            '<progress max="100" value="{}" title="{} / {}" aria-label="{} %"></progress> {} %',
            *(batch.percent, batch.ended, batch.total, batch.percent, batch.percent),
        )

    @admin.display(description=_("jobs"))
    def its_jobs(self, batch: Batch) -> SafeString:
        query = urlencode({"batch__id__exact": batch.pk})
        return format_html('<a href="{}?{}">{}</a>', reverse("admin:jobs_job_changelist"), query, _("Show"))

    @admin.action(description=_("Cancel"), permissions=["operate"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        by = request.user.get_username()
        self._each(request, chosen, lambda batch: batches.cancel(batch, by=by))

    @admin.action(description=_("Retry failed jobs"), permissions=["operate"])
    def retry_failed(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        by = request.user.get_username()
        self._each(request, chosen, lambda batch: batches.retry_failed(batch, by=by))

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Rows are not edited by hand, but who may change batches may act on them."""
        return request.user.has_perm("jobs.change_batch")

    def _each(self, request: HttpRequest, chosen: QuerySet[Batch], act: Callable[[Batch], object]) -> None:
        done, refused = 0, []
        for batch in chosen:
            try:
                act(batch)
                done += 1
            except JointoError as error:
                refused.append(f"{self.label(batch)}: {error.message}")
        if done:
            said = ngettext("%(count)d batch was changed.", "%(count)d batches were changed.", done)
            self.message_user(request, said % {"count": done}, messages.SUCCESS)
        for sentence in refused[:20]:
            self.message_user(request, sentence, messages.WARNING)
