"""The chunk protocol: a thin face of videos.uploads.sessions."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework_simplejwt.authentication import JWTAuthentication

from jobs.api.options import options_of
from jobs.models import Job
from videos import errors, tasks
from videos.api import merging
from videos.api.authentication import UploadGrant, UploadTokenAuthentication
from videos.api.draft_serializers import MergeDraftSerializer, TakenSerializer, asked_of
from videos.api.media_serializers import (
    InstantSoundSerializer,
    InstantStillSerializer,
    MergedSoundSerializer,
    MergedStillSerializer,
    SoundSerializer,
    StillSerializer,
)
from videos.api.serializers import (
    BeginUploadSerializer,
    InstantSerializer,
    MergedSerializer,
    MergeSerializer,
    UploadSerializer,
    VideoSerializer,
)
from videos.drafts import intake
from videos.models import Upload
from videos.uploads import sessions
from videos.uploads.outcomes import Became

_CONTINUED_OR_KNOWN = PolymorphicProxySerializer(
    "ContinuedOrKnown",
    [UploadSerializer, InstantSerializer, InstantStillSerializer, InstantSoundSerializer],
    resource_type_field_name=None,
)
_MERGE = PolymorphicProxySerializer("MergeUpload", merging.asked, resource_type_field_name=None)
_MERGED = PolymorphicProxySerializer("MergedUpload", merging.told, resource_type_field_name=None)
_INSTANT: dict[str, type[Serializer]] = {
    Upload.Purpose.VIDEO: VideoSerializer,
    Upload.Purpose.STILL: StillSerializer,
    Upload.Purpose.SOUND: SoundSerializer,
}


def uploads_of(request: Request) -> QuerySet[Upload]:
    """The uploads that a request may touch: the user's, or the one that its token is for."""
    if isinstance(request.auth, UploadGrant):
        return Upload.objects.filter(pk=request.auth.upload_id)
    return Upload.objects.filter(owner_id=cast(User, request.user).pk)


class BeginUpload(GenericAPIView[Any]):
    """Begin an upload, or go on with an unfinished one of the same file."""

    serializer_class = BeginUploadSerializer

    @extend_schema(operation_id="uploads_begin", responses={201: UploadSerializer, 200: _CONTINUED_OR_KNOWN})
    def post(self, request: Request) -> Response:
        wish = self.get_serializer(data=request.data)
        wish.is_valid(raise_exception=True)
        begun = sessions.begin(sessions.Wish(**wish.validated_data), owner_id=cast(User, request.user).pk)
        if not isinstance(begun, sessions.Begun):
            purpose = wish.validated_data["purpose"]
            return Response({"instant": True, purpose: _INSTANT[purpose](begun).data})
        return Response(UploadSerializer(begun.upload).data, status=200 if begun.resumed else 201)


class WithToken(GenericAPIView[Any]):
    """Views that an upload's token opens, beside the user's sign-in."""

    authentication_classes = [UploadTokenAuthentication, JWTAuthentication, SessionAuthentication]
    queryset = Upload.objects.none()


class UploadView(WithToken):
    """One upload: what is there of it; give it up."""

    serializer_class = UploadSerializer

    @extend_schema(operation_id="uploads_retrieve")
    def get(self, request: Request, upload_id: uuid.UUID) -> Response:
        return Response(self.get_serializer(get_object_or_404(uploads_of(request), pk=upload_id)).data)

    @extend_schema(operation_id="uploads_abort")
    def delete(self, request: Request, upload_id: uuid.UUID) -> Response:
        sessions.abort(get_object_or_404(uploads_of(request), pk=upload_id))
        return Response(status=204)


class ChunkView(WithToken):
    """One chunk: its raw bytes, in any order, as often as you like."""

    @extend_schema(
        operation_id="uploads_put_chunk",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={204: None},
        parameters=[
            OpenApiParameter("Content-Digest", str, OpenApiParameter.HEADER, description="RFC 9530: sha-256"),
            OpenApiParameter("Content-MD5", str, OpenApiParameter.HEADER, description="base64"),
        ],
    )
    def put(self, request: Request, upload_id: uuid.UUID, index: int) -> Response:
        upload = get_object_or_404(uploads_of(request), pk=upload_id)
        # The body as it came, whatever it is said to be, and also where its length was not told.
        sessions.write(upload, index, request._request.body, request.headers)
        return Response(status=204)


class MergeChunks(WithToken):
    """All chunks are sent: the upload becomes a video, a still or a sound, a draft that is rendered, or episodes.

    The same answer when asked twice. What is wrong with a draft or a script is told at once; the upload stays then, and
    may be merged with other options: `mapping` for media that are missing, `on_missing`; another `number`.
    """

    serializer_class = MergeSerializer

    @extend_schema(operation_id="uploads_merge", request=_MERGE, responses={202: _MERGED})
    def post(self, request: Request) -> Response:
        asked = MergeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        upload = self._find(request, wanted)
        if wanted.get("chunks_total") not in (None, upload.chunks_total):
            raise errors.ChunksTotalWrong(details={"chunks_total": upload.chunks_total})
        name = wanted.get("file_name") or upload.file_name
        said = merging.Said(name=name, hashes=wanted["hashes"], callback_url=wanted["callback_url"])
        return Response(merging.merge(request, upload, said), status=202)

    def _find(self, request: Request, wanted: dict[str, Any]) -> Upload:
        uploads = uploads_of(request)
        if "upload_id" in wanted:
            return get_object_or_404(uploads, pk=wanted["upload_id"])
        for text in wanted["hashes"]:
            declared = uploads.filter(Q(file_hash=text) | Q(second_hash=text))
            if upload := declared.order_by("-created_at").first():
                return upload
        raise Http404


def _uploaded(
    request: Request, upload: Upload, said: merging.Said, *, start: Callable[..., Job]
) -> Mapping[str, Became | Job | None]:
    title = PurePath(said.name).stem or said.name
    with_callback = functools.partial(start, callback_url=said.callback_url)
    return _told(upload, sessions.complete(upload, title=title, start=with_callback, hashes=said.hashes))


def _draft(request: Request, upload: Upload, said: merging.Said) -> Mapping[str, Became | Job | None]:
    asked = MergeDraftSerializer(data=request.data, context={"request": request})
    asked.is_valid(raise_exception=True)
    wish = intake.Wish(owner_id=upload.owner_id, file_name=said.name, **asked_of(asked.validated_data))
    start = functools.partial(tasks.render, **options_of(request))
    return _told(upload, intake.take_upload(upload, wish, start=start, hashes=said.hashes))


def _told(upload: Upload, became: Became) -> Mapping[str, Became | Job | None]:
    if became.job:
        became.job.refresh_from_db()  # it has been released meanwhile
    return {upload.purpose: became, "job": became.job}


def _material(told: type[Serializer], start: Callable[..., Job]) -> merging.Merge:
    """Of what becomes a row of its own, with a job that works for it."""
    return merging.Merge(asked=MergeSerializer, told=told, make=functools.partial(_uploaded, start=start))


merging.add(Upload.Purpose.VIDEO, _material(MergedSerializer, tasks.start))
merging.add(Upload.Purpose.STILL, _material(MergedStillSerializer, tasks.prepare))
merging.add(Upload.Purpose.SOUND, _material(MergedSoundSerializer, tasks.prepare))
merging.add(Upload.Purpose.DRAFT, merging.Merge(asked=MergeDraftSerializer, told=TakenSerializer, make=_draft))
