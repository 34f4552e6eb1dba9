"""Timelines made by chance: the frames of their films are those that ten lines of arithmetic say."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.reels import FIRST
from videos.timeline.film import Format, Source
from videos.timeline.model import Canvas, Clip, Timeline
from videos.timeline.values import SECOND

NTSC = Fraction(30000, 1001)
SIZE = (64, 36)
UNEVEN = [Fraction(number * 40 + number * number * 7 % 31, 1000) for number in range(100)]
TIMES: Mapping[str, list[Fraction]] = {
    "0": [Fraction(number, 25) for number in range(100)],
    "1": [number / NTSC for number in range(90)],
    "2": UNEVEN,
}
EARLY = Fraction(1, 1000)  # containers round: so much earlier a frame may be meant
UNSURE = Fraction(25, 1_000_000)  # where clips begin within a frame, the film counts in tens of microseconds


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    """Of 25 frames a second, of 29.97, and of frames that come as they like."""
    folder = tmp_path_factory.mktemp("materials")
    reels.make_numbered(folder / "0.mp4", "-bf", "2", "-g", "40", count=100)
    reels.make_numbered(folder / "1.mov", count=90, rate=NTSC, material=1)
    reels.make_numbered(folder / "even.mkv", count=100, material=2)
    uneven = "settb=1/1000,setpts='N*40+mod(N*N*7,31)'"
    clips.ffmpeg(
        *("-i", folder / "even.mkv", "-vf", uneven, "-vsync", "vfr", "-enc_time_base", "-1", *clips.H264, "-crf", "12"),
        *("-video_track_timescale", "1000", folder / "2.mp4"),
    )
    assert clips.frame_times(folder / "2.mp4") == pytest.approx([float(time) for time in UNEVEN], abs=1e-6)
    return {name: reels.source(folder / file) for name, file in {"0": "0.mp4", "1": "1.mov", "2": "2.mp4"}.items()}


def oracle(whole: Timeline, number: int) -> set[int]:
    """What a frame may show: two numbers where the moment is that of a cut in the material, to the last digit."""
    rate = whole.canvas.rate
    for track in reversed(whole.tracks):
        for clip in track.clips:
            if round(clip.start * rate / SECOND) <= number < round(clip.end * rate / SECOND):
                passed = max(Fraction(0), number / rate - Fraction(clip.start, SECOND))
                return {shown(clip, passed + off) for off in (-UNSURE, 0, UNSURE)}
    return {0}


def shown(clip: Clip, passed: Fraction) -> int:
    """The number on the frame of the material that is seen when so much of the clip has passed, in seconds."""
    first, times = Fraction(clip.source_start, SECOND), TIMES[clip.material]
    if clip.freeze:
        begun = bisect_right(times, first + EARLY)
    elif clip.reverse:
        begun = bisect_left(times, first + (Fraction(clip.duration, SECOND) - passed) * clip.speed - EARLY)
    else:
        begun = bisect_right(times, first + passed * clip.speed + EARLY)
    return int(clip.material) * FIRST + max(1, begun)


RATES = st.sampled_from([Fraction(25), Fraction(30), NTSC, Fraction(24), Fraction(60), Fraction(7, 2)])
SPEEDS = st.sampled_from([*map(Fraction, ("1", "1/4", "1/2", "0.8", "1.37", "2", "4", "30000/29999")), Fraction(11, 7)])
WAYS: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {}, {"reverse": True}, {"freeze": True}])


@st.composite
def lengths(draw: st.DrawFn, rate: Fraction) -> int:
    """Of any kind: by chance; whole frames; half ones more, a microsecond more or less; shorter than a frame."""
    halves = draw(st.integers(1, 24))
    at_bounds = round(halves * SECOND / rate / 2) + draw(st.sampled_from([-1, 0, 1]))
    return draw(st.sampled_from([max(1, at_bounds), draw(st.integers(1, SECOND)), draw(st.integers(1, 20_000))]))


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    rate, tracks = draw(RATES), []
    for _ in range(draw(st.integers(1, 3))):
        track: list[Clip] = []
        at = 0
        for _ in range(draw(st.integers(1, 7))):
            at += draw(st.just(0) | lengths(rate))
            length = draw(lengths(rate))
            track.append(
                Clip(
                    start=at,
                    duration=length,
                    material=draw(st.sampled_from(list(TIMES))),
                    source_start=draw(st.integers(0, 100)) * 40_000 + draw(st.sampled_from([0, 0, 1, -1, 17_003])) + 1,
                    speed=draw(SPEEDS),
                    **draw(WAYS),
                )
            )
            at += length
        tracks.append(track)
    return reels.timeline(*tracks, canvas=Canvas(width=SIZE[0], height=SIZE[1], rate=rate))


def wrong(whole: Timeline, found: list[int]) -> list[tuple[int, int, set[int]]]:
    """The frames that show what they should not."""
    pairs = [(number, seen, oracle(whole, number)) for number, seen in enumerate(found)]
    return [pair for pair in pairs if pair[1] not in pair[2]]


@settings(max_examples=12, derandomize=True, suppress_health_check=list(HealthCheck))
@given(timelines())
def test_every_frame_is_the_one_that_the_timeline_says(
    tmp_path_factory: pytest.TempPathFactory, sources: Mapping[str, Source], whole: Timeline
) -> None:
    if not whole.frames:
        return
    made = reels.make(whole, sources, tmp_path_factory.mktemp("film") / "out")
    found = reels.numbers(made.file, size=SIZE)
    assert len(found) == whole.frames
    assert wrong(whole, found) == []


def at_bounds(rate: Fraction) -> Timeline:
    """Cuts on frames, between them, in the very middle, and a microsecond to each side of all that; two tracks."""
    moments = [
        round((number + part) * SECOND / rate) + off
        for number, part, off in (
            *((3, Fraction(0), 0), (5, Fraction(1, 2), 0), (8, Fraction(1, 2), -1), (11, Fraction(1, 2), 1)),
            *((14, Fraction(0), 1), (17, Fraction(0), -1), (18, Fraction(1, 3), 0), (19, Fraction(2, 3), 0)),
        )
    ]
    speeds = [Fraction(1), Fraction("1.37"), Fraction(2), Fraction(1, 2)]
    below = [
        Clip(start=begin, duration=end - begin, material=str(number % 3), source_start=number * 333_333, speed=speed)
        for number, (begin, end, speed) in enumerate(
            zip([0, *moments], [*moments, round(25 * SECOND / rate)], speeds * 3, strict=False)
        )
    ]
    above = [replace_start(below[2], moments[0] + 7), replace_start(below[5], moments[4] + 20_000)]
    return reels.timeline(below, above, canvas=Canvas(width=SIZE[0], height=SIZE[1], rate=rate))


def replace_start(clip: Clip, start: int) -> Clip:
    return Clip(start=start, duration=77_777, material="1", source_start=clip.source_start, reverse=True)


@pytest.mark.parametrize("form", [Format.MP4, Format.MOV, Format.WEBM, Format.GIF])
def test_the_frames_are_the_same_in_every_format(tmp_path: Path, sources: Mapping[str, Source], form: Format) -> None:
    """A GIF has at most 15 frames a second: its timeline is one of that rate."""
    whole = at_bounds(Fraction(15) if form is Format.GIF else NTSC)
    made = reels.make(whole, sources, tmp_path / "out", form=form)
    found = reels.numbers(made.file, size=SIZE)
    assert len(found) == whole.frames
    assert wrong(whole, found) == []
    times = clips.frame_times(made.file)
    assert times == pytest.approx([float(n / whole.canvas.rate) for n in range(whole.frames)], abs=0.0101)
