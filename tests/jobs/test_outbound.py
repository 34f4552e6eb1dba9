"""Fetching what users ask for: not for ever, and not without end."""

from __future__ import annotations

import gzip
import io
import socket
import threading
import time
import tracemalloc
from pathlib import Path

import pytest

from jobs import outbound
from jobs.errors import Remedy
from tests.environment import free_port
from tests.servers.scripted import OK, Handler, dripping, hanging, redirecting, saying, serving

HERE = ["127.0.0.1"]
PUBLIC = "93.184.215.14"


def post(url: str, *, body: bytes = b"{}", **options: object) -> outbound.Response:
    given = {"headers": {"Content-Type": "application/json"}, "allow": HERE, "timeout_seconds": 10.0} | options
    return outbound.post(url, body=body, **given)  # type: ignore[arg-type]


def download(url: str, *, max_bytes: int = 1000, **options: object) -> bytes:
    file = io.BytesIO()
    given = {"allow": HERE, "timeout_seconds": 10.0} | options
    done = outbound.download(url, to=file, max_bytes=max_bytes, **given)  # type: ignore[arg-type]
    assert done.size == len(file.getvalue())
    return file.getvalue()


def test_a_post_sends_body_and_headers_and_gives_the_answer() -> None:
    with serving(saying(b"HTTP/1.1 201 Made\r\nX-Id: 7\r\ncontent-length: 2\r\n\r\nok")) as server:
        answer = post(f"{server.url}/hook?a=b", body=b'{"x": 1}')
    assert (answer.status, answer.headers["x-id"], answer.body) == (201, "7", b"ok")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == b'{"x": 1}'
    assert head.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert f"\r\nhost: 127.0.0.1:{server.port}\r\n".encode() in head
    assert b"\r\ncontent-type: application/json" in head
    assert b"\r\ncontent-length: 8" in head


def test_a_failing_server_is_an_answer_to_a_post_with_its_status() -> None:
    with serving(saying(b"HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\noops")) as server:
        answer = post(server.url)
    assert (answer.status, answer.body) == (500, b"oops")


def test_of_an_endless_answer_to_a_post_only_the_beginning_is_read() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"y" * 65536)

    with serving(endless) as server:
        assert post(server.url, keep_bytes=10).body == b"y" * 10


def test_a_redirect_of_a_post_is_a_failure_and_goes_nowhere() -> None:
    with serving(saying(OK)) as inner, serving(redirecting(inner.url, 307)) as server:
        with pytest.raises(outbound.OutboundRedirected) as failed:
            post(server.url)
        assert inner.connections == 0
    assert (failed.value.code, failed.value.details) == ("outbound_redirected", {"status": 307})


@pytest.mark.parametrize(
    "handler",
    [
        hanging,
        dripping(b""),
        dripping(b"HTTP/1.1 200 OK\r\nx: "),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n"),
        dripping(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nx:"),
    ],
    ids=["hangs", "drips from the start", "drips headers", "drips the body", "drips after early hints"],
)
def test_a_server_that_hangs_or_drips_is_left_at_the_deadline(handler: Handler) -> None:
    with serving(handler) as server:
        for fetch in (post, download):
            began = time.monotonic()
            with pytest.raises(outbound.OutboundTimeout):
                fetch(server.url, timeout_seconds=0.4)
            assert 0.3 < time.monotonic() - began < 60  # it would hang, or drip, for ever


def test_a_server_that_reads_nothing_is_left_at_the_deadline() -> None:
    let_go = threading.Event()

    def deaf(connection: socket.socket) -> None:
        let_go.wait(60)

    with serving(deaf, read=False) as server:
        with pytest.raises(outbound.OutboundTimeout):
            post(server.url, body=bytes(50_000_000), timeout_seconds=0.4)
        let_go.set()


def test_a_server_that_never_ends_its_tls_handshake_is_left_at_the_deadline() -> None:
    with serving(hanging, read=False) as server, pytest.raises(outbound.OutboundTimeout):
        post(f"https://127.0.0.1:{server.port}", timeout_seconds=0.4)


def test_a_name_server_that_hangs_is_left_at_the_deadline() -> None:
    let_go = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        let_go.wait(60)
        return [PUBLIC]

    with pytest.raises(outbound.OutboundTimeout):
        outbound.check("http://example.org/", timeout_seconds=0.2, resolve=resolve)
    let_go.set()


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", b"HTTP/1.1 200 O"],
    ids=["nothing", "no HTTP", "broken off", "broken off in the head"],
)
def test_an_answer_that_is_none_is_worth_another_try(answer: bytes) -> None:
    with serving(saying(answer)) as server:
        for fetch in (post, download):
            with pytest.raises(outbound.OutboundUnreachable) as failed:
                fetch(server.url)
            assert failed.value.remedy is Remedy.RETRY


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with pytest.raises(outbound.OutboundUnreachable):
        post(f"http://127.0.0.1:{free_port()}/")


