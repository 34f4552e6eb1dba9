"""One request to an AI service: sent once, answered in time and within bounds, or an error that says what is known.

What was handed to the network may have been worked on, and charged. So the wire knows whether it has handed over
anything of a request: if not, it surely did not arrive. Nothing here is tried again; redirects are not followed, so
that a key goes to no other host; proxies of the environment are not used.
"""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpcore
import httpx

from assets.providers.base import (
    AmbiguousSubmit,
    AnswerLost,
    InvalidRequest,
    ProviderError,
    ProviderTimeout,
    Unavailable,
)
from assets.providers.settings import Patience
from jobs.outbound import tls_context

File = tuple[str, tuple[str, bytes, str]]  # a form's field, and what is in it: name, content, media type

_SAID_LENGTH = 400  # characters of the service's words that are passed on
_TROUBLE = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


class Effect(enum.Enum):
    """What a request does to the world: what may be said of it when its answer is lost."""

    CREATE = "create"  # begins something that is paid for
    ASK = "ask"  # is paid for, and leaves nothing behind
    LOOK = "look"  # may be made again: a state is read, or set to the same


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, whatever its status. `headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body; ValueError where it is no JSON."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


class Wire:
    """The way to one service. `headers` hold the key; it stands in nothing that the wire says."""

    def __init__(
        self, provider: str, *, base_url: str, headers: Mapping[str, str], secret: str, patience: Patience
    ) -> None:
        self.provider = provider
        self.base_url = base_url.rstrip("/")
        self.patience = patience
        self._headers = {"user-agent": "Jointo", "accept": "application/json", **headers}
        self._secret = secret

    def __repr__(self) -> str:
        return f"Wire({self.provider})"

    def clean(self, words: str) -> str:
        """Words of the service, fit to be passed on: short, in one line, without our key."""
        words = words.replace(self._secret, "…") if self._secret else words
        printable = "".join(character if character.isprintable() else " " for character in words)
        printable = " ".join(printable.split())
        return printable if len(printable) <= _SAID_LENGTH else f"{printable[: _SAID_LENGTH - 1]}…"

    def send(
        self,
        method: str,
        path: str,
        *,
        effect: Effect,
        seconds: float,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        files: Sequence[File] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send it, and give the answer whatever its status.

        The body is `json`, or a form of several parts: `form` and `files`. `seconds` bound the whole exchange.
        Raises Unavailable if it surely did not arrive; else, if the answer did not come whole, AmbiguousSubmit,
        AnswerLost, or for what may be repeated ProviderTimeout or Unavailable.
        """
        try:
            fields = [(name, (None, value.encode())) for name, value in (form or {}).items()]
            request = httpx.Request(
                method,
                self.base_url + path,
                json=json,
                files=[*fields, *(files or ())] or None,
                headers={**self._headers, "connection": "close", **(headers or {})},
            )
            body = request.read()
        except (ValueError, TypeError, RecursionError) as error:
            # Lone surrogates, NaN: what has no form in JSON.
            sentence = "The request can't be sent: it holds characters or numbers that don't exist."
            raise InvalidRequest(sentence, provider=self.provider) from error
        line = _Line(connect=self.patience.connect, seconds=seconds)
        try:
            return self._exchange(request, body, line)
        except _TROUBLE as error:
            raise self._lost(effect, line, timed_out=isinstance(error, httpcore.TimeoutException)) from error

    def _exchange(self, request: httpx.Request, body: bytes, line: _Line) -> Answer:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        context = tls_context() if request.url.scheme == "https" else None
        with (
            httpcore.ConnectionPool(ssl_context=context, network_backend=line) as pool,
            pool.stream(request.method, url, headers=request.headers.raw, content=body or None) as response,
        ):
            kept = bytearray()
            for chunk in response.iter_stream():
                kept += chunk
                if len(kept) > self.patience.answer_bytes:
                    raise httpcore.RemoteProtocolError("more than is taken")
            names = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Answer(status=response.status, headers=names, body=bytes(kept))

    def _lost(self, effect: Effect, line: _Line, *, timed_out: bool) -> ProviderError:
        if not line.handed_over:
            return Unavailable(provider=self.provider)
        if effect is Effect.LOOK:
            return (ProviderTimeout if timed_out else Unavailable)(provider=self.provider)
        return (AmbiguousSubmit if effect is Effect.CREATE else AnswerLost)(provider=self.provider)


def segment(name: str) -> str:
    """A name of somebody's as one part of a path."""
    return quote(name, safe="")


class _Line(httpcore.SyncBackend):
    """Opens the connection of one exchange; every step of it ends by the deadline, however little each brings."""

    def __init__(self, *, connect: float, seconds: float) -> None:
        self.handed_over = False  # whether anything of the request has been given to the network
        self._connect = connect
        self._until = time.monotonic() + seconds

    def left(self, otherwise: type[httpcore.TimeoutException] = httpcore.ReadTimeout) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise otherwise
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = min(self._connect, self.left(httpcore.ConnectTimeout))
        return _Hurried(super().connect_tcp(host, port, seconds, local_address, socket_options), self)


class _Hurried(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, line: _Line) -> None:
        self._stream = stream
        self._line = line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._line.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = self._line.left(httpcore.WriteTimeout)
        self._line.handed_over = True
        self._stream.write(buffer, left)

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Any:
        left = self._line.left(httpcore.ConnectTimeout)
        return _Hurried(self._stream.start_tls(ssl_context, server_hostname, left), self._line)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
