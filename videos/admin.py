"""The operator's view of videos, stills, sounds, uploads, projects, exports and drafts."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from jobs.admin import BoundedPaginator, ReadOnly
from jobs.models import Job
from videos import lifecycle, projects, tasks
from videos.models import Chunk, Draft, Export, Material, Medium, Project, Rendition, Upload, Uploaded, Video

_SHOWN = 20_000  # characters of a timeline
_Row = TypeVar("_Row", bound=Uploaded)


def link_to(job: Job | None) -> SafeString | str:
    """The way to a job, with how it stands."""
    if job is None:
        return "–"
    address = reverse("admin:jobs_job_change", args=[job.pk])
    return format_html('<a href="{}">{} {} %</a>', address, job.status, job.percent)


def pretty(document: Any) -> SafeString:
    """A document to be read; as much of it as a page bears."""
    text = json.dumps(document, indent=1, ensure_ascii=False)
    return format_html("<pre>{}</pre>", text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


class RenditionInline(ReadOnly, admin.TabularInline[Rendition, Video]):
    model = Rendition
    extra = 0
    fields = ("name", "width", "height", "bytes", "bandwidth", "codecs")
    readonly_fields = fields


class UploadedAdmin(admin.ModelAdmin[_Row]):
    """Uploaded things: rename, delete for a while, restore."""

    list_per_page = 50
    list_select_related = ("owner", "job")
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("title", "=owner__username", "=sha256")
    actions: tuple[str, ...] = ("delete_for_a_while", "restore")

    def save_model(self, request: HttpRequest, obj: _Row, form: Any, change: bool) -> None:
        """Only what was edited: a worker may publish between our read and our write."""
        obj.save(update_fields=[*form.changed_data, "updated_at"])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: _Row | None = None) -> bool:
        return False  # the rows go with their files, by the clean-up

    @admin.display(description=_("state"))
    def state(self, row: Video | Medium) -> str:
        return str(row.status.label)

    @admin.display(description=_("job"))
    def job_link(self, row: _Row) -> SafeString | str:
        return link_to(row.job)

    @admin.display(description=_("size"), ordering="height")
    def size(self, row: Video | Medium) -> str:
        return f"{row.width}×{row.height}" if row.width else "–"

    @admin.action(description=_("Delete, restorable until the clean-up"), permissions=["change"])
    def delete_for_a_while(self, request: HttpRequest, rows: QuerySet[_Row]) -> None:
        for row in rows:
            lifecycle.delete(row, by=request.user.get_username())

    @admin.action(description=_("Restore"), permissions=["change"])
    def restore(self, request: HttpRequest, rows: QuerySet[_Row]) -> None:
        for row in rows:
            lifecycle.restore(row)


@admin.register(Video)
class VideoAdmin(UploadedAdmin[Video]):
    """Videos: rename, delete for a while, restore, process again."""

    list_display = ("title", "owner", "state", "job_link", "duration", "size", "created_at", "deleted_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter), ("created_at", admin.DateFieldListFilter))
    fields = (
        "title",
        "owner",
        ("state", "job_link"),
        ("duration", "width", "height"),
        ("source", "source_size"),
        ("sha256", "md5"),
        ("folder", "playlist", "poster"),
        ("created_at", "updated_at", "deleted_at"),
    )
    readonly_fields = (
        "owner",
        "state",
        "job_link",
        "duration",
        "width",
        "height",
        "source",
        "source_size",
        "sha256",
        "md5",
        "folder",
        "playlist",
        "poster",
        "created_at",
        "updated_at",
        "deleted_at",
    )
    inlines = (RenditionInline,)
    actions = ("process_again", *UploadedAdmin.actions)

    @admin.action(description=_("Process again"), permissions=["change"])
    def process_again(self, request: HttpRequest, videos: QuerySet[Video]) -> None:
        chosen = list(videos)
        wanted = [video for video in chosen if video.source and not video.deleted_at]
        for video in wanted:
            tasks.start(video.pk)
        self.message_user(request, _("Jobs recorded: %d") % len(wanted), messages.SUCCESS)
        if skipped := len(chosen) - len(wanted):
            self.message_user(request, _("Left out, deleted or without a file: %d") % skipped, messages.WARNING)


@admin.register(Medium)
class MediumAdmin(UploadedAdmin[Medium]):
    """Stills and sounds: rename, delete for a while, restore. Prepared again by their jobs."""

    list_display = ("title", "kind", "owner", "state", "job_link", "size", "duration", "created_at", "deleted_at")
    list_filter = ("kind", ("deleted_at", admin.EmptyFieldListFilter), ("created_at", admin.DateFieldListFilter))
    fields = (
        "title",
        ("kind", "owner"),
        ("state", "job_link"),
        ("width", "height", "alpha", "duration"),
        ("source", "source_size"),
        ("sha256", "md5"),
        ("file", "thumbnail"),
        ("created_at", "updated_at", "deleted_at"),
    )
    readonly_fields = (
        *("kind", "owner", "state", "job_link", "width", "height", "alpha", "duration", "source", "source_size"),
        *("sha256", "md5", "file", "thumbnail", "created_at", "updated_at", "deleted_at"),
    )


@admin.register(Upload)
class UploadAdmin(ReadOnly, admin.ModelAdmin[Upload]):
    """Uploads under way, and what they became."""

    list_display = ("file_name", "purpose", "owner", "file_size", "arrived", "became", "created_at", "touched_at")
    list_filter = ("purpose", ("merged_at", admin.EmptyFieldListFilter))
    list_select_related = ("owner", "video", "medium", "draft")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at",)
    search_fields = ("=id", "file_name", "=owner__username")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        of_this = Chunk.objects.filter(upload=OuterRef("pk")).order_by().values("upload").annotate(n=Count("pk"))
        return super().get_queryset(request).annotate(there=Subquery(of_this.values("n")))

    @admin.display(description=_("arrived"))
    def arrived(self, upload: Upload) -> str:
        there: int = getattr(upload, "there", None) or 0
        return "100 %" if upload.merged_at else f"{there * 100 // upload.chunks_total} %"

    @admin.display(description=_("became"))
    def became(self, upload: Upload) -> str:
        return str(upload.video or upload.medium or upload.draft or "–")


class MaterialInline(ReadOnly, admin.TabularInline[Material, Project]):
    model = Material
    extra = 0
    fields = ("place", "name", "video", "medium")
    readonly_fields = fields


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin[Project]):
    """Projects: rename, delete for a while, restore."""

    list_display = ("name", "owner", "version", "created_at", "updated_at", "deleted_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter), ("created_at", admin.DateFieldListFilter))
    list_select_related = ("owner",)
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("name", "=owner__username")
    fields = ("name", "owner", "version", "cut", ("created_at", "updated_at", "deleted_at"))
    readonly_fields = ("owner", "version", "cut", "created_at", "updated_at", "deleted_at")
    inlines = (MaterialInline,)
    actions = ("delete_for_a_while", "restore")

    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        """Only what was edited: the owner may save a timeline between our read and our write."""
        obj.save(update_fields=[*form.changed_data, "updated_at"])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return False  # the rows go with their files, by the clean-up

    @admin.display(description=_("timeline"))
    def cut(self, project: Project) -> SafeString:
        return pretty(projects.document(project))

    @admin.action(description=_("Delete, restorable until the clean-up"), permissions=["change"])
    def delete_for_a_while(self, request: HttpRequest, rows: QuerySet[Project]) -> None:
        for project in rows:
            projects.delete(project, by=request.user.get_username())

    @admin.action(description=_("Restore"), permissions=["change"])
    def restore(self, request: HttpRequest, rows: QuerySet[Project]) -> None:
        for project in rows:
            projects.restore(project)


@admin.register(Export)
class ExportAdmin(ReadOnly, admin.ModelAdmin[Export]):
    """Exports: what was asked for, of what, and what came of it. Retried and cancelled by their jobs."""

    list_display = ("project", "owner", "format", "quality", "state", "job_link", "duration", "size", "created_at")
    list_filter = ("format", "quality", "source", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("project__owner", "job")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("project__name", "=project__owner__username", "=job__id")
    fields = (
        ("project", "owner"),
        ("state", "job_link"),
        ("format", "quality", "options"),
        ("source", "version"),
        ("materials", "cut"),
        ("file", "duration", "size"),
        ("copied", "reason"),
        "created_at",
    )
    readonly_fields = ("owner", "state", "job_link", "cut")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        return super().get_queryset(request).defer("timeline", "materials")

    @admin.display(description=_("owner"))
    def owner(self, export: Export) -> str:
        return export.project.owner.get_username()

    @admin.display(description=_("state"))
    def state(self, export: Export) -> str:
        return str(export.status.label)

    @admin.display(description=_("job"))
    def job_link(self, export: Export) -> SafeString | str:
        return link_to(export.job)

    @admin.display(description=_("timeline"))
    def cut(self, export: Export) -> SafeString | str:
        return "–" if export.timeline is None else pretty(export.timeline)


@admin.register(Draft)
class DraftAdmin(ReadOnly, admin.ModelAdmin[Draft]):
    """Drafts: what was sent, what could not be had of it, and what came of it. Retried and cancelled by their jobs."""

    list_display = ("__str__", "draft_id", "owner", "format", "quality", "state", "job_link", "duration", "created_at")
    list_filter = ("format", "quality", "on_missing", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("owner", "job")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("name", "=draft_id", "=owner__username", "=job__id")
    fields = (
        ("name", "draft_id", "owner"),
        ("state", "job_link"),
        ("url", "source"),
        ("format", "quality"),
        ("on_missing", "mapping"),
        ("file", "duration", "size"),
        ("lost", "remarks"),
        "created_at",
    )
    readonly_fields = ("state", "job_link", "lost", "remarks")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Draft]:
        return super().get_queryset(request).defer("report", "missing")

    @admin.display(description=_("state"))
    def state(self, draft: Draft) -> str:
        return str(draft.status.label)

    @admin.display(description=_("job"))
    def job_link(self, draft: Draft) -> SafeString | str:
        return link_to(draft.job)

    @admin.display(description=_("missing media"))
    def lost(self, draft: Draft) -> SafeString:
        return pretty(draft.missing)

    @admin.display(description=_("report"))
    def remarks(self, draft: Draft) -> SafeString:
        return pretty(draft.report)
