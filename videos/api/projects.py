"""The API of projects: their materials, their timeline with undo and redo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, ParseError, ValidationError
from rest_framework.generics import GenericAPIView, ListAPIView, ListCreateAPIView, RetrieveUpdateDestroyAPIView
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from jobs.api.pagination import NewestFirst
from jobs.api.parsers import StrictJSONParser
from videos import errors, projects
from videos.api.project_serializers import (
    MaterialChangeSerializer,
    MaterialSerializer,
    NewMaterialSerializer,
    ProjectSerializer,
)
from videos.models import Material, Medium, Project, Video
from videos.timeline import project as documents

_BIGGEST_PLACE = 2**31


def projects_of(request: Request) -> QuerySet[Project]:
    """The projects that a request may see, deleted ones too."""
    return Project.objects.filter(owner_id=cast(User, request.user).pk)


class ProjectFilter(django_filters.FilterSet):  # type: ignore[misc]  # a package without types
    """Filters of the list, by field name."""

    deleted = django_filters.ChoiceFilter(choices=[("true", "true"), ("false", "false")], method="by_deletion")
    name = django_filters.CharFilter(lookup_expr="icontains")

    def filter_queryset(self, queryset: QuerySet[Project]) -> QuerySet[Project]:
        """Deleted ones are shown to those alone who ask for them."""
        deleted = self.form.cleaned_data["deleted"] == "true"
        return cast(QuerySet[Project], super().filter_queryset(queryset)).filter(deleted_at__isnull=not deleted)

    def by_deletion(self, queryset: QuerySet[Project], name: str, value: str) -> QuerySet[Project]:
        return queryset  # said once, above, for those who do not ask too

    class Meta:
        model = Project
        fields: ClassVar = ["name"]


class ProjectList(ListCreateAPIView[Project]):
    """Your projects, newest first, deleted ones with `deleted=true`; and new ones."""

    serializer_class = ProjectSerializer
    pagination_class = NewestFirst
    filterset_class = ProjectFilter
    queryset = Project.objects.none()

    def get_queryset(self) -> QuerySet[Project]:
        return projects_of(self.request)

    def perform_create(self, serializer: BaseSerializer[Project]) -> None:
        serializer.save(owner=self.request.user)


class ProjectView(RetrieveUpdateDestroyAPIView[Project]):
    """One of your projects. Deleting is for a while: it can be restored until the clean-up comes."""

    serializer_class = ProjectSerializer
    http_method_names = ["get", "patch", "delete", "head", "options"]
    queryset = Project.objects.none()

    def get_queryset(self) -> QuerySet[Project]:
        return projects_of(self.request)

    def perform_update(self, serializer: BaseSerializer[Project]) -> None:
        # The name alone: a timeline may be saved between our read and our write.
        project = cast(Project, serializer.instance)
        Project.objects.filter(pk=project.pk).update(updated_at=timezone.now(), **serializer.validated_data)
        project.refresh_from_db()

    def perform_destroy(self, instance: Project) -> None:
        projects.delete(instance, by=cast(User, self.request.user).get_username())


class RestoreProject(GenericAPIView[Project]):
    """Take a deletion back."""

    serializer_class = ProjectSerializer
    queryset = Project.objects.none()

    @extend_schema(request=None, responses=ProjectSerializer)
    def post(self, request: Request, pk: int) -> Response:
        projects.restore(get_object_or_404(projects_of(request), pk=pk))
        return Response(self.get_serializer(get_object_or_404(projects_of(request), pk=pk)).data)


# -- materials -------------------------------------------------------------------------------------------


class InPlace(CursorPagination):
    """In the order of their places."""

    ordering = ("place", "id")
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = projects.MOST_MATERIALS

    def decode_cursor(self, request: Request) -> Cursor | None:
        """As DRF's, but a position that is no place is a malformed cursor too."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            position = str(cursor.position)
            if not (position.isascii() and position.isdigit()) or len(position) > 10 or int(position) > _BIGGEST_PLACE:
                raise NotFound(self.invalid_cursor_message)
        return cursor


def materials_of(request: Request, pk: int) -> QuerySet[Material]:
    """The materials of one project of the user's. Raises Http404."""
    project = get_object_or_404(projects_of(request), pk=pk)
    return project.materials.select_related("video__job", "medium__job")


class MaterialList(ListAPIView[Material]):
    """The materials of a project, in their order; and new ones, which come last."""

    serializer_class = MaterialSerializer
    pagination_class = InPlace
    filter_backends = []
    queryset = Material.objects.none()

    def get_queryset(self) -> QuerySet[Material]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return materials_of(self.request, self.kwargs["pk"])

    @extend_schema(request=NewMaterialSerializer, responses={201: MaterialSerializer})
    def post(self, request: Request, pk: int) -> Response:
        project = get_object_or_404(projects_of(request), pk=pk)
        said = NewMaterialSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        shown = _shown(request, said.validated_data)
        assert shown is not None
        material = projects.add(project.pk, shown, name=said.validated_data["name"])
        return Response(MaterialSerializer(material).data, status=201)


