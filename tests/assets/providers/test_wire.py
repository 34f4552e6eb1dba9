"""One request, sent once: what is known when it goes wrong, and what it can't do."""

from __future__ import annotations

import pytest

from assets.providers.base import (
    AmbiguousSubmit,
    AnswerLost,
    InvalidRequest,
    ProviderError,
    ProviderTimeout,
    Unavailable,
)
from assets.providers.settings import Patience
from assets.providers.wire import Answer, Effect, Wire
from tests.assets.providers.serving import KEY, nobody
from tests.servers.scripted import OK, dripping, redirecting, saying, serving

LOST = {Effect.CREATE: AmbiguousSubmit, Effect.ASK: AnswerLost, Effect.LOOK: Unavailable}


def wire(url: str, *, answer_bytes: int = 10_000) -> Wire:
    headers = {"authorization": f"Bearer {KEY}"}
    patience = Patience(connect=20.0, answer_bytes=answer_bytes)
    return Wire("somebody", base_url=url, headers=headers, secret=KEY, patience=patience)


def send(url: str, effect: Effect = Effect.CREATE, *, seconds: float = 60.0, answer_bytes: int = 10_000) -> Answer:
    return wire(url, answer_bytes=answer_bytes).send("POST", "/x", effect=effect, seconds=seconds, json={"a": 1})


def test_the_request_is_one_and_whole() -> None:
    with serving(saying(OK)) as server:
        answer = send(server.url)
        assert (answer.status, answer.body, server.connections) == (200, b"ok", 1)
        assert server.requests[0].endswith(b'\r\n\r\n{"a":1}')


@pytest.mark.parametrize("effect", Effect)
def test_a_handshake_that_fails_has_handed_over_nothing(effect: Effect) -> None:
    with serving(saying(b"this is no TLS\r\n\r\n"), read=False) as server, pytest.raises(Unavailable):
        send(server.url.replace("http:", "https:"), effect)


@pytest.mark.parametrize("effect", Effect)
def test_a_name_that_nobody_has_has_handed_over_nothing(effect: Effect) -> None:
    with pytest.raises(Unavailable):
        send("http://nobody.invalid", effect)


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of it", b"not HTTP at all\r\n\r\n"]
)
def test_half_an_answer_is_none(effect: Effect, answer: bytes) -> None:
    with serving(saying(answer)) as server:
        with pytest.raises(LOST[effect]):
            send(server.url, effect)
        assert server.connections == 1


@pytest.mark.parametrize(
    ("effect", "kind"),
    [(Effect.CREATE, AmbiguousSubmit), (Effect.ASK, AnswerLost), (Effect.LOOK, ProviderTimeout)],
)
@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", b"HTTP/1.1 200 OK\r\nx-slow: "])
def test_an_answer_that_comes_drop_by_drop_ends_in_time(
    effect: Effect, kind: type[ProviderError], start: bytes
) -> None:
    with serving(dripping(start)) as server, pytest.raises(ProviderError) as caught:
        send(server.url, effect, seconds=2)
    assert type(caught.value) is kind


def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    large = b"HTTP/1.1 200 OK\r\ncontent-length: 50000\r\n\r\n" + b"x" * 50_000
    with serving(saying(large)) as server, pytest.raises(AmbiguousSubmit):
        send(server.url)


def test_the_key_follows_no_redirect() -> None:
    with serving(saying(OK)) as elsewhere, serving(redirecting(f"{elsewhere.url}/steal")) as server:
        assert send(server.url).status == 302
        assert elsewhere.connections == 0


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nobody())
    with serving(saying(OK)) as server:
        assert send(server.url).body == b"ok"


@pytest.mark.parametrize("value", ["half of a pair: \ud83d", float("nan"), {1, 2}])
def test_what_has_no_form_in_json_is_not_sent(value: object) -> None:
    with serving(saying(OK)) as server:
        with pytest.raises(InvalidRequest):
            wire(server.url).send("POST", "/x", effect=Effect.CREATE, seconds=60, json={"prompt": value})
        assert server.connections == 0


def test_words_are_passed_on_short_in_one_line_and_without_the_key() -> None:
    said = wire("http://x").clean(f"your key\x00 is\r\n {KEY}! {'very ' * 200}")
    assert said.startswith("your key is …! very")
    assert len(said) == 400


def test_deep_json_is_no_json() -> None:
    with pytest.raises(ValueError, match="deep"):
        Answer(status=200, headers={}, body=b"[" * 100_000).json()
