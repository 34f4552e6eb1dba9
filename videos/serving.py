"""Serves published files to those who may see them, whole or in ranges, as players ask for them."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe
from django.views.decorators.http import require_safe
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

from videos import storage
from videos.models import Draft, Export, Medium, Video

_PIECE_BYTES = 256 * 1024
_RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")
_ODD = re.compile(r"[^\w .()-]+")
_NAME_LENGTH = 100
_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".gif": "image/gif",
    ".png": "image/png",
    ".webp": "image/webp",
    ".vtt": "text/vtt",
}


@require_safe
async def media(request: HttpRequest, video_id: int, folder: str, file: str) -> HttpResponseBase:
    """A file from the published folder of a video of the user's own; 404 for anybody else's."""
    return await answer(request, await sync_to_async(_path)(request, video_id, folder, file))


@require_safe
async def still(request: HttpRequest, medium_id: int, folder: str, file: str) -> HttpResponseBase:
    """A still of the user's own, or its thumbnail; 404 for anybody else's."""
    return await answer(request, await sync_to_async(_still)(request, medium_id, folder, file))


@require_safe
async def export(request: HttpRequest, project_id: int, job_id: uuid.UUID, ending: str) -> HttpResponseBase:
    """The file of an export of the user's own, to be kept under its project's name; 404 for anybody else's."""
    path, name = await sync_to_async(_export)(request, project_id, f"{job_id}.{ending}")
    return await answer(request, path, attachment=name)


@require_safe
async def draft(request: HttpRequest, draft_id: int, job_id: uuid.UUID, ending: str) -> HttpResponseBase:
    """The film of a draft of the user's own, to be kept under the draft's name; 404 for anybody else's."""
    path, name = await sync_to_async(_draft)(request, draft_id, f"{job_id}.{ending}")
    return await answer(request, path, attachment=name)


async def answer(request: HttpRequest, path: Path, *, attachment: str = "") -> HttpResponseBase:
    size, changed = await asyncio.to_thread(_facts, path)
    tag = f'"{size:x}-{int(changed * 1000):x}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Last-Modified": http_date(changed),
        # What is published is never changed: a new processing has a new folder, a new export a new file.
        "Cache-Control": "private, max-age=86400, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    if disposition := content_disposition_header(bool(attachment), attachment):
        headers["Content-Disposition"] = disposition
    if _is_known(request.headers.get("If-None-Match", ""), tag):
        return HttpResponse(status=304, headers=headers)
    wanted = _range(request, size, tag, changed)
    if wanted is None:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    first, last, partial = wanted
    if partial:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last - first + 1)
    headers["Content-Type"] = _type_of(path)
    status = 206 if partial else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(_pieces(path, first, last), status=status, headers=headers)


def _path(request: HttpRequest, video_id: int, folder: str, file: str) -> Path:
    owner = user_id(request)
    name = f"videos/{video_id}/{folder}"
    if owner is None or not Video.objects.filter(pk=video_id, owner_id=owner, folder=name).exists():
        raise Http404
    return servable(storage.path_of(name) / file)  # `file` has no slash: the URL's pattern sees to it


def _still(request: HttpRequest, medium_id: int, folder: str, file: str) -> Path:
    owner = user_id(request)
    name = f"stills/{medium_id}/{folder}/{file}"
    named = Medium.objects.filter(Q(file=name) | Q(thumbnail=name), pk=medium_id, owner_id=owner)
    if owner is None or not named.exists():
        raise Http404
    return servable(storage.path_of(name))


def _export(request: HttpRequest, project_id: int, file: str) -> tuple[Path, str]:
    """The file, and what it is to be called."""
    owner = user_id(request)
    found = Export.objects.select_related("project").filter(
        file=f"exports/{project_id}/{file}",
        project_id=project_id,
        project__owner_id=owner,
        project__deleted_at__isnull=True,
    )
    export = found.first() if owner is not None else None
    if export is None:
        raise Http404
    return servable(storage.path_of(export.file)), f"{_file_name(export.project.name)}.{export.format}"


def _draft(request: HttpRequest, draft_id: int, file: str) -> tuple[Path, str]:
    """The file, and what it is to be called."""
    owner = user_id(request)
    found = Draft.objects.filter(file=f"drafts/{draft_id}/{file}", owner_id=owner)
    draft = found.first() if owner is not None else None
    if draft is None:
        raise Http404
    return servable(storage.path_of(draft.file)), f"{_file_name(str(draft))}.{draft.format}"


def _file_name(name: str) -> str:
    """A name that every system takes for a file's: letters of any script, digits, and little else."""
    return _ODD.sub("_", name).strip(" ._-")[:_NAME_LENGTH] or "export"


def servable(path: Path) -> Path:
    try:
        servable = path.is_file() and not path.is_symlink()
    except (OSError, ValueError):  # longer than a name can be, or none at all
        servable = False
    if not servable:
        raise Http404
    return path


def user_id(request: HttpRequest) -> int | None:
    """Who asks: by session, as browsers do, or by access token."""
    if isinstance(request.user, User) and request.user.is_active:
        return int(request.user.pk)
    try:
        signed_in = JWTAuthentication().authenticate(Request(request))
    except APIException:
        return None
    return int(signed_in[0].pk) if signed_in else None


def _facts(path: Path) -> tuple[int, float]:
    found = path.stat()
    return found.st_size, found.st_mtime


def _is_known(said: str, tag: str) -> bool:
    """Whether one of the tags that the client has is this one; RFC 9110, 13.1.2, compares weakly."""
    return said.strip() == "*" or tag in {known.strip().removeprefix("W/") for known in said.split(",")}


def _range(request: HttpRequest, size: int, tag: str, changed: float) -> tuple[int, int, bool] | None:
    """First and last byte to send, and whether that is what was asked for; None for a range beyond the end.

    A range that can't be read, or is of a file that has changed, counts as none: the whole file.
    """
    whole = (0, size - 1, False)
    said = _RANGE.match(request.headers.get("Range", ""))
    if not said or not _still_the_same(request.headers.get("If-Range"), tag, changed):
        return whole
    start, end = said.groups()
    if (not start and not end) or (start and end and int(end) < int(start)):
        return whole
    if not start:  # the last so many bytes
        count = int(end)
        return (max(0, size - count), size - 1, True) if count and size else None
    first, last = int(start), min(int(end or size - 1), size - 1)
    return (first, last, True) if first <= last else None


def _still_the_same(condition: str | None, tag: str, changed: float) -> bool:
    if condition is None or condition == tag:
        return True
    date = parse_http_date_safe(condition)
    return date is not None and date == int(changed)


def _type_of(path: Path) -> str:
    return _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


async def _pieces(path: Path, first: int, last: int) -> AsyncIterator[bytes]:
    file: BinaryIO = await asyncio.to_thread(path.open, "rb")
    try:
        position = first
        while position <= last:
            piece = await asyncio.to_thread(os.pread, file.fileno(), min(_PIECE_BYTES, last + 1 - position), position)
            if not piece:
                return
            position += len(piece)
            yield piece
    finally:
        file.close()
