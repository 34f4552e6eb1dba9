"""The operator's view of AI services: what may be asked of each, what was used, and what that cost."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Field
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from assets import limiting, usage
from assets.models import ProviderLimit, Usage
from jobs.admin import BoundedPaginator, ReadOnly

_SUMS = 200  # rows of them


@admin.register(ProviderLimit)
class ProviderLimitAdmin(admin.ModelAdmin[ProviderLimit]):
    """Limits of AI services, over what the environment says. They hold from the next call on."""

    list_display = ("provider", "at_once", "per_minute", "set_at_once", "set_per_minute", "now", "blocked_until")
    fields = ("provider", "at_once", "per_minute", "blocked_until")
    actions = ("unblock",)

    def get_readonly_fields(self, request: HttpRequest, obj: ProviderLimit | None = None) -> Any:
        return ("provider", "blocked_until") if obj else ("blocked_until",)

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Services are chosen from those that there are: a limit on a misspelt one would limit nothing."""
        if db_field.name == "provider":
            names = [(name, name) for name in settings.JOINTO_ASSETS.limits]
            return forms.ChoiceField(label=db_field.verbose_name, choices=names)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("at once, as set"))
    def set_at_once(self, row: ProviderLimit) -> str:
        limit = settings.JOINTO_ASSETS.limits.get(row.provider)
        return str(limit.at_once) if limit and limit.at_once is not None else "∞"

    @admin.display(description=_("a minute, as set"))
    def set_per_minute(self, row: ProviderLimit) -> str:
        limit = settings.JOINTO_ASSETS.limits.get(row.provider)
        return str(limit.per_minute) if limit and limit.per_minute is not None else "∞"

    @admin.display(description=_("running"))
    def now(self, row: ProviderLimit) -> int:
        return limiting.running(row.provider)

    @admin.action(description=_("Ask it again at once"), permissions=["change"])
    def unblock(self, request: HttpRequest, chosen: Any) -> None:
        chosen.update(blocked_until=None)


@admin.register(Usage)
class UsageAdmin(ReadOnly, admin.ModelAdmin[Usage]):
    """What was used, call by call; above the list, the sums of what is shown by month, provider and kind."""

    change_list_template = "admin/assets/usage_list.html"
    list_display = ("month", "user", "provider", "model", "kind", "job", "calls", "tokens", "images", "seconds", "cost")
    list_filter = ("month", "provider", "kind")
    list_select_related = ("user", "job")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("=user__username", "=job__id", "model__startswith")
    date_hierarchy = "month"

    @admin.display(description=_("tokens"))
    def tokens(self, row: Usage) -> str:
        return f"{row.input_tokens} / {row.output_tokens}"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With the sums of all that the filters leave."""
        answer = super().changelist_view(request, extra_context)
        context = getattr(answer, "context_data", None) or {}  # a redirect has none
        if "cl" in context:
            by = ("month", "provider", "kind", "user__username")
            context["sums"] = usage.summed(context["cl"].queryset, by=by)[:_SUMS]
        return answer
