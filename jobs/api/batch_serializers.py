"""A batch as the API and its events give it, and as it is asked for."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs import batches
from jobs.api.options import CallbackURLField
from jobs.models import Batch, FailurePolicy


class BatchUrls(TypedDict):
    """Where to look and act; relative, so that they are right behind every proxy."""

    self: str
    events: str
    jobs: str
    cancel: str
    retry_failed: str


class BatchSerializer(serializers.ModelSerializer[Batch]):
    """One batch, as its row says: up to about a second behind its jobs."""

    ended = serializers.IntegerField(read_only=True, help_text="How many jobs have ended")
    percent = serializers.IntegerField(read_only=True)
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = [
            *("id", "name", "on_failure", "callback_url", "total", "ended", "completed", "failed", "cancelled"),
            *("percent", "rounds", "created_at", "updated_at", "ended_at", "cancelled_at", "urls"),
        ]
        read_only_fields = fields

    @extend_schema_field(cast(Any, BatchUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, batch: Batch) -> BatchUrls:
        return {
            "self": reverse("batch", args=[batch.pk]),
            "events": reverse("batch-events", args=[batch.pk]),
            "jobs": reverse("batch-jobs", args=[batch.pk]),
            "cancel": reverse("batch-cancel", args=[batch.pk]),
            "retry_failed": reverse("batch-retry-failed", args=[batch.pk]),
        }


class BatchDetailSerializer(BatchSerializer):
    """One batch, with how many of its jobs are in each status at this moment."""

    counts = serializers.SerializerMethodField(help_text="How many jobs are in each status now")

    class Meta(BatchSerializer.Meta):
        fields = [*BatchSerializer.Meta.fields, "counts"]
        read_only_fields = fields

    def get_counts(self, batch: Batch) -> dict[str, int]:
        return batches.counts(batch)


class MemberSerializer(serializers.Serializer[Any]):
    """What one job of a batch is asked for."""

    kwargs = serializers.DictField(required=False)


class NewBatchSerializer(serializers.Serializer[Any]):
    """A batch of jobs of one kind."""

    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    kind = serializers.CharField(max_length=200)
    members = serializers.ListField(child=serializers.JSONField(), allow_empty=False)
    on_failure = serializers.ChoiceField(
        choices=[(policy.value, policy.value) for policy in FailurePolicy], required=False
    )
    callback_url = CallbackURLField()


class RetrySerializer(serializers.Serializer[Any]):
    """Which jobs to retry: those that failed, and also those that were cancelled."""

    cancelled = serializers.BooleanField(required=False, default=False)


class MadeBatchSerializer(BatchSerializer):
    """The batch that was made."""

    batch_id = serializers.UUIDField(source="id", read_only=True)
    total_tasks = serializers.IntegerField(source="total", read_only=True)

    class Meta(BatchSerializer.Meta):
        fields = ["batch_id", "total_tasks", *BatchSerializer.Meta.fields]
        read_only_fields = fields


def render(batch: Batch) -> dict[str, Any]:
    """A batch as plain JSON values, with its counts, for events."""
    return dict(BatchDetailSerializer(batch).data)
