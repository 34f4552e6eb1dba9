"""Servers that notifications are sent to, on loopback: they answer as they are told, and remember what came."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]  # by lower-case name
    body: bytes


class _Served:
    """A server in a thread of its own, for as long as a `with` block."""

    server: socketserver.TCPServer

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.let_go()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def let_go(self) -> None:
        """End what hangs."""

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])


class Receiver(_Served):
    """A webhook's endpoint. `answers` are statuses in order, the last one for ever; 0 hangs until the end."""

    def __init__(self, *answers: int, location: str = "", retry_after: str = "", body: bytes = b"thanks") -> None:
        self.received: list[Received] = []
        self._answers = list(answers or (200,))
        self._over = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = self.rfile.read(int(self.headers["content-length"]))
                names = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(self.path, names, said))
                answer = receiver.next_answer()
                if not answer:
                    receiver._over.wait(60)
                    return
                self.send_response(answer)
                if location:
                    self.send_header("location", location)
                if retry_after:
                    self.send_header("retry-after", retry_after)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def next_answer(self) -> int:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def let_go(self) -> None:
        self._over.set()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook"

    @property
    def ids(self) -> Sequence[str]:
        """The webhook-id of each request."""
        return [request.headers["webhook-id"] for request in self.received]


class MailServer(_Served):
    """Speaks as much SMTP as one message needs; answers each RCPT as told."""

    def __init__(self, recipient: bytes = b"250 ok") -> None:
        self.messages: list[bytes] = []
        mail_server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 test\r\n")
                for line in self.rfile:
                    word = line[:4].upper()
                    if word == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        mail_server.messages.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                    self.wfile.write((recipient if word == b"RCPT" else b"250 ok") + b"\r\n")
                    if word == b"QUIT":
                        return

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
