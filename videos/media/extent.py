"""Whether a file is all there, told from its outermost structure without decoding anything.

MP4 and Matroska say at the start of each outermost element how long it is. If one runs beyond the end of the
file, the end is missing: a copy or an upload that broke off.
"""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import BinaryIO

_MP4_FIRST = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"uuid"}
_MP4_KNOWN = _MP4_FIRST | {b"moof", b"mfra", b"sidx", b"meta", b"udta", b"emsg", b"prft"}
_EBML = b"\x1a\x45\xdf\xa3"
_MOST_ELEMENTS = 100_000  # a fragmented hour has a few thousand


class Extent(enum.Enum):
    """What the outermost structure of a file says about its end."""

    WHOLE = "whole"
    CUT = "cut"
    UNKNOWN = "unknown"  # another format, or one that leaves its length open


def of(source: Path) -> Extent:
    """Read a few bytes at each outermost element of the file."""
    with source.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(8)
        file.seek(0)
        if head[:4] == _EBML:
            return _matroska(file, size)
        if head[4:8] in _MP4_FIRST:
            return _mp4(file, size)
    return Extent.UNKNOWN


def _mp4(file: BinaryIO, size: int) -> Extent:
    """ISO/IEC 14496-12, 4.2: 32 bits of length, a name; length 1: 64 bits follow; 0: up to the end."""
    position, open_ended = 0, False
    kinds: set[bytes] = set()
    for _ in range(_MOST_ELEMENTS):
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            break  # the end, or a few bytes of padding
        length, kind, least = int.from_bytes(header[:4]), header[4:8], 8
        if length == 1:
            length, least = int.from_bytes(header[8:16]), 16
        if length == 0:
            kinds.add(kind)
            open_ended = True
            break
        if length < least or not kind.strip(b"\x00"):
            break  # no box: what some programs append to a file that is whole
        if position + length > size:
            if kind not in _MP4_KNOWN and kinds >= {b"moov", b"mdat"}:
                break  # tags of MP3 and other things that are appended to a file that is whole
            return Extent.CUT
        kinds.add(kind)
        position += length
    if b"moov" not in kinds and b"meta" not in kinds:  # which is a still: HEIC, AVIF
        return Extent.CUT  # it is often written last, and without it nothing can be read
    # A fragmented file may have been cut between two fragments.
    return Extent.UNKNOWN if open_ended or b"moof" in kinds else Extent.WHOLE


def _matroska(file: BinaryIO, size: int) -> Extent:
    """RFC 8794: an id, a length, and the content; two elements, EBML and Segment, make up the file."""
    for _ in range(2):
        identity, length = _vint(file, marked=True), _vint(file, marked=False)
        if identity is None or length is None:
            return Extent.UNKNOWN  # a live recording leaves the length open
        file.seek(length, os.SEEK_CUR)
    return Extent.CUT if file.tell() > size else Extent.WHOLE


def _vint(file: BinaryIO, *, marked: bool) -> int | None:
    """A number of variable length; None at the end of the file, and for "unknown" (all bits set)."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(first + file.read(more))
    if marked:
        return value
    bits = 7 * (more + 1)
    value &= (1 << bits) - 1
    return None if value == (1 << bits) - 1 else value
