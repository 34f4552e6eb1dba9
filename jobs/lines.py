"""Lines of text out of a stream of bytes, however it was cut, and however long a line is."""

from __future__ import annotations

from collections.abc import Callable

LONGEST_LINE = 8192  # bytes; what goes beyond is dropped


class Lines:
    """Cuts a stream of bytes into lines of bounded length; a carriage return ends a line as well."""

    def __init__(self, sink: Callable[[str], None]) -> None:
        self._sink = sink
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, rest = data.replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._emit(self._rest + line)
            self._rest = b""
        self._rest = (self._rest + rest)[:LONGEST_LINE]

    def end(self) -> None:
        self._emit(self._rest)
        self._rest = b""

    def _emit(self, line: bytes) -> None:
        if line:
            self._sink(line[:LONGEST_LINE].decode("utf-8", "replace"))
