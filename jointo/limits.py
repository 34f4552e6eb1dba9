"""Cuts off request bodies that are larger than anything Jointo takes, before a byte of them is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.utils.http import parse_header_parameters

from jointo.errors import body

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


_LARGE = re.compile(
    r"^/api/(videos/uploads/[^/]+/chunks/[^/]+|drafts|episodes(/[^/]+)?"
    r"|projects/[^/]+/(timeline(/otio|/subtitles)?|episodes))/$"
)
_ANYTHING_ELSE = 1 << 20  # bytes; a form or a piece of JSON
_CHARSETS = {"utf-8", "utf8", "us-ascii"}  # Python has codecs that are none for text, and would fail on them


def may_be_large(path: str) -> bool:
    """Whether a body that goes there may be as large as a chunk: long timelines are, drafts and scripts."""
    return bool(_LARGE.match(path))


class _TooLarge(Exception):
    pass


class BodyLimit:
    """ASGI middleware: 413 for a body beyond `max_bytes`, announced or not.

    Django reads a whole body before its view runs, and would fill memory or disk with one that never ends.
    """

    def __init__(self, application: Application, *, max_bytes: int) -> None:
        self._application = application
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            _, said = _parsed(headers.get(b"content-type", b""))
            for kind in headers.get(b"accept", b"").split(b","):
                _parsed(kind)
        except (ValueError, LookupError):
            await _refuse(send, 400, "bad_request", "The header Content-Type or Accept can't be read.", {})
            return
        if said.get("charset", "utf-8").lower() not in _CHARSETS:
            await _refuse(send, 415, "unsupported_charset", "Text has to come as UTF-8.", {})
            return
        limit = self._max_bytes if may_be_large(scope["path"]) else min(self._max_bytes, _ANYTHING_ELSE)
        announced = headers.get(b"content-length", b"0").strip()
        if not announced.isdigit() or int(announced) > limit:
            await _refuse_size(send, limit)
            return
        taken = 0

        async def count() -> MutableMapping[str, Any]:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise _TooLarge
            return message

        try:
            await self._application(scope, count, send)
        except _TooLarge:
            await _refuse_size(send, limit)


def _parsed(header: bytes) -> tuple[str, dict[str, str]]:
    """As Django will, where nobody would tell the client what it stumbled over. Raises ValueError, LookupError."""
    return parse_header_parameters(header.decode("latin-1"))


async def _refuse_size(send: Send, limit: int) -> None:
    sentence = f"A request like this may have at most {limit} bytes. Send files in chunks."
    await _refuse(send, 413, "body_too_large", sentence, {"max_bytes": limit})


async def _refuse(send: Send, status: int, code: str, sentence: str, details: dict[str, Any]) -> None:
    text = json.dumps(body(code, sentence, details)).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(text)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


@sync_and_async_middleware
def announce_length(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Django middleware: tell the length of a body that came without one, in pieces; DRF takes it for empty else."""

    def told(request: HttpRequest) -> HttpRequest:
        if "CONTENT_LENGTH" not in request.META and request.headers.get("Transfer-Encoding"):
            request.META["CONTENT_LENGTH"] = str(len(request.body))
        return request

    if iscoroutinefunction(get_response):

        async def later(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase = await get_response(told(request))
            return response

        return later
    return lambda request: get_response(told(request))
