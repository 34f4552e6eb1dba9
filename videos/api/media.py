"""The API of stills and sounds: list, look, rename, delete, restore."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveUpdateDestroyAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from jobs.api.pagination import NewestFirst
from videos import lifecycle
from videos.api.media_serializers import SoundSerializer, StillSerializer
from videos.api.videos import VideoFilter
from videos.models import Medium


def media_of(request: Request, kind: str) -> QuerySet[Medium]:
    """The stills, or the sounds, that a request may see, deleted ones too."""
    return Medium.objects.filter(owner_id=cast(User, request.user).pk, kind=kind).select_related("job")


class MediumFilter(VideoFilter):
    """Filters of the list, by field name."""

    class Meta(VideoFilter.Meta):
        model = Medium


class MediumList(ListAPIView[Medium]):
    """Yours, newest first; deleted ones with `deleted=true`."""

    kind = ""
    pagination_class = NewestFirst
    filterset_class = MediumFilter
    queryset = Medium.objects.none()

    def get_queryset(self) -> QuerySet[Medium]:
        return media_of(self.request, self.kind)


class MediumView(RetrieveUpdateDestroyAPIView[Medium]):
    """One of yours. Deleting is for a while: it can be restored until the clean-up comes."""

    kind = ""
    http_method_names = ["get", "patch", "delete", "head", "options"]
    queryset = Medium.objects.none()

    def get_queryset(self) -> QuerySet[Medium]:
        return media_of(self.request, self.kind)

    def perform_update(self, serializer: BaseSerializer[Medium]) -> None:
        # The title alone: a worker may publish between our read and our write.
        medium = cast(Medium, serializer.instance)
        Medium.objects.filter(pk=medium.pk).update(updated_at=timezone.now(), **serializer.validated_data)
        medium.refresh_from_db()

    def perform_destroy(self, instance: Medium) -> None:
        lifecycle.delete(instance, by=cast(User, self.request.user).get_username())


class RestoreMedium(GenericAPIView[Medium]):
    """Take a deletion back."""

    kind = ""
    queryset = Medium.objects.none()

    def _restored(self, request: Request, pk: int) -> Response:
        lifecycle.restore(get_object_or_404(media_of(request, self.kind), pk=pk))
        return Response(self.get_serializer(get_object_or_404(media_of(request, self.kind), pk=pk)).data)


class StillList(MediumList):
    """Your stills, newest first; deleted ones with `deleted=true`."""

    kind, serializer_class = Medium.Kind.STILL, StillSerializer


class StillView(MediumView):
    """One of your stills. Deleting is for a while: it can be restored until the clean-up comes."""

    kind, serializer_class = Medium.Kind.STILL, StillSerializer


class RestoreStill(RestoreMedium):
    """Take the deletion of a still back."""

    kind, serializer_class = Medium.Kind.STILL, StillSerializer

    @extend_schema(request=None, responses=StillSerializer)
    def post(self, request: Request, pk: int) -> Response:
        return self._restored(request, pk)


class SoundList(MediumList):
    """Your sounds, newest first; deleted ones with `deleted=true`."""

    kind, serializer_class = Medium.Kind.SOUND, SoundSerializer


class SoundView(MediumView):
    """One of your sounds. Deleting is for a while: it can be restored until the clean-up comes."""

    kind, serializer_class = Medium.Kind.SOUND, SoundSerializer


class RestoreSound(RestoreMedium):
    """Take the deletion of a sound back."""

    kind, serializer_class = Medium.Kind.SOUND, SoundSerializer

    @extend_schema(request=None, responses=SoundSerializer)
    def post(self, request: Request, pk: int) -> Response:
        return self._restored(request, pk)
