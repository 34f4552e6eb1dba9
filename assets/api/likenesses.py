"""The API of duplicates: what looks alike, merging and keeping apart, undoing a merge."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from assets import deduplication, merging
from assets.api.asset_serializers import KeepSerializer, LikenessSerializer, MergeIntoSerializer, MergeSerializer
from assets.api.assets import assets_of
from assets.models import Asset, Likeness, LikenessState, Merge
from jobs.api.filters import WholeNumberFilter
from jobs.api.options import JobOptionsSerializer, options_of
from jobs.api.pagination import NewestFirst
from jobs.api.serializers import JobSerializer
from jobs.models import Job
from videos.api.projects import projects_of


def likenesses_of(request: Request) -> QuerySet[Likeness]:
    """The likenesses that a request may see."""
    mine = Likeness.objects.filter(project__owner_id=cast(User, request.user).pk, project__deleted_at=None)
    return mine.select_related("first", "second")


def merges_of(request: Request) -> QuerySet[Merge]:
    """The merges that a request may see."""
    mine = Merge.objects.filter(project__owner_id=cast(User, request.user).pk, project__deleted_at=None)
    return mine.select_related("kept", "absorbed")


class LikenessFilter(django_filters.FilterSet):  # type: ignore[misc]  # a package without types
    """Filters of the list, by field name."""

    project = WholeNumberFilter(field_name="project_id")
    kind = django_filters.CharFilter(field_name="first__kind", max_length=10)
    state = django_filters.ChoiceFilter(choices=LikenessState.choices, method="by_state")

    def by_state(self, queryset: QuerySet[Likeness], name: str, value: str) -> QuerySet[Likeness]:
        return merging.to_decide(queryset) if value == LikenessState.OPEN else queryset.filter(state=value)

    class Meta:
        model = Likeness
        fields: ClassVar = ["project", "kind", "state"]


class LikenessList(ListAPIView[Likeness]):
    """Assets that may be one and the same, newest first; `state=open` are those for you to decide."""

    serializer_class = LikenessSerializer
    pagination_class = NewestFirst
    filterset_class = LikenessFilter
    queryset = Likeness.objects.none()

    def get_queryset(self) -> QuerySet[Likeness]:
        return likenesses_of(self.request)


class MergeLikeness(GenericAPIView[Any]):
    """They are one: merge them."""

    serializer_class = KeepSerializer
    queryset = Likeness.objects.none()

    @extend_schema(operation_id="assets_likenesses_merge", responses=MergeSerializer)
    def post(self, request: Request, pk: int) -> Response:
        likeness = get_object_or_404(likenesses_of(request), pk=pk)
        said = KeepSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        two = {likeness.first_id: likeness.first, likeness.second_id: likeness.second}
        keep = said.validated_data.get("keep")
        if keep is not None and keep not in two:
            raise ValidationError({"keep": f"One of these is needed: {likeness.first_id}, {likeness.second_id}."})
        merge = merging.merge_alike(likeness, by=cast(User, request.user), keep=two[keep] if keep else None)
        return Response(MergeSerializer(get_object_or_404(merges_of(request), pk=merge.pk)).data)


class KeepApart(GenericAPIView[Likeness]):
    """They are two: do not ask again."""

    serializer_class = LikenessSerializer
    queryset = Likeness.objects.none()

    @extend_schema(operation_id="assets_likenesses_keep_apart", request=None, responses=LikenessSerializer)
    def post(self, request: Request, pk: int) -> Response:
        likeness = get_object_or_404(likenesses_of(request), pk=pk)
        merging.keep_apart(likeness, by=cast(User, request.user))
        return Response(self.get_serializer(get_object_or_404(likenesses_of(request), pk=pk)).data)


class MergeAsset(GenericAPIView[Any]):
    """Make an asset part of another of the same project and kind."""

    serializer_class = MergeIntoSerializer
    queryset = Asset.objects.none()

    @extend_schema(operation_id="assets_merge", responses=MergeSerializer)
    def post(self, request: Request, pk: int) -> Response:
        asset = get_object_or_404(assets_of(request), pk=pk)
        said = MergeIntoSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        into = assets_of(request).filter(pk=said.validated_data["into"]).first()
        if into is None:
            raise ValidationError({"into": "You have no asset with this id."})
        merge = merging.merge(into, asset, by=cast(User, request.user))
        return Response(MergeSerializer(get_object_or_404(merges_of(request), pk=merge.pk)).data)


class MergeFilter(django_filters.FilterSet):  # type: ignore[misc]  # a package without types
    """Filters of the list, by field name."""

    project = WholeNumberFilter(field_name="project_id")
    kept = WholeNumberFilter(field_name="kept_id")
    undone = django_filters.BooleanFilter(field_name="undone_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Merge
        fields: ClassVar = ["project", "kept"]


class MergeList(ListAPIView[Merge]):
    """What was merged, by you or by itself, newest first."""

    serializer_class = MergeSerializer
    pagination_class = NewestFirst
    filterset_class = MergeFilter
    queryset = Merge.objects.none()

    def get_queryset(self) -> QuerySet[Merge]:
        return merges_of(self.request)


class UndoMerge(GenericAPIView[Merge]):
    """Take a merge back: both are there again, each where it appeared."""

    serializer_class = MergeSerializer
    queryset = Merge.objects.none()

    @extend_schema(operation_id="assets_merges_undo", request=None, responses=MergeSerializer)
    def post(self, request: Request, pk: int) -> Response:
        merging.undo(get_object_or_404(merges_of(request), pk=pk), by=cast(User, request.user))
        return Response(self.get_serializer(get_object_or_404(merges_of(request), pk=pk)).data)


class Deduplicate(GenericAPIView[Any]):
    """Have the assets of a project compared; after each extraction that is done by itself."""

    serializer_class = JobOptionsSerializer
    queryset = Asset.objects.none()

    @extend_schema(operation_id="projects_deduplicate", responses={202: JobSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """While a job waits to do it already, that one is the answer."""
        project = get_object_or_404(projects_of(request), pk=pk)
        job = deduplication.start(project.pk, **options_of(request))
        return Response(JobSerializer(Job.objects.get(pk=job.pk)).data, status=202)
