"""The API of assets: list, look, change, delete, restore."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import django_filters
from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from assets import editing
from assets.api.asset_serializers import AppearanceSerializer, AssetChangeSerializer, AssetSerializer
from assets.models import Appearance, Asset, Kind
from jobs.api.filters import WholeNumberFilter
from jobs.api.pagination import NewestFirst
from videos.api.projects import InPlace


def assets_of(request: Request) -> QuerySet[Asset]:
    """The assets that a request may see, deleted and merged ones too; those of deleted projects are gone with them."""
    mine = Asset.objects.filter(project__owner_id=cast(User, request.user).pk, project__deleted_at=None)
    return mine.select_related("picture")


class AssetFilter(django_filters.FilterSet):  # type: ignore[misc]  # a package without types
    """Filters of the list, by field name."""

    project = WholeNumberFilter(field_name="project_id")
    kind = django_filters.MultipleChoiceFilter(choices=Kind.choices, distinct=False)
    name = django_filters.CharFilter(lookup_expr="icontains", max_length=200)
    episode = WholeNumberFilter(method="by_episode")
    deleted = django_filters.ChoiceFilter(choices=[("true", "true"), ("false", "false")], method="by_deletion")
    merged_into = WholeNumberFilter(field_name="merged_into_id")

    def filter_queryset(self, queryset: QuerySet[Asset]) -> QuerySet[Asset]:
        """Deleted ones are shown to those alone who ask for them; merged ones to who asks for what became of one."""
        said = self.form.cleaned_data
        found = cast(QuerySet[Asset], super().filter_queryset(queryset))
        found = found.filter(deleted_at__isnull=said["deleted"] != "true")
        return found if said["merged_into"] else found.filter(merged_into=None)

    def by_episode(self, queryset: QuerySet[Asset], name: str, value: Any) -> QuerySet[Asset]:
        return queryset.filter(Exists(Appearance.objects.filter(asset=OuterRef("pk"), episode=int(value))))

    def by_deletion(self, queryset: QuerySet[Asset], name: str, value: str) -> QuerySet[Asset]:
        return queryset  # said once, above, for those who do not ask too

    class Meta:
        model = Asset
        fields: ClassVar = ["project", "kind", "name", "role"]


class AssetList(ListAPIView[Asset]):
    """The assets of your projects, newest first; deleted ones with `deleted=true`."""

    serializer_class = AssetSerializer
    pagination_class = NewestFirst
    filterset_class = AssetFilter
    queryset = Asset.objects.none()

    def get_queryset(self) -> QuerySet[Asset]:
        return assets_of(self.request)


class AssetView(GenericAPIView[Asset]):
    """One asset."""

    serializer_class = AssetSerializer
    queryset = Asset.objects.none()

    @extend_schema(operation_id="assets_retrieve")
    def get(self, request: Request, pk: int) -> Response:
        return Response(self.get_serializer(get_object_or_404(assets_of(request), pk=pk)).data)

    @extend_schema(operation_id="assets_change", request=AssetChangeSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Change it; extractions leave it as it is from now on."""
        asset = get_object_or_404(assets_of(request), pk=pk)
        said = AssetChangeSerializer(asset, data=request.data, partial=True, context={"request": request})
        said.is_valid(raise_exception=True)
        editing.change(asset, said.validated_data)
        return Response(self.get_serializer(get_object_or_404(assets_of(request), pk=pk)).data)

    @extend_schema(operation_id="assets_remove")
    def delete(self, request: Request, pk: int) -> Response:
        """Delete it until it is restored; an extraction that finds it leaves it so. One that was merged is refused."""
        editing.delete(get_object_or_404(assets_of(request), pk=pk))
        return Response(status=204)


class RestoreAsset(GenericAPIView[Asset]):
    """Take a deletion back."""

    serializer_class = AssetSerializer
    queryset = Asset.objects.none()

    @extend_schema(request=None, responses=AssetSerializer)
    def post(self, request: Request, pk: int) -> Response:
        editing.restore(get_object_or_404(assets_of(request), pk=pk))
        return Response(self.get_serializer(get_object_or_404(assets_of(request), pk=pk)).data)


class ByEpisode(InPlace):
    """As they follow each other in the episodes."""

    ordering = ("number", "first_line", "id")  # type: ignore[assignment]  # one more


class AppearanceList(ListAPIView[Appearance]):
    """Where an asset appears, in the order of the episodes."""

    serializer_class = AppearanceSerializer
    pagination_class = ByEpisode
    filter_backends = []
    queryset = Appearance.objects.none()

    def get_queryset(self) -> QuerySet[Appearance]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        asset = get_object_or_404(assets_of(self.request), pk=self.kwargs["pk"])
        rows = Appearance.objects.filter(asset=asset).annotate(number=F("episode__number"))
        return rows.select_related("episode").defer("episode__script")
