"""Stills and sounds as the API gives them."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.api.serializers import JobErrorSerializer, JobSerializer, WithJobsListSerializer
from videos.api.serializers import NAME_LENGTH
from videos.models import Medium, VideoStatus

_FIRST = ["id", "title", "status", "error"]
_LAST = ["source_size", "sha256", "job", "created_at", "updated_at", "deleted_at", "urls"]


class MediumUrls(TypedDict):
    """Where to look and act."""

    self: str
    restore: str


class MediumSerializer(serializers.ModelSerializer[Medium]):
    """What stills and sounds have in common."""

    title = serializers.CharField(max_length=NAME_LENGTH)
    status = serializers.ChoiceField(choices=VideoStatus.choices, read_only=True)
    error = serializers.SerializerMethodField()
    job = JobSerializer(read_only=True, allow_null=True)
    urls = serializers.SerializerMethodField()

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, medium: Medium) -> dict[str, str] | None:
        return medium.job.error if medium.job and medium.status == VideoStatus.FAILED else None

    @extend_schema_field(cast(Any, MediumUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, medium: Medium) -> MediumUrls:
        return {
            "self": reverse(medium.kind, args=[medium.pk]),
            "restore": reverse(f"{medium.kind}-restore", args=[medium.pk]),
        }


class StillSerializer(MediumSerializer):
    """One picture that does not move."""

    image_url = serializers.SerializerMethodField(help_text="the picture as films show it: upright, sRGB, PNG")
    thumbnail_url = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = Medium
        list_serializer_class = WithJobsListSerializer
        fields = [*_FIRST, "width", "height", "alpha", "image_url", "thumbnail_url", *_LAST]
        read_only_fields = [name for name in fields if name != "title"]

    def get_image_url(self, medium: Medium) -> str | None:
        return f"{settings.MEDIA_URL}{medium.file}" if medium.file else None


class SoundSerializer(MediumSerializer):
    """One sound."""

    class Meta:
        model = Medium
        list_serializer_class = WithJobsListSerializer
        fields = [*_FIRST, "duration", *_LAST]
        read_only_fields = [name for name in fields if name != "title"]


class InstantStillSerializer(serializers.Serializer[None]):
    """The picture is there already."""

    instant = serializers.BooleanField()
    still = StillSerializer()


class InstantSoundSerializer(serializers.Serializer[None]):
    """The sound is there already."""

    instant = serializers.BooleanField()
    sound = SoundSerializer()


class MergedStillSerializer(serializers.Serializer[None]):
    """The still that an upload became, and the job that prepares it."""

    detail = serializers.CharField()
    still = StillSerializer()
    job = JobSerializer(allow_null=True)


class MergedSoundSerializer(serializers.Serializer[None]):
    """The sound that an upload became, and the job that prepares it."""

    detail = serializers.CharField()
    sound = SoundSerializer()
    job = JobSerializer(allow_null=True)
