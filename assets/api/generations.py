"""The API of generation: ask for a picture or a clip, list, look, remove."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from assets import tasks
from assets.api.generation_serializers import (
    GenerationSerializer,
    NewClipSerializer,
    NewGenerationSerializer,
    NewImageSerializer,
)
from assets.generation import rows
from assets.models import Generation
from jobs.api.filters import WholeNumberFilter
from jobs.api.options import options_of
from jobs.api.pagination import NewestFirst
from jobs.api.serializers import JobSerializer
from jobs.models import Job
from jobs.task import JobTask
from videos.api.videos import key_of

_OPTIONS = ("callback_url", "priority")
_KEY = [OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)]


def generations_of(request: Request) -> QuerySet[Generation]:
    """What a request may see."""
    return Generation.objects.filter(owner_id=cast(User, request.user).pk).select_related("job")


class GenerationFilter(django_filters.FilterSet):  # type: ignore[misc]  # a package without types
    """Filters of the list, by field name. An id says nothing about whether there is anything: others' are none."""

    project = WholeNumberFilter(field_name="project_id")
    asset = WholeNumberFilter(field_name="asset_id")

    class Meta:
        model = Generation
        fields: ClassVar = ["kind", "state", "provider"]


class GenerationList(ListAPIView[Generation]):
    """Your generated pictures and clips, newest first."""

    serializer_class = GenerationSerializer
    pagination_class = NewestFirst
    filterset_class = GenerationFilter
    queryset = Generation.objects.none()

    def get_queryset(self) -> QuerySet[Generation]:
        return generations_of(self.request)


class _New(GenericAPIView[Generation]):
    asked: type[NewGenerationSerializer]
    kind: JobTask

    def _submit(self, request: Request) -> Response:
        said = self.asked(data=request.data)
        said.is_valid(raise_exception=True)
        named = {name: value for name, value in said.validated_data.items() if name not in _OPTIONS}
        recorded, _ = self.kind.submit((), named, owner_id=cast(Any, request.user).pk, **_said_with(request))
        return Response(JobSerializer(Job.objects.get(pk=recorded.pk)).data, status=202)


class ImageList(_New):
    """Pictures out of words."""

    asked = NewImageSerializer
    kind = tasks.generate_image

    @extend_schema(request=NewImageSerializer, responses={202: JobSerializer}, parameters=_KEY)
    def post(self, request: Request) -> Response:
        """Have a picture made."""
        return self._submit(request)


class ClipList(_New):
    """Clips out of words, or of a picture."""

    asked = NewClipSerializer
    kind = tasks.generate_video

    @extend_schema(request=NewClipSerializer, responses={202: JobSerializer}, parameters=_KEY)
    def post(self, request: Request) -> Response:
        """Have a clip made."""
        return self._submit(request)


class GenerationView(GenericAPIView[Generation]):
    """One generated picture or clip of yours."""

    serializer_class = GenerationSerializer
    queryset = Generation.objects.none()

    @extend_schema(operation_id="generations_retrieve")
    def get(self, request: Request, pk: int) -> Response:
        return Response(self.get_serializer(get_object_or_404(generations_of(request), pk=pk)).data)

    @extend_schema(operation_id="generations_remove")
    def delete(self, request: Request, pk: int) -> Response:
        """Remove it with its file; while it is made, that is cancelled, at its provider too."""
        row = get_object_or_404(generations_of(request), pk=pk)
        rows.discard(row, by=cast(User, request.user).get_username())
        return Response(status=204)


def _said_with(request: Request) -> dict[str, Any]:
    return {"idempotency_key": key_of(request), **options_of(request)}
