"""The frames of an MP4's picture as they are encoded: where a film may begin and end with whole packets of it.

Packets stand in the order in which they are decoded. A film may begin with one that needs none before it, if none that
follows is shown earlier; and it may end where as many frames have been shown as were decoded. Everything is read from
the file's tables, and from the first bytes of its keyframes: tables may lie. Whoever uploaded the file wrote both.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, chain, islice, repeat
from pathlib import Path
from typing import BinaryIO

from videos.timeline import boxes, parameters, tables
from videos.timeline.boxes import Box
from videos.timeline.parameters import Sets

_LARGEST_START = 64 * 1024**2  # bytes
_MOST = 500_000  # frames: almost five hours
_MOST_KEYFRAMES = 100_000
_SLICE, _IDR, _SEQUENCE, _PICTURE = 1, 5, 7, 8  # types of units; those of sets are 7, 8 and, for what is rare, 13, 15
_MOST_UNITS = 16  # before the first of a frame's slices
_LONGEST_SET = 4096
_SPEED = 0x10000  # of a list of edits: as it is


class Unfit(Exception):
    """Why no part of a file can be copied: what can stand after its name."""


@dataclass(frozen=True, kw_only=True)
class Samples:
    """All frames of a picture, which come evenly; each is known by its place in the order in which they are shown."""

    count: int
    timescale: int
    ticks: int  # of a frame
    decoded: Sequence[int]  # when the packets are to be decoded, in ticks: the first frame is shown at 0
    delay: int  # so many frames before they are shown, packets have to be decoded
    closed: Sequence[int]  # so many packets hold just as many of the first frames
    begins: Sequence[int]  # the frames that a film may begin with
    sets: Sets

    def begin(self, first: int) -> int | None:
        """The first frame, from one on, that a film may begin with."""
        place = bisect_left(self.begins, first)
        return self.begins[place] if place < len(self.begins) else None

    def begun(self, before: int) -> int:
        """The last such frame before another."""
        return self.begins[bisect_left(self.begins, before) - 1]

    def end(self, last: int) -> int:
        """The frame, at most this one, that a film may end before."""
        return self.closed[bisect_right(self.closed, last) - 1]

    def ended(self, least: int) -> int:
        """The first such frame, from one on."""
        return self.closed[bisect_left(self.closed, least)]

    def until(self, frame: int) -> Fraction | None:
        """Between when the packets before a frame are decoded, and its own: in seconds. None: beyond the last one."""
        if frame >= self.count:
            return None
        return Fraction(self.decoded[frame - 1] + self.decoded[frame], 2 * self.timescale)


def read(path: Path, *, rate: Fraction) -> Samples:
    """Those of the file's first track, which has so many frames a second. Raises Unfit."""
    try:
        moov = boxes.moov(path, most=_LARGEST_START)
        scale, _ = moov.child(b"mvhd").clock()
        trak = moov.child(b"trak")
        track = _track(trak)
        ticks = track.timescale / rate
        if ticks.denominator != 1 or not ticks:
            raise Unfit("has times that lie beside those of the film's frames")
        first = _first(tables.edits(trak), track.count * ticks / track.timescale, scale)
        return _samples(path, track, int(ticks), first)
    except (*boxes.BROKEN, OSError) as error:
        raise Unfit("has tables that can't be read") from error


def begins(path: Path, *, index: int) -> bool:
    """Whether a track's first frame needs nothing that was before it, so that all of them may follow others.

    `index`: the track's place among all. Raises Unfit if its frames are not all encoded as its start says.
    """
    try:
        traks = boxes.moov(path, most=_LARGEST_START).children(b"trak")
        track = _track(next(islice(traks, index, None)))
        places, sets = _places(path, track), parameters.of(track.stbl)
        with path.open("rb") as file:
            first, *_ = [_is_idr(file, places[number], sets) for number in sorted({0, *_keyframes(track)})]
        return first
    except (*boxes.BROKEN, OSError, StopIteration) as error:
        raise Unfit("has tables that can't be read") from error


def _track(trak: Box) -> _Track:
    media = trak.child(b"mdia")
    if media.child(b"hdlr").data[8:12] != tables.PICTURE:
        raise Unfit("has something before its picture")
    return _Track(stbl=media.child(b"minf").child(b"stbl"), timescale=media.child(b"mdhd").clock()[0])


