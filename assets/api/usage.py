"""The API of what was used of AI services, and what it cost."""

from __future__ import annotations

import datetime
from typing import Any, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assets import usage
from assets.models import Usage


class MonthField(serializers.CharField):
    """A month: `2026-11`."""

    default_error_messages = {"month": "A month such as 2026-11 is needed."}

    def to_internal_value(self, data: Any) -> Any:
        said = str(super().to_internal_value(data))
        try:
            return datetime.datetime.strptime(said, "%Y-%m").date()  # noqa: DTZ007  a month has no zone
        except ValueError:
            self.fail("month")


class UsageAskedSerializer(serializers.Serializer[None]):
    """Of what."""

    month = MonthField(required=False)
    provider = serializers.CharField(required=False, max_length=40)
    kind = serializers.CharField(required=False, max_length=100)
    job = serializers.UUIDField(required=False)
    project = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


class UsageSerializer(serializers.Serializer[Any]):
    """What was used in a month, of one provider and model, by one kind of job."""

    month = serializers.DateField(help_text="its first day")
    provider = serializers.CharField()
    kind = serializers.CharField()
    model = serializers.CharField()
    calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    images = serializers.IntegerField()
    seconds = serializers.FloatField()
    cost = serializers.DecimalField(max_digits=18, decimal_places=6, help_text="in US dollars, as far as it is known")
    unpriced = serializers.IntegerField(help_text="calls of which nobody knows what they cost")


class UsageTotalSerializer(serializers.Serializer[Any]):
    """The sums, and their sum."""

    cost = serializers.DecimalField(max_digits=18, decimal_places=6)
    calls = serializers.IntegerField()
    results = UsageSerializer(many=True)


class UsageView(APIView):
    """What your jobs used of AI services and what that cost, by month, provider, kind of job and model."""

    @extend_schema(
        operation_id="usage_retrieve",
        responses=UsageTotalSerializer,
        parameters=[
            OpenApiParameter("month", str, description="such as 2026-11"),
            OpenApiParameter("provider", str),
            OpenApiParameter("kind", str),
            OpenApiParameter("job", str),
            OpenApiParameter("project", int),
        ],
    )
    def get(self, request: Request) -> Response:
        asked = UsageAskedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        rows = Usage.objects.filter(user_id=cast(User, request.user).pk, **asked.validated_data)
        sums = usage.summed(rows)
        total = {"cost": sum(row["cost"] for row in sums), "calls": sum(row["calls"] for row in sums)}
        return Response(UsageTotalSerializer({**total, "results": sums}).data)
