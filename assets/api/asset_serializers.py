"""Assets, likenesses and merges as the API takes and gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, cast

from django.db.models import F, OuterRef, Subquery
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from assets import names
from assets.models import Appearance, Asset, Kind, Likeness, LikenessState, Merge, Place
from videos.models import Medium

_MOST_ALIASES = 50
_OF_SCENES = ("time", "place")


class PictureSerializer(serializers.ModelSerializer[Medium]):
    """The picture of an asset: a still of its owner's."""

    thumbnail_url = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = Medium
        fields = ["id", "title", "width", "height", "thumbnail_url"]
        read_only_fields = fields


class AppearanceSerializer(serializers.ModelSerializer[Appearance]):
    """One place where an asset appears."""

    episode_number = serializers.IntegerField(source="episode.number", read_only=True)

    class Meta:
        model = Appearance
        fields = ["episode", "episode_number", "scene_index", "scene_number", "scene_heading", "first_line", "lines"]
        read_only_fields = fields


class AssetUrls(TypedDict):
    """Where to look and act."""

    self: str
    restore: str
    merge: str
    appearances: str


class AssetListSerializer(serializers.ListSerializer):
    """Several assets, of which it is looked up together where they appear first."""

    def to_representation(self, data: Any) -> list[Any]:
        assets = list(data)
        cast(AssetSerializer, self.child).firsts = first_appearances(assets)
        return super().to_representation(assets)


class AssetSerializer(serializers.ModelSerializer[Asset]):
    """One asset."""

    aliases = serializers.ListField(child=serializers.CharField(), read_only=True)
    picture = PictureSerializer(read_only=True, allow_null=True)
    first_appearance = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()

    firsts: Mapping[int, Appearance] | None = None

    class Meta:
        model = Asset
        list_serializer_class = AssetListSerializer
        fields = [
            "id",
            "project",
            "kind",
            "name",
            "aliases",
            "description",
            "gender",
            "age",
            "voice",
            "role",
            "time",
            "place",
            "picture",
            "first_appearance",
            "merged_into",
            "edited_at",
            "created_at",
            "updated_at",
            "deleted_at",
            "urls",
        ]
        read_only_fields = fields

    @extend_schema_field(AppearanceSerializer(allow_null=True))
    def get_first_appearance(self, asset: Asset) -> Any:
        firsts = first_appearances([asset]) if self.firsts is None else self.firsts
        first = firsts.get(asset.pk)
        return AppearanceSerializer(first).data if first else None

    @extend_schema_field(cast(Any, AssetUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, asset: Asset) -> AssetUrls:
        return {
            "self": reverse("asset", args=[asset.pk]),
            "restore": reverse("asset-restore", args=[asset.pk]),
            "merge": reverse("asset-merge", args=[asset.pk]),
            "appearances": reverse("asset-appearances", args=[asset.pk]),
        }


def first_appearances(assets: Iterable[Asset]) -> dict[int, Appearance]:
    """Where each of the assets appears first; those that appear nowhere are left out."""
    of_each = Appearance.objects.filter(asset=OuterRef("pk"))
    first = of_each.order_by("episode__number", F("first_line").asc(nulls_last=True), "id").values("pk")[:1]
    rows = Asset.objects.filter(pk__in=[asset.pk for asset in assets]).order_by()
    found = dict(rows.annotate(first=Subquery(first)).values_list("pk", "first"))
    there = (
        Appearance.objects.select_related("episode")
        .defer("episode__script")
        .in_bulk([pk for pk in found.values() if pk])
    )
    return {pk: there[first] for pk, first in found.items() if first in there}


class AssetChangeSerializer(serializers.ModelSerializer[Asset]):
    """What people may change of an asset."""

    name = serializers.CharField(required=False, max_length=names.LONGEST)
    aliases = serializers.ListField(
        child=serializers.CharField(max_length=names.LONGEST), required=False, max_length=_MOST_ALIASES
    )
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    place = serializers.ChoiceField(
        choices=Place.choices,
        required=False,
        allow_blank=True,
        error_messages={"invalid_choice": f"One of these is needed: {', '.join(Place.values)}."},
    )
    picture = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2**63 - 1, help_text="the id of a still of yours"
    )

    class Meta:
        model = Asset
        fields = ["name", "aliases", "description", "gender", "age", "voice", "role", "time", "place", "picture"]

    def validate_picture(self, pk: int | None) -> Medium | None:
        if pk is None:
            return None
        mine = Medium.objects.filter(kind=Medium.Kind.STILL, owner=self.context["request"].user, deleted_at=None)
        still = mine.filter(pk=pk).first()
        if still is None:
            raise serializers.ValidationError("You have no still with this id.")
        return still

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        asset = cast(Asset, self.instance)
        if asset.kind != Kind.SCENE and (said := [name for name in _OF_SCENES if attrs.get(name)]):
            raise serializers.ValidationError(dict.fromkeys(said, "Only a scene has that."))
        return attrs


class LikenessAssetSerializer(serializers.ModelSerializer[Asset]):
    """One of two that look alike."""

    aliases = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Asset
        fields = ["id", "kind", "name", "aliases", "description", "time", "place"]
        read_only_fields = fields


class LikenessUrls(TypedDict):
    """Where to decide."""

    merge: str
    keep_apart: str


class LikenessSerializer(serializers.ModelSerializer[Likeness]):
    """Two assets that may be one, why, and what was decided."""

    first = LikenessAssetSerializer(read_only=True)
    second = LikenessAssetSerializer(read_only=True)
    reasons = serializers.ListField(child=serializers.JSONField(), read_only=True)
    state = serializers.ChoiceField(choices=LikenessState.choices, read_only=True)
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Likeness
        fields = ["id", "project", "first", "second", "score", "reasons", "state", "decided_at", "created_at", "urls"]
        read_only_fields = fields

    @extend_schema_field(cast(Any, LikenessUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, likeness: Likeness) -> LikenessUrls:
        return {
            "merge": reverse("likeness-merge", args=[likeness.pk]),
            "keep_apart": reverse("likeness-keep-apart", args=[likeness.pk]),
        }


class MergeSerializer(serializers.ModelSerializer[Merge]):
    """One asset that was made part of another."""

    kept = LikenessAssetSerializer(read_only=True)
    absorbed = LikenessAssetSerializer(read_only=True)
    reasons = serializers.ListField(child=serializers.JSONField(), read_only=True)
    by_hand = serializers.SerializerMethodField()
    undo_url = serializers.SerializerMethodField()

    class Meta:
        model = Merge
        fields = ["id", "project", "kept", "absorbed", "reasons", "by_hand", "created_at", "undone_at", "undo_url"]
        read_only_fields = fields

    def get_by_hand(self, merge: Merge) -> bool:
        return merge.by_id is not None

    def get_undo_url(self, merge: Merge) -> str:
        return reverse("merge-undo", args=[merge.pk])


class MergeIntoSerializer(serializers.Serializer[None]):
    """What an asset is to be made part of."""

    into = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="the id of the asset that is kept")


class KeepSerializer(serializers.Serializer[None]):
    """Which of the two is kept."""

    keep = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="the id of one of the two; otherwise as seems best"
    )
