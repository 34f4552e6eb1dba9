"""The operator's view of assets, of those that look alike, and of what was merged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from assets import editing, merging
from assets.models import Appearance, Asset, Likeness, LikenessState, Merge
from jobs.admin import BoundedPaginator, ReadOnly
from jobs.errors import JointoError
from videos.admin import pretty


def link_to(asset: Asset | None) -> SafeString | str:
    """The way to an asset."""
    if asset is None:
        return "–"
    return format_html('<a href="{}">{}</a>', reverse("admin:assets_asset_change", args=[asset.pk]), asset)


class AppearanceInline(ReadOnly, admin.TabularInline[Appearance, Asset]):
    model = Appearance
    fk_name = "asset"
    extra = 0
    max_num = 200
    fields = ("episode", "scene_number", "scene_heading", "first_line", "lines")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appearance]:
        return super().get_queryset(request).select_related("episode").defer("episode__script")


@admin.register(Asset)
class AssetAdmin(admin.ModelAdmin[Asset]):
    """Assets: change, delete for a while, restore. What is changed here, extractions leave as it is."""

    list_display = ("name", "kind", "project", "owner", "role", "time", "place", "into", "created_at", "deleted_at")
    list_filter = (
        "kind",
        ("merged_into", admin.EmptyFieldListFilter),
        ("deleted_at", admin.EmptyFieldListFilter),
        ("edited_at", admin.EmptyFieldListFilter),
        ("created_at", admin.DateFieldListFilter),
    )
    list_select_related = ("project__owner", "merged_into")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("name", "normal", "project__name", "=project__owner__username")
    fields = (
        ("name", "kind"),
        ("project", "owner", "into"),
        "aliases",
        "description",
        ("gender", "age", "voice", "role"),
        ("time", "place"),
        ("normal", "picture"),
        ("created_at", "updated_at", "edited_at", "deleted_at"),
    )
    readonly_fields = (
        *("kind", "project", "owner", "into", "aliases", "normal", "picture", "time", "place"),
        *("created_at", "updated_at", "edited_at", "deleted_at"),
    )
    inlines = (AppearanceInline,)
    actions = ("delete_for_a_while", "restore")

    def save_model(self, request: HttpRequest, obj: Asset, form: Any, change: bool) -> None:
        """As its owner would; only what was edited."""
        said = {name: form.cleaned_data[name] for name in form.changed_data}
        # Browsers send the lines of a text with other ends than they were given.
        editing.change(obj, {name: value.replace("\r\n", "\n") for name, value in said.items()})

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """A refusal is all that is told, and nothing is written into the log."""
        try:
            return super().changeform_view(request, *args, **options)
        except JointoError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return False  # the rows go with their projects

    @admin.display(description=_("owner"))
    def owner(self, asset: Asset) -> str:
        return asset.project.owner.get_username()

    @admin.display(description=_("merged into"))
    def into(self, asset: Asset) -> SafeString | str:
        return link_to(asset.merged_into)

    @admin.action(description=_("Delete, restorable"), permissions=["change"])
    def delete_for_a_while(self, request: HttpRequest, assets: QuerySet[Asset]) -> None:
        _each(self, request, assets, editing.delete)

    @admin.action(description=_("Restore"), permissions=["change"])
    def restore(self, request: HttpRequest, assets: QuerySet[Asset]) -> None:
        _each(self, request, assets, editing.restore)


class DecisionFilter(admin.SimpleListFilter):
    """What was decided; what is still to be, unless asked otherwise."""

    title = _("decision")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        decided = [(value, label) for value, label in LikenessState.choices if value != LikenessState.OPEN]
        return [*decided, ("all", _("all"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Likeness]) -> QuerySet[Likeness]:
        value = self.value()
        if value is None:
            return merging.to_decide(queryset)
        return queryset if value == "all" else queryset.filter(state=value)

    def choices(self, changelist: Any) -> Iterator[Any]:
        named = iter(super().choices(changelist))
        yield {**next(named), "display": LikenessState.OPEN.label}
        yield from named


@admin.register(Likeness)
class LikenessAdmin(ReadOnly, admin.ModelAdmin[Likeness]):
    """The review list: two assets that may be one. Merge them, or keep them apart."""

    list_display = ("one", "other", "kind", "project", "score", "why", "state", "decided_by", "created_at")
    list_display_links = ("score",)
    list_filter = (DecisionFilter, "first__kind", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("first", "second", "project", "decided_by")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-score", "-created_at", "-id")
    search_fields = ("first__name", "second__name", "project__name", "=project__owner__username")
    fields = (("one", "other"), ("about_one", "about_other"), ("score", "why"), ("state", "decided_by", "decided_at"))
    readonly_fields = ("one", "other", "about_one", "about_other", "why")
    actions = ("merge", "keep_apart")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is edited, but somebody has to decide: the actions ask for it."""
        return obj is None and admin.ModelAdmin.has_change_permission(self, request)

    @admin.display(description=_("asset"), ordering="first__name")
    def one(self, likeness: Likeness) -> SafeString | str:
        return link_to(likeness.first)

    @admin.display(description=_("other asset"), ordering="second__name")
    def other(self, likeness: Likeness) -> SafeString | str:
        return link_to(likeness.second)

    @admin.display(description=_("kind"))
    def kind(self, likeness: Likeness) -> str:
        return likeness.first.get_kind_display()

    @admin.display(description=_("reasons"))
    def why(self, likeness: Likeness) -> str:
        return ", ".join(str(reason) for reason in likeness.reasons) or "–"

    @admin.display(description=_("about the one"))
    def about_one(self, likeness: Likeness) -> SafeString:
        return _about(likeness.first)

    @admin.display(description=_("about the other"))
    def about_other(self, likeness: Likeness) -> SafeString:
        return _about(likeness.second)

    @admin.action(description=_("They are one: merge"), permissions=["change"])
    def merge(self, request: HttpRequest, likenesses: QuerySet[Likeness]) -> None:
        user = cast(User, request.user)
        _decide(self, request, likenesses, lambda likeness: merging.merge_alike(likeness, by=user))

    @admin.action(description=_("They are two: keep apart"), permissions=["change"])
    def keep_apart(self, request: HttpRequest, likenesses: QuerySet[Likeness]) -> None:
        user = cast(User, request.user)
        _decide(self, request, likenesses, lambda likeness: merging.keep_apart(likeness, by=user))


