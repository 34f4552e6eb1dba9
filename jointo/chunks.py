"""The quick way in for chunks: their bytes go from the socket into one buffer, and from there to their place.

Django reads a request's body whole, in a thread and with a database connection of each request's own; for eight
megabytes at a time that costs more than the writing. So a PUT of a chunk that shows its upload's token is taken
here, and ends in the same `sessions.write`. Everything else about uploads, and chunks sent under a sign-in, goes
through Django. docs/decisions/0004 has the figures.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.utils.datastructures import CaseInsensitiveMapping

from jobs.errors import JointoError
from jointo.errors import body
from jointo.limits import Application, Receive, Scope, Send
from videos.errors import UploadTokenInvalid
from videos.models import Upload
from videos.uploads import sessions, tokens

logger = logging.getLogger(__name__)

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PATH = re.compile(rf"^/api/videos/uploads/({_UUID})/chunks/([0-9]{{1,9}})/$")
_THREADS = 4  # as many chunks are written at once; each has a connection to the database that lasts
_SPARE_BUFFERS = 8
_HEADERS = {401: (b"www-authenticate", b"Upload-Token"), 503: (b"retry-after", b"5")}


class NotFound(JointoError):
    """The token is for another upload, or the upload is gone."""

    code = "not_found"
    status = 404
    message = "There is nothing of yours at this address."


class BodyCutShort(Exception):
    """The client went away in the middle."""


class ChunkDoor:
    """ASGI middleware that takes the chunks, and hands on everything else."""

    def __init__(self, application: Application, *, chunk_bytes: int) -> None:
        self._application = application
        self._chunk_bytes = chunk_bytes
        self._spare: list[bytearray] = []
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="chunks")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _PATH.match(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        headers: Mapping[str, str] = _headers(scope) if found else {}
        length = headers.get("Content-Length", "")
        if not found or not headers.get("Upload-Token") or not length.isdigit() or int(length) > self._chunk_bytes:
            await self._application(scope, receive, send)
            return
        try:
            await self._take(found.groups(), int(length), headers, receive)
        except BodyCutShort:
            return
        except JointoError as error:
            await _answer(
                send, error.status, body(error.code, error.message, error.details), _HEADERS.get(error.status)
            )
        except (DatabaseError, InterfaceError):
            logger.exception("the database did not answer")
            sentence = "The database does not answer at the moment. Try again in a few seconds."
            await _answer(send, 503, body("unavailable", sentence), _HEADERS[503])
        except Exception:  # what Django does for its views: written down, and told in our shape
            logger.exception("a chunk could not be taken")
            sentence = "Something went wrong on our side. It has been written down."
            await _answer(send, 500, body("server_error", sentence))
        else:
            await _answer(send, 204, None)

    async def _take(
        self, address: tuple[str | Any, ...], length: int, headers: Mapping[str, str], receive: Receive
    ) -> None:
        upload_id, index = uuid.UUID(address[0]), int(address[1])
        if tokens.read(headers["Upload-Token"]) != upload_id:  # before a byte is kept
            raise NotFound
        buffer = self._spare.pop() if self._spare else bytearray(self._chunk_bytes)
        try:
            data = await _fill(memoryview(buffer)[:length], receive)
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, _write, upload_id, index, data, headers)
        finally:
            if len(self._spare) < _SPARE_BUFFERS:
                self._spare.append(buffer)


async def _fill(room: memoryview, receive: Receive) -> memoryview:
    """Read a body of just that length."""
    filled, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyCutShort
        piece = message.get("body", b"")
        room[filled : filled + len(piece)] = piece
        filled += len(piece)
        more = message.get("more_body", False)
    return room


def _write(upload_id: uuid.UUID, index: int, data: memoryview, headers: Mapping[str, str]) -> None:
    try:
        upload = Upload.objects.filter(pk=upload_id, owner__is_active=True).first()
        if upload is None:
            raise UploadTokenInvalid
        sessions.write(upload, index, data, headers)
    except (DatabaseError, InterfaceError):
        connection.close()  # it may be stale: the next chunk gets a new one
        raise


def _headers(scope: Scope) -> Mapping[str, str]:
    said = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return CaseInsensitiveMapping(said)


async def _answer(send: Send, status: int, content: Any, header: tuple[bytes, bytes] | None = None) -> None:
    text = json.dumps(content).encode() if content else b""
    headers = [(b"content-length", str(len(text)).encode())] if text else []
    headers += [header] if header else []
    if text:
        headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
