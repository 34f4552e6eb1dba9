"""The boxes that an MP4 is made of (ISO/IEC 14496-12, 4.2): a length, a name, a content. Whatever a file says, reading
them ends, and holds no more of it than its start: `moov`.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from videos.media import extent
from videos.media.extent import Extent

BROKEN = (struct.error, LookupError, ZeroDivisionError)
"""What is raised where a file makes no sense."""


def moov(path: Path, *, most: int | None = None) -> Box:
    """What an MP4 that is all there says of itself. Raises one of BROKEN; also if that is longer than so many bytes."""
    if extent.of(path) is not Extent.WHOLE:
        raise LookupError
    with path.open("rb") as file:
        while header := file.read(8):
            length, kind = struct.unpack(">I4s", header)
            begun = 8
            if length == 1:
                (length,) = struct.unpack(">Q", file.read(8))
                begun = 16
            if length < begun:
                raise LookupError
            if kind == b"moov":
                if most is not None and length > most:
                    raise LookupError
                return Box(memoryview(file.read(length - begun)))
            file.seek(length - begun, os.SEEK_CUR)
    raise LookupError


@dataclass(frozen=True)
class Box:
    """The content of a box, without its header: a part of what was read, and no copy."""

    data: bytes | memoryview

    def children(self, kind: bytes) -> Iterator[Box]:
        place = 0
        while place + 8 <= len(self.data):
            length, found = struct.unpack_from(">I4s", self.data, place)
            if length < 8:
                return
            if found == kind:
                yield Box(self.data[place + 8 : place + length])
            place += length

    def child(self, kind: bytes) -> Box:
        for box in self.children(kind):
            return box
        raise LookupError

    def numbers(self, form: str) -> tuple[int, ...]:
        """What stands after version and flags."""
        return struct.unpack_from(form, self.data, 4)

    def column(self, *, most: int) -> tuple[int, ...]:
        """A table of numbers."""
        return tuple(number for (number,) in self.rows(">I", most=most))

    def pairs(self, form: str, *, most: int | None = None) -> tuple[tuple[int, int], ...]:
        return tuple((one, other) for one, other in self.rows(form, most=most))

    def clock(self) -> tuple[int, int]:
        """Ticks a second, and the length in ticks."""
        scale, length = self.numbers(">16xIQ" if self.data[0] == 1 else ">8xII")
        return scale, length

    def rows(self, form: str, *, most: int | None = None) -> Iterator[tuple[int, ...]]:
        """A table, which is as long as it says. Raises LookupError if that is more than so many rows."""
        (count,) = self.numbers(">I")
        if most is not None and count > most:
            raise LookupError
        rows = self.data[8 : 8 + struct.calcsize(form) * count]
        if len(rows) != struct.calcsize(form) * count:
            raise LookupError
        return struct.iter_unpack(form, rows)