class MaterialView(GenericAPIView[Material]):
    """One material: move it, have it be something else, take it out of the project."""

    serializer_class = MaterialSerializer
    queryset = Material.objects.none()

    @extend_schema(operation_id="projects_materials_change", request=MaterialChangeSerializer)
    def patch(self, request: Request, pk: int, material_id: int) -> Response:
        material = get_object_or_404(materials_of(request, pk), pk=material_id)
        said = MaterialChangeSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        if shown := _shown(request, said.validated_data):
            projects.replace(material, shown)
        if "place" in said.validated_data:
            projects.move(material, said.validated_data["place"])
        return Response(MaterialSerializer(get_object_or_404(materials_of(request, pk), pk=material_id)).data)

    @extend_schema(operation_id="projects_materials_remove")
    def delete(self, request: Request, pk: int, material_id: int) -> Response:
        projects.remove(get_object_or_404(materials_of(request, pk), pk=material_id))
        return Response(status=204)


def _shown(request: Request, said: Mapping[str, Any]) -> projects.Shown | None:
    """The thing of the user's own that was named, if one was. Raises ValidationError."""
    owner_id = cast(User, request.user).pk
    for kind in ("video", "still", "sound"):
        if kind not in said:
            continue
        mine = {"pk": said[kind], "owner_id": owner_id}
        found: projects.Shown | None
        if kind == "video":
            found = Video.objects.select_related("job").filter(**mine).first()
        else:
            found = Medium.objects.select_related("job").filter(kind=kind, **mine).first()
        if found is None:
            raise ValidationError({kind: f"You have no {kind} with this id."})
        return found
    return None


# -- the timeline ----------------------------------------------------------------------------------------

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag of the version that was changed; * for any."
)


class TimelineView(GenericAPIView[Any]):
    """The timeline of a project. Its ETag is the number of its version."""

    parser_classes = [StrictJSONParser]
    queryset = Project.objects.none()

    @extend_schema(
        operation_id="projects_timeline_retrieve",
        parameters=[OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The ETag known.")],
        responses={200: OpenApiTypes.OBJECT, 304: None},
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        project = get_object_or_404(projects_of(request), pk=pk)
        unchanged = get_conditional_response(request._request, etag=tag_of(project))
        return unchanged or _timeline(project)

    @extend_schema(
        operation_id="projects_timeline_save",
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT},
        parameters=[IF_MATCH],
    )
    def put(self, request: Request, pk: int) -> Response:
        project = get_object_or_404(projects_of(request), pk=pk)
        if "If-Match" not in request.headers:
            raise errors.PreconditionRequired
        document = request.data
        if request.stream is None:  # DRF takes an empty body for an empty object, which would be an empty timeline
            raise ParseError("A timeline is needed, as JSON.")
        return _timeline(projects.save(project.pk, document, expected=expected_versions(request)))


class UndoTimeline(GenericAPIView[Any]):
    """Go back to the version from which the current one was made."""

    queryset = Project.objects.none()

    @extend_schema(
        operation_id="projects_timeline_undo",
        request=None,
        responses={200: OpenApiTypes.OBJECT},
        parameters=[IF_MATCH],
    )
    def post(self, request: Request, pk: int) -> Response:
        project = get_object_or_404(projects_of(request), pk=pk)
        return _timeline(projects.undo(project.pk, expected=expected_versions(request)))


class RedoTimeline(GenericAPIView[Any]):
    """Go on to what was last made from the current version."""

    queryset = Project.objects.none()

    @extend_schema(
        operation_id="projects_timeline_redo",
        request=None,
        responses={200: OpenApiTypes.OBJECT},
        parameters=[IF_MATCH],
    )
    def post(self, request: Request, pk: int) -> Response:
        project = get_object_or_404(projects_of(request), pk=pk)
        return _timeline(projects.redo(project.pk, expected=expected_versions(request)))


class TimelineSchema(GenericAPIView[Any]):
    """The JSON Schema of a timeline."""

    queryset = Project.objects.none()

    @extend_schema(operation_id="projects_timeline_schema", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, pk: int) -> Response:
        get_object_or_404(projects_of(request), pk=pk)
        return Response(documents.schema())


def _timeline(project: Project) -> Response:
    return Response(projects.document(project), headers={"ETag": tag_of(project)})


def tag_of(project: Project) -> str:
    """The ETag of its current timeline."""
    return f'"{project.version}"'


def expected_versions(request: Request) -> set[int] | None:
    """The versions that the request is meant for; None: any. A tag that is none of ours matches nothing."""
    said = parse_etags(request.headers.get("If-Match", "*"))
    if said == ["*"]:
        return None
    numbers = {tag.strip('"') for tag in said if tag.startswith('"')}
    return {int(number) for number in numbers if number.isascii() and number.isdigit() and len(number) < 10}
