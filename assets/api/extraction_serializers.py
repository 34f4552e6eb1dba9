"""Extractions and their reports as the API takes and gives them."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from assets import providing
from assets.api.fields import ModelField
from assets.models import Extracted, Extraction, ExtractionReport
from jobs.api.batch_serializers import BatchSerializer
from jobs.api.options import JobOptionsSerializer

_MOST_EPISODES = 1000


class ReaderField(ModelField):
    """Who is to extract."""

    def __init__(self) -> None:
        told = (
            "offline, or a provider alone or with a model: openai:gpt-5; several: in this order; otherwise the site's"
        )
        super().__init__(required=False, default="", help_text=told)

    def to_internal_value(self, data: Any) -> str | list[str]:
        said = super().to_internal_value(data)
        providing.order(said)
        return said


class ExtractSerializer(JobOptionsSerializer):
    """How an episode is to be extracted."""

    model = ReaderField()
    force = serializers.BooleanField(default=False, help_text="also if it has been extracted already")


class ExtractProjectSerializer(serializers.Serializer[None]):
    """Which episodes of a project are to be extracted, and how."""

    episodes = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        allow_empty=False,
        max_length=_MOST_EPISODES,
        help_text="ids; otherwise all that have a script and have not been extracted",
    )
    model = ReaderField()
    force = serializers.BooleanField(default=False, help_text="also those that have been extracted already")


class ExtractedSerializer(serializers.ModelSerializer[Extracted]):
    """One finding, and the asset that it became."""

    class Meta:
        model = Extracted
        fields = ["kind", "name", "payload", "confidence", "first_line", "asset", "new"]
        read_only_fields = fields


class ExtractionSerializer(serializers.ModelSerializer[Extraction]):
    """One extraction, good or bad."""

    error = serializers.SerializerMethodField()
    counts = serializers.DictField(read_only=True)
    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Extraction
        fields = [
            "id",
            "job",
            "attempt",
            "model",
            "prompt_version",
            "status",
            "error",
            "counts",
            "warnings",
            "created_at",
        ]
        read_only_fields = fields

    def get_error(self, extraction: Extraction) -> dict[str, str] | None:
        if not extraction.error_code:
            return None
        return {"code": extraction.error_code, "message": extraction.error_message}


class ExtractionDetailSerializer(ExtractionSerializer):
    """One extraction with all its findings; what the model answered, if nothing came of that."""

    findings = ExtractedSerializer(many=True, read_only=True)
    answers = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(ExtractionSerializer.Meta):
        fields = [*ExtractionSerializer.Meta.fields, "answers", "findings"]
        read_only_fields = fields


class ReportUrls(TypedDict):
    """Where to look."""

    self: str
    batch: str | None


class KindCountsSerializer(serializers.Serializer[Any]):
    """Assets of one kind: found, each once; new ones; new ones that proved to be others."""

    found = serializers.IntegerField()
    new = serializers.IntegerField()
    merged = serializers.IntegerField()


class EpisodeCountsSerializer(serializers.Serializer[Any]):
    """How the episodes' jobs ended."""

    total = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class ReportCountsSerializer(serializers.Serializer[Any]):
    """What came of a batch."""

    characters = KindCountsSerializer()
    props = KindCountsSerializer()
    scenes = KindCountsSerializer()
    episodes = EpisodeCountsSerializer()


class FailureSerializer(serializers.Serializer[Any]):
    """One episode of which nothing came, and why."""

    episode = serializers.IntegerField()
    number = serializers.IntegerField(allow_null=True)
    title = serializers.CharField()
    job = serializers.UUIDField()
    status = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class ReportSerializer(serializers.ModelSerializer[ExtractionReport]):
    """The report of a batch of extractions; counts and failures are there once it has ended."""

    episodes = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    counts = serializers.SerializerMethodField()
    failures = FailureSerializer(many=True, read_only=True)
    urls = serializers.SerializerMethodField()

    class Meta:
        model = ExtractionReport
        fields = [
            "id",
            "project",
            "batch",
            "model",
            "episodes",
            "counts",
            "failures",
            "rounds",
            "created_at",
            "finished_at",
            "urls",
        ]
        read_only_fields = fields

    @extend_schema_field(ReportCountsSerializer(allow_null=True))
    def get_counts(self, report: ExtractionReport) -> dict[str, Any] | None:
        return report.counts or None

    @extend_schema_field(cast(Any, ReportUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, report: ExtractionReport) -> ReportUrls:
        return {
            "self": reverse("extraction-report", args=[report.pk]),
            "batch": reverse("batch", args=[report.batch_id]) if report.batch_id else None,
        }


class StartedSerializer(serializers.Serializer[Any]):
    """A batch of extractions that was begun."""

    batch = BatchSerializer()
    report = ReportSerializer()


class TextModelsSerializer(serializers.Serializer[Any]):
    """Who reads scripts here."""

    default = serializers.CharField()
    models = serializers.ListField(child=serializers.CharField())
