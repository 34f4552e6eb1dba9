"""The API of jobs: list, look, cancel, retry, watch. A user sees only what is theirs."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

import django_filters
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import control, events
from jobs.api.batch_serializers import render as render_batch
from jobs.api.pagination import NewestFirst
from jobs.api.serializers import JobDetailSerializer, JobSerializer, render
from jobs.models import Batch, Job
from jobs.status import JobStatus


def jobs_of(request: Request) -> QuerySet[Job]:
    """The jobs that a request may see."""
    return Job.objects.filter(owner_id=cast(User, request.user).pk)


class MomentField(django_filters.fields.IsoDateTimeField):
    """A time with its zone, that still is one in UTC."""

    def to_python(self, value: Any) -> datetime | None:
        moment: datetime | None = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


class JobFilter(django_filters.FilterSet):
    """Filters of the list, by field name; `created_after` and `created_before` by time."""

    status = django_filters.MultipleChoiceFilter(choices=[(s.value, s.value) for s in JobStatus], distinct=False)
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Job
        fields: ClassVar = ["status", "kind", "subject", "queue"]


class JobList(ListAPIView[Job]):
    """Your jobs, newest first."""

    serializer_class = JobSerializer
    pagination_class = NewestFirst
    filterset_class = JobFilter
    queryset = Job.objects.none()  # for the schema; the rows come from get_queryset

    def get_queryset(self) -> QuerySet[Job]:
        return jobs_of(self.request)


class JobView(GenericAPIView[Job]):
    """One of your jobs, with its attempts."""

    serializer_class = JobDetailSerializer
    queryset = Job.objects.none()

    @extend_schema(
        operation_id="jobs_retrieve",
        parameters=[OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The ETag known.")],
        responses={200: JobDetailSerializer, 304: None},
    )
    def get(self, request: Request, job_id: uuid.UUID) -> HttpResponseBase:
        job = get_object_or_404(jobs_of(request).prefetch_related("attempts"), pk=job_id)
        data = self.get_serializer(job).data
        tag = _tag({name: value for name, value in data.items() if name != "expected_start_at"})
        unchanged = get_conditional_response(request._request, etag=tag)
        return unchanged or Response(data, headers={"ETag": tag})


def _tag(data: dict[str, Any]) -> str:
    """An ETag, so that who polls is told "not modified" while nothing has changed that happened."""
    text = json.dumps(data, cls=DjangoJSONEncoder, sort_keys=True)
    return quote_etag(hashlib.sha256(text.encode()).hexdigest()[:32])


class JobAction(GenericAPIView[Job]):
    """Something done to one of your jobs; answers with the job as it is then."""

    serializer_class = JobSerializer
    queryset = Job.objects.none()
    perform: ClassVar[Callable[..., None]]

    @extend_schema(request=None, responses={202: JobSerializer})
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        job = get_object_or_404(jobs_of(request), pk=job_id)
        self.perform(job, by=cast(User, request.user).get_username())
        job.refresh_from_db()
        return Response(self.get_serializer(job).data, status=202)


class CancelJob(JobAction):
    """Cancel: a waiting job never starts, a running one stops within two seconds, with all its children."""

    perform = staticmethod(control.cancel)


class RetryJob(JobAction):
    """Retry a job that failed or was cancelled; it waits again, with all of its kind's attempts."""

    perform = staticmethod(control.retry)


@extend_schema_view(get=extend_schema(operation_id="tasks_status", deprecated=True))
class TaskStatus(JobView):
    """The job, under its older name."""


@extend_schema_view(post=extend_schema(operation_id="tasks_cancel", deprecated=True))
class CancelTask(CancelJob):
    """Cancel, under its older name."""


class EventStreamRenderer(JSONRenderer):
    """Lets a client ask for text/event-stream; what is refused is told in JSON all the same."""

    media_type = "text/event-stream"


_hub = events.Hub(events.Renderers(render, render_batch))

_LAST_EVENT = OpenApiParameter(
    "Last-Event-ID", OpenApiTypes.INT, OpenApiParameter.HEADER, description="Go on after this event."
)


class Events(APIView):
    """Server-sent events: `transition` for every change of status, `job` with the whole job as it is now."""

    renderer_classes = [JSONRenderer, EventStreamRenderer]
    http_method_names = ["get", "options"]  # a HEAD would never end

    def stream(self, request: Request, scope: events.Scope, after: int | None) -> HttpResponseBase:
        response = StreamingHttpResponse(
            _hub.watch(scope, after=after), content_type="text/event-stream; charset=utf-8"
        )
        response["Cache-Control"] = "no-cache, no-transform"
        response["X-Accel-Buffering"] = "no"  # nginx would keep events back
        return response

    def last_event(self, request: Request) -> int | None:
        """The id that a returning client names; anything that is none counts as a first visit."""
        said = request.headers.get("Last-Event-ID", "")
        return int(said) if said.isascii() and said.isdigit() and len(said) <= 18 else None


class JobEvents(Events):
    """What happens to one of your jobs, until it has ended."""

    @extend_schema(
        operation_id="jobs_events",
        parameters=[_LAST_EVENT],
        responses={(200, "text/event-stream"): OpenApiTypes.STR, 204: None},
    )
    def get(self, request: Request, job_id: uuid.UUID) -> HttpResponseBase:
        job = get_object_or_404(jobs_of(request), pk=job_id)
        after = self.last_event(request)
        if events.is_over(job, after=after):
            return HttpResponse(status=204)  # tells an EventSource to stop coming back
        return self.stream(request, events.Scope(cast(Any, job.owner_id), job.pk), after)


class AllEvents(Events):
    """What happens to all of your jobs."""

    @extend_schema(
        operation_id="jobs_events_all",
        parameters=[_LAST_EVENT],
        responses={(200, "text/event-stream"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        return self.stream(request, events.Scope(cast(User, request.user).pk), self.last_event(request))


class BatchEvents(Events):
    """How one of your batches stands, until it has ended."""

    @extend_schema(
        operation_id="batches_events",
        parameters=[_LAST_EVENT],
        responses={(200, "text/event-stream"): OpenApiTypes.STR, 204: None},
    )
    def get(self, request: Request, batch_id: uuid.UUID) -> HttpResponseBase:
        user_id = cast(User, request.user).pk
        batch = get_object_or_404(Batch.objects.filter(owner_id=user_id), pk=batch_id)
        after = self.last_event(request)
        if events.batch_is_over(batch, after=after):
            return HttpResponse(status=204)
        return self.stream(request, events.Scope(user_id, batch_id=batch.pk), after)
