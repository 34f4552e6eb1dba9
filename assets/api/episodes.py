"""The API of episodes: make them of scripts, list, look, change, remove."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from assets import episodes
from assets.api.episode_serializers import (
    EpisodeChangeSerializer,
    EpisodeDetailSerializer,
    EpisodeSerializer,
    NewEpisodeSerializer,
    NewEpisodesSerializer,
    source_of,
)
from assets.models import Episode, EpisodeStatus
from jobs.api.filters import WholeNumberFilter
from jobs.api.pagination import NewestFirst
from jobs.api.parsers import StrictJSONParser
from videos.api.projects import InPlace, projects_of
from videos.models import Project


def episodes_of(request: Request) -> QuerySet[Episode]:
    """The episodes that a request may see: those of deleted projects are gone with them."""
    mine = Episode.objects.filter(project__owner_id=cast(User, request.user).pk, project__deleted_at=None)
    return mine.select_related("job")


class EpisodeFilter(django_filters.FilterSet):  # type: ignore[misc]  # a package without types
    """Filters of the list, by field name."""

    project = WholeNumberFilter(field_name="project_id")
    number = WholeNumberFilter(max_value=episodes.LARGEST_NUMBER)
    title = django_filters.CharFilter(lookup_expr="icontains", max_length=255)
    status = django_filters.ChoiceFilter(choices=EpisodeStatus.choices, method="by_status")

    def by_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.in_status(value)

    class Meta:
        model = Episode
        fields: ClassVar = ["project", "number", "title", "script_format"]


class EpisodeList(ListAPIView[Episode]):
    """Your episodes, newest first; and new ones."""

    serializer_class = EpisodeSerializer
    pagination_class = NewestFirst
    parser_classes = [StrictJSONParser, MultiPartParser]
    filterset_class = EpisodeFilter
    queryset = Episode.objects.none()

    def get_queryset(self) -> QuerySet[Episode]:
        return episodes_of(self.request).defer("script")

    @extend_schema(
        operation_id="episodes_create",
        request={"multipart/form-data": NewEpisodeSerializer, "application/json": NewEpisodeSerializer},
        responses={201: EpisodeDetailSerializer},
    )
    def post(self, request: Request) -> Response:
        said = NewEpisodeSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        wish = said.validated_data
        project = projects_of(request).filter(pk=wish["project"]).first()
        if project is None:
            raise ValidationError({"project": "You have no project with this id."})
        made = episodes.create(project.pk, number=wish.get("number"), title=wish["title"], source=source_of(wish))
        return Response(EpisodeDetailSerializer(made).data, status=201)


class EpisodeView(GenericAPIView[Episode]):
    """One of your episodes, with its script."""

    serializer_class = EpisodeDetailSerializer
    parser_classes = [StrictJSONParser, MultiPartParser]
    queryset = Episode.objects.none()

    @extend_schema(operation_id="episodes_retrieve")
    def get(self, request: Request, pk: int) -> Response:
        return Response(self.get_serializer(get_object_or_404(episodes_of(request), pk=pk)).data)

    @extend_schema(
        operation_id="episodes_change",
        request={"multipart/form-data": EpisodeChangeSerializer, "application/json": EpisodeChangeSerializer},
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change it. What was extracted from another script stays until it is extracted again, with `force`."""
        episode = get_object_or_404(episodes_of(request).defer("script"), pk=pk)
        said = EpisodeChangeSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        wish = said.validated_data
        source = source_of(wish)
        unwritten = "script" in wish and source is None
        changed = episodes.change(
            episode, number=wish.get("number"), title=wish.get("title"), source=source, unwritten=unwritten
        )
        return Response(self.get_serializer(changed).data)

    @extend_schema(operation_id="episodes_remove")
    def delete(self, request: Request, pk: int) -> Response:
        """Remove it, with what was extracted from it; the assets stay. What works for it is cancelled."""
        episode = get_object_or_404(episodes_of(request).defer("script"), pk=pk)
        episodes.remove(episode, by=cast(User, request.user).get_username())
        return Response(status=204)


class InOrder(InPlace):
    """In the order of their numbers."""

    ordering = ("number", "id")
    max_page_size = episodes.MOST


class ProjectEpisodes(ListAPIView[Episode]):
    """The episodes of a project, in their order; and all those that one script holds."""

    serializer_class = EpisodeSerializer
    pagination_class = InOrder
    parser_classes = [StrictJSONParser, MultiPartParser]
    filterset_class = EpisodeFilter
    queryset = Episode.objects.none()

    def get_queryset(self) -> QuerySet[Episode]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return episodes_of(self.request).filter(project=self._project()).defer("script")

    @extend_schema(
        operation_id="projects_episodes_create",
        request={"multipart/form-data": NewEpisodesSerializer, "application/json": NewEpisodesSerializer},
        responses={201: EpisodeSerializer(many=True)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take a script apart at its episodes (第3集, EPISODE 3), all or none; one without any is the next episode."""
        project = self._project()
        said = NewEpisodesSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        source = source_of(said.validated_data)
        assert source is not None
        made = episodes.create_all(project.pk, source)
        return Response(EpisodeSerializer(made, many=True).data, status=201)

    def _project(self) -> Project:
        return get_object_or_404(projects_of(self.request), pk=self.kwargs["pk"])
