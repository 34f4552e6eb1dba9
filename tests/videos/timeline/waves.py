"""Materials with clicks and tones, films of them, and what can be heard in those again."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from tests.videos.timeline import reels
from tests.videos.timeline.reels import Array, micro
from videos.timeline.film import Source
from videos.timeline.model import Canvas, Clip, Kind, Sound, Timeline, Track
from videos.timeline.values import SECOND

RATE = 48_000
CANVAS = Canvas(width=64, height=64, rate=Fraction(25))
CLICKS = [0.1 + 0.5 * number for number in range(20)]  # seconds; the middle of each
_CLICK = 0.004


def make_clicks(
    path: Path, *options: str, rate: int = RATE, times: Sequence[float] = CLICKS, seconds: int = 10
) -> Source:
    """Silence with a short sound every now and then; one channel."""
    wave = np.zeros(seconds * rate, np.float32)
    count = int(_CLICK * rate)
    click = np.sin(2 * np.pi * 1000 * np.arange(count) / rate) * np.hanning(count) * 0.8
    for time in times:
        first = round((time - _CLICK / 2) * rate)
        wave[first : first + count] = click
    return make_sound(path, wave, *options, rate=rate)


def make_sound(path: Path, wave: Array, *options: str, rate: int = RATE) -> Source:
    given = ["-f", "f32le", "-ar", str(rate), "-ac", "1", "-i", "-"]
    command = ["ffmpeg", "-v", "error", "-y", *given, *options, str(path)]
    subprocess.run(command, check=True, input=wave.astype(np.float32).tobytes())
    return reels.source(path)


def heard(path: Path) -> Array:
    """The sound of a file, which is the same on both sides."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a", "-ar", str(RATE), "-f", "f32le", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    left, right = np.frombuffer(done.stdout, np.float32).reshape(-1, 2).T
    assert np.abs(left - right).max() < 0.01
    return np.array(left)


def clicks_in(wave: Array) -> list[float]:
    """When they are heard: the middle of each, by its energy."""
    loud = np.flatnonzero(np.abs(wave) > 0.05)
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > RATE // 20) + 1) if len(loud) else []
    found = []
    for group in groups:
        first = max(0, group[0] - RATE // 50)
        energy = wave[first : group[-1] + RATE // 50].astype(float) ** 2
        found.append(float(first + np.arange(len(energy)) @ energy / energy.sum()) / RATE)
    return found


def expected(*pieces: Clip, clicks: Sequence[float] = CLICKS) -> list[float]:
    """When clicks should be heard. `clicks`: when they are in the material."""
    times = []
    for clip in pieces:
        start, first, speed = clip.start / SECOND, clip.source_start / SECOND, float(clip.speed)
        last = first + clip.duration / SECOND * speed
        times += [start + (time - first) / speed for time in clicks if first + 0.01 < time < last - 0.01]
    return sorted(times)


def audio(*pieces: Clip, muted: bool = False) -> Track:
    return Track(kind=Kind.AUDIO, clips=pieces, muted=muted)


def whole(*tracks: Track) -> Timeline:
    return Timeline(canvas=CANVAS, tracks=tracks)


def clip(start: float, seconds: float, at: float = 0, speed: Fraction | str = "1", **changes: float) -> Clip:
    return Clip(
        start=micro(start),
        duration=micro(seconds),
        material="0",
        source_start=micro(at),
        speed=Fraction(speed),
        sound=Sound(
            volume=changes.get("volume", 1.0),
            fade_in=micro(changes.get("fade_in", 0)),
            fade_out=micro(changes.get("fade_out", 0)),
        ),
    )
