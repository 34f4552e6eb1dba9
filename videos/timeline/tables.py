"""When each frame of an MP4 is shown, read from the tables at its start: a hundredth of the time that its packets take.

ISO/IEC 14496-12. For files that ffmpeg has just written here, and for no others.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

from videos.timeline import boxes
from videos.timeline.boxes import Box

PICTURE, SOUND = b"vide", b"soun"


@dataclass(frozen=True, kw_only=True)
class Track:
    """One stream."""

    kind: bytes
    count: int  # of its packets
    timescale: int
    first: int  # what is shown at nought, in ticks of the timescale
    late: float  # seconds by which it begins after nought
    lengths: tuple[tuple[int, int], ...]  # so many packets, each so many ticks long
    shifts: tuple[tuple[int, int], ...]  # so many packets, each shown so many ticks later than it is decoded

    def times(self) -> Iterator[float]:
        """When each packet is shown, in seconds; in the order in which they are decoded."""
        at = -self.first
        shifts = chain.from_iterable(repeat(shift, count) for count, shift in self.shifts or ((self.count, 0),))
        for length in chain.from_iterable(repeat(length, count) for count, length in self.lengths):
            yield (at + next(shifts, 0)) / self.timescale + self.late
            at += length


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What an MP4 says of itself."""

    seconds: float
    tracks: tuple[Track, ...]

    def track(self, kind: bytes) -> Track | None:
        """The first of a kind."""
        return next((track for track in self.tracks if track.kind == kind), None)


def read(path: Path) -> Tables | None:
    """The tables; None if the file is no whole MP4, or one that ffmpeg would not have written."""
    try:
        moov = boxes.moov(path)
        scale, duration = moov.child(b"mvhd").clock()
        tracks = tuple(_track(trak, scale) for trak in moov.children(b"trak"))
    except boxes.BROKEN:
        return None
    return Tables(seconds=duration / scale, tracks=tracks)


def _track(trak: Box, movie_scale: int) -> Track:
    media = trak.child(b"mdia")
    table = media.child(b"minf").child(b"stbl")
    timescale, _ = media.child(b"mdhd").clock()
    first, late = _edit(trak, movie_scale)
    return Track(
        kind=bytes(media.child(b"hdlr").data[8:12]),
        count=table.child(b"stsz").numbers(">II")[1],
        timescale=timescale,
        first=first,
        late=late,
        lengths=table.child(b"stts").pairs(">II"),
        shifts=next((box.pairs(">Ii") for box in table.children(b"ctts")), ()),
    )


def edits(trak: Box) -> list[tuple[int, int, int]]:
    """Of each edit: how long it is, in ticks of the movie; what it shows first, in those of the track (-1: nothing);
    and how fast.
    """
    found = []
    for edts in trak.children(b"edts"):
        box = edts.child(b"elst")
        (count,) = box.numbers(">I")
        form = ">QqI" if box.data[0] == 1 else ">IiI"
        found += [struct.unpack_from(form, box.data, 8 + place * struct.calcsize(form)) for place in range(count)]
    return found


def _edit(trak: Box, movie_scale: int) -> tuple[int, float]:
    """What of the track is shown at first, and when. Raises LookupError if that is not all there is to it."""
    first, late, shown = 0, 0.0, 0
    for duration, begin, _ in edits(trak):
        if begin == -1 and not shown:
            late += duration / movie_scale
        else:
            first, shown = begin, shown + 1
    if shown > 1:
        raise LookupError
    return first, late
