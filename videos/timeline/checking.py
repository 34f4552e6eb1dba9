"""Whether what came out is what was to come out: each frame is looked for, in an MP4's tables or by ffprobe."""

from __future__ import annotations

import json
from fractions import Fraction

from videos.media import lenient
from videos.timeline import tables
from videos.timeline.studio import Studio
from videos.timeline.tables import Tables

_MILLISECONDS = 0.0021  # containers that count them may be one off, at both ends
_CENTISECONDS = 0.011
_MICROSECOND = 1e-6


def seconds(name: str, studio: Studio) -> float:
    """How long a file is; 0 if it does not say."""
    if told := _tables(name, studio):
        return told.seconds
    answer = json.loads(studio.ffprobe(name, "-show_entries", "format=duration", "-of", "json"))
    return lenient.seconds(lenient.mapping(lenient.mapping(answer).get("format")).get("duration")) or 0.0


def packets(name: str, studio: Studio) -> int:
    """How many packets of sound an MP4 has."""
    told = _tables(name, studio)
    sound = told.track(tables.SOUND) if told else None
    return sound.count if sound else 0


def frames(name: str, count: int, rate: Fraction, studio: Studio, *, coarse: bool = False) -> str | None:
    """What is wrong with the frames of a file; None if each is there once, and at its time.

    `coarse`: the file counts hundredths of a second.
    """
    found = Frames(count, rate, tolerance=_CENTISECONDS if coarse else _MILLISECONDS)
    told = _tables(name, studio)
    if told and (picture := told.track(tables.PICTURE)):
        for time in picture.times():
            if time > -_MICROSECOND:  # what is earlier is decoded and not shown
                found.see(time)
        return found.verdict()
    show = ("-select_streams", "v:0", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0")
    studio.ffprobe(name, *show, on_line=found.feed)
    return found.verdict()


def _tables(name: str, studio: Studio) -> Tables | None:
    return tables.read(studio.folder / name) if name.endswith((".mp4", ".mov")) else None


class Frames:
    """Takes the frames of a picture, in whatever order."""

    def __init__(self, count: int, rate: Fraction, *, tolerance: float) -> None:
        self._rate = float(rate)
        self._tolerance = tolerance
        self._there = bytearray(count)
        self._count = 0
        self._problem: str | None = None

    def feed(self, line: str) -> bool:
        """One packet as ffprobe tells of it: time, flags."""
        time, _, flags = line.strip().partition(",")
        if not time or "D" in flags:
            return False  # what is decoded and not shown
        self.see(lenient.number(time), said=time)
        return True

    def see(self, at: float | None, *, said: str = "") -> None:
        """One frame, at a time in seconds."""
        self._count += 1
        number = -1 if at is None else round(at * self._rate)
        if at is None or not 0 <= number < len(self._there):
            self._problem = f"a frame stands at {said or at} s"
        elif self._there[number]:
            self._problem = f"frame {number} is there twice"
        elif abs(at - number / self._rate) > self._tolerance:
            self._problem = f"frame {number} stands at {said or at} s"
        else:
            self._there[number] = 1

    def verdict(self) -> str | None:
        if self._count != len(self._there):
            return f"it has {self._count} frames instead of {len(self._there)}"
        return self._problem
