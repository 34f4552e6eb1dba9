"""What keyframes come to, frame by frame: as numbers, and as an expression of ffmpeg.

At each frame a value is that of the moment at which the frame begins.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from videos.timeline.easing import eased
from videos.timeline.model import Clip, moment_of
from videos.timeline.motion import Easing, Keyframe, Keyframes
from videos.timeline.values import SECOND

_REST = 2 * SECOND  # for which it is worth while to read the material anew
SEEN = ("x", "y", "scale", "rotation", "opacity")  # the properties of a picture
# `eased` as an expression of ffmpeg, of the part of the time that has passed, which `ld(9)` holds.
_EASED = {
    Easing.LINEAR: "ld(9)",
    Easing.EASE_IN: "ld(9)^2",
    Easing.EASE_OUT: "(1-(1-ld(9))^2)",
    Easing.EASE_IN_OUT: "if(lt(ld(9),0.5),2*ld(9)^2,1-2*(1-ld(9))^2)",
}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The way from one keyframe to the next: `change` is made while slope * frame + offset goes from 0 to 1."""

    first: int  # the frame, counted from that of the window
    value: float
    change: float = 0.0
    easing: Easing = Easing.LINEAR
    slope: float = 0.0
    offset: float = 0.0

    def at(self, frame: int) -> float:
        if not self.change:
            return self.value
        return self.value + self.change * eased(self.easing, self.slope * frame + self.offset)

    def expression(self, frame: str) -> str:
        if not self.change:
            return repr(self.value)
        part = f"st(9,{self.slope!r}*{frame}+({self.offset!r}))"
        return f"({part};{self.value!r}+({self.change!r})*{_EASED[self.easing]})"


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A value at each frame of a window."""

    pieces: tuple[Piece, ...]  # at least one, the first from frame 0 on
    count: int  # of frames

    @property
    def constant(self) -> float | None:
        """The value, if it does not change."""
        first = self.pieces[0]
        return first.value if len(self.pieces) == 1 and not first.change else None

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value at any frame: those at the ends of the pieces."""
        lasts = [piece.first - 1 for piece in self.pieces[1:]] + [self.count - 1]
        ends = [
            piece.at(frame) for piece, last in zip(self.pieces, lasts, strict=True) for frame in (piece.first, last)
        ]
        return min(ends), max(ends)

    def values(self) -> list[float]:
        """One for each frame."""
        ends = [piece.first for piece in self.pieces[1:]] + [self.count]
        return [
            piece.at(frame) for piece, end in zip(self.pieces, ends, strict=True) for frame in range(piece.first, end)
        ]

    def expression(self, frame: str) -> str:
        """The value at a frame whose number is what `frame` says."""
        return _chosen(self.pieces, frame)


def curves_of(clip: Clip, first: int, count: int, rate: Fraction) -> dict[str, Curve]:
    """How a clip's picture changes in some frames of the film, by property."""
    return {
        name: curve(
            *(getattr(clip.motion, name), getattr(clip.transform, name)),
            start=clip.start,
            first=first,
            count=count,
            rate=rate,
        )
        for name in SEEN
    }


def rests(clip: Clip) -> Iterator[int]:
    """The moments of the timeline between which its picture moves, where it stays for long before or after."""
    ways = sorted(way for name in SEEN for way in _ways(getattr(clip.motion, name)))
    at = 0
    for begin, end in ways:
        if begin >= clip.duration:
            return
        if begin - at >= _REST:
            yield from (clip.start + at, clip.start + begin)
        at = max(at, end)
    if at and clip.duration - at >= _REST:
        yield clip.start + at


def _ways(keyframes: Keyframes) -> Iterator[tuple[int, int]]:
    """From when to when a value changes."""
    for one, other in pairwise(keyframes):
        if one.value != other.value:
            yield (other.at if one.easing is Easing.HOLD else one.at), other.at


def curve(keyframes: Keyframes, otherwise: float, *, start: int, first: int, count: int, rate: Fraction) -> Curve:
    """What keyframes, counted from `start`, come to in so many frames of the film from the `first` on.

    `otherwise`: the value where there are none.
    """
    if not keyframes:
        return Curve(pieces=(Piece(first=0, value=otherwise),), count=count)
    keyframes = _around(keyframes, moment_of(first, rate) - start, moment_of(first + count, rate) - start)
    found = [Piece(first=0, value=keyframes[0].value)]
    begins = [_begin(keyframe, start, first, rate) for keyframe in keyframes]
    for place, (keyframe, following) in enumerate(pairwise(keyframes)):
        if begins[place + 1] > 0 and begins[place] < count:
            _append(found, _piece(keyframe, following, max(0, begins[place]), start=start, first=first, rate=rate))
    if begins[-1] < count:
        _append(found, Piece(first=max(0, begins[-1]), value=keyframes[-1].value))
    return Curve(pieces=tuple(found), count=count)


def _around(keyframes: Keyframes, begin: Fraction, end: Fraction) -> Keyframes:
    """Those between two moments, and one more at each side."""
    before = bisect_right(keyframes, begin, key=_at) - 1
    after = bisect_left(keyframes, end, key=_at) + 1
    return keyframes[max(0, before) : after]


def _at(keyframe: Keyframe) -> Fraction:
    return Fraction(keyframe.at)


def _begin(keyframe: Keyframe, start: int, first: int, rate: Fraction) -> int:
    """The first frame that begins when the keyframe is reached."""
    return math.ceil((start + keyframe.at) * rate / SECOND) - first


def _piece(one: Keyframe, other: Keyframe, frame: int, *, start: int, first: int, rate: Fraction) -> Piece:
    if one.easing is Easing.HOLD or one.value == other.value:
        return Piece(first=frame, value=one.value)
    length = other.at - one.at
    return Piece(
        first=frame,
        value=one.value,
        change=other.value - one.value,
        easing=one.easing,
        slope=float(SECOND / rate / length),
        offset=float((moment_of(first, rate) - start - one.at) / length),
    )


def _append(found: list[Piece], piece: Piece) -> None:
    """Without those that no frame falls into, and as one what stays the same."""
    last = found[-1]
    if last.first == piece.first:
        found.pop()
        if not found:
            found.append(piece)
            return
        last = found[-1]
    if last.change or piece.change or last.value != piece.value:
        found.append(piece)


def _chosen(pieces: Sequence[Piece], frame: str) -> str:
    """Halved again and again: ffmpeg nests expressions no deeper than a hundred times."""
    if len(pieces) == 1:
        return pieces[0].expression(frame)
    middle = len(pieces) // 2
    earlier, later = _chosen(pieces[:middle], frame), _chosen(pieces[middle:], frame)
    return f"if(lt({frame},{pieces[middle].first}),{earlier},{later})"
