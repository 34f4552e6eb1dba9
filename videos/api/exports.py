"""The API of a project's exports: ask for one, list, look, remove."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.options import options_of
from jobs.api.pagination import NewestFirst
from jobs.api.serializers import JobSerializer
from jobs.models import Job
from videos import films, tasks
from videos.api.project_serializers import ExportSerializer, OrderSerializer, order_of
from videos.api.projects import projects_of
from videos.api.videos import key_of
from videos.models import Export


def exports_of(request: Request, pk: int) -> QuerySet[Export]:
    """The exports of one project of the user's. Raises Http404."""
    project = get_object_or_404(projects_of(request), pk=pk)
    return project.exports.select_related("job").defer("timeline", "materials")


class ExportList(ListAPIView[Export]):
    """The exports of a project, newest first; and new ones."""

    serializer_class = ExportSerializer
    pagination_class = NewestFirst
    filterset_fields = ["format", "quality", "source"]
    queryset = Export.objects.none()

    def get_queryset(self) -> QuerySet[Export]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return exports_of(self.request, self.kwargs["pk"])

    @extend_schema(
        request=OrderSerializer,
        responses={202: JobSerializer},
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
    )
    def post(self, request: Request, pk: int) -> Response:
        project = get_object_or_404(projects_of(request), pk=pk)
        said = OrderSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        recorded, _ = tasks.export_video.submit(
            (project.pk,), order_of(said.validated_data), idempotency_key=key_of(request), **options_of(request)
        )
        return Response(JobSerializer(Job.objects.get(pk=recorded.pk)).data, status=202)


class ExportView(GenericAPIView[Export]):
    """One export of a project."""

    serializer_class = ExportSerializer
    queryset = Export.objects.none()

    @extend_schema(operation_id="projects_exports_retrieve")
    def get(self, request: Request, pk: int, export_id: int) -> Response:
        return Response(self.get_serializer(get_object_or_404(exports_of(request, pk), pk=export_id)).data)

    @extend_schema(operation_id="projects_exports_remove")
    def delete(self, request: Request, pk: int, export_id: int) -> Response:
        """Remove it with its file; while it is made, that is cancelled."""
        export = get_object_or_404(exports_of(request, pk), pk=export_id)
        films.discard(export, by=cast(User, request.user).get_username())
        return Response(status=204)
