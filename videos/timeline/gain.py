"""How loud something is, sample by sample: a curve, as keyframes and ducking give it, and as ffmpeg computes it.

A gain that changes once for each frame of samples would be heard as a rattle. So ffmpeg computes it anew for every
sample, from an expression that finds its place in a curve of a thousand stretches in ten steps.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from videos.timeline.formats import SOUND_RATE
from videos.timeline.motion import Easing

_JUMP = (
    SOUND_RATE // 250
)  # samples, at least, in which a value that was held comes to the next one: at once, it would click
_EVER = 10**12  # samples, which no film has


@dataclass(frozen=True, kw_only=True)
class Point:
    """The gain at a sample, and the way to that of the next point."""

    at: int
    value: float
    easing: Easing = Easing.LINEAR


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """From a sample on, up to the next stretch: value + slope·x + bend·x², x samples after its first one."""

    first: int
    value: float
    slope: float = 0.0
    bend: float = 0.0

    def at(self, sample: int) -> float:
        passed = sample - self.first
        return self.value + passed * (self.slope + passed * self.bend)

    def since(self, sample: int) -> Stretch:
        """The same, counted from a later sample on."""
        return replace(
            self, first=sample, value=self.at(sample), slope=self.slope + 2 * self.bend * (sample - self.first)
        )


Curve = tuple[Stretch, ...]  # at least one; the last one goes on for ever


def through(points: Sequence[Point]) -> Curve:
    """A curve through points, one at least, that are in their order. Beyond them nothing changes."""
    found = [Stretch(first=-_EVER, value=points[0].value)]
    for one, other in pairwise(points):
        if other.at > one.at:
            found += _way(one, other)
    return (*found, Stretch(first=points[-1].at, value=points[-1].value))


def part(curve: Curve, first: int, length: int) -> Curve:
    """What of a curve is heard in so many samples, the first of which is its sample 0 then."""
    begin = bisect_right(curve, first, key=_first) - 1
    end = bisect_left(curve, first + length, key=_first)
    moved = [replace(one.since(max(first, one.first)), first=max(0, one.first - first)) for one in curve[begin:end]]
    return (*(one for one, other in pairwise(moved) if other.first > one.first), moved[-1])


def peak(curve: Curve, length: int) -> float:
    """The highest gain within so many samples. No stretch has a summit between its ends."""
    ends = [*(one.first for one in curve[1:]), length]
    return max(max(one.value, one.at(end - 1)) for one, end in zip(curve, ends, strict=True))


def constant(curve: Curve) -> float | None:
    """The one value that it has; None if it has several."""
    still = all(one.slope == one.bend == 0 and one.value == curve[0].value for one in curve)
    return curve[0].value if still else None


def expression(curve: Curve) -> str:
    """The gain of the sample `n`, in ffmpeg's words."""
    if len(curve) == 1:
        return _formula(curve[0])
    middle = len(curve) // 2
    before, after = expression(curve[:middle]), expression(curve[middle:])
    return f"if(lt(n,{curve[middle].first}),{before},{after})"


def _first(stretch: Stretch) -> int:
    return stretch.first


def _way(one: Point, other: Point) -> list[Stretch]:
    """From a point to a later one."""
    length, rise = other.at - one.at, other.value - one.value
    match one.easing:
        case Easing.HOLD:
            jump = min(length, _JUMP)
            held = Stretch(first=one.at, value=one.value)
            return [held, Stretch(first=other.at - jump, value=one.value, slope=rise / jump)]
        case Easing.EASE_IN:
            return [Stretch(first=one.at, value=one.value, bend=rise / length**2)]
        case Easing.EASE_OUT:
            return [Stretch(first=one.at, value=one.value, slope=2 * rise / length, bend=-rise / length**2)]
        case Easing.EASE_IN_OUT:
            middle = one.at + length // 2
            bend = 2 * rise / length**2
            rising = Stretch(first=one.at, value=one.value, bend=bend)
            # It comes to rest at the other point: the same, seen from there.
            falling = Stretch(first=other.at, value=other.value, bend=-bend).since(middle)
            return [rising, falling]
        case _:
            return [Stretch(first=one.at, value=one.value, slope=rise / length)]


def _formula(stretch: Stretch) -> str:
    passed = f"(n-{stretch.first})"
    if stretch.bend:
        return f"{stretch.value!r}+{passed}*({stretch.slope!r}+{passed}*{stretch.bend!r})"
    return f"{stretch.value!r}+{passed}*{stretch.slope!r}" if stretch.slope else repr(stretch.value)
