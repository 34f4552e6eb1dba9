"""A job as the API and its events give it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict, cast

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs import forecast, line
from jobs.models import Attempt, Job


class JobUrls(TypedDict):
    """Where to look and act; relative, so that they are right behind every proxy."""

    self: str
    events: str
    cancel: str
    retry: str


class JobErrorSerializer(serializers.Serializer[Any]):
    """What went wrong: a stable code, and a sentence."""

    code = serializers.CharField()
    message = serializers.CharField()


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One try."""

    class Meta:
        model = Attempt
        fields = ["number", "worker", "outcome", "started_at", "ended_at", "error_code", "error_message"]
        read_only_fields = fields


class JobListSerializer(serializers.ListSerializer):
    """Several jobs, whose places in line are looked up together."""

    def to_representation(self, data: Any) -> list[Any]:
        jobs = list(data)
        cast(JobSerializer, self.child).places = line.positions(jobs)
        return super().to_representation(jobs)


class JobSerializer(serializers.ModelSerializer[Job]):
    """One job."""

    state = serializers.CharField(read_only=True, help_text="Celery's word for the status")
    percent = serializers.IntegerField(read_only=True)
    result = serializers.JSONField(read_only=True, allow_null=True)
    error = serializers.SerializerMethodField()
    queue_position = serializers.SerializerMethodField(
        help_text="How many of its queue are before a waiting job, and itself: 1 is next, 0 is with a worker;"
        " null if it does not wait, or not yet. Counted up to 1001."
    )
    urls = serializers.SerializerMethodField()

    places: dict[Any, int | None] | None = None

    class Meta:
        model = Job
        list_serializer_class = JobListSerializer
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
            "queue_position",
            "batch",
            "created_at",
            "updated_at",
            "started_at",
            "finished_at",
            "run_at",
            "urls",
        ]
        read_only_fields = fields

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        return job.error

    def get_queue_position(self, job: Job) -> int | None:
        places = self.places if self.places is not None else line.positions([job])
        return places.get(job.pk)

    @extend_schema_field(cast(Any, JobUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, job: Job) -> JobUrls:
        return {
            "self": reverse("job", args=[job.pk]),
            "events": reverse("job-events", args=[job.pk]),
            "cancel": reverse("job-cancel", args=[job.pk]),
            "retry": reverse("job-retry", args=[job.pk]),
        }


class WithJobsListSerializer(serializers.ListSerializer):
    """Several rows with a job each, whose places in line are looked up together."""

    def to_representation(self, data: Any) -> list[Any]:
        rows = list(data)
        nested = cast(JobSerializer, cast(serializers.ModelSerializer, self.child).fields["job"])
        nested.places = line.positions(row.job for row in rows if row.job)
        return super().to_representation(rows)


class JobDetailSerializer(JobSerializer):
    """One job with all its attempts."""

    expected_start_at = serializers.SerializerMethodField(
        help_text="When a waiting job will probably start, by how long others took lately; null if nobody can say."
    )
    callback_url = serializers.CharField(read_only=True, help_text="empty: nobody is called")
    attempts = AttemptSerializer(many=True, read_only=True)

    class Meta(JobSerializer.Meta):
        fields = [*JobSerializer.Meta.fields, "expected_start_at", "callback_url", "attempts"]
        read_only_fields = fields

    def get_expected_start_at(self, job: Job) -> datetime | None:
        place = self.get_queue_position(job)
        return None if place is None else forecast.expected_start_at(job, place=place, now=timezone.now())


def render(job: Job) -> dict[str, Any]:
    """A job as plain JSON values, for events."""
    return dict(JobSerializer(job).data)
