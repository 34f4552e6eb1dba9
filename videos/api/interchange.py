"""The API of timelines for other programs: a thin face of videos.interchange."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from videos import errors, interchange, projects
from videos.api.projects import IF_MATCH, expected_versions, projects_of, tag_of
from videos.models import Project

_OTIO = "application/vnd.opentimelineio+json"


class OtioRemarkSerializer(serializers.Serializer[Any]):
    """Something that came out otherwise than it was meant."""

    path = serializers.CharField(help_text="where it stands in the file")
    code = serializers.CharField()
    message = serializers.CharField()


class TakenOverSerializer(serializers.Serializer[Any]):
    """The timeline that was made of a file, and what came out otherwise."""

    timeline = serializers.JSONField()
    report = OtioRemarkSerializer(many=True)


class MissingSerializer(serializers.Serializer[Any]):
    """What is to be done with clips whose media the project does not have."""

    missing = serializers.ChoiceField(choices=["refuse", "skip"], default="refuse")


class OtioTimeline(GenericAPIView[Any]):
    """The timeline of a project as OpenTimelineIO, for other editing programs and from them."""

    queryset = Project.objects.none()

    @extend_schema(operation_id="projects_timeline_otio_retrieve", responses={(200, _OTIO): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> HttpResponse:
        project = get_object_or_404(projects_of(request), pk=pk)
        headers = {"ETag": tag_of(project), "X-Content-Type-Options": "nosniff"}
        if disposition := content_disposition_header(True, f"{project.name}.otio"):
            headers["Content-Disposition"] = disposition
        return HttpResponse(interchange.write(project), content_type=_OTIO, headers=headers)

    @extend_schema(
        operation_id="projects_timeline_otio_save",
        request={_OTIO: OpenApiTypes.BINARY, "application/octet-stream": OpenApiTypes.BINARY},
        responses=TakenOverSerializer,
        parameters=[IF_MATCH, MissingSerializer],
    )
    def put(self, request: Request, pk: int) -> Response:
        """Make an .otio, or an .otioz of at most the size of a chunk, the timeline.

        Its media are the materials of the same name, else those whose videos are called as their files.
        """
        project = get_object_or_404(projects_of(request), pk=pk)
        if "If-Match" not in request.headers:
            raise errors.PreconditionRequired
        said = MissingSerializer(data=request.query_params)
        said.is_valid(raise_exception=True)
        saved, remarks = interchange.save(
            project,
            request._request.body,  # as it came, whatever it is said to be
            skip_missing=said.validated_data["missing"] == "skip",
            expected=expected_versions(request),
        )
        report = [dataclasses.asdict(remark) for remark in remarks]
        answer = {"timeline": projects.document(saved), "report": report}
        return Response(answer, headers={"ETag": tag_of(saved)})
