"""HTTP servers on loopback that behave exactly as badly as a test wants."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

Handler = Callable[[socket.socket], None]


class Server:
    """A server on loopback that answers each connection by a function, and keeps the requests' heads."""

    def __init__(self, handler: Handler, *, context: ssl.SSLContext | None = None, read: bool = True) -> None:
        self._handler, self._context, self._read = handler, context, read
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.ended = threading.Event()
        self.requests: list[bytes] = []
        self.connections = 0
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                if self._read:
                    request = self._request(connection)
                    if not request:
                        return
                    self.requests.append(request)
                self._handler(connection)

    @staticmethod
    def _request(connection: socket.socket) -> bytes:
        """Head and body, as far as content-length says that there is one."""
        got = b""
        wanted = None
        while (wanted is None or len(got) < wanted) and (more := connection.recv(65536)):
            got += more
            head, end, _ = got.partition(b"\r\n\r\n")
            if end and wanted is None:
                length = re.search(rb"\ncontent-length: (\d+)", head, re.IGNORECASE)
                wanted = len(head + end) + (int(length[1]) if length else 0)
        return got

    def stop(self) -> None:
        self.ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@contextlib.contextmanager
def serving(handler: Handler, *, context: ssl.SSLContext | None = None, read: bool = True) -> Iterator[Server]:
    server = Server(handler, context=context, read=read)
    try:
        yield server
    finally:
        server.stop()


def saying(answer: bytes) -> Handler:
    return lambda connection: connection.sendall(answer)


def redirecting(to: str, status: int = 302) -> Handler:
    return saying(f"HTTP/1.1 {status} Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n".encode())


def hanging(connection: socket.socket) -> None:
    """Says nothing, and waits until the other side has gone."""
    while connection.recv(65536):
        pass


def dripping(start: bytes) -> Handler:
    """A byte every 20 ms, as long as anybody listens."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            threading.Event().wait(0.02)

    return drip
