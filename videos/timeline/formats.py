"""How a film is encoded: the formats, and ffmpeg's options for each."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from videos.timeline.model import Canvas

Options = dict[str, str | int]

SOUND_RATE = 48_000
_KEYFRAMES = 4  # seconds apart at most
_MOST_REORDERED = 3  # frames in a row that are shown before one that is decoded earlier: as x264 has it by default
_WIDEST_GIF = 640
_FASTEST_GIF = Fraction(15)


class Format(StrEnum):
    """What kind of file: with a picture, or (the last three) of the sound alone."""

    MP4 = "mp4"
    MOV = "mov"
    WEBM = "webm"
    GIF = "gif"
    M4A = "m4a"
    MP3 = "mp3"
    WAV = "wav"

    @property
    def is_seen(self) -> bool:
        return self not in (Format.M4A, Format.MP3, Format.WAV)

    @property
    def is_heard(self) -> bool:
        return self is not Format.GIF

    @property
    def is_captioned(self) -> bool:
        """Whether it can hold subtitles beside the picture."""
        return self in CAPTIONS


# Taken in as they are, or encoded anew: ffmpeg reads no other kind that has thousandths of a second and loses nothing.
CAPTIONS = {Format.MP4: ("srt", "mov_text"), Format.MOV: ("srt", "mov_text"), Format.WEBM: ("webvtt", "copy")}
"""Subtitles beside the picture: the format of the file that is taken in, and their codec."""

_AAC: Options = {"c:a": "aac", "b:a": 192_000}
_SOUNDS: dict[Format, Options] = {
    Format.MP3: {"c:a": "libmp3lame", "b:a": 192_000},
    Format.WAV: {"c:a": "pcm_s16le", "rf64": "auto"},
    Format.WEBM: {"c:a": "libopus", "b:a": 160_000},
}


class Subtitles(StrEnum):
    """What becomes of a timeline's subtitles."""

    BURN = "burn"  # they are drawn into the picture
    TRACK = "track"  # each of their tracks is one of the file, for players to show
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How it is encoded."""

    format: Format
    crf: int
    preset: str  # of x264
    loudness: bool = False  # whether the sound is brought to that of the platforms
    subtitles: Subtitles = Subtitles.BURN


@dataclass(frozen=True, kw_only=True)
class Beside:
    """How H.264 is encoded that stands in one file with other H.264, which is not."""

    timescale: int  # of that
    profile: str  # in x264's words
    reordered: int  # frames that a decoder holds back
    number: int  # of the parameter sets, which that does not have
    colours: Options  # as the filter "setparams" has them
    square: int  # 1: pixels are said to be square; 0: nothing is said of them

    @property
    def options(self) -> Options:
        pyramid = "normal" if self.reordered > 1 else "none"
        words = f"sps-id={self.number}:stitchable=1:b-pyramid={pyramid}"
        # Whatever the preset: players hold back as many frames before a seam as after it.
        held = _MOST_REORDERED if self.reordered else 0
        return {
            "video_track_timescale": self.timescale,
            "profile:v": self.profile,
            "x264-params": words,
            "bf": held,
        }


def canvas(whole: Canvas, recipe: Recipe) -> Canvas:
    """The canvas that the format can take. GIFs are small and slow, or else they are huge."""
    if recipe.format is not Format.GIF:
        return whole
    shrunk = min(Fraction(1), Fraction(_WIDEST_GIF, whole.width))
    width, height = (max(16, round(side * shrunk / 2) * 2) for side in (whole.width, whole.height))
    return replace(whole, width=width, height=height, rate=min(whole.rate, _FASTEST_GIF))


def picture(recipe: Recipe, rate: Fraction, *, threads: int, beside: Beside | None = None) -> Options:
    """Of one segment, whose file is an MP4 whatever the film is: no other holds the times of frames exactly."""
    shared: Options = {
        "pix_fmt": "yuv420p",
        "threads": threads,
        "g": math.ceil(rate * _KEYFRAMES),
        "r": str(rate),
        "vsync": "cfr",
        "video_track_timescale": timescale(rate),
        "map_metadata": -1,
        "max_muxing_queue_size": 9999,
    }
    if recipe.format is Format.WEBM:
        level = min(63, recipe.crf + 9)  # libvpx counts to 63, and looks at 32 as x264 does at 23
        speed: Options = {"deadline": "good", "cpu-used": 4, "row-mt": 1, "tile-columns": 2}
        return {"c:v": "libvpx-vp9", "crf": level, "b:v": 0, **speed, **shared}
    if recipe.format is Format.GIF:
        return {"c:v": "libx264", "preset": "ultrafast", "crf": 4, **shared}
    quality: Options = {"preset": recipe.preset, "crf": recipe.crf}
    return {
        **{"c:v": "libx264", "profile:v": "high", "flags": "+cgop", **quality, **shared},
        **(beside.options if beside else {}),
    }


def sound(recipe: Recipe) -> Options:
    """Of the whole film."""
    return _SOUNDS.get(recipe.format, _AAC)


def timescale(rate: Fraction) -> int:
    """Ticks a second, of which each frame has a whole number."""
    return rate.numerator * math.ceil(10_000 / rate.numerator)
