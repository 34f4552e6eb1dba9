"""Statistics of jobs over the API."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import journal, reports


class Question(serializers.Serializer[dict[str, Any]]):
    """What a client may ask for."""

    hours = serializers.IntegerField(min_value=1, max_value=reports.LONGEST_HOURS, default=24)


class Statistics(APIView):
    """How jobs fare. The staff is told everything, others what is theirs and what is everybody's.

    - Staff: counts by status and kind, queues, success rate, mean and percentiles (50, 95, 99; within 5 %) of waiting
      and running times by kind and overall, throughput by hour, workers with their heartbeats and what they run, open
      dead letters; over the last `hours`.
    - Everybody else: how many of their own jobs are in each status (of the newest 1,000; `complete` tells whether
      these are all), and of each queue how many wait, whether it is paused, and how long a job that joins it now can
      expect to wait. `hours` changes nothing.

    Durations are in seconds; null: nothing to tell from. It costs the same however many jobs there are.
    """

    @extend_schema(
        operation_id="jobs_statistics",
        parameters=[
            OpenApiParameter("hours", OpenApiTypes.INT, description="How many hours back, 1 to 744; 24 if not said.")
        ],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        question = Question(data=request.query_params)
        question.is_valid(raise_exception=True)
        user = cast(User, request.user)
        journal.book_quietly()
        if user.is_staff:
            return Response(reports.report(hours=question.validated_data["hours"]))
        return Response(reports.report_for(user.pk))