def test_a_download_is_written_and_its_type_told(tmp_path: Path) -> None:
    with serving(saying(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 3\r\n\r\nPNG")) as server:
        done = outbound.download(server.url, to=tmp_path / "a", max_bytes=3, timeout_seconds=5, allow=HERE)
    assert (tmp_path / "a").read_bytes() == b"PNG"
    assert (done.size, done.content_type) == (3, "image/png")


@pytest.mark.parametrize(
    "head",
    [b"content-length: 5000\r\n", b"", b"transfer-encoding: chunked\r\n"],
    ids=["said before", "without a length", "chunked"],
)
def test_a_download_that_is_too_large_is_stopped_and_leaves_no_file(tmp_path: Path, head: bytes) -> None:
    body = b"1388\r\n" + bytes(5000) + b"\r\n0\r\n\r\n" if b"chunked" in head else bytes(5000)
    with serving(saying(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)) as server:
        with pytest.raises(outbound.OutboundTooLarge):
            outbound.download(server.url, to=tmp_path / "a", max_bytes=4999, timeout_seconds=5, allow=HERE)
        assert not (tmp_path / "a").exists()
        assert len(download(server.url, max_bytes=5000)) == 5000


def packed(body: bytes, *, encoding: str = "gzip") -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\n\r\n".encode() + body


def test_an_answer_packed_as_gzip_unasked_is_unpacked() -> None:
    with serving(saying(packed(gzip.compress(b"draft" * 100)))) as server:
        assert download(server.url) == b"draft" * 100
    assert b"accept-encoding: identity" in server.requests[0]


def test_a_gzip_bomb_is_stopped_before_it_goes_off() -> None:
    bomb = gzip.compress(bytes(100_000_000))
    with serving(saying(packed(bomb))) as server:
        tracemalloc.start()
        try:
            with pytest.raises(outbound.OutboundTooLarge):
                download(server.url, max_bytes=100_000)
            assert post(server.url, keep_bytes=100).body == bomb[:100]
            assert tracemalloc.get_traced_memory()[1] < 4_000_000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (packed(b"no gzip at all"), outbound.OutboundUnreadable),
        (packed(b"x", encoding="br"), outbound.OutboundUnreadable),
        (packed(gzip.compress(b"x" * 99)[:-9]), outbound.OutboundUnreachable),
    ],
    ids=["no gzip", "brotli", "gzip broken off"],
)
def test_a_packed_answer_that_can_not_be_read_has_its_own_error(answer: bytes, error: type[Exception]) -> None:
    with serving(saying(answer)) as server, pytest.raises(error):
        download(server.url)


@pytest.mark.parametrize(
    ("head", "code", "retry_after"),
    [
        ("404 No", "outbound_rejected", None),
        ("401 No", "outbound_rejected", None),
        ("204 Empty", "outbound_rejected", None),
        ("500 Oh", "outbound_failed", None),
        ("429 Slow\r\nretry-after: 7", "outbound_failed", 7.0),
        ("503 Later\r\nretry-after: 999999999", "outbound_failed", 3600.0),
        ("503 Later\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT", "outbound_failed", None),
    ],
)
def test_a_download_that_is_not_given_says_whether_to_come_back(
    head: str, code: str, retry_after: float | None
) -> None:
    error = outbound.OutboundFailed if code == "outbound_failed" else outbound.OutboundRejected
    answer = f"HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n".encode()
    with serving(saying(answer)) as server, pytest.raises(error) as got:
        download(server.url)
    assert (got.value.code, got.value.retry_after) == (code, retry_after)
    assert got.value.details == {"status": int(head[:3])}


def test_a_download_follows_redirects_as_far_as_it_may() -> None:
    with (
        serving(saying(OK)) as last,
        serving(redirecting(f"{last.url}/x")) as second,
        serving(redirecting(second.url)) as first,
    ):
        assert download(first.url, redirects=2) == b"ok"
        with pytest.raises(outbound.OutboundRedirected):
            download(first.url, redirects=1)
        assert last.connections == 1
    assert last.requests[0].startswith(b"GET /x ")


def test_a_server_that_redirects_to_itself_for_ever_is_left() -> None:
    with serving(redirecting("/again")) as server:
        with pytest.raises(outbound.OutboundRedirected):
            download(server.url)
        assert server.connections == 4
