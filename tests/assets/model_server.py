"""A language model on loopback that speaks OpenAI's protocol, and says what a test has it say."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.conf import settings
from pydantic import SecretStr

from assets.providers.settings import Price, ProviderSettings

KEY = "sk-a-key-that-nobody-must-see-0123456789"

Answer = str | Mapping[str, Any] | tuple[int, Mapping[str, str]]
"""What the model writes, as text or to be made JSON; or a status with headers."""


class ModelServer:
    """Answers each question with the next of `answers`, the last for ever; a callable is asked with the prompt."""

    def __init__(self) -> None:
        self.answers: list[Answer | Callable[[str], Answer]] = [empty()]
        self.asked: list[dict[str, Any]] = []
        self.cut = False  # the answers are
        self.hold: threading.Event | None = None  # answers wait for it
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def prompts(self) -> list[str]:
        """The questions, in their order."""
        return [body["messages"][-1]["content"] for body in self.asked]

    def answer(self, body: dict[str, Any]) -> Answer:
        with self._lock:
            self.asked.append(body)
            told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if self.hold:
            self.hold.wait(60)
        return told(body["messages"][-1]["content"]) if callable(told) else told

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self.hold:
            self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def empty(**more: Any) -> dict[str, Any]:
    """An answer that keeps to the schema, with nothing in it but what is said."""
    return {"scenes": [], "characters": [], "props": [], **more}


def scene(place_name: str, **more: Any) -> dict[str, Any]:
    """A scene as a model describes it."""
    about = {"number": "", "heading": place_name, "place": "inside", "time": "day", "description": "", "first_line": 1}
    return {"place_name": place_name, **about, **more}


def character(name: str, **more: Any) -> dict[str, Any]:
    """A character as a model describes it."""
    about: dict[str, Any] = {"aliases": [], "description": "", "gender": "", "age": "", "voice": "", "role": "lead"}
    return {"name": name, **about, "scenes": [0], "first_line": 1, **more}


@contextlib.contextmanager
def serving() -> Iterator[ModelServer]:
    """A server for as long as a block."""
    server = ModelServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def use(server: ModelServer, changed: Any) -> None:
    """Have `openai` be this server, for the pytest-django fixture `settings`."""
    there: ProviderSettings = settings.JOINTO_PROVIDERS
    endpoint = replace(
        there.endpoints["openai"], base_url=server.url, key=SecretStr(KEY), text_model="small", image_model=""
    )
    changed.JOINTO_PROVIDERS = replace(
        there,
        endpoints={**there.endpoints, "openai": endpoint},
        prices={"openai/small": Price(input=2, output=10)},  # type: ignore[arg-type]  # whole dollars
    )


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.headers.get("authorization") != f"Bearer {KEY}":
                self._send(401, {"error": {"message": f"wrong key: {self.headers.get('authorization')}"}})
                return
            told = server.answer(body)
            if isinstance(told, tuple):
                self._send(told[0], {"error": {"message": "not now", "code": "rate_limit_exceeded"}}, told[1])
                return
            text = told if isinstance(told, str) else json.dumps(told)
            choice = {"message": {"content": text}, "finish_reason": "length" if server.cut else "stop"}
            usage = {"prompt_tokens": 1000, "completion_tokens": 100}
            self._send(200, {"model": f"{body['model']}-2026-08-07", "choices": [choice], "usage": usage})

        def _send(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
