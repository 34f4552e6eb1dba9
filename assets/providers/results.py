"""Pictures on their way to a service, and what it made on the way back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from assets.providers.base import Picture, Result

_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
_DEEPEST = 6


def media_type(data: bytes) -> str:
    """By the first bytes; services take no others than these."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES.items() if data.startswith(start)), "application/octet-stream")


def as_url(picture: Picture) -> str:
    """A picture where a service wants a URL: bytes become one of the kind `data:`."""
    if isinstance(picture, str):
        return picture
    return f"data:{media_type(picture)};base64,{base64.b64encode(picture).decode('ascii')}"


def found(output: Any) -> tuple[Result, ...]:
    """The files that an output names, in its order: URLs, or what is in them, wherever they stand."""
    return tuple(_found(output, _DEEPEST))


def _found(output: Any, depth: int) -> Iterator[Result]:
    if isinstance(output, str):
        yield from _of_url(output)
    elif depth and isinstance(output, list):
        for entry in output:
            yield from _found(entry, depth - 1)
    elif depth and isinstance(output, dict):
        url = output.get("url")
        if isinstance(url, str):
            kind = output.get("content_type")
            yield from _of_url(url, kind if isinstance(kind, str) else "")
            return
        if data := decoded(output.get("b64_json")):
            yield Result(data=data, media_type=media_type(data))
            return
        for entry in output.values():
            yield from _found(entry, depth - 1)


def _of_url(url: str, kind: str = "") -> Iterator[Result]:
    if url.startswith(("https://", "http://")):
        yield Result(url=url, media_type=kind)
    elif url.startswith("data:"):
        head, _, text = url[len("data:") :].partition(",")
        data = decoded(text) if head.endswith(";base64") else None
        if data:
            yield Result(data=data, media_type=kind or head.removesuffix(";base64"))


def decoded(text: Any) -> bytes | None:
    """What base64 stands for; None if it is none."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None
