"""The API of extractions: have one episode extracted or many, look at what was found."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import django_filters
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assets import batches, providing, tasks
from assets.api.episodes import episodes_of
from assets.api.extraction_serializers import (
    ExtractionDetailSerializer,
    ExtractionSerializer,
    ExtractProjectSerializer,
    ExtractSerializer,
    ReportSerializer,
    StartedSerializer,
    TextModelsSerializer,
)
from assets.models import Episode, Extraction, ExtractionReport
from jobs.api.filters import WholeNumberFilter
from jobs.api.options import options_of
from jobs.api.pagination import NewestFirst
from jobs.api.serializers import JobSerializer
from jobs.models import Batch, Job
from videos.api.projects import projects_of
from videos.api.videos import key_of
from videos.errors import ProjectDeleted

KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)


class ExtractEpisode(GenericAPIView[Any]):
    """Have an episode's characters, props and scenes extracted."""

    serializer_class = ExtractSerializer
    queryset = Episode.objects.none()

    @extend_schema(operation_id="episodes_extract", responses={202: JobSerializer}, parameters=[KEY])
    def post(self, request: Request, pk: int) -> Response:
        """While a job is at it already, that one is the answer."""
        episode = get_object_or_404(episodes_of(request).defer("script"), pk=pk)
        said = ExtractSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        wish = said.validated_data
        options = {"idempotency_key": key_of(request), **options_of(request)}
        job = tasks.start(episode.pk, model=wish["model"], force=wish["force"], **options)
        return Response(JobSerializer(Job.objects.get(pk=job.pk)).data, status=202)


class ExtractProject(GenericAPIView[Any]):
    """Have all episodes of a project extracted, or some, as one batch with one report."""

    serializer_class = ExtractProjectSerializer
    queryset = Episode.objects.none()

    @extend_schema(operation_id="projects_episodes_extract", responses={202: StartedSerializer}, parameters=[KEY])
    def post(self, request: Request, pk: int) -> Response:
        project = get_object_or_404(projects_of(request), pk=pk)
        if project.deleted_at:
            raise ProjectDeleted
        said = ExtractProjectSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        wish = said.validated_data
        report = batches.start_once(
            project.pk,
            wish.get("episodes"),
            owner_id=cast(User, request.user).pk,
            model=wish["model"],
            force=wish["force"],
            key=key_of(request),
        )
        assert report.batch_id is not None
        batch = Batch.objects.get(pk=report.batch_id)
        return Response(StartedSerializer({"batch": batch, "report": report}).data, status=202)


class ExtractionList(ListAPIView[Extraction]):
    """The extractions of an episode, newest first."""

    serializer_class = ExtractionSerializer
    pagination_class = NewestFirst
    filterset_fields = ["status", "model"]
    queryset = Extraction.objects.none()

    def get_queryset(self) -> QuerySet[Extraction]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        episode = get_object_or_404(episodes_of(self.request).defer("script"), pk=self.kwargs["pk"])
        return Extraction.objects.filter(episode=episode).defer("answers")


class ExtractionView(GenericAPIView[Extraction]):
    """One extraction: what was found, where, and the assets that it became."""

    serializer_class = ExtractionDetailSerializer
    queryset = Extraction.objects.none()

    @extend_schema(operation_id="episodes_extractions_retrieve")
    def get(self, request: Request, pk: int, extraction_id: int) -> Response:
        episode = get_object_or_404(episodes_of(request).defer("script"), pk=pk)
        found = get_object_or_404(Extraction.objects.prefetch_related("findings"), episode=episode, pk=extraction_id)
        return Response(self.get_serializer(found).data)


class ReportFilter(django_filters.FilterSet):  # type: ignore[misc]  # a package without types
    """Filters of the list, by field name."""

    project = WholeNumberFilter(field_name="project_id")
    batch = django_filters.UUIDFilter(field_name="batch_id")
    finished = django_filters.BooleanFilter(field_name="finished_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = ExtractionReport
        fields: ClassVar = ["project", "batch"]


def reports_of(request: Request) -> QuerySet[ExtractionReport]:
    """The reports that a request may see."""
    return ExtractionReport.objects.filter(owner_id=cast(User, request.user).pk)


class ReportList(ListAPIView[ExtractionReport]):
    """The reports of your batches of extractions, newest first."""

    serializer_class = ReportSerializer
    pagination_class = NewestFirst
    filterset_class = ReportFilter
    queryset = ExtractionReport.objects.none()

    def get_queryset(self) -> QuerySet[ExtractionReport]:
        return reports_of(self.request)


class ReportView(RetrieveAPIView[ExtractionReport]):
    """The report of one batch of extractions."""

    serializer_class = ReportSerializer
    queryset = ExtractionReport.objects.none()

    def get_queryset(self) -> QuerySet[ExtractionReport]:
        return reports_of(self.request)


class TextModels(APIView):
    """Who reads scripts here: the built-in reader, and the services that are set up; each may be said with a model."""

    @extend_schema(operation_id="text_models_list", responses=TextModelsSerializer)
    def get(self, request: Request) -> Response:
        told = {"default": settings.JOINTO_ASSETS.model, "models": providing.available()}
        return Response(TextModelsSerializer(told).data)
