"""Connections that go to checked addresses only, and end in time."""

from __future__ import annotations

import functools
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future

import httpcore

from jobs.outbound.addresses import Allowed, check_address
from jobs.outbound.errors import HostUnknown, OutboundTimeout, OutboundUnreachable, OutboundUntrusted
from jobs.outbound.urls import literal

Resolver = Callable[[str, int], Sequence[str]]  # a host's addresses as text, best first

_ADDRESSES_TRIED = 4


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses of a host as the machine knows them. Takes as long as the machine's resolver does."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise OutboundUnreachable("The URL's host could not be looked up just now: try again.") from error
        raise HostUnknown from error
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Trusts the machine's certificate authorities (SSL_CERT_FILE, SSL_CERT_DIR) and certifi's.

    Read once in a process: it takes 50 ms.
    """
    return httpcore.default_ssl_context()


class Deadline:
    """When the whole exchange has to be over."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, more than none; raises OutboundTimeout when there are none left."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise OutboundTimeout
        return left


class CheckedBackend(httpcore.NetworkBackend):
    """Opens every connection of an exchange: to addresses that were checked, and only until the deadline."""

    def __init__(self, deadline: Deadline, *, allow: Sequence[str], resolve: Resolver | None) -> None:
        self._deadline = deadline
        self._allow = [Allowed.of(entry) for entry in allow]
        self._resolve = resolve or system_resolver

    def admit(self, host: str, port: int) -> list[str]:
        """The host's addresses; raises UrlRefused if a single one of them may not be reached."""
        found = [host] if literal(host) else list(self._look_up(host, port))
        if not found:
            raise HostUnknown
        for address in found:
            check_address(host, ipaddress.ip_address(address), port, allow=self._allow)
        return found[:_ADDRESSES_TRIED]

    def _look_up(self, host: str, port: int) -> Sequence[str]:
        """In a thread, because the C library's look-up knows no time limit of ours."""
        answer: Future[Sequence[str]] = Future()

        def look_up() -> None:
            try:
                answer.set_result(self._resolve(host, port))
            except Exception as error:  # noqa: BLE001  raised again in the thread that asked
                answer.set_exception(error)

        threading.Thread(target=look_up, name="outbound look-up", daemon=True).start()
        try:
            return answer.result(self._deadline.left())
        except TimeoutError as error:
            raise OutboundTimeout from error

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self.admit(host, port)
        failure: OSError = OSError()
        for still, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                # Each gets its share of the time: the first may be one that swallows packets.
                connection = socket.create_connection((address, port), timeout=self._deadline.left() / still)
            except OSError as error:
                failure = error
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return _TimedStream(connection, self._deadline)
        raise (OutboundTimeout if isinstance(failure, TimeoutError) else OutboundUnreachable) from failure


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every step ends by the deadline, however little each of them brings."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._connection.settimeout(self._deadline.left())
        try:
            return self._connection.recv(max_bytes)
        except TimeoutError as error:
            raise OutboundTimeout from error
        except OSError as error:
            raise OutboundUnreachable from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            while rest:
                self._connection.settimeout(self._deadline.left())
                rest = rest[self._connection.send(rest) :]
        except TimeoutError as error:
            raise OutboundTimeout from error
        except OSError as error:
            # Not ours: httpcore then still reads the answer of a server that would not hear the request out.
            raise httpcore.WriteError(error) from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self._connection.settimeout(self._deadline.left())
            secured = ssl_context.wrap_socket(self._connection, server_hostname=server_hostname)
            return _TimedStream(secured, self._deadline)
        except BaseException as error:
            self.close()
            if isinstance(error, ssl.SSLCertVerificationError):
                raise OutboundUntrusted from error
            if isinstance(error, OSError):
                raise (OutboundTimeout if isinstance(error, TimeoutError) else OutboundUnreachable) from error
            raise

    def close(self) -> None:
        self._connection.close()
