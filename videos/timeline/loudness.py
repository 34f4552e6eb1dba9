"""The sound of a film is brought to the loudness at which platforms play: -14 LUFS, no peak above -1 dBTP.

It is measured (ITU-R BS.1770), and then made louder or softer as a whole: fades, ducking and the ways of music stay
what they are. Where peaks would be too high, a limiter holds them down, and what comes out is measured again, until it
is loud enough. The filter "loudnorm" does the same where no peak is in the way. Where one is, it changes the volume
from second to second, so that fades are made good again, misses its target by 0.6 to 0.8 LU (measured), and is slower.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from jobs.children import Limits
from videos.media import program, sandbox
from videos.timeline.formats import SOUND_RATE, Options
from videos.timeline.studio import Studio

STEP = "loudness"
TARGET = -14.0  # LUFS
_PEAK = -2.0  # dBTP: encoders add to the peaks that they are given
_NEAR = 0.15  # LU: well within what anybody hears
_TIMES = 4  # that it is measured at most: sound that is nothing but peaks can't be so loud
_MOST_HELD = 24.0  # dB that a peak is held down at most
_SILENT = -70.0  # LUFS, below which nothing counts
_LEAST = SOUND_RATE  # samples that are measured: a sound which is shorter is repeated
_OVERSAMPLED = 4 * SOUND_RATE  # where peaks between the samples are seen
_BITS = SOUND_RATE * 2 * 32

_INTEGRATED = re.compile(r"^\s+I:\s+(-?[\d.]+) LUFS")
_TRUE_PEAK = re.compile(r"^\s+Peak:\s+(-?[\d.]+) dBFS")


@dataclass(frozen=True, kw_only=True)
class Loudness:
    """As it was measured."""

    integrated: float  # LUFS
    peak: float  # dBTP


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is done to a sound."""

    gain: float = 0.0  # dB
    limited: bool = False


def level(given: str, target: str, options: Options, studio: Studio, *, length: int) -> None:
    """Encode a file of so many samples as another one, with `options`; as loud as it should be."""
    seconds = length / SOUND_RATE
    limits = sandbox.encoding(seconds=4 * seconds, pixels=0, rate=0, peak=_BITS, outputs=1, threads=1)
    change, done = _change(given, studio, length=length, limits=limits)
    command = encoding(given, target, change, options, length=length)
    studio.ffmpeg(command, limits=limits, seconds=seconds, step=STEP, span=(done, 1.0))


def _change(given: str, studio: Studio, *, length: int, limits: Limits) -> tuple[Change, float]:
    """What makes it as loud as it should be, and how much of the step it took to find out."""
    change, most = Change(), 0.0
    before: tuple[float, float] | None = None  # the gain, and what it came to
    for number in range(_TIMES):
        span = number / (_TIMES + 1), (number + 1) / (_TIMES + 1)
        command = measuring(given, change, length=length)
        said = studio.ffmpeg(command, limits=limits, seconds=max(length, _LEAST) / SOUND_RATE, step=STEP, span=span)
        found = measured(said)
        if found is None:  # silence stays silence
            return Change(limited=True), span[1]
        missing = TARGET - found.integrated
        if before is None:
            if found.peak + missing <= _PEAK:
                return Change(gain=missing), span[1]
            most = _PEAK - found.peak + _MOST_HELD
        elif abs(missing) <= _NEAR:
            return change, span[1]
        step = missing / (_effect(before, (change.gain, found.integrated)) if before else 1.0)
        before, following = (change.gain, found.integrated), Change(gain=min(change.gain + step, most), limited=True)
        if following == change:
            return change, span[1]
        change = following
    return change, _TIMES / (_TIMES + 1)


def _effect(before: tuple[float, float], now: tuple[float, float]) -> float:
    """By how much it becomes louder for each dB of gain, of which the limiter takes some away."""
    more = now[0] - before[0]
    return max(0.25, min(1.0, (now[1] - before[1]) / more)) if more else 1.0


def measuring(given: str, change: Change, *, length: int) -> list[str]:
    """The call that measures a file, as it is once it is changed."""
    repeated = _opened(given)
    if length < _LEAST:
        repeated = repeated.filter("aloop", loop=_LEAST // length, size=length)
    # Each tenth of a second would be a line of the log, but for this level of it.
    stream = _changed(repeated, change).filter("ebur128", peak="true", framelog="verbose")
    return program.compiled(ffmpeg.output(stream, "-", format="null"), *program.PROGRESS, "-v", "info")


def measured(said: Sequence[str]) -> Loudness | None:
    """What was said of a file; None if it is silent."""
    integrated = [float(found[1]) for line in said if (found := _INTEGRATED.match(line))]
    peaks = [float(found[1]) for line in said if (found := _TRUE_PEAK.match(line))]
    if not integrated or not peaks or integrated[-1] <= _SILENT:
        return None
    return Loudness(integrated=integrated[-1], peak=peaks[-1])


def encoding(given: str, target: str, change: Change, options: Options, *, length: int) -> list[str]:
    """The call that changes a file and encodes it; every sample keeps its place."""
    stream = _changed(_opened(given), change).filter("apad", whole_len=length).filter("atrim", end_sample=length)
    output = ffmpeg.output(stream, f"file:{target}", map_metadata=-1, ac=2, ar=SOUND_RATE, **options)
    return program.compiled(output, *program.PROGRESS)


def _opened(given: str) -> Any:
    return ffmpeg.input(sandbox.name(Path(given)), threads=1, **sandbox.input_options())["0"]


def _changed(stream: Any, change: Change) -> Any:
    if change.gain:
        stream = stream.filter("volume", 10 ** (change.gain / 20), precision="float")
    if not change.limited:
        return stream
    held = stream.filter("aresample", _OVERSAMPLED).filter("alimiter", limit=10 ** (_PEAK / 20), level=0, latency=1)
    return held.filter("aresample", SOUND_RATE)
