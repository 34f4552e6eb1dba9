"""Pictures and clips that are generated, as the API takes and gives them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypedDict, cast

from django.conf import settings
from django.core.validators import ProhibitNullCharactersValidator
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from assets.api.fields import ModelField
from assets.generation import wishes
from assets.models import Generation, GenerationKind
from jobs.api.options import JobOptionsSerializer
from jobs.api.serializers import JobErrorSerializer, JobSerializer, WithJobsListSerializer
from jobs.status import JobStatus

_BIGGEST_ID = 2**63 - 1
_VIDEO_TYPES = (GenerationKind.TEXT_TO_VIDEO.value, GenerationKind.IMAGE_TO_VIDEO.value)


class ParametersField(serializers.DictField):
    """The model's own parameters, whatever they are."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        found = super().to_internal_value(data)
        _check_storable(found)
        return cast(dict[str, Any], found)


class NewGenerationSerializer(JobOptionsSerializer):
    """What pictures and clips have in common."""

    prompt = serializers.CharField(max_length=wishes.LONGEST_PROMPT, trim_whitespace=True)
    model = ModelField(required=False, help_text="such as offline, or openai:gpt-image-1; several: in this order")
    size = serializers.RegexField(r"^\d{2,4}x\d{2,4}$", required=False, help_text="such as 1024x768")
    project_id = serializers.IntegerField(required=False, min_value=1, max_value=_BIGGEST_ID)
    asset_id = serializers.IntegerField(required=False, min_value=1, max_value=_BIGGEST_ID)
    material = serializers.CharField(
        required=False, max_length=100, help_text="the name under which it becomes a material of the project"
    )
    parameters = ParametersField(required=False, help_text="the model's own; they win over the rest")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A field that nobody knows is a slip that would cost money."""
        said = self.initial_data
        if isinstance(said, Mapping) and (unknown := sorted(map(str, set(said) - set(self.fields)))):
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        return attrs


class NewImageSerializer(NewGenerationSerializer):
    """A picture to be made; of an asset, it becomes that one's picture."""

    references = serializers.ListField(
        child=serializers.URLField(max_length=2000), required=False, max_length=wishes.MOST_REFERENCES
    )
    reference_assets = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=_BIGGEST_ID),
        required=False,
        max_length=wishes.MOST_REFERENCES,
        help_text="ids of assets whose pictures are references too",
    )


class NewClipSerializer(NewGenerationSerializer):
    """A clip to be made; with a project, it becomes one of its materials."""

    video_type = serializers.ChoiceField(choices=_VIDEO_TYPES)
    image_url = serializers.URLField(
        required=False, max_length=2000, help_text="what it begins with; else the asset's picture"
    )
    seconds = serializers.FloatField(required=False, min_value=0.5, max_value=wishes.LONGEST_SECONDS)


class GenerationUrls(TypedDict):
    """Where to look and act."""

    self: str


class GenerationSerializer(serializers.ModelSerializer[Generation]):
    """One picture or clip."""

    size = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    job = JobSerializer(read_only=True, allow_null=True)
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Generation
        list_serializer_class = WithJobsListSerializer
        fields = [
            *("id", "kind", "prompt", "provider", "model", "size", "parameters", "project", "asset", "state", "error"),
            *("provider_id", "url", "medium", "video", "usage", "cost", "job", "created_at", "finished_at", "urls"),
        ]
        read_only_fields = fields

    def to_representation(self, instance: Generation) -> dict[str, Any]:
        said = super().to_representation(instance)
        said["parameters"] = instance.parameters.get("parameters", {})
        return said

    def get_size(self, row: Generation) -> str | None:
        return cast("str | None", row.parameters.get("size"))

    def get_url(self, row: Generation) -> str | None:
        return f"{settings.MEDIA_URL}{row.result_name}" if row.result_name else None

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, row: Generation) -> dict[str, str] | None:
        if row.job and row.job.status == JobStatus.FAILED:
            return row.job.error
        return None

    @extend_schema_field(cast(Any, GenerationUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, row: Generation) -> GenerationUrls:
        return {"self": reverse("generation", args=[row.pk])}


def _check_storable(found: Any) -> None:
    """Texts and numbers in it that no database takes are refused, however deep they stand."""
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            ProhibitNullCharactersValidator()(one)
            ProhibitSurrogateCharactersValidator()(one)
        elif isinstance(one, float) and not math.isfinite(one):
            raise serializers.ValidationError("A number is too large.")
