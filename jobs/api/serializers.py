"""A job as the API and its events give it."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.models import Attempt, Job


class JobUrls(TypedDict):
    """Where to look and act; relative, so that they are right behind every proxy."""

    self: str
    events: str
    cancel: str
    retry: str


class JobError(TypedDict):
    """What went wrong: a stable code, and a sentence."""

    code: str
    message: str


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One try."""

    class Meta:
        model = Attempt
        fields = ["number", "worker", "outcome", "started_at", "ended_at", "error_code", "error_message"]
        read_only_fields = fields


class JobSerializer(serializers.ModelSerializer[Job]):
    """One job."""

    state = serializers.CharField(read_only=True, help_text="Celery's word for the status")
    percent = serializers.IntegerField(read_only=True)
    result = serializers.JSONField(read_only=True, allow_null=True)
    error = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "subject",
            "status",
            "state",
            "current",
            "total",
            "percent",
            "message",
            "result",
            "error",
            "attempt",
            "max_attempts",
            "retry_count",
            "priority",
            "queue",
            "created_at",
            "updated_at",
            "started_at",
            "finished_at",
            "run_at",
            "urls",
        ]
        read_only_fields = fields

    @extend_schema_field(cast(Any, JobError))  # a TypedDict is fine; the stubs do not know
    def get_error(self, job: Job) -> dict[str, str] | None:
        return job.error

    @extend_schema_field(cast(Any, JobUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, job: Job) -> JobUrls:
        return {
            "self": reverse("job", args=[job.pk]),
            "events": reverse("job-events", args=[job.pk]),
            "cancel": reverse("job-cancel", args=[job.pk]),
            "retry": reverse("job-retry", args=[job.pk]),
        }


class JobDetailSerializer(JobSerializer):
    """One job with all its attempts."""

    attempts = AttemptSerializer(many=True, read_only=True)

    class Meta(JobSerializer.Meta):
        fields = [*JobSerializer.Meta.fields, "attempts"]
        read_only_fields = fields


def render(job: Job) -> dict[str, Any]:
    """A job as plain JSON values, for events."""
    return dict(JobSerializer(job).data)
