"""The operator's view of episodes, of what was extracted from them, and of what went wrong with that."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from assets import tasks
from assets.models import Episode, EpisodeStatus, Extracted, Extraction, ExtractionReport
from jobs.admin import BoundedPaginator, ReadOnly
from jobs.errors import JointoError
from videos.admin import link_to, pretty

_SHOWN = 20_000  # characters of a script, or of an answer


class StatusFilter(admin.SimpleListFilter):
    """What state an episode is in, which follows from its job."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return EpisodeStatus.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Episode]) -> QuerySet[Episode]:
        value = self.value()
        if value not in EpisodeStatus.values:
            return queryset
        return Episode.objects.in_status(value).filter(pk__in=queryset.values("pk"))


class ExtractionInline(ReadOnly, admin.TabularInline[Extraction, Episode]):
    model = Extraction
    extra = 0
    fields = ("created_at", "model", "prompt_version", "status", "error_code", "attempt")
    readonly_fields = fields
    show_change_link = True
    ordering = ("-created_at",)


@admin.register(Episode)
class EpisodeAdmin(admin.ModelAdmin[Episode]):
    """Episodes: rename, extract again. Their scripts belong to their owners, and are only read here."""

    list_display = ("__str__", "project", "owner", "state", "job_link", "length", "script_format", "extracted_at")
    list_filter = (StatusFilter, "script_format", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("project__owner", "job")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("title", "project__name", "=project__owner__username", "=job__id")
    fields = (
        ("number", "title"),
        ("project", "owner"),
        ("state", "job_link"),
        ("source_name", "script_format", "length"),
        "text",
        ("created_at", "updated_at", "extracted_at"),
    )
    readonly_fields = (
        *("number", "project", "owner", "state", "job_link", "source_name", "script_format", "length", "text"),
        *("created_at", "updated_at", "extracted_at"),
    )
    inlines = (ExtractionInline,)
    actions = ("extract", "extract_again")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Episode]:
        return super().get_queryset(request).defer("script")

    def save_model(self, request: HttpRequest, obj: Episode, form: Any, change: bool) -> None:
        """Only what was edited: a worker may complete an extraction between our read and our write."""
        obj.save(update_fields=[*form.changed_data, "updated_at"])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Episode | None = None) -> bool:
        return False  # their owners remove them

    @admin.display(description=_("owner"))
    def owner(self, episode: Episode) -> str:
        return episode.project.owner.get_username()

    @admin.display(description=_("state"))
    def state(self, episode: Episode) -> str:
        return str(episode.status.label)

    @admin.display(description=_("job"))
    def job_link(self, episode: Episode) -> SafeString | str:
        return link_to(episode.job)

    @admin.display(description=_("script"))
    def text(self, episode: Episode) -> SafeString:
        return as_text(episode.script)

    @admin.action(description=_("Extract, unless that was done"), permissions=["change"])
    def extract(self, request: HttpRequest, episodes: QuerySet[Episode]) -> None:
        self._start(request, episodes, force=False)

    @admin.action(description=_("Extract again"), permissions=["change"])
    def extract_again(self, request: HttpRequest, episodes: QuerySet[Episode]) -> None:
        self._start(request, episodes, force=True)

    def _start(self, request: HttpRequest, episodes: QuerySet[Episode], *, force: bool) -> None:
        begun, refused = 0, []
        for episode in episodes:
            try:
                tasks.start(episode.pk, force=force)
                begun += 1
            except JointoError as error:
                refused.append(f"{episode}: {error.message}")
        if begun:
            self.message_user(request, _("Jobs recorded: %d") % begun, messages.SUCCESS)
        for said in refused[:10]:
            self.message_user(request, said, messages.WARNING)


class ExtractedInline(ReadOnly, admin.TabularInline[Extracted, Extraction]):
    model = Extracted
    extra = 0
    fields = ("kind", "name", "confidence", "first_line", "became", "new")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Extracted]:
        return super().get_queryset(request).select_related("asset").defer("payload")

    @admin.display(description=_("became"))
    def became(self, finding: Extracted) -> SafeString | str:
        if finding.asset is None:
            return "–"
        address = reverse("admin:assets_asset_change", args=[finding.asset.pk])
        return format_html('<a href="{}">{}</a>', address, finding.asset)


@admin.register(Extraction)
class ExtractionAdmin(ReadOnly, admin.ModelAdmin[Extraction]):
    """Extractions: by which model and prompt, what was found, and the raw answers of those that failed."""

    list_display = ("episode", "model", "prompt_version", "status", "error_code", "job_link", "attempt", "created_at")
    list_filter = ("status", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("episode", "job")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("model__startswith", "=error_code", "=episode__id", "=job__id")
    fields = (
        ("episode", "job_link", "attempt"),
        ("model", "prompt_version"),
        ("status", "error_code"),
        "error_message",
        "said",
        ("found", "remarks"),
        "created_at",
    )
    readonly_fields = ("job_link", "said", "found", "remarks")
    inlines = (ExtractedInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Extraction]:
        return super().get_queryset(request).defer("answers", "episode__script")

    @admin.display(description=_("job"))
    def job_link(self, extraction: Extraction) -> SafeString | str:
        return link_to(extraction.job)

    @admin.display(description=_("raw answers"))
    def said(self, extraction: Extraction) -> SafeString | str:
        if not extraction.answers:
            return "–"
        return format_html_join("", "{}", ((as_text(str(answer)),) for answer in extraction.answers))

    @admin.display(description=_("counts"))
    def found(self, extraction: Extraction) -> SafeString:
        return pretty(extraction.counts)

    @admin.display(description=_("warnings"))
    def remarks(self, extraction: Extraction) -> SafeString:
        return pretty(extraction.warnings)


@admin.register(ExtractionReport)
class ExtractionReportAdmin(ReadOnly, admin.ModelAdmin[ExtractionReport]):
    """Batches of extractions: how many were found, which failed, and why."""

    list_display = ("__str__", "project", "owner", "model", "ended", "rounds", "created_at", "finished_at")
    list_filter = (("finished_at", admin.EmptyFieldListFilter), ("created_at", admin.DateFieldListFilter))
    list_select_related = ("project", "owner")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("project__name", "=owner__username", "=batch__id")
    fields = (
        ("project", "owner"),
        ("batch_link", "model"),
        ("numbers", "bad"),
        ("created_at", "finished_at", "rounds"),
    )
    readonly_fields = ("batch_link", "numbers", "bad")

    @admin.display(description=_("ended"))
    def ended(self, report: ExtractionReport) -> str:
        counts = report.counts.get("episodes")
        return f"{counts['completed']} / {counts['total']}" if counts else "–"

    @admin.display(description=_("batch"))
    def batch_link(self, report: ExtractionReport) -> SafeString | str:
        if not report.batch_id:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:jobs_batch_change", args=[report.batch_id]), report.batch_id
        )

    @admin.display(description=_("counts"))
    def numbers(self, report: ExtractionReport) -> SafeString:
        return pretty(report.counts)

    @admin.display(description=_("failures"))
    def bad(self, report: ExtractionReport) -> SafeString:
        return pretty(report.failures)


def as_text(text: str) -> SafeString:
    """A text with its lines; as much of it as a page bears."""
    return format_html(
        '<pre style="white-space: pre-wrap">{}</pre>', text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    )
