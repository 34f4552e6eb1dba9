"""The API of drafts: send one or say where it is, list, look, remove."""

from __future__ import annotations

import functools
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.options import options_of
from jobs.api.pagination import NewestFirst
from jobs.api.parsers import StrictJSONParser
from jobs.api.serializers import JobSerializer
from jobs.models import Job
from videos import films, tasks
from videos.api.draft_serializers import (
    DraftDetailSerializer,
    DraftSerializer,
    NewDraftSerializer,
    TakenSerializer,
    asked_of,
    content_of,
)
from videos.api.videos import key_of
from videos.drafts import intake
from videos.models import Draft


def drafts_of(request: Request) -> QuerySet[Draft]:
    """The drafts that a request may see."""
    return Draft.objects.filter(owner_id=cast(User, request.user).pk).select_related("job")


class DraftList(ListAPIView[Draft]):
    """Your drafts, newest first; and new ones."""

    serializer_class = DraftSerializer
    pagination_class = NewestFirst
    parser_classes = [StrictJSONParser, MultiPartParser]
    filterset_fields = ["draft_id", "format", "quality"]
    queryset = Draft.objects.none()

    def get_queryset(self) -> QuerySet[Draft]:
        return drafts_of(self.request).defer("report", "missing")

    @extend_schema(
        request={"multipart/form-data": NewDraftSerializer, "application/json": NewDraftSerializer},
        responses={202: TakenSerializer},
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
    )
    def post(self, request: Request) -> Response:
        """Have a draft rendered. What is wrong with a draft in the request itself is told at once."""
        said = NewDraftSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        key = key_of(request)
        start = functools.partial(tasks.render, idempotency_key=key, **options_of(request))
        draft = intake.take(_wish(request, said.validated_data), start=start, key=key)
        assert draft.job is not None
        job = draft.job = Job.objects.get(pk=draft.job.pk)  # it has been released meanwhile
        answer = {
            "detail": "The draft is being rendered.",
            "draft": DraftDetailSerializer(draft).data,
            "job": JobSerializer(job).data,
        }
        return Response(answer, status=202)


class DraftView(GenericAPIView[Draft]):
    """One draft of yours."""

    serializer_class = DraftDetailSerializer
    queryset = Draft.objects.none()

    @extend_schema(operation_id="drafts_retrieve")
    def get(self, request: Request, pk: int) -> Response:
        return Response(self.get_serializer(get_object_or_404(drafts_of(request), pk=pk)).data)

    @extend_schema(operation_id="drafts_remove")
    def delete(self, request: Request, pk: int) -> Response:
        """Remove it with its files; while it is rendered, that is cancelled."""
        draft = get_object_or_404(drafts_of(request), pk=pk)
        films.discard(draft, by=cast(User, request.user).get_username())
        return Response(status=204)


def _wish(request: Request, said: dict[str, Any]) -> intake.Wish:
    return intake.Wish(
        owner_id=cast(User, request.user).pk,
        content=content_of(said),
        file_name=said["file"].name if "file" in said else "",
        url=said["draft_url"],
        draft_id=said["draft_id"],
        **asked_of(said),
    )
