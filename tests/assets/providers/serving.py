"""An AI service on loopback: counts what it has begun, and behaves as badly as a test wants."""

from __future__ import annotations

import contextlib
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self

from tests.environment import free_port

KEY = "sk-secret-0123456789-of-a-test"
PICTURE = b"\x89PNG\r\n\x1a\n" + b"a picture" * 20
WAIT = {"retry-after": "7"}
CLIP = b"\x00\x00\x00\x18ftypmp42" + b"a clip" * 30


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]  # by lower-case name
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Told:
    """What it is answered."""

    status: int = 200
    body: Any = field(default_factory=dict)  # bytes as they are, all else as JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Service(ABC):
    """One service, in a thread for as long as a `with` block. What is begun would be charged, so `begun` counts it."""

    base: ClassVar[str] = ""  # where its API begins
    refusals: ClassVar[Mapping[str, Told]]  # by situation, in the service's own words

    def __init__(self) -> None:
        self.requests: list[Seen] = []
        self.begun: list[Seen] = []
        self.fault = ""  # what befalls the next order: the name of a refusal, "cut", "slow", "garbled"
        self.phases = ["waiting", "running", "done"]  # of every task, one at each look; the last for ever
        self.looks: list[str] = []  # the phases that were told
        self.cancelled: list[str] = []
        self.file: bytes = PICTURE  # that it gives as the result
        self.file_missing = 0  # times that it says that there is none
        self.file_url = ""  # where it says that the result is, if not here
        self.text = '{"scenes": [{"place": "客厅"}]}'  # what its language model answers
        self.deaf = False  # it ends each connection before it has read a word
        self.connections = 0
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}{self.base}"

    @abstractmethod
    def authorised(self, seen: Seen) -> bool:
        """Whether the request has the key as this service wants it."""

    @abstractmethod
    def order(self, seen: Seen) -> Told | None:
        """The answer to what begins something, with its fields checked; None if the request is no such thing."""

    def look(self, seen: Seen) -> Told | str | None:
        """The answer to what asks for a task or cancels one; None if the request does neither."""
        return None

    @property
    def result_url(self) -> str:
        return self.file_url or f"http://{self.host}/files/result"

    def next_phase(self) -> str:
        with self._lock:
            phase = self.phases.pop(0) if len(self.phases) > 1 else self.phases[0]
            self.looks.append(phase)
            return phase

    def answer(self, seen: Seen) -> Told | str:
        """What is said, or a fault of the connection."""
        with self._lock:
            self.requests.append(seen)
        if seen.path.startswith("/files/"):
            return self._given()
        if not self.authorised(seen):
            return self.refusals["auth"]
        told = self.order(seen)
        if told is None:
            return self.look(seen) or Told(404, {"message": f"no such path: {seen.path}"})
        if told.status >= 400:
            return told
        fault, self.fault = self.fault, ""
        if fault in self.refusals:
            return self.refusals[fault]
        with self._lock:
            self.begun.append(seen)
        return fault or told

    def _given(self) -> Told:
        if self.file_missing:
            self.file_missing -= 1
            return Told(404, b"not there yet")
        return Told(200, self.file, {"content-type": "image/png"})

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is what some tests are about."""


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            service.connections += 1
            if not service.deaf:
                super().handle()

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            names = {name.lower(): value for name, value in self.headers.items()}
            path = self.path.partition("?")[0].removeprefix(service.base)
            told = service.answer(Seen(self.command, path, names, body))
            if told == "cut":
                return
            if told == "slow":
                service.over.wait(60)
                return
            self.tell(Told(200, b'{"id": "x') if told == "garbled" else told)

        def tell(self, told: Told | str) -> None:
            assert isinstance(told, Told), f"no such fault: {told}"
            data = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            self.send_response(told.status)
            headers = {"content-type": "application/json", "content-length": str(len(data)), **told.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def bearer(seen: Seen) -> bool:
    """Whether it has the key in the way of most services."""
    return seen.headers.get("authorization") == f"Bearer {KEY}"


def as_told(phase: str, body: Any) -> Told | str:
    """What is said of a task in that phase; a look at it can go wrong apart from the task."""
    if phase in ("cut", "slow"):
        return phase
    faults = {"unseen": Told(404, {"detail": "not found"}), "garbled": Told(200, b"{")}
    faults["down"] = Told(503, {"detail": "down"}, WAIT)
    return faults.get(phase, Told(body=body))


def nobody() -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}"
