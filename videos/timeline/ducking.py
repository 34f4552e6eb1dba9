"""Ducking: some tracks (music) become softer while others (speech) are heard.

It goes by clips, and not by how loud the others are at each moment. So it can be seen in the timeline, where a clip may
be cut if it ducks too much; it comes down before the first word, and does not pump with every breath; it needs no
threshold, which would be another one for each recording; it costs nothing, where a level would have to be decoded
first; and it is the same in every program that knows the timeline.
"""

from __future__ import annotations

from collections.abc import Iterable

from videos.timeline.formats import SOUND_RATE
from videos.timeline.gain import Curve, Point, through

_RAMP = 3 * SOUND_RATE // 10  # samples, before what is heard and after it
_BRIDGED = SOUND_RATE  # a pause that is shorter is none

Span = tuple[int, int]  # from a sample up to another


def spans(heard: Iterable[Span]) -> list[Span]:
    """When anything is heard, in their order; without the pauses that are too short to come up in."""
    found: list[Span] = []
    for begin, end in sorted(heard):
        if found and begin - found[-1][1] < _BRIDGED:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def curve(found: Iterable[Span], volume: float) -> Curve:
    """The gain of a ducked track: `volume` during the spans, 1 apart from them. Counted in samples of the film."""
    points = [
        point
        for begin, end in found
        for point in (
            Point(at=begin - _RAMP, value=1.0),
            Point(at=begin, value=volume),
            Point(at=end, value=volume),
            Point(at=end + _RAMP, value=1.0),
        )
    ]
    return through(points or [Point(at=0, value=1.0)])
