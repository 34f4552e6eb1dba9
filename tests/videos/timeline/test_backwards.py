"""Clips that are played backwards: every frame is that which a mirror in time shows, read back one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.videos.timeline import plainly, reels
from tests.videos.timeline.reels import even, micro
from tests.videos.timeline.test_moving import picture
from videos.timeline import cutting
from videos.timeline.film import Source
from videos.timeline.model import Canvas, Clip, Fit, Passage, Timeline, Transition
from videos.timeline.motion import Keyframe, Motion, Transform
from videos.timeline.values import SECOND

NTSC = Fraction(30000, 1001)
TIMES = {"0": even(150), "1": even(90, 30), "2": even(60, NTSC)}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    folder = tmp_path_factory.mktemp("materials")
    return {
        "0": reels.source(reels.make_numbered(folder / "0.mp4", "-bf", "2", "-g", "60", count=150)),
        "1": reels.source(reels.make_numbered(folder / "1.mkv", count=90, rate=30, material=1)),
        "2": reels.source(reels.make_numbered(folder / "2.mov", count=60, rate=NTSC, material=2)),
    }


def clip(
    start: float, seconds: float, material: int = 0, at: float = 0, speed: Fraction | int = 1, **more: Any
) -> Clip:
    return Clip(
        start=micro(start),
        duration=micro(seconds),
        material=str(material),
        source_start=micro(at),
        speed=Fraction(speed),
        **({"reverse": True} | more),
    )


def mirrored(whole: Timeline) -> list[int]:
    """The number on each frame: that of the frame of the material which ends then, as it was there before."""
    rate, found = whole.canvas.rate, []
    for number in range(whole.frames):
        (one,) = (
            clip
            for clip in whole.tracks[0].clips
            if round(clip.start * rate / SECOND) <= number < round(clip.end * rate / SECOND)
        )
        left = min(one.end - number * SECOND / rate, Fraction(one.duration))
        moment = float(one.source_start + left * one.speed) / SECOND
        begun = sum(time < moment - 0.001 for time in TIMES[one.material])
        found.append(int(one.material) * reels.FIRST + max(1, begun))
    return found


CUTS: Mapping[str, tuple[Sequence[Clip], Fraction | int]] = {
    "whole and in time": ([clip(0, 3, 1)], 30),
    "in a row, of all rates": ([clip(0, 1, at=2), clip(1, 1.1, 1, at=0.5), clip(2.1, 0.9, 2, at=0.3)], 30),
    "odd times": ([clip(0, 0.717, at=3.3), clip(0.717, 0.731, 1, at=0.7001), clip(1.448, 0.6, 2, at=0.23)], 30),
    "half and double speed": ([clip(0, 1, at=1, speed=Fraction(1, 2)), clip(1, 1, 1, at=0.5, speed=2)], 30),
    "odd speeds": ([clip(0, 1, at=1, speed=Fraction(137, 100)), clip(1, 0.4, 1, at=0, speed=7)], NTSC),
    "from beyond the end": ([clip(0, 1, 1, at=2.5), clip(1, 0.5, 2, at=9)], 25),
    "one frame each": ([clip(number / 25, 0.04, number % 3, at=number / 7) for number in range(8)], 25),
}


@pytest.mark.parametrize("name", CUTS)
def test_every_frame_is_the_mirrored_one(tmp_path: Path, sources: Mapping[str, Source], name: str) -> None:
    clips, rate = CUTS[name]
    whole = reels.timeline(clips, rate=rate)
    made = reels.make(whole, sources, tmp_path / "out")
    assert reels.numbers(made.file) == mirrored(whole)


def test_it_is_the_film_forwards_turned_round(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    """Where all frames fall on those of the film: played forwards and read from its end."""
    forwards = reels.timeline([clip(0, 2, at=1, reverse=False)], rate=25)
    backwards = reels.timeline([clip(0, 2, at=1)], rate=25)
    one = reels.numbers(reels.make(forwards, sources, tmp_path / "one").file)
    assert reels.numbers(reels.make(backwards, sources, tmp_path / "other").file) == one[::-1]


def test_windows_are_short_and_show_no_seam(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    canvas = Canvas(width=1280, height=720, rate=Fraction(25))
    whole = reels.timeline([clip(0, 5, at=0.3)], canvas=canvas)
    found = cutting.windows(whole, longest=1000)
    assert max(window.frames for window in found) * 1280 * 720 <= 64_000_000
    assert len(found) == 2
    many = reels.timeline(*[[clip(0, 5)] for _ in range(100)], canvas=canvas)
    assert all(window.frames == 1 for window in cutting.windows(many, longest=1000))
    made = reels.make(whole, sources, tmp_path / "out")
    assert reels.numbers(made.file, size=(1280, 720)) == mirrored(whole)


def test_a_film_goes_on_backwards_while_it_gives_way(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    """In a wipe from left to right, the bits at the left are those of the new one."""
    old = clip(0, 1, at=1, transition=Transition(duration=micro(0.8), kind=Passage.SLIDE_UP))
    whole = reels.timeline([old, clip(1, 1, 1, at=1)], rate=25)
    made = reels.make(whole, sources, tmp_path / "out")
    found = reels.pictures(made.file)
    for number in (18, 24, 25, 30):
        part = (number / 25 - 0.6) / 0.8
        gone = round(90 * part) * 2
        for one, rate in ((whole.tracks[0].clips[0], 25), (whole.tracks[0].clips[1], 30)):
            left = one.end / SECOND - number / 25
            moment = one.source_start / SECOND + left
            shown = int(one.material) * reels.FIRST + sum(time < moment - 0.001 for time in even(300, rate))
            blocks = reels.blocks(shown)
            seen = blocks[gone:] if one is whole.tracks[0].clips[0] else blocks[:gone]
            there = found[number][: 180 - gone] if one is whole.tracks[0].clips[0] else found[number][180 - gone :]
            assert plainly.difference(there, seen) < 8


@pytest.mark.parametrize("fit", Fit)
def test_keyframes_run_forwards_in_it(tmp_path: Path, fit: Fit) -> None:
    drawn = picture(320, 240)
    material = reels.source(reels.make_film(tmp_path / "0.mp4", [np.asarray(drawn)] * 20, rate=10))
    canvas = Canvas(width=320, height=180, rate=Fraction(10))
    motion = Motion(x=(Keyframe(at=0, value=-0.2), Keyframe(at=SECOND, value=0.2)))
    moving = clip(0, 1, motion=motion, fit=fit, transform=Transform(scale=0.8))
    made = reels.make(reels.timeline([moving], canvas=canvas), {"0": material}, tmp_path / "out")
    found = reels.pictures(made.file, size=(320, 180), form="rgb24")
    for number in (0, 9):
        moved = Transform(scale=0.8, x=-0.2 + number * 0.04)
        wanted = np.asarray(plainly.put(plainly.plain(canvas), drawn, moving, moved))
        inner = np.s_[30:150, 120:188]
        assert plainly.difference(found[number][inner], wanted[inner]) < 4


def test_a_clip_that_begins_within_a_frame_shows_nothing_of_another_shot(
    tmp_path: Path, sources: Mapping[str, Source]
) -> None:
    whole = reels.timeline([replace(clip(0, 1, 1, at=1), start=micro(0.03), duration=micro(0.97))], rate=5)
    made = reels.make(whole, sources, tmp_path / "out")
    first = reels.numbers(made.file)[0] - reels.FIRST
    assert first == 60  # 1.97 s: the frame that begins at 59/30 s; not what stands 0.03 s later
