"""OTIO's times, a number of frames at some rate, and our whole microseconds."""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from videos.timeline.model import frame_at, moment_of
from videos.timeline.values import SECOND

GRAIN = 10**18
"""What times are summed up in: so many grains are a second.

Rounded to microseconds their errors would add up, and as exact fractions of many rates they would grow without end.
"""

LONGEST = 10**7  # seconds: any clock's reading
_LOWEST, _HIGHEST = 0.001, 1e9  # frames a second


@functools.lru_cache(maxsize=256)
def rate_of(rate: float) -> Fraction:
    """What is meant by a rate: 23.976, 23.98 and 29.97 are short for thousands over 1001. Raises ValueError."""
    if not _LOWEST <= rate <= _HIGHEST:
        raise ValueError("This is no rate")
    ntsc = Fraction(round(rate) * 1000, 1001)
    if abs(rate - ntsc) < 0.005 and rate != round(rate):
        return ntsc
    return Fraction(rate).limit_denominator(10_000)


def grains(time: Any) -> int:
    """An OTIO time, as exactly as it is counted here. Raises ValueError if it is none."""
    return count(time.value, time.rate)


def count(value: float, rate: float) -> int:
    """So many frames at some rate. Raises ValueError if that is no time."""
    if not math.isfinite(value):
        raise ValueError("This is no time")
    whole, part = value.as_integer_ratio()
    meant = rate_of(rate)
    found = _rounded(whole * GRAIN * meant.denominator, part * meant.numerator)
    if abs(found) > LONGEST * GRAIN:
        raise ValueError("This time is too long")
    return found


def moment(count: int) -> int:
    """Grains in whole microseconds."""
    return _rounded(count * SECOND, GRAIN)


def _rounded(count: int, parts: int) -> int:
    """A fraction, without making one: there are many."""
    return (2 * count + parts) // (2 * parts)


class Clock:
    """Writes times in frames at one rate, where these are what was meant; else in microseconds."""

    def __init__(self, rate: Fraction, moments: tuple[int, ...]) -> None:
        self._rate = rate
        whole = rate_of(float(rate)) == rate and all(map(self._is_whole, moments))
        self.frames = whole and all(moment(count(frame_at(one, rate), float(rate))) == one for one in moments)

    def at(self, moment: int) -> Any:
        """A moment."""
        return self.between(0, moment)

    def between(self, start: int, end: int) -> Any:
        """How long it is from one moment to another."""
        if not self.frames:
            return otio.opentime.RationalTime(end - start, SECOND)
        frames = frame_at(end, self._rate) - frame_at(start, self._rate)
        return otio.opentime.RationalTime(frames, float(self._rate))

    def _is_whole(self, moment: int) -> bool:
        return round(moment_of(frame_at(moment, self._rate), self._rate)) == moment
