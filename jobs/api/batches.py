"""The API of batches: make one, list, look, cancel, retry what failed. A user sees only what is theirs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import arguments, batches, kinds
from jobs.api.batch_serializers import (
    BatchDetailSerializer,
    BatchSerializer,
    MadeBatchSerializer,
    NewBatchSerializer,
    RetrySerializer,
)
from jobs.api.pagination import NewestFirst
from jobs.api.serializers import JobSerializer
from jobs.errors import BadInput
from jobs.models import Batch, FailurePolicy, Job
from jobs.status import JobStatus

_KEY_LENGTH = 255


class KindNotAllowed(BadInput):
    """Nobody may make batches of it, or there is no such kind."""

    code = "kind_not_allowed"
    status = 403
    message = "Jobs of this kind can't be asked for in a batch."


class BadMember(BadInput):
    """The arguments of one member do not fit; `details` says of which, and why."""

    code = "bad_member"
    message = "The arguments of a job of the batch do not fit its kind."


class MemberNotAllowed(BadInput):
    """One member is about something that is not the user's; `details` says which."""

    code = "member_not_allowed"
    status = 403
    message = "A job of the batch is about something that is not yours."


class DuplicateSubject(BadInput):
    """Two members are about the same thing; `details` says which."""

    code = "duplicate_subject"
    message = "Several jobs of the batch are about the same thing. Ask for one job about each."


class KeyTooLong(BadInput):
    code = "idempotency_key_too_long"
    status = 400
    message = "An Idempotency-Key may have at most 255 characters."


