"""What is made of a file: which rungs, how large, how fast, how good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from videos.media.probe import AudioStream, Probe, VideoStream

SEGMENT_SECONDS = 4  # a keyframe stands every so often, at the same times in every rung
FASTEST = Fraction(60)  # frames a second that are published at most, or a little more where they come so
SLOWEST = Fraction(10)  # and at least: a frame moves by up to half the time of one, and should be heard in step
LONGEST_SIDE = 4096  # what decoders in phones and television sets take
AUDIO_BITS = 128_000
AUDIO_RATE = 48_000

_A_LITTLE_MORE = Fraction(102, 100)  # cameras of 60 frames a second count 60.03, and half of that would be a loss
_WITHOUT_INDEX = {"mpegts", "mpeg", "flv"}  # where ffmpeg finds a time, but not the keyframe before it
_LEAD_IN = 10.0  # seconds; keyframes stand closer in most
_USUAL, _MOVING = Fraction(30), Fraction(20)  # frames a second, where the file does not say


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a ladder: its short side in pixels, and what it may cost at up to 30 frames a second."""

    short: int
    crf: int
    maxrate: int  # bits a second


DEFAULT: tuple[Step, ...] = (
    Step(short=1080, crf=23, maxrate=5_000_000),
    Step(short=720, crf=23, maxrate=2_800_000),
    Step(short=480, crf=23, maxrate=1_400_000),
    Step(short=360, crf=23, maxrate=800_000),
)


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One size that is encoded."""

    name: str  # after its short side: "720p"
    width: int
    height: int
    crf: int
    maxrate: int  # bits a second
    bufsize: int  # bits
    level: str  # of H.264 High, e.g. "3.1"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that the commands need to know; no rungs means sound only."""

    rungs: tuple[Rung, ...]  # best first
    video: VideoStream | None
    audio: AudioStream | None
    rate: Fraction | None  # frames a second of the output, which come evenly whatever the source does
    duration: float | None  # seconds to expect
    guessed: bool  # and whether they are no more than a guess
    lead_in: float  # seconds before a moment that is searched for, from which on it is decoded


def plan(probe: Probe, ladder: Sequence[Step] = DEFAULT) -> Plan:
    """Choose rungs for a file that `probe.check` has let through."""
    video = probe.video
    rate = None if video is None else _rate(video)
    return Plan(
        rungs=() if video is None else _rungs(video, ladder, rate),
        video=video,
        audio=probe.audio,
        rate=rate,
        duration=probe.duration or (video.duration if video else None),
        guessed=probe.trust == "guessed",
        lead_in=_LEAD_IN if probe.container in _WITHOUT_INDEX else 0.0,
    )


def _rate(video: VideoStream) -> Fraction:
    """The grid that the frames are laid on: the source's own, divided or multiplied by a whole number.

    So frames that come evenly stay evenly spaced, and those that don't keep their times as nearly as can be.
    """
    rate = _source_rate(video)
    if rate > FASTEST * _A_LITTLE_MORE:
        return rate / math.ceil(rate / (FASTEST * _A_LITTLE_MORE))
    return rate * math.ceil(SLOWEST / rate)


def _source_rate(video: VideoStream) -> Fraction:
    average, grid = video.frame_rate, video.grid
    if average is None or grid is None:
        known = average or grid
        # The average of a picture that mostly stands still is far below the rate of its movements.
        return known if known is not None and known >= _MOVING else _USUAL
    if not video.variable:
        return max(average, grid)  # to repeat a frame now and then is better than to lose one
    if video.interlaced and grid >= average * 2 * Fraction(98, 100):
        return grid / 2  # the grid counts fields
    return grid


def _rungs(video: VideoStream, ladder: Sequence[Step], rate: Fraction | None) -> tuple[Rung, ...]:
    """Every step that the source fills; and its own size where it nearly fills one or is smaller than all.

    "Nearly": a film cropped to 1920x1072 should not be published at 720 at best.
    """
    short = min(video.display_width, video.display_height)
    steps = sorted(ladder, key=lambda step: step.short, reverse=True)
    rungs = [_rung(video, step, step.short, rate) for step in steps if step.short <= short]
    missed = [step for step in steps if step.short > short]
    if missed and (not rungs or short * 10 >= missed[-1].short * 9):
        rungs.insert(0, _rung(video, missed[-1], short, rate))
    return tuple({rung.name: rung for rung in rungs}.values())


def _rung(video: VideoStream, step: Step, short: int, rate: Fraction | None) -> Rung:
    sides = (video.display_width, video.display_height)
    scale = min(Fraction(short, min(sides)), Fraction(LONGEST_SIDE, max(sides)))
    width, height = (_even(side * scale, at_most=side) for side in sides)
    frames = float(rate or 30)
    # Twice the frames differ less from one to the next: half as much again is enough.
    maxrate = int(step.maxrate * (1.5 if frames > 30.5 else 1.0))
    return Rung(
        name=f"{min(width, height)}p",
        width=width,
        height=height,
        crf=step.crf,
        maxrate=maxrate,
        bufsize=2 * maxrate,
        level=_level(width, height, frames, maxrate),
    )


def _even(side: Fraction, *, at_most: int) -> int:
    """The nearest even number, for yuv420p halves both sides; above the source only if that is one pixel."""
    return max(2, min(round(side / 2) * 2, at_most // 2 * 2))


# ITU-T H.264, table A-1: level, macroblocks a second and a frame, kbit a second (1.25 times, for High).
_LEVELS = (
    ("1.3", 11_880, 396, 960),
    ("2.1", 19_800, 792, 5_000),
    ("3.0", 40_500, 1_620, 12_500),
    ("3.1", 108_000, 3_600, 17_500),
    ("3.2", 216_000, 5_120, 25_000),
    ("4.0", 245_760, 8_192, 25_000),
    ("4.2", 522_240, 8_704, 62_500),
    ("5.0", 589_824, 22_080, 168_750),
    ("5.1", 983_040, 36_864, 300_000),
    ("5.2", 2_073_600, 36_864, 300_000),
)


def _level(width: int, height: int, rate: float, maxrate: int) -> str:
    """The lowest level of H.264 High that size, speed and bit rate fit."""
    across, down = math.ceil(width / 16), math.ceil(height / 16)
    for name, speed, frame, kilobits in _LEVELS:
        fits = across * down <= frame and max(across, down) <= math.isqrt(8 * frame)
        if fits and across * down * rate <= speed and maxrate <= kilobits * 1000:
            return name
    return _LEVELS[-1][0]