@dataclass(frozen=True, kw_only=True)
class _Track:
    """The tables of one track.

    Each is for as many frames as there are, and has no more rows; or what reads it raises one of boxes.BROKEN.
    """

    stbl: Box
    timescale: int

    @property
    def count(self) -> int:
        count: int = self.stbl.child(b"stsz").numbers(">II")[1]
        if not 0 < count <= _MOST:
            raise LookupError
        return count

    def sizes(self) -> Sequence[int]:
        box = self.stbl.child(b"stsz")
        size, count = box.numbers(">II")
        found = struct.unpack_from(f">{count}I", box.data, 12) if not size else (size,) * self.count
        return found

    def decoded(self) -> list[int]:
        lengths = self._each(self.stbl.child(b"stts").pairs(">II", most=self.count))
        return list(accumulate(islice(lengths, self.count - 1), initial=0))

    def shifts(self) -> list[int]:
        """By how much later than decoded each is shown."""
        most = self.count
        table = next((box.pairs(">Ii", most=most) for box in self.stbl.children(b"ctts")), ((most, 0),))
        return self._each(table)

    def keyframes(self) -> Sequence[int]:
        """Places, in the order of decoding, of what the file calls so."""
        for box in self.stbl.children(b"stss"):
            return [number - 1 for number in box.column(most=self.count) if 0 < number <= self.count]
        return range(self.count)

    def places(self) -> Iterator[int]:
        """Where in the file each packet begins."""
        offsets = self._offsets()
        runs = list(self.stbl.child(b"stsc").rows(">III", most=self.count))
        sizes = iter(self.sizes())
        for number, (first, many, _) in enumerate(runs):
            after = runs[number + 1][0] if number + 1 < len(runs) else len(offsets) + 1
            if not 0 < first < after:
                raise LookupError
            for offset in offsets[first - 1 : after - 1]:
                place = offset
                for size in islice(sizes, many):
                    yield place
                    place += size

    def _offsets(self) -> Sequence[int]:
        for box in self.stbl.children(b"stco"):
            return box.column(most=self.count)
        return [offset for (offset,) in self.stbl.child(b"co64").rows(">Q", most=self.count)]

    def _each(self, table: Sequence[tuple[int, int]]) -> list[int]:
        """A table of so many times the same, as one with a row for each frame."""
        found = list(islice(chain.from_iterable(repeat(value, count) for count, value in table), self.count + 1))
        if len(found) != self.count:
            raise LookupError
        return found


def _samples(path: Path, track: _Track, ticks: int, first: int) -> Samples:
    decoded, shifts = track.decoded(), track.shifts()
    shown = [at + shift - first for at, shift in zip(decoded, shifts, strict=True)]
    order = [time // ticks for time in shown]
    if any(time % ticks for time in shown) or sorted(order) != list(range(track.count)):
        raise Unfit("has frames that don't come evenly from nought on")
    early = first + max(0, -min(shifts))  # ffmpeg has them decoded early enough
    closed = [0, *(number for number, last in enumerate(accumulate(order, max), start=1) if last == number - 1)]
    sets = parameters.of(track.stbl)
    return Samples(
        count=track.count,
        timescale=track.timescale,
        ticks=ticks,
        decoded=[at - early for at in decoded],
        delay=max(place - frame for place, frame in enumerate(order)),
        closed=closed,
        begins=_begins(path, track, set(closed), sets),
        sets=sets,
    )


def _first(edits: Sequence[tuple[int, int, int]], seconds: Fraction, scale: int) -> int:
    """What is shown at nought, in ticks of the track."""
    if not edits:
        return 0
    if len(edits) > 1 or edits[0][1] < 0 or edits[0][2] != _SPEED:
        raise Unfit("has a list of edits")
    if Fraction(edits[0][0] + 1, scale) < seconds:
        raise Unfit("has a list of edits that leaves frames out")
    return edits[0][1]


def _begins(path: Path, track: _Track, closed: set[int], sets: Sets) -> list[int]:
    wanted, places = _keyframes(track), _places(path, track)
    with path.open("rb") as file:
        return [number for number in sorted(wanted) if _is_idr(file, places[number], sets) and number in closed]


def _keyframes(track: _Track) -> set[int]:
    wanted = set(track.keyframes())
    if len(wanted) > _MOST_KEYFRAMES:
        raise Unfit("has too many keyframes")
    return wanted


def _places(path: Path, track: _Track) -> list[int]:
    """Where in the file each packet begins."""
    places = list(track.places())
    if len(places) != track.count or max(places) >= path.stat().st_size:
        raise LookupError
    return places


def _is_idr(file: BinaryIO, place: int, sets: Sets) -> bool:
    """Whether a frame needs nothing that was before it. Raises Unfit if it brings along parameter sets of its own."""
    for _ in range(_MOST_UNITS):
        file.seek(place)
        header = file.read(sets.width + 1)
        if len(header) <= sets.width:
            return False
        length, kind = int.from_bytes(header[:-1]), header[-1] & 0x1F
        if kind in (_SEQUENCE, _PICTURE, 13, 15):
            unit = header[-1:] + file.read(min(length, _LONGEST_SET) - 1) if length else b""
            if unit not in (*sets.sequence, *sets.picture):
                raise Unfit("changes the way in which it is encoded")
        elif _SLICE <= kind <= _IDR:
            return kind == _IDR
        place += sets.width + length
    return False