@admin.register(Merge)
class MergeAdmin(ReadOnly, admin.ModelAdmin[Merge]):
    """What was merged, by whom and why. It can be undone."""

    list_display = ("one", "other", "project", "who", "created_at", "undone_at", "undone_by")
    list_display_links = ("created_at",)
    list_filter = (
        ("undone_at", admin.EmptyFieldListFilter),
        ("by", admin.EmptyFieldListFilter),
        ("created_at", admin.DateFieldListFilter),
    )
    list_select_related = ("kept", "absorbed", "project", "by", "undone_by")
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at", "-id")
    search_fields = ("kept__name", "absorbed__name", "project__name", "=project__owner__username")
    fields = (("one", "other"), "project", ("why", "what"), ("who", "created_at"), ("undone_by", "undone_at"))
    readonly_fields = ("one", "other", "why", "what", "who")
    actions = ("undo",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is edited, but a merge may be undone: the action asks for it."""
        return obj is None and admin.ModelAdmin.has_change_permission(self, request)

    @admin.display(description=_("absorbed"), ordering="absorbed__name")
    def one(self, merge: Merge) -> SafeString | str:
        return link_to(merge.absorbed)

    @admin.display(description=_("kept"), ordering="kept__name")
    def other(self, merge: Merge) -> SafeString | str:
        return link_to(merge.kept)

    @admin.display(description=_("by"))
    def who(self, merge: Merge) -> str:
        return merge.by.get_username() if merge.by else str(_("itself"))

    @admin.display(description=_("reasons"))
    def why(self, merge: Merge) -> SafeString:
        return pretty(merge.reasons)

    @admin.display(description=_("what was moved"))
    def what(self, merge: Merge) -> SafeString:
        return pretty(merge.moved)

    @admin.action(description=_("Undo"), permissions=["change"])
    def undo(self, request: HttpRequest, merges: QuerySet[Merge]) -> None:
        _decide(self, request, merges, lambda merge: merging.undo(merge, by=cast(User, request.user)))


def _about(asset: Asset) -> SafeString:
    said = {name: getattr(asset, name) for name in ("aliases", "description", "gender", "age", "role", "time", "place")}
    return pretty({name: value for name, value in said.items() if value})


def _decide(page: Any, request: HttpRequest, rows: QuerySet[Any], decide: Callable[[Any], Any]) -> None:
    if done := _each(page, request, rows, decide):
        page.message_user(request, _("Decided: %d") % done, messages.SUCCESS)


def _each(page: Any, request: HttpRequest, rows: QuerySet[Any], do: Callable[[Any], Any]) -> int:
    """Do something with each row, and tell what was refused; with how many it was done."""
    done = 0
    for row in rows:
        try:
            do(row)
            done += 1
        except JointoError as error:
            page.message_user(request, f"{row}: {error.message}", messages.WARNING)
    return done
