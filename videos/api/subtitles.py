"""The API of subtitles that were written elsewhere: a thin face of videos.subtitling."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.parsers import StrictJSONParser
from videos import errors, projects, subtitling
from videos.api.projects import IF_MATCH, expected_versions, projects_of, tag_of
from videos.models import Project
from videos.timeline import subtitles

_MOST_TRACKS = 100


class SubtitlesSerializer(serializers.Serializer[Any]):
    """A file of subtitles, as text."""

    text = serializers.CharField(trim_whitespace=False, help_text="SubRip or WebVTT")


class TrackSerializer(serializers.Serializer[Any]):
    """Which track is to have other texts."""

    track = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=_MOST_TRACKS,
        help_text="That of a track of subtitles, counted from 0, the lowest. Left out: a new one, over all others.",
    )


class TimelineSubtitles(GenericAPIView[Any]):
    """Subtitles for the timeline of a project, from a file."""

    parser_classes = [StrictJSONParser]
    queryset = Project.objects.none()

    @extend_schema(
        operation_id="projects_timeline_subtitles",
        request={
            "application/json": SubtitlesSerializer,
            "text/vtt": OpenApiTypes.BINARY,
            "application/x-subrip": OpenApiTypes.BINARY,
            "application/octet-stream": OpenApiTypes.BINARY,
        },
        responses={200: OpenApiTypes.OBJECT},
        parameters=[IF_MATCH, TrackSerializer],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Lay SubRip or WebVTT into the timeline: a new track, or what a track of subtitles says from now on.

        A file as it is may be in UTF-8, UTF-16 or GB 18030. The answer is the new timeline.
        """
        project = get_object_or_404(projects_of(request), pk=pk)
        if "If-Match" not in request.headers:
            raise errors.PreconditionRequired
        which = TrackSerializer(data=request.query_params)
        which.is_valid(raise_exception=True)
        saved = subtitling.lay(
            project,
            _document(request),
            number=which.validated_data.get("track"),
            expected=expected_versions(request),
        )
        return Response(projects.document(saved), headers={"ETag": tag_of(saved)})


def _document(request: Request) -> str:
    """The file's text: of a field of JSON, or else of the body as it came, whatever it is said to be."""
    if request.content_type.partition(";")[0].strip().lower() != JSONParser.media_type:
        return subtitles.decoded(request._request.body)
    said = SubtitlesSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    return str(said.validated_data["text"])
