"""What a decoder of H.264 is told before the first frame, and how that is said for two encodings in one file.

Each frame names the parameter sets that it is encoded with, by number. As long as two encodings have other numbers, the
sets of both stand side by side at the start of a file, and nothing in their frames has to be changed: ISO/IEC 14496-15,
5.3.3.1 (the box avcC), and ITU-T H.264, 7.3.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path

from videos.timeline.boxes import Box

_ENTRY = 78  # bytes of a sample entry before its boxes
_WAY = ((b"trak", 0), (b"mdia", 0), (b"minf", 0), (b"stbl", 0), (b"stsd", 8), (b"avc1", _ENTRY))
_MOST_SEQUENCE, _MOST_PICTURE = 30, 254  # sets of an uploaded file: there is room for those of another encoding
_NUMBERS = range(1, 32)  # of sequence parameter sets; 0 is what almost all encodings have


@dataclass(frozen=True, kw_only=True)
class Sets:
    """The content of a box avcC."""

    profile: int
    compatible: int  # flags of the profiles that all frames conform to as well
    level: int
    width: int  # bytes of the length that stands before each unit
    sequence: tuple[bytes, ...]
    picture: tuple[bytes, ...]
    rest: bytes = b""

    @property
    def numbers(self) -> set[int]:
        """Those of either kind."""
        return {_number(one[4:]) for one in self.sequence} | {_number(one[1:]) for one in self.picture}

    @property
    def free(self) -> int | None:
        """A number that another encoding may have."""
        return next((number for number in _NUMBERS if number not in self.numbers), None)

    def beside(self, other: Sets) -> Sets:
        """With the sets of another encoding, that has other numbers, and a profile that is no higher."""
        return replace(
            self,
            compatible=self.compatible & other.compatible,
            level=max(self.level, other.level),
            sequence=(*self.sequence, *other.sequence),
            picture=(*self.picture, *other.picture),
        )

    def written(self) -> bytes:
        start = (1, self.profile, self.compatible, self.level, 0xFC | self.width - 1, 0xE0 | len(self.sequence))
        return b"".join(
            [
                bytes(start),
                *map(_sized, self.sequence),
                bytes([len(self.picture)]),
                *map(_sized, self.picture),
                self.rest,
            ]
        )


def of(stbl: Box) -> Sets:
    """Those of a track, by its sample table. Raises one of boxes.BROKEN; also if there are others for later frames."""
    description = stbl.child(b"stsd")
    if description.numbers(">I") != (1,):
        raise LookupError
    entry = Box(description.data[8:]).child(b"avc1")
    return read(Box(entry.data[_ENTRY:]).child(b"avcC").data)


def read(data: bytes | memoryview) -> Sets:
    """Raises one of boxes.BROKEN; also if the numbers of the sets can't be read, or if there are too many."""
    version, profile, compatible, level, width, count = struct.unpack_from(">6B", data)
    if version != 1:
        raise LookupError
    sequence, place = _several(data, 6, count & 0x1F)
    picture, place = _several(data, place + 1, data[place])
    sets = Sets(
        profile=profile,
        compatible=compatible,
        level=level,
        width=(width & 3) + 1,
        sequence=sequence,
        picture=picture,
        rest=bytes(data[place:]),
    )
    many = len(sequence) > _MOST_SEQUENCE or len(picture) > _MOST_PICTURE
    if many or not sequence or not picture or not all(len(one) > 5 for one in sequence) or not sets.numbers:
        raise LookupError
    return sets


def retold(path: Path, target: Path, sets: Sets) -> None:
    """Copy an MP4 that was made here, but say these sets at its start, which stands after its frames."""
    data = path.read_bytes()
    place = 0
    while data[place + 4 : place + 8] != b"moov":
        place += int.from_bytes(data[place : place + 4])
        if not place < len(data):
            raise LookupError
    after = place + int.from_bytes(data[place : place + 4])
    moov = _replaced(data[place + 8 : after], _WAY, sets.written())
    target.write_bytes(data[:place] + _boxed(b"moov", moov) + data[after:])


def _replaced(data: bytes, way: tuple[tuple[bytes, int], ...], content: bytes) -> bytes:
    """The boxes with other content for the first one that lies on the way."""
    kind, skipped = way[0] if way else (b"avcC", 0)
    place = 0
    while data[place + 4 : place + 8] != kind:
        place += max(8, int.from_bytes(data[place : place + 4]))
        if not place < len(data):
            raise LookupError
    after = place + int.from_bytes(data[place : place + 4])
    inner = data[place + 8 : after]
    if way:
        content = inner[:skipped] + _replaced(inner[skipped:], way[1:], content)
    return data[:place] + _boxed(kind, content) + data[after:]


def _boxed(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _several(data: bytes | memoryview, place: int, count: int) -> tuple[tuple[bytes, ...], int]:
    found = []
    for _ in range(count):
        (length,) = struct.unpack_from(">H", data, place)
        found.append(bytes(data[place + 2 : place + 2 + length]))
        if len(found[-1]) != length or not length:
            raise LookupError
        place += 2 + length
    return tuple(found), place


def _sized(unit: bytes) -> bytes:
    return struct.pack(">H", len(unit)) + unit


def _number(data: bytes) -> int:
    """An unsigned Exp-Golomb code (9.1): so many noughts, a one, so many bits more."""
    bits = int.from_bytes(data[:8].ljust(8, b"\0"))
    noughts = 64 - bits.bit_length()
    if noughts > 31:
        raise LookupError
    return (bits >> (63 - 2 * noughts)) - 1
