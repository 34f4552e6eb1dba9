"""The operator's view of dead letters and of deliveries: what failed, why, and once more."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from jobs import dead_letters, deliveries
from jobs.admin.base import Bounded, ReadOnly, ids_of_user
from jobs.errors import JointoError
from jobs.models import DeadLetter, Delivery, Resolution

AT_ONCE = 500
"""So many letters are resolved by one request, which takes seconds; for more, the same again."""

_LOOKED_AT = 10_000
_REFUSALS_SHOWN = 20


class StateFilter(admin.SimpleListFilter):
    """Open ones, unless somebody asks for others."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*((value, label) for value, label in Resolution.choices), ("all", _("all"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": _("open"),
        }
        for lookup, label in self.lookup_choices:
            yield {
                "selected": self.value() == str(lookup),
                "query_string": changelist.get_query_string({self.parameter_name: lookup}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        if self.value() == "all":
            return queryset
        if self.value() in Resolution.values:
            return queryset.filter(resolution=self.value())
        return queryset.filter(resolved_at__isnull=True)


class OpenValuesFilter(admin.SimpleListFilter):
    """The values of a column among the newest open letters: so it costs the same however many there are."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = DeadLetter.objects.filter(resolved_at__isnull=True).order_by("-created_at", "-id")[:_LOOKED_AT]
        found = DeadLetter.objects.filter(pk__in=newest.values("pk")).order_by()
        column = str(self.parameter_name)
        values = set(found.values_list(column, flat=True).distinct()[:100])
        asked = request.GET.get(column)  # one that nobody has any more can still be left
        return [(value, value) for value in sorted(values | ({asked} if asked else set()))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class ErrorCodeFilter(OpenValuesFilter):
    title = _("error code")
    parameter_name = "error_code"


class KindFilter(OpenValuesFilter):
    title = _("kind")
    parameter_name = "kind"


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnly, Bounded, admin.ModelAdmin[DeadLetter]):
    """Dead letters: filter what is alike, look at one, retry or discard them all with a note."""

    list_display = ("short_id", "name", "error_code", "error", "job_link", "created_at", "resolution", "note")
    list_filter = (StateFilter, ErrorCodeFilter, KindFilter)
    list_select_related = ("job",)
    list_per_page = 50
    ordering = ("-created_at", "-id")
    search_fields = ("=job__id", "=kind", "=error_code", "=job__subject")
    search_help_text = _("A job's id, a subject such as videos.Video:12, a kind or an error code")
    actions = ("retry", "discard")
    fields = (
        ("job_link", "kind", "attempt"),
        ("error_code", "error_message"),
        ("created_at", "alerted_at"),
        ("resolution", "resolved_at", "resolved_by"),
        "note",
    )
    readonly_fields = ("job_link",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], search_term: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        """An id is looked up as one; everything else by equality, which the indexes answer."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if (job_id := _uuid(term)) is not None:
            return queryset.filter(job_id=job_id), False
        for field in ("kind", "error_code", "job__subject"):
            found = queryset.filter(**{field: term})
            if found.exists():
                return found, False
        return queryset.none(), False

    @admin.display(description=_("id"))
    def short_id(self, letter: DeadLetter) -> str:
        return str(letter.pk)

    @admin.display(description=_("kind"), ordering="kind")
    def name(self, letter: DeadLetter) -> SafeString:
        return format_html('<span title="{}">{}</span>', letter.kind, letter.kind.rpartition(".")[2])

    @admin.display(description=_("error"))
    def error(self, letter: DeadLetter) -> SafeString:
        return format_html('<span title="{}">{}</span>', letter.error_message[:2000], letter.error_message[:80])

    @admin.display(description=_("job"))
    def job_link(self, letter: DeadLetter) -> SafeString:
        address = reverse("admin:jobs_job_change", args=[letter.job_id])
        return format_html('<a href="{}">{}</a>', address, letter.job.subject or str(letter.job_id)[:8])

    @admin.action(description=_("Retry"), permissions=["operate"])
    def retry(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> HttpResponse | None:
        return self._ask_then(request, letters, "retry", _("Retry"), dead_letters.retry)

    @admin.action(description=_("Discard"), permissions=["operate"])
    def discard(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> HttpResponse | None:
        return self._ask_then(request, letters, "discard", _("Discard"), dead_letters.discard)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Rows are not edited by hand, but who may change dead letters may resolve them."""
        return request.user.has_perm("jobs.change_deadletter")

    def _ask_then(
        self, request: HttpRequest, letters: QuerySet[DeadLetter], action: str, verb: Any, act: Any
    ) -> HttpResponse | None:
        """First a page that asks for a note, then the action, on just the letters that the page was about."""
        if "confirmed" not in request.POST:
            chosen = list(letters.values_list("pk", "kind", "error_code")[: AT_ONCE + 1])
            groups: dict[tuple[str, str], int] = {}
            for _pk, kind, code in chosen[:AT_ONCE]:
                groups[kind, code] = groups.get((kind, code), 0) + 1
            context = {
                **self.admin_site.each_context(request),
                "title": verb,
                "opts": self.model._meta,
                "action": action,
                "checkbox": ACTION_CHECKBOX_NAME,
                "first": chosen[0][0] if chosen else "",
                # One field for all: Django takes no more than a thousand fields.
                "letters": ",".join(str(pk) for pk, *_rest in chosen[:AT_ONCE]),
                "count": len(chosen[:AT_ONCE]),
                "more": len(chosen) > AT_ONCE,
                "groups": [(*group, n) for group, n in sorted(groups.items(), key=lambda item: -item[1])],
            }
            return TemplateResponse(request, "admin/jobs/resolve.html", context)
        ids = [int(pk) for pk in request.POST.get("letters", "").split(",") if pk.isdecimal() and len(pk) < 19]
        rows = self.get_queryset(request).filter(pk__in=ids[:AT_ONCE]).select_related("job").order_by("pk")
        results = act(list(rows), by=request.user.get_username(), note=request.POST.get("note", ""))
        self._say(request, results)
        return None

    def _say(self, request: HttpRequest, results: list[dead_letters.Resolved]) -> None:
        refused = [f"{result.letter.pk}: {result.error.message}" for result in results if result.error]
        done = len(results) - len(refused)
        if done:
            said = ngettext("%(count)d dead letter was resolved.", "%(count)d dead letters were resolved.", done)
            self.message_user(request, said % {"count": done}, messages.SUCCESS)
        for sentence in refused[:_REFUSALS_SHOWN]:
            self.message_user(request, sentence, messages.WARNING)
        more = max(0, len(refused) - _REFUSALS_SHOWN)
        if more:
            said = ngettext("%(count)d more was refused.", "%(count)d more were refused.", more)
            self.message_user(request, said % {"count": more}, messages.WARNING)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, Bounded, admin.ModelAdmin[Delivery]):
    """The log of what was told to whom, with what came back; once more, if need be."""

    list_display = ("event", "target", "channel", "status", "tries", "last_answer", "user", "created_at", "tried_at")
    list_filter = ("status", "channel")
    list_select_related = ("user",)
    list_per_page = 50
    ordering = ("-created_at", "-id")
    search_fields = ("=id", "=job__id", "=user__username")
    search_help_text = _("The id of a delivery, a job or a batch, or a user's name")
    actions = ("deliver_again",)
    fields = (
        ("id", "event", "channel"),
        "target",
        ("status", "tries", "answer"),
        ("created_at", "tried_at", "delivered_at"),
        ("user", "about"),
        "payload_text",
    )
    readonly_fields = ("about", "payload_text")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """By equality, which the indexes answer."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found_id = _uuid(term)
        if found_id is None:
            return queryset.filter(user_id__in=ids_of_user(term)), False
        for field in ("pk", "job_id", "batch_id"):
            found = queryset.filter(**{field: found_id})
            if found.exists():
                return found, False
        return queryset.none(), False

    @admin.display(description=_("last answer"))
    def last_answer(self, delivery: Delivery) -> SafeString:
        return format_html('<span title="{}">{}</span>', delivery.answer, delivery.answer[:60] or "–")

    @admin.display(description=_("about"))
    def about(self, delivery: Delivery) -> SafeString | str:
        if not delivery.job_id:
            return str(delivery.batch_id or "–")
        address = reverse("admin:jobs_job_change", args=[delivery.job_id])
        return format_html('<a href="{}">{}</a>', address, delivery.job_id)

    @admin.display(description=_("payload"))
    def payload_text(self, delivery: Delivery) -> SafeString:
        text = json.dumps(delivery.payload, ensure_ascii=False, indent=2)
        return format_html('<pre style="white-space: pre-wrap; max-height: 30em; overflow: auto">{}</pre>', text)

    @admin.action(description=_("Deliver again"), permissions=["operate"])
    def deliver_again(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        done, refused = 0, []
        for delivery in rows[:AT_ONCE]:
            try:
                deliveries.redeliver(delivery)
                done += 1
            except JointoError as error:
                refused.append(f"{str(delivery.pk)[:8]}: {error.message}")
        if done:
            said = ngettext("%(count)d is delivered again.", "%(count)d are delivered again.", done)
            self.message_user(request, said % {"count": done}, messages.SUCCESS)
        for sentence in refused[:_REFUSALS_SHOWN]:
            self.message_user(request, sentence, messages.WARNING)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Rows are not edited by hand, but who may change deliveries may have them sent again."""
        return request.user.has_perm("jobs.change_delivery")


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
