"""Drafts as the API takes and gives them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any, BinaryIO, TypedDict, cast

from django.core.validators import ProhibitNullCharactersValidator
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from jobs.api.options import JobOptionsSerializer
from jobs.api.serializers import JobErrorSerializer, JobSerializer, WithJobsListSerializer
from videos import orders
from videos.api.project_serializers import OneOfField
from videos.api.serializers import MergeSerializer
from videos.drafts import media
from videos.models import Draft, OnMissing, Video, VideoStatus
from videos.timeline.film import Format

_LONGEST_PATH = 4096
_BIGGEST_ID = 2**63 - 1
QUALITIES = [quality.value for quality in orders.Quality if quality is not orders.Quality.CUSTOM]


@extend_schema_field({"oneOf": [{"type": "object", "additionalProperties": True}, {"type": "string"}]})
class ContentField(serializers.Field):
    """The content of a draft's file, as JSON or as text."""

    default_error_messages = {"invalid": "The content of a draft is wanted here, as an object or as text."}

    def to_internal_value(self, data: Any) -> bytes:
        if isinstance(data, dict):
            return json.dumps(data).encode()
        if not isinstance(data, str):
            self.fail("invalid")
        return data.encode("utf-8", "surrogatepass")

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
class MappingField(serializers.Field):
    """Ids of videos by paths or file names of media; in a form, as JSON."""

    default_error_messages = {
        "invalid": "An object is wanted here, of paths or file names of media and ids of your videos.",
        "most": f"There may be at most {media.MOST} of them.",
    }

    def to_internal_value(self, data: Any) -> dict[str, int]:
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError):
                self.fail("invalid")
        if not isinstance(data, dict) or not all(type(pk) is int and 0 < pk <= _BIGGEST_ID for pk in data.values()):
            self.fail("invalid")
        if len(data) > media.MOST:
            self.fail("most")
        for path in data:
            ProhibitNullCharactersValidator()(path)
            ProhibitSurrogateCharactersValidator()(path)
            if len(path) > _LONGEST_PATH:
                self.fail("invalid")
        return cast(dict[str, int], data)

    def to_representation(self, value: Any) -> Any:
        return value


class DraftOptionsSerializer(JobOptionsSerializer):
    """What is to be made of a draft."""

    format = OneOfField(Format, default=Format.MP4.value)
    quality = OneOfField(QUALITIES, default=orders.Quality.MEDIUM.value)
    on_missing = OneOfField(
        OnMissing,
        default=OnMissing.REFUSE.value,
        help_text="media that can't be had: refuse the draft, or show a slate in their place",
    )
    mapping = MappingField(required=False, help_text="your videos for media, by their paths or file names")

    def validate_mapping(self, mapping: dict[str, int]) -> dict[str, int]:
        """The videos are there, and the user's own."""
        asked = set(mapping.values())
        own = Video.objects.filter(pk__in=asked, owner=self.context["request"].user, deleted_at=None)
        if unknown := asked - set(own.values_list("pk", flat=True)):
            raise serializers.ValidationError(f"You have no video {min(unknown)}.")
        return mapping

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A field that nobody knows is a slip that would cost an hour."""
        said = self.initial_data
        if isinstance(said, Mapping) and (unknown := sorted(map(str, set(said) - set(self.fields)))):
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        return attrs


class NewDraftSerializer(DraftOptionsSerializer):
    """A draft that is to be rendered: one of file, draft, draft_url, draft_id is enough."""

    file = serializers.FileField(
        required=False, allow_empty_file=True, help_text="in a form: a draft's file, or a zip of one with its media"
    )
    draft = ContentField(required=False, help_text="the content of draft_content.json or draft_info.json")
    draft_url = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=4096,
        help_text="gives the draft, or a zip; its id is read from ?draft_id=, /draft/<id> or <id>.json",
    )
    draft_id = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="enough by itself where the site knows where drafts are",
    )


class MergeDraftSerializer(MergeSerializer, DraftOptionsSerializer):
    """That all chunks of a draft have been sent, and what is to be made of it."""


def asked_of(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be made, in the words of a `Wish`."""
    return {
        "format": attrs["format"],
        "quality": attrs["quality"],
        "on_missing": attrs["on_missing"],
        "mapping": attrs.get("mapping", {}),
    }


def content_of(attrs: Mapping[str, Any]) -> BinaryIO | None:
    """What was sent itself, and not named."""
    if "file" in attrs:
        return cast(BinaryIO, attrs["file"])
    return io.BytesIO(attrs["draft"]) if "draft" in attrs else None


class DraftUrls(TypedDict):
    """Where to look and act."""

    self: str


class DraftSerializer(serializers.ModelSerializer[Draft]):
    """One draft, in a list."""

    status = serializers.ChoiceField(choices=VideoStatus.choices, read_only=True)
    error = serializers.SerializerMethodField()
    video_url = serializers.CharField(read_only=True, allow_null=True)
    file_size = serializers.IntegerField(source="size", read_only=True, allow_null=True)
    mapping = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    job = JobSerializer(read_only=True, allow_null=True)
    on_missing = OneOfField(OnMissing, read_only=True)
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Draft
        list_serializer_class = WithJobsListSerializer
        fields = [
            *("id", "draft_id", "name", "url", "format", "quality", "on_missing", "mapping", "status", "error"),
            *("video_url", "duration", "file_size", "job", "created_at", "urls"),
        ]
        read_only_fields = fields

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, draft: Draft) -> dict[str, str] | None:
        return draft.job.error if draft.job and draft.status == VideoStatus.FAILED else None

    @extend_schema_field(cast(Any, DraftUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, draft: Draft) -> DraftUrls:
        return {"self": reverse("draft", args=[draft.pk])}


class RemarkSerializer(serializers.Serializer[None]):
    """Something that comes out otherwise than in the editor."""

    path = serializers.CharField(help_text="in the draft: tracks[0].segments[3]")
    segment_id = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class MissingSerializer(serializers.Serializer[None]):
    """A medium that can't be had."""

    path = serializers.CharField(help_text="as the draft says it")
    file_name = serializers.CharField()
    kind = serializers.CharField(help_text="video, still, sound")
    reason = serializers.CharField(help_text="not_found, or the code of what went wrong with it")


class DraftDetailSerializer(DraftSerializer):
    """One draft, and all there is to tell of it."""

    report = RemarkSerializer(many=True, read_only=True)
    missing = MissingSerializer(many=True, read_only=True)

    class Meta(DraftSerializer.Meta):
        fields = [*DraftSerializer.Meta.fields, "report", "missing"]
        read_only_fields = fields


class TakenSerializer(serializers.Serializer[None]):
    """The answer to a new draft."""

    detail = serializers.CharField()
    draft = DraftDetailSerializer()
    job = JobSerializer()
