"""No connection of a fetch goes to an inner address, and none to a server that is not who it says."""

from __future__ import annotations

import io
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import outbound
from tests.servers.scripted import OK, redirecting, saying, serving

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


def test_a_refused_address_is_never_connected_to() -> None:
    with serving(saying(OK)) as server:
        for url in (server.url, f"http://localhost:{server.port}", f"http://[::ffff:127.0.0.1]:{server.port}"):
            for fetch in (post, download):
                with pytest.raises(outbound.UrlRefused) as refused:
                    fetch(url, allow=[])
                assert refused.value.details == {"reason": "inner_address"}
        assert server.connections == 0


def test_a_name_that_turns_inward_after_it_was_checked_is_refused_at_the_connection() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    with serving(saying(OK)) as server:
        url = f"http://rebinding.example:{server.port}/"
        outbound.check(url, resolve=lambda *_: next(answers))
        with pytest.raises(outbound.UrlRefused):
            post(url, allow=[], resolve=lambda *_: next(answers))
        assert server.connections == 0


def test_a_connection_goes_to_the_address_that_was_checked_without_asking_again() -> None:
    answers = iter([["127.0.0.1"]])
    with serving(saying(OK)) as server:
        url = f"http://once.example:{server.port}/"
        assert post(url, resolve=lambda *_: next(answers)).status == 200
    assert f"host: once.example:{server.port}".encode() in server.requests[0]


def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(outbound.UrlRefused):
        outbound.check("http://mixed.example/", resolve=lambda *_: [PUBLIC, "10.0.0.1"])


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with serving(saying(OK)) as server:
        url = f"http://two.example:{server.port}/"
        assert post(url, allow=["127.0.0.0/8"], resolve=lambda *_: ["127.0.0.9", "127.0.0.1"]).status == 200


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(saying(OK)) as server, serving(saying(OK)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert post(server.url).status == 200
        assert proxy.connections == 0


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "http://127.0.0.2/", "//169.254.169.254/", "http://u:p@a.example"]
)
def test_a_redirect_to_what_is_not_allowed_is_refused(to: str) -> None:
    with serving(redirecting(to)) as server, pytest.raises(outbound.UrlRefused):
        download(server.url)


def test_a_redirect_from_an_allowed_port_to_another_inner_one_is_refused() -> None:
    with serving(saying(OK)) as inner, serving(redirecting(inner.url)) as server:
        with pytest.raises(outbound.UrlRefused):
            download(server.url, allow=[f"127.0.0.1:{server.port}"])
        assert inner.connections == 0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for tls.example, with its key."""
    file = tmp_path_factory.mktemp("tls") / "tls.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-days", "2", "-subj", "/CN=tls.example", "-addext", "subjectAltName=DNS:tls.example"]
    subprocess.run([*make, "-keyout", str(file), "-out", f"{file}.crt"], check=True, capture_output=True, timeout=60)
    with file.open("ab") as whole:
        whole.write(Path(f"{file}.crt").read_bytes())
    return file


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The certificate, as one of an operator's own authorities."""
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    outbound.tls_context.cache_clear()
    yield certificate
    outbound.tls_context.cache_clear()


def test_tls_goes_to_the_checked_address_under_the_hosts_name(trusted: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted)
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    with serving(saying(OK), context=context) as server:
        for spelled in ("tls.example", "TLS.example."):
            assert post(f"https://{spelled}:{server.port}/", resolve=lambda *_: HERE).status == 200
        with pytest.raises(outbound.OutboundUntrusted):
            post(f"https://other.example:{server.port}/", resolve=lambda *_: HERE)
    assert asked == ["tls.example", "tls.example", "other.example"]
    assert len(server.requests) == 2


def test_a_certificate_that_nobody_vouches_for_gets_no_request(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(saying(OK), context=context) as server:
        with pytest.raises(outbound.OutboundUntrusted):
            post(f"https://tls.example:{server.port}/", resolve=lambda *_: HERE)
        assert server.requests == []


def test_a_download_never_falls_back_from_https_to_http(trusted: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted)
    with serving(saying(OK)) as plain, serving(redirecting(plain.url), context=context) as server:
        with pytest.raises(outbound.OutboundRedirected):
            download(f"https://tls.example:{server.port}/", resolve=lambda *_: HERE)
        assert plain.connections == 0
