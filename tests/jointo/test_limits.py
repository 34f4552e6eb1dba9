"""Bodies that are larger than anything Jointo takes are cut off, announced or not, and the server goes on."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken

from jointo import limits
from tests.builders import make_user
from tests.stack import Stack

pytestmark = pytest.mark.stack

LIMIT = settings.REQUEST_MAX_BYTES


def heads(path: str, *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer_to(address: str, head: bytes, pieces: Iterator[bytes]) -> tuple[int, str, bool]:
    """Status and code of the answer to a request that goes on sending; and whether the server then hung up."""
    url = urlsplit(address)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=15) as line:
        line.sendall(head)
        try:
            for piece in pieces:
                line.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough
        text, hung_up = b"", False
        while b"}}" not in text:
            text += (more := line.recv(65536))
            if not more:
                break
        try:
            hung_up = line.recv(1) == b""
        except (ConnectionResetError, TimeoutError) as error:
            hung_up = isinstance(error, ConnectionResetError)
    head_text, _, body = text.partition(b"\r\n\r\n")
    return int(head_text.split()[1]), json.loads(body)["error"]["code"], hung_up


def chunked(total: int, piece: int = 64 * 1024) -> Iterator[bytes]:
    for _ in range(0, total, piece):
        yield f"{piece:x}\r\n".encode() + b"x" * piece + b"\r\n"
    yield b"0\r\n\r\n"


def test_a_body_beyond_the_limit_is_413_however_it_comes(stack: Stack) -> None:
    token = f"Authorization: Bearer {AccessToken.for_user(make_user())}"
    _, address = stack.web()
    path = "/api/videos/merge-chunks/"
    refused = (413, "body_too_large", True)

    announced = heads(path, f"Content-Length: {10**12}")
    assert answer_to(address, announced, iter(())) == refused
    assert answer_to(address, heads(path, f"Content-Length: {LIMIT + 1}"), iter(())) == refused
    assert answer_to(address, heads(path, "Transfer-Encoding: chunked"), chunked(2 * LIMIT)) == refused
    # Also one that is never asked who it is, and that goes on and on.
    assert answer_to(address, heads("/", "Transfer-Encoding: chunked"), chunked(8 * LIMIT))[:2] == refused[:2]

    def status(head: bytes, pieces: Iterator[bytes]) -> tuple[int, str]:
        return answer_to(address, head, pieces)[:2]

    body = b'{"file_name": "' + b"x" * (LIMIT - 17) + b'"}'
    close = "Connection: close"
    assert len(body) == LIMIT
    assert status(heads(path, token, close, f"Content-Length: {LIMIT}"), iter([body])) == (400, "invalid")
    few = chunked(LIMIT // 2, 16 * 1024)
    assert status(heads(path, token, close, "Transfer-Encoding: chunked"), few) == (400, "malformed_body")


@pytest.mark.parametrize("header", ["Content-Type: a/b; x*=nope''y", "Accept: text/html, a/b; q*=nope''y"])
def test_a_header_that_django_stumbles_over_is_refused_in_the_one_shape(stack: Stack, header: str) -> None:
    _, address = stack.web()
    head = f"GET /health/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n".encode()
    assert answer_to(address, head, iter(()))[:2] == (400, "bad_request")


def test_a_timeline_may_be_as_large_as_a_chunk() -> None:
    # In the tests a chunk is smaller than any other body may be; so the rule itself is looked at.
    assert limits.may_be_large("/api/projects/12/timeline/")
    assert limits.may_be_large("/api/projects/12/timeline/otio/")
    assert limits.may_be_large("/api/projects/12/timeline/subtitles/")
    assert limits.may_be_large("/api/videos/uploads/x/chunks/0/")
    for path in (
        "/api/projects/",
        "/api/projects/12/",
        "/api/projects/1/2/timeline/",
        "/api/projects/12/timeline/undo/",
    ):
        assert not limits.may_be_large(path), path
