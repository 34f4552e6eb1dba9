"""The requests themselves: check, post, download."""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpcore
import httpx

from jobs.errors import JointoError
from jobs.outbound.connections import CheckedBackend, Deadline, Resolver, tls_context
from jobs.outbound.errors import (
    OutboundFailed,
    OutboundRedirected,
    OutboundRejected,
    OutboundTooLarge,
    OutboundUnreachable,
    OutboundUnreadable,
)
from jobs.outbound.urls import Target

MAX_RETRY_AFTER_SECONDS = 3600.0  # a stranger's server does not park a job for a year
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429})  # the client errors that say: later


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer, whatever its status. `headers` by lower-case name; `body` cut off at what was to be kept."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """For how many seconds the server wants to be left alone, if it says so in seconds."""
        return _seconds(self.headers.get("retry-after", ""))


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    """What was written: its bytes counted, and its type as the server claims ("" if it says none)."""

    size: int
    content_type: str


def check(
    url: str, *, allow: Sequence[str] = (), timeout_seconds: float = 5.0, resolve: Resolver | None = None
) -> None:
    """Whether the URL may be fetched, without connecting: for what a user just typed.

    It looks the name up, so it can take up to `timeout_seconds`. That it passed is no promise: each fetch
    checks again. Raises UrlRefused, HostUnknown, OutboundUnreachable or OutboundTimeout; ValueError for an
    `allow` that makes no sense.
    """
    backend = CheckedBackend(Deadline(timeout_seconds), allow=allow, resolve=resolve)
    target = Target.of(url)
    backend.admit(target.host, target.port)


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout_seconds: float = 15.0,
    allow: Sequence[str] = (),
    keep_bytes: int = 16 * 1024,
    resolve: Resolver | None = None,
) -> Response:
    """Send the body and give the answer, whatever its status, with the first `keep_bytes` of its body as sent.

    `timeout_seconds` bounds the whole exchange, from the look-up of the name to the last byte read. A
    redirect is not followed: OutboundRedirected. Raises the other errors of this module but those of a download.
    """
    backend = CheckedBackend(Deadline(timeout_seconds), allow=allow, resolve=resolve)
    with _exchange("POST", Target.of(url), backend=backend, headers=headers, body=body) as response:
        if response.status in _REDIRECTS:
            raise OutboundRedirected(details={"status": response.status})
        kept = bytearray()
        for chunk in _chunks(response):
            kept += chunk[: keep_bytes - len(kept)]
            if len(kept) >= keep_bytes:
                break
        return Response(status=response.status, headers=_headers(response), body=bytes(kept))


def download(
    url: str,
    *,
    to: BinaryIO | Path,
    max_bytes: int,
    timeout_seconds: float,
    redirects: int = 3,
    allow: Sequence[str] = (),
    resolve: Resolver | None = None,
) -> Downloaded:
    """Write what the URL gives to a file, at most `max_bytes` of it, unpacked if it was sent as gzip.

    `timeout_seconds` bounds it all, redirects included. A path is written anew, and is gone after a failure; a file
    object keeps what had come. Raises any error of this module.
    """
    if isinstance(to, Path):
        try:
            with to.open("wb") as file:
                return download(
                    url,
                    to=file,
                    max_bytes=max_bytes,
                    timeout_seconds=timeout_seconds,
                    redirects=redirects,
                    allow=allow,
                    resolve=resolve,
                )
        except BaseException:
            to.unlink(missing_ok=True)
            raise
    backend = CheckedBackend(Deadline(timeout_seconds), allow=allow, resolve=resolve)
    for _ in range(redirects + 1):
        with _exchange("GET", Target.of(url), backend=backend, headers={}) as response:
            if response.status not in _REDIRECTS:
                return _save(response, to=to, max_bytes=max_bytes)
            url = _location(response, url)
    raise OutboundRedirected


@contextlib.contextmanager
def _exchange(
    method: str, target: Target, *, backend: CheckedBackend, headers: Mapping[str, str], body: bytes = b""
) -> Iterator[httpcore.Response]:
    """One request and the beginning of its answer, on a connection of its own."""
    sent = {"user-agent": "Jointo", "accept": "*/*"} | {name.lower(): value for name, value in headers.items()}
    sent |= {"host": target.authority, "accept-encoding": "identity", "connection": "close"}
    if method == "POST":
        sent["content-length"] = str(len(body))
    context = tls_context() if target.scheme == "https" else None
    try:
        with (
            httpcore.ConnectionPool(ssl_context=context, network_backend=backend) as pool,
            pool.stream(method, target.url, headers=list(sent.items()), content=body or None) as response,
        ):
            yield response
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
        raise OutboundUnreachable from error


def _chunks(response: httpcore.Response) -> Iterator[bytes]:
    """The answer's body, as sent, in pieces of at most 64 KiB."""
    yield from response.iter_stream()


def _headers(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def _location(response: httpcore.Response, url: str) -> str:
    """Where a redirect leads; from https never back to http, where anybody on the way could answer."""
    try:
        following = httpx.URL(url).join(_headers(response).get("location", ""))
    except (httpx.InvalidURL, ValueError) as error:
        raise OutboundRedirected("The URL redirects to something that is no URL: give another one.") from error
    if url.lower().startswith("https:") and following.scheme == "http":
        raise OutboundRedirected("The URL redirects from https to http: give one that stays with https.")
    return str(following)


def _save(response: httpcore.Response, *, to: BinaryIO, max_bytes: int) -> Downloaded:
    headers = _headers(response)
    if response.status not in (200, 203):
        raise _failure(response.status, headers.get("retry-after", ""))
    if headers.get("content-length", "").isdecimal() and int(headers["content-length"]) > max_bytes:
        raise OutboundTooLarge(details={"max_bytes": max_bytes})
    size = 0
    for chunk in _unpacked(_chunks(response), encoding=headers.get("content-encoding", ""), limit=max_bytes + 1):
        size += len(chunk)
        if size > max_bytes:
            raise OutboundTooLarge(details={"max_bytes": max_bytes})
        to.write(chunk)
    return Downloaded(size=size, content_type=headers.get("content-type", ""))


def _failure(status: int, retry_after: str) -> JointoError:
    details = {"status": status}
    if status < 500 and status not in _PASSING:
        return OutboundRejected(details=details)
    return OutboundFailed(details=details, retry_after=_seconds(retry_after))


def _seconds(retry_after: str) -> float | None:
    return min(float(retry_after), MAX_RETRY_AFTER_SECONDS) if re.fullmatch(r"[0-9]{1,9}", retry_after) else None


def _unpacked(chunks: Iterable[bytes], *, encoding: str, limit: int) -> Iterator[bytes]:
    """The chunks as they were before a server packed them unasked; no more than `limit` bytes from one chunk.

    A chunk that would give more than that is cut there, which is over the caller's limit already: the bomb is
    noticed before it has gone off.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from chunks
        return
    if encoding not in ("gzip", "x-gzip"):
        raise OutboundUnreadable
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        for chunk in chunks:
            yield unpacking.decompress(chunk, limit)
    except zlib.error as error:
        raise OutboundUnreadable from error
    if not unpacking.eof:
        raise OutboundUnreachable
