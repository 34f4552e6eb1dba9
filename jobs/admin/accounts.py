"""The operator's view of tiers and quotas: who has which, what is used up, and what a tier may have."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from jobs import kinds, quotas
from jobs.accounts import ENTERPRISE, FREE, PRO
from jobs.admin.base import Bounded, ReadOnly
from jobs.models import Account, Period, QuotaLimit, QuotaUse


class TierFilter(admin.SimpleListFilter):
    """The tiers that have a meaning, without asking the table which there are."""

    title = _("tier")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(tier, tier) for tier in (FREE, PRO, ENTERPRISE)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(tier=self.value()) if self.value() else queryset


@admin.register(Account)
class AccountAdmin(Bounded, admin.ModelAdmin[Account]):
    """Accounts: the tier is given here. The webhook is its owner's; its secret is shown to them alone."""

    list_display = ("user", "tier", "notify_by_email", "webhook_url")
    list_filter = (TierFilter,)
    list_select_related = ("user",)
    list_per_page = 50
    ordering = ("user_id",)
    search_fields = ("user__username__startswith", "=user__email")
    search_help_text = _("The beginning of a user's name, or an e-mail address")
    autocomplete_fields = ("user",)
    fields = ("user", "tier", "notify_by_email", "webhook_url", "usage")
    readonly_fields = ("webhook_url", "usage")

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[str, ...]:
        return ("user", *self.readonly_fields) if obj else self.readonly_fields

    @admin.display(description=_("quotas"))
    def usage(self, account: Account) -> SafeString | str:
        """A table of what is used of each quota."""
        if not account.pk:
            return "–"
        used = quotas.usage(account.pk, timezone.now(), tier=account.tier)
        rows = format_html_join(
            "", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", (_cells(one) for one in used)
        )
        head = format_html_join("", '<th scope="col">{}</th>', ((title,) for title in _USAGE_TITLES))
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, rows) if used else "–"


_USAGE_TITLES = (_("kind"), _("period"), _("used"), _("limit"), _("until"))


def _cells(one: quotas.Usage) -> tuple[Any, ...]:
    limit = "∞" if one["limit"] is None else one["limit"]
    until = date_format(timezone.localtime(one["resets_at"]), "SHORT_DATETIME_FORMAT")
    return one["kind"], Period(one["period"]).label, one["used"], limit, until


@admin.register(QuotaLimit)
class QuotaLimitAdmin(admin.ModelAdmin[QuotaLimit]):
    """What the operator allows a tier of a kind, over what the kind itself says. Holds from the next submission on."""

    list_display = ("tier", "kind", "period", "limit")
    list_filter = (TierFilter, "period")
    search_fields = ("kind",)
    fields = ("tier", "kind", "period", "limit")

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Kinds are chosen from those that there are: a limit on a misspelt one would limit nothing."""
        if db_field.name == "kind":
            names = sorted({kind.name for kind in kinds.every()} | self._kinds_with_limits())
            return forms.ChoiceField(label=db_field.verbose_name, choices=[("", "–"), *((n, n) for n in names)])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def _kinds_with_limits(self) -> set[str]:
        """Kinds that are gone may still have limits, which an operator wants to see and remove."""
        return set(QuotaLimit.objects.order_by().values_list("kind", flat=True).distinct())


@admin.register(QuotaUse)
class QuotaUseAdmin(ReadOnly, Bounded, admin.ModelAdmin[QuotaUse]):
    """What is counted at the moment; written by the engine alone."""

    list_display = ("owner", "kind", "period", "starts_at", "used")
    list_filter = ("period",)
    list_select_related = ("owner",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("owner__username__startswith",)
    search_help_text = _("The beginning of a user's name")