class BatchFilter(django_filters.FilterSet):  # type: ignore[misc]  # a package without types
    """Filters of the list."""

    ended = django_filters.BooleanFilter(field_name="ended_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Batch
        fields: ClassVar = ["name"]


class MemberFilter(django_filters.FilterSet):  # type: ignore[misc]  # a package without types
    """Filters of a batch's jobs."""

    status = django_filters.MultipleChoiceFilter(choices=[(s.value, s.value) for s in JobStatus], distinct=False)

    class Meta:
        model = Job
        fields: ClassVar = ["status", "kind", "error_code"]


class ById(CursorPagination):
    """In the order of ids, which is none: ten thousand jobs that were recorded at one time have no other."""

    ordering = ("id",)
    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Cursor | None:
        """As DRF's, but a position that is no id is a malformed cursor too."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                uuid.UUID(str(cursor.position))
            except ValueError as error:
                raise NotFound(self.invalid_cursor_message) from error
        return cursor


def batches_of(request: Request) -> QuerySet[Batch]:
    """The batches that a request may see."""
    return Batch.objects.filter(owner_id=cast(User, request.user).pk)


class BatchList(ListAPIView[Batch]):
    """Your batches, newest first; and new ones."""

    serializer_class = BatchSerializer
    pagination_class = NewestFirst
    filterset_class = BatchFilter
    queryset = Batch.objects.none()  # for the schema; the rows come from get_queryset

    def get_queryset(self) -> QuerySet[Batch]:
        return batches_of(self.request)

    @extend_schema(
        request=NewBatchSerializer,
        responses={202: MadeBatchSerializer},
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
    )
    def post(self, request: Request) -> Response:
        """Make a batch: as many jobs of one kind as `members` has, each with its own arguments.

        Only kinds that allow it, only about what is yours, and only one job about each thing. The same Idempotency-Key
        gives the same batch.
        """
        asked = NewBatchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        if len(said["members"]) > batches.LARGEST:
            raise batches.BatchTooLarge
        user_id = cast(User, request.user).pk
        kind = _kind(said["kind"])
        each = _checked(kind, said["members"], user_id=user_id)
        batch = batches.create(
            kind,
            [((), kwargs) for kwargs in each],
            owner_id=user_id,
            name=said.get("name", ""),
            on_failure=FailurePolicy(said.get("on_failure", FailurePolicy.GO_ON)),
            callback_url=said.get("callback_url", ""),
            idempotency_key=_key(request),
        )
        return Response(MadeBatchSerializer(batch).data, status=202)


class BatchView(GenericAPIView[Batch]):
    """One of your batches."""

    serializer_class = BatchDetailSerializer
    queryset = Batch.objects.none()

    @extend_schema(operation_id="batches_retrieve")
    def get(self, request: Request, batch_id: uuid.UUID) -> Response:
        return Response(self.get_serializer(get_object_or_404(batches_of(request), pk=batch_id)).data)


class BatchJobs(ListAPIView[Job]):
    """The jobs of one of your batches."""

    serializer_class = JobSerializer
    pagination_class = ById
    filterset_class = MemberFilter
    queryset = Job.objects.none()

    def get_queryset(self) -> QuerySet[Job]:
        if getattr(self, "swagger_fake_view", False):
            return Job.objects.none()
        return Job.objects.filter(batch=get_object_or_404(batches_of(self.request), pk=self.kwargs["batch_id"]))


class CancelBatch(GenericAPIView[Batch]):
    """Cancel all jobs of a batch that have not ended: waiting ones never start, running ones stop."""

    serializer_class = BatchDetailSerializer
    queryset = Batch.objects.none()

    @extend_schema(request=None, responses={202: BatchDetailSerializer})
    def post(self, request: Request, batch_id: uuid.UUID) -> Response:
        batch = get_object_or_404(batches_of(request), pk=batch_id)
        batches.cancel(batch, by=cast(User, request.user).get_username())
        batch.refresh_from_db()
        return Response(self.get_serializer(batch).data, status=202)


class RetryFailed(GenericAPIView[Batch]):
    """Retry the jobs of a batch that failed; the batch is open again until they have ended."""

    serializer_class = BatchDetailSerializer
    queryset = Batch.objects.none()

    @extend_schema(request=RetrySerializer, responses={202: BatchDetailSerializer})
    def post(self, request: Request, batch_id: uuid.UUID) -> Response:
        batch = get_object_or_404(batches_of(request), pk=batch_id)
        said = RetrySerializer(data=request.data or {})
        said.is_valid(raise_exception=True)
        by = cast(User, request.user).get_username()
        batches.retry_failed(batch, by=by, cancelled=said.validated_data["cancelled"])
        batch.refresh_from_db()
        return Response(self.get_serializer(batch).data, status=202)


def _kind(name: str) -> Any:
    """A kind that users may make batches of."""
    kind: Any = kinds.find(name)
    if kind is None or not kind.may:
        raise KindNotAllowed
    return kind


def _checked(kind: Any, asked: Sequence[Any], *, user_id: int) -> list[Mapping[str, Any]]:
    """The arguments of all members.

    Raises BadMember, MemberNotAllowed, DuplicateSubject for the first that is not all right in that way.
    """
    said = [_arguments(index, member) for index, member in enumerate(asked)]
    named: list[Mapping[str, Any]] = []
    for index, kwargs in enumerate(said):
        try:
            named.append(arguments.named(kind, (), kwargs))
            arguments.check(kind, named[-1])
        except TypeError as error:
            raise _bad(index, error) from error
    for index, allowed in enumerate(_allowed(kind, named, user_id=user_id)):
        if not allowed:
            raise MemberNotAllowed(
                f"Job {index} of the batch is about something that is not yours.", details={"index": index}
            )
    first: dict[str, int] = {}
    for index, subject in enumerate(map(kind.subject_of, named)):
        if subject and first.setdefault(subject, index) != index:
            raise DuplicateSubject(
                f"Job {index} of the batch is about the same as job {first[subject]}. Ask for one job about each.",
                details={"index": index, "first": first[subject]},
            )
    return said


def _arguments(index: int, member: Any) -> Mapping[str, Any]:
    kwargs = member.get("kwargs", {}) if isinstance(member, dict) and member.keys() <= {"kwargs"} else None
    if not isinstance(kwargs, dict):
        problem = f'Job {index} of the batch is not of the form {{"kwargs": {{…}}}}.'
        raise BadMember(problem, details={"index": index})
    return kwargs


def _allowed(kind: Any, named: Sequence[Mapping[str, Any]], *, user_id: int, first: int = 0) -> Sequence[bool]:
    """For each member from the `first` on, whether the user may have it done. Raises BadMember."""
    try:
        return cast(Sequence[bool], kind.allows_each(user_id, named))
    except (TypeError, ValueError) as error:
        if len(named) == 1:
            raise _bad(first, error) from error
    half = len(named) // 2  # which of them it is, in a few looks
    return [
        *_allowed(kind, named[:half], user_id=user_id, first=first),
        *_allowed(kind, named[half:], user_id=user_id, first=first + half),
    ]


def _bad(index: int, error: Exception) -> BadMember:
    problem = f"Job {index} of the batch has arguments that do not fit: {error}."
    return BadMember(problem, details={"index": index, "problem": str(error)})


def _key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key and len(key) > _KEY_LENGTH:
        raise KeyTooLong
    return key or None
