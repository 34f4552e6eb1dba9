"""A relay in front of a server that loses what it is told to lose."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests import environment

_LOOK_SECONDS = 0.05  # between two looks of a connection that hangs at whether it was cut


class Proxy:
    """Passes on what goes to and from the server at `url`, until told otherwise; in threads of this process."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self.port = environment.free_port()
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._links: set[Link] = set()
        self._lock = threading.Lock()
        self.flowing = threading.Event()
        self.flowing.set()

    @property
    def url(self) -> str:
        """The server's address, by way of this relay."""
        host = f"127.0.0.1:{self.port}"
        if "@" in self._target.netloc:
            host = f"{self._target.netloc.rpartition('@')[0]}@{host}"
        return self._target._replace(netloc=host).geturl()

    def start(self) -> None:
        """Listen, and pass on."""
        self.pass_on()

    def stop(self) -> None:
        """Cut everything, and stay away."""
        self.refuse()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def pass_on(self) -> None:
        """Undo `refuse` and `hang`."""
        self.flowing.set()
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._run(self._accept, self._listener)

    def cut(self) -> None:
        """End all connections that are there; new ones are taken."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.cut()

    def refuse(self) -> None:
        """End all connections, and take no new ones, as when the server is away."""
        if self._listener:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            self._listener.close()
            self._listener = None
        self.cut()

    def hang(self) -> None:
        """Keep all connections, take new ones, and pass nothing on, as when the network swallows everything."""
        self.flowing.clear()

    def link(self, client: socket.socket, server: socket.socket) -> Link:
        return Link(self, client, server)

    def forget(self, link: Link) -> None:
        with self._lock:
            self._links.discard(link)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((self._target.hostname or "", self._target.port or 0), timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = self.link(client, server)
        with self._lock:
            self._links.add(link)
        if self._listener is None:  # refused in this very moment
            link.cut()
        self._run(link.carry_requests)
        self._run(link.carry_answers)

    def _run(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads = [running for running in self._threads if running.is_alive()] + [thread]
        thread.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Link:
    """One connection: client, relay, server."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self.client = client
        self.server = server
        self._is_cut = False
        self._open_ends = 2
        self._lock = threading.Lock()

    def requests(self) -> Iterator[bytes]:
        """What the client sends, in pieces."""
        while data := self.client.recv(65536):
            yield data

    def answers(self) -> Iterator[bytes]:
        """What the server sends, in pieces; an end of it ends the connection."""
        while data := self.server.recv(65536):
            yield data

    def carry_requests(self) -> None:
        self._carry(self.requests(), self.server)

    def carry_answers(self) -> None:
        self._carry(self.answers(), self.client)

    def cut(self) -> None:
        """End both sides; what was not passed on is lost."""
        self._is_cut = True
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _carry(self, pieces: Iterator[bytes], sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for piece in pieces:
                while not self._proxy.flowing.wait(_LOOK_SECONDS) and not self._is_cut:
                    pass
                if self._is_cut:
                    break
                sink.sendall(piece)
        self.cut()
        with self._lock:
            self._open_ends -= 1
            last = not self._open_ends
        if last:
            self.client.close()
            self.server.close()
            self._proxy.forget(self)


class PostgresProxy(Proxy):
    """Understands enough of PostgreSQL's protocol to lose the answer to one statement.

    https://www.postgresql.org/docs/current/protocol-message-formats.html, without encryption.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._traps: list[tuple[bytes, bytes, threading.Event]] = []

    def lose_answer_to(self, statement: bytes, *, after: bytes = b"") -> threading.Event:
        """The next simple query that begins so takes effect, but its client never hears of it: once the server has
        answered, the connection is cut instead of passing the answer on.

        `after`: only in a transaction that had a statement with this text in it. The event given is set when it
        has happened.
        """
        happened = threading.Event()
        with self._lock:
            self._traps.append((statement, after, happened))
        return happened

    def trap(self, statement: bytes, said: bytes) -> threading.Event | None:
        """Take the trap that this statement springs, if there is one; `said` came before in its transaction."""
        with self._lock:
            for trap in self._traps:
                if statement.startswith(trap[0]) and trap[1] in said:
                    self._traps.remove(trap)
                    return trap[2]
        return None

    def link(self, client: socket.socket, server: socket.socket) -> Link:
        return _PostgresLink(self, client, server)


class _PostgresLink(Link):
    def __init__(self, proxy: PostgresProxy, client: socket.socket, server: socket.socket) -> None:
        super().__init__(proxy, client, server)
        self._postgres = proxy
        self._said = bytearray()  # in this transaction
        self._losing: threading.Event | None = None

    def requests(self) -> Iterator[bytes]:
        head = self._exactly(4)  # the first messages have no type: requests for encryption, then the start
        while head:
            body = self._exactly(int.from_bytes(head[-4:], "big") - 4)
            begins = len(head) == 4 and body[:2] == (1234).to_bytes(2, "big")  # SSLRequest and its like
            if head[:1] == b"Q":
                self._look_at(body)
            yield head + body
            head = self._exactly(4 if begins else 5)

    def answers(self) -> Iterator[bytes]:
        for piece in super().answers():
            if self._losing:
                self.cut()
                self._losing.set()
                return
            yield piece

    def _look_at(self, statement: bytes) -> None:
        if statement.startswith(b"BEGIN"):
            self._said.clear()
        self._losing = self._postgres.trap(statement, bytes(self._said))
        self._said += statement

    def _exactly(self, size: int) -> bytes:
        """So many bytes; none if the client is gone."""
        data = bytearray()
        while len(data) < size:
            piece = self.client.recv(size - len(data))
            if not piece:
                return b""
            data += piece
        return bytes(data)
