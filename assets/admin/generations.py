"""The operator's view of what was generated."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from assets.admin.assets import link_to as link_to_asset
from assets.models import Generation
from jobs.admin import BoundedPaginator, ReadOnly
from videos.admin import link_to, pretty


@admin.register(Generation)
class GenerationAdmin(ReadOnly, admin.ModelAdmin[Generation]):
    """Pictures and clips: what was asked of whom, where it stands, what it cost. Their jobs retry and cancel them."""

    list_display = ("__str__", "kind", "owner", "provider", "model", "state", "job_link", "cost", "created_at")
    list_filter = ("state", "kind", "provider", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("owner", "job")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("prompt", "=owner__username", "=provider_id", "=job__id")
    fields = (
        ("kind", "owner", "project"),
        ("state", "job_link"),
        ("error_code", "error_message"),
        "prompt",
        ("provider", "model", "provider_id"),
        ("asked", "asset_link"),
        ("submit_started_at", "submitted_at", "finished_at"),
        ("result_name", "medium", "video"),
        ("used", "cost"),
        ("created_at", "updated_at"),
    )
    readonly_fields = ("job_link", "asset_link", "asked", "used")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Generation]:
        return super().get_queryset(request).defer("results")

    @admin.display(description=_("job"))
    def job_link(self, generation: Generation) -> SafeString | str:
        return link_to(generation.job)

    @admin.display(description=_("asset"))
    def asset_link(self, generation: Generation) -> SafeString | str:
        return link_to_asset(generation.asset)

    @admin.display(description=_("parameters"))
    def asked(self, generation: Generation) -> SafeString:
        return pretty(generation.parameters)

    @admin.display(description=_("usage"))
    def used(self, generation: Generation) -> SafeString:
        return pretty(generation.usage)
