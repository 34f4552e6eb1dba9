"""The API of videos: list, look, rename, delete, restore, process again."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveUpdateDestroyAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from jobs.api.options import JobOptionsSerializer, options_of
from jobs.api.pagination import NewestFirst
from jobs.api.serializers import JobSerializer
from videos import errors, lifecycle, storage, tasks
from videos.api.serializers import VideoSerializer
from videos.models import Uploaded, Video


def videos_of(request: Request) -> QuerySet[Video]:
    """The videos that a request may see, deleted ones too."""
    mine = Video.objects.filter(owner_id=cast(User, request.user).pk)
    return mine.select_related("job").prefetch_related("renditions")


class VideoFilter(django_filters.FilterSet):
    """Filters of the list, by field name."""

    deleted = django_filters.ChoiceFilter(choices=[("true", "true"), ("false", "false")], method="by_deletion")
    title = django_filters.CharFilter(lookup_expr="icontains", max_length=255)

    def filter_queryset(self, queryset: QuerySet[Video]) -> QuerySet[Video]:
        """Deleted ones are shown to those alone who ask for them."""
        deleted = self.form.cleaned_data["deleted"] == "true"
        return cast(QuerySet[Video], super().filter_queryset(queryset)).filter(deleted_at__isnull=not deleted)

    def by_deletion(self, queryset: QuerySet[Video], name: str, value: str) -> QuerySet[Video]:
        return queryset  # said once, above, for those who do not ask too

    class Meta:
        model: type[Uploaded] = Video
        fields: ClassVar = ["title"]


class VideoList(ListAPIView[Video]):
    """Your videos, newest first; deleted ones with `deleted=true`."""

    serializer_class = VideoSerializer
    pagination_class = NewestFirst
    filterset_class = VideoFilter
    queryset = Video.objects.none()

    def get_queryset(self) -> QuerySet[Video]:
        return videos_of(self.request)


class VideoView(RetrieveUpdateDestroyAPIView[Video]):
    """One of your videos. Deleting is for a while: it can be restored until the clean-up comes."""

    serializer_class = VideoSerializer
    http_method_names = ["get", "patch", "delete", "head", "options"]
    queryset = Video.objects.none()

    def get_queryset(self) -> QuerySet[Video]:
        return videos_of(self.request)

    def perform_update(self, serializer: BaseSerializer[Video]) -> None:
        # The title alone: a worker may publish between our read and our write.
        video = cast(Video, serializer.instance)
        Video.objects.filter(pk=video.pk).update(updated_at=timezone.now(), **serializer.validated_data)
        video.refresh_from_db()

    def perform_destroy(self, instance: Video) -> None:
        lifecycle.delete(instance, by=cast(User, self.request.user).get_username())


class RestoreVideo(GenericAPIView[Video]):
    """Take a deletion back."""

    serializer_class = VideoSerializer
    queryset = Video.objects.none()

    @extend_schema(request=None, responses=VideoSerializer)
    def post(self, request: Request, pk: int) -> Response:
        lifecycle.restore(get_object_or_404(videos_of(request), pk=pk))
        return Response(self.get_serializer(get_object_or_404(videos_of(request), pk=pk)).data)


class ProcessVideo(GenericAPIView[Any]):
    """Process a video again. While a job works for it, that job is given instead of a second one."""

    serializer_class = JobSerializer
    queryset = Video.objects.none()

    @extend_schema(
        request=JobOptionsSerializer,
        responses={202: JobSerializer},
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
    )
    def post(self, request: Request, pk: int) -> Response:
        video = get_object_or_404(videos_of(request), pk=pk)
        if video.deleted_at:
            raise errors.VideoDeleted
        if not video.source or not storage.path_of(video.source).is_file():
            raise errors.SourceGone
        job = tasks.start(video.pk, idempotency_key=key_of(request), **options_of(request))
        job.refresh_from_db()  # it has been released meanwhile
        return Response(JobSerializer(job).data, status=202)


def key_of(request: Request) -> str | None:
    """The Idempotency-Key of a request. Raises IdempotencyKeyTooLong."""
    key = request.headers.get("Idempotency-Key")
    if key and len(key) > 255:
        raise errors.IdempotencyKeyTooLong
    return key or None
