"""A client of live events, as a browser is one: it reads what comes, and comes back with the last id that it knows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Told:
    """One event as a client read it, and when."""

    name: str
    data: dict[str, Any]
    id: int | None
    at: float


@dataclass
class Watcher:
    """A client as a browser is one: it names the last event that it knows when it comes back."""

    path: str
    token: str
    is_last: Callable[[Told], bool]
    scope: dict[str, Any]  # which transitions are its business; none for a batch's
    told: list[Told] = field(default_factory=list)
    visits: int = 0
    there: asyncio.Event = field(default_factory=asyncio.Event)
    _last_id: int | None = None
    _broken: bool = False
    _writer: asyncio.StreamWriter | None = None

    async def follow(self, port: int, *, door: asyncio.Semaphore) -> None:
        """Watch until the server ends it, or the last event was told; come back whenever the line broke.

        `door`: through which not all come at once; each request takes a connection to the database for a moment.
        """
        while True:
            self._broken = False
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                async for told in self._visit(port, door):
                    self.told.append(told)
                    self._last_id = told.id if told.id is not None else self._last_id
                    if self.is_last(told):
                        self.close()
                        return
            if not self._broken:
                return

    async def break_off(self, moments: list[float]) -> None:
        """Lose the line after so many seconds each."""
        began = time.monotonic()
        for moment in sorted(moments):
            await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
            if self._writer:
                self._broken = True
                self._writer.transport.abort()

    def close(self) -> None:
        if self._writer:
            self._writer.close()

    async def _visit(self, port: int, door: asyncio.Semaphore) -> AsyncIterator[Told]:
        self.visits += 1
        async with door:
            reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
            known = "" if self._last_id is None else f"Last-Event-ID: {self._last_id}\r\n"
            self._writer.write(
                f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
                f"Authorization: Bearer {self.token}\r\n{known}\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 204"):
            self.close()
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode(errors="replace"))
        buffer = b""
        async for piece in _chunks(reader):
            *blocks, buffer = (buffer + piece).split(b"\n\n")
            for block in blocks:
                told = _parsed(block.decode())
                if told:
                    self.there.set()
                    yield told
        self.close()


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield (await reader.readexactly(size + 2))[:-2]


def _parsed(block: str) -> Told | None:
    fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
    if "data" not in fields:
        return None
    number = int(fields["id"]) if "id" in fields else None
    return Told(fields["event"], json.loads(fields["data"]), number, time.time())
