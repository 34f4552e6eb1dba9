"""Episodes as the API takes and gives them."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from assets import errors
from assets.episodes import LARGEST_NUMBER, Source
from assets.models import Episode, EpisodeStatus
from jobs.api.serializers import JobErrorSerializer, JobSerializer, WithJobsListSerializer


class EpisodeUrls(TypedDict):
    """Where to look and act."""

    self: str
    extract: str
    extractions: str


class EpisodeSerializer(serializers.ModelSerializer[Episode]):
    """One episode, without its script."""

    status = serializers.ChoiceField(choices=EpisodeStatus.choices, read_only=True)
    error = serializers.SerializerMethodField()
    job = JobSerializer(read_only=True, allow_null=True)
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Episode
        list_serializer_class = WithJobsListSerializer
        fields = [
            "id",
            "project",
            "number",
            "title",
            "status",
            "error",
            "length",
            "script_format",
            "source_name",
            "extracted_at",
            "job",
            "created_at",
            "updated_at",
            "urls",
        ]
        read_only_fields = fields

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, episode: Episode) -> dict[str, str] | None:
        return episode.job.error if episode.job and episode.status == EpisodeStatus.FAILED else None

    @extend_schema_field(cast(Any, EpisodeUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, episode: Episode) -> EpisodeUrls:
        return {
            "self": reverse("episode", args=[episode.pk]),
            "extract": reverse("episode-extract", args=[episode.pk]),
            "extractions": reverse("episode-extractions", args=[episode.pk]),
        }


class EpisodeDetailSerializer(EpisodeSerializer):
    """One episode with its script."""

    class Meta(EpisodeSerializer.Meta):
        fields = [*EpisodeSerializer.Meta.fields, "script"]
        read_only_fields = fields


class NumberField(serializers.IntegerField):
    """Of an episode in its project."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, min_value=1, max_value=LARGEST_NUMBER, **options)


class ScriptSerializer(serializers.Serializer[None]):
    """A script: pasted, or as a file."""

    script = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, help_text="as text, in any of the formats"
    )
    file = serializers.FileField(
        required=False,
        max_length=255,
        help_text=".txt, .fountain, .fdx or .docx; in a form (multipart/form-data)",
    )

    def validate_file(self, file: Any) -> Any:
        most = settings.JOINTO_ASSETS.script_bytes
        if file.size > most:
            raise errors.ScriptTooLarge(details={"max_bytes": most})
        return file

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "script" in attrs and "file" in attrs:
            raise serializers.ValidationError({"file": "Send the script as text or as a file, not both."})
        return attrs


class NewEpisodeSerializer(ScriptSerializer):
    """An episode that is to be made."""

    project = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="the id of one of yours")
    number = NumberField(help_text="otherwise the next one of the project")
    title = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=255, help_text="otherwise as the script has it"
    )


class NewEpisodesSerializer(ScriptSerializer):
    """A script that holds one episode or several."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if "file" not in attrs and not attrs.get("script", "").strip():
            raise serializers.ValidationError({"script": "A script is needed, as text or as a file."})
        return attrs


class EpisodeChangeSerializer(ScriptSerializer):
    """What may be changed of an episode."""

    number = NumberField()
    title = serializers.CharField(required=False, allow_blank=True, max_length=255)


def source_of(said: dict[str, Any]) -> Source | None:
    """The script that was sent, if one was."""
    if "file" in said:
        return Source(content=said["file"].read(), name=said["file"].name)
    return Source(content=said["script"]) if said.get("script", "").strip() else None
