"""Every frame of a film shows the frame of the material that stands there: read back, one by one."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.reels import even, micro
from videos.timeline.film import Source
from videos.timeline.model import Clip, Timeline
from videos.timeline.values import SECOND

NTSC = Fraction(30000, 1001)
TIMES = {"0": even(200), "1": even(150, 30), "2": even(125, NTSC)}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    folder = tmp_path_factory.mktemp("materials")
    return {
        "0": reels.source(reels.make_numbered(folder / "0.mp4", "-bf", "2", "-g", "100", count=200)),
        "1": reels.source(reels.make_numbered(folder / "1.mkv", count=150, rate=30, material=1)),
        "2": reels.source(reels.make_numbered(folder / "2.mov", count=125, rate=NTSC, material=2)),
    }


def clip(start: float, seconds: float, material: int = 0, at: float = 0, speed: Fraction | int = 1) -> Clip:
    return Clip(
        start=micro(start),
        duration=micro(seconds),
        material=str(material),
        source_start=micro(at),
        speed=Fraction(speed),
    )


CUTS = {
    "cuts at odd times": [[clip(0, 1.017, at=3.3), clip(1.017, 0.731, 1, at=0.7001), clip(1.748, 0.9, 2, at=1.23)]],
    "gaps": [[clip(0.5, 0.5, at=2), clip(1.25, 0.1, 1), clip(2.013, 0.4, 2, at=0.333)]],
    "half speed": [[clip(0, 2, at=1, speed=Fraction(1, 2)), clip(2, 1, 1, at=2, speed=Fraction(1, 2))]],
    "double speed": [[clip(0, 1.5, at=0.2, speed=2), clip(1.5, 1, 1, at=1, speed=2)]],
    "an odd speed": [[clip(0, 2, at=0.5, speed=Fraction(137, 100)), clip(2, 1, 1, speed=Fraction(137, 100))]],
    "very fast and very slow": [[clip(0, 0.5, speed=15), clip(0.5, 1, 1, at=4.2, speed=Fraction(1, 50))]],
    "two tracks": [[clip(0, 3, at=1), clip(3, 1, 1)], [clip(0.71, 1, 2), clip(2.5, 1.1, 1, at=1.9)]],
    "on beyond the end": [[clip(0, 1, at=7.5), clip(1, 0.5, 1, at=60), clip(1.5, 1, 2, at=3.5, speed=3)]],
    "one frame each": [[clip(number / 30, 1 / 30, number % 3, at=number / 7) for number in range(12)]],
}


@pytest.mark.parametrize(
    ("name", "rate"), [*((name, 30) for name in CUTS), ("gaps", NTSC), ("an odd speed", NTSC), ("two tracks", 25)]
)
def test_every_frame_is_the_right_one(
    tmp_path: Path, sources: Mapping[str, Source], name: str, rate: Fraction | int
) -> None:
    whole = reels.timeline(*CUTS[name], rate=rate)
    made = reels.make(whole, sources, tmp_path / "out")
    assert reels.numbers(made.file) == reels.expected(whole, TIMES)
    assert made.frames == whole.frames
    assert not made.copied


def test_a_film_of_many_segments_has_no_seams(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    """Cuts of every length, on three tracks, at random; more than ten seconds and more than sixteen clips."""
    whole = shuffled(random.Random(7), seconds=24, rate=NTSC / 2)
    made = reels.make(whole, sources, tmp_path / "out")
    assert reels.numbers(made.file) == reels.expected(whole, TIMES)


def shuffled(dice: random.Random, *, seconds: float, rate: Fraction) -> Timeline:
    tracks = []
    for _ in range(3):
        cuts = sorted({0.0, *(dice.uniform(0, seconds) for _ in range(14)), seconds})
        track = []
        for begin, end in pairwise(micro(cut) for cut in cuts):
            speed = Fraction(dice.choice(["1/2", "1", "1", "2", "1.37"]))
            if dice.random() < 0.6 and end > begin:
                track.append(
                    Clip(
                        start=begin,
                        duration=end - begin,
                        material=str(dice.randrange(3)),
                        source_start=dice.randrange(4 * SECOND),
                        speed=speed,
                    )
                )
        tracks.append(track)
    return reels.timeline(*tracks, rate=rate)


def test_a_frame_that_stands_for_long_is_seen_by_whoever_comes_late(tmp_path: Path) -> None:
    """A recorded screen: one frame stands from 0.4 to 4 seconds. Accurate seeking would drop it."""
    held = tmp_path / "held.mkv"
    still = "settb=1/1000,setpts='if(lt(N,10),PTS,PTS+3600)'"
    reels.make_numbered(tmp_path / "even.mkv", count=40)
    clips.ffmpeg("-i", tmp_path / "even.mkv", "-vf", still, "-vsync", "vfr", *clips.H264, held)
    times = [time + (3.6 if number >= 10 else 0) for number, time in enumerate(even(40))]
    assert clips.frame_times(held) == pytest.approx(times, abs=0.001)
    whole = reels.timeline([clip(0, 1, at=3.5), clip(1, 0.5, at=0.2)])
    made = reels.make(whole, {"0": reels.source(held)}, tmp_path / "out")
    assert reels.numbers(made.file) == reels.expected(whole, {"0": times})


def test_a_stream_without_an_index_is_read_from_further_ahead(tmp_path: Path) -> None:
    stream = reels.make_numbered(tmp_path / "stream.ts", "-g", "75", "-bf", "2", count=300)
    whole = reels.timeline([clip(0, 1, at=9.1), clip(1, 1, at=4.7)])
    made = reels.make(whole, {"0": reels.source(stream)}, tmp_path / "out")
    assert reels.numbers(made.file) == reels.expected(whole, {"0": even(300)})


def test_a_file_that_lies_about_its_length_is_read_from_its_start(tmp_path: Path) -> None:
    """A jump to beyond the end of a stream finds nothing at all."""
    honest = reels.source(reels.make_numbered(tmp_path / "stream.ts", count=50))
    lying = replace(honest.probe, duration=90.0, video=replace(honest.video, duration=90.0))
    whole = reels.timeline([clip(0, 0.5, at=70), clip(0.5, 0.5, at=1.7)])
    made = reels.make(whole, {"0": replace(honest, probe=lying)}, tmp_path / "out")
    assert reels.numbers(made.file) == reels.expected(whole, {"0": even(50)})


def test_a_picture_that_begins_after_the_sound_stands_still_until_then(tmp_path: Path) -> None:
    picture = reels.make_numbered(tmp_path / "picture.mkv", count=50)
    late = tmp_path / "late.mkv"
    clips.ffmpeg(
        *("-f", "lavfi", "-i", "sine=duration=3", "-itsoffset", "0.8", "-i", picture, "-map", "1", "-map", "0"),
        *("-c:v", "copy", "-c:a", "flac", late),
    )
    whole = reels.timeline([clip(0, 2)])
    made = reels.make(whole, {"0": reels.source(late)}, tmp_path / "out")
    assert reels.numbers(made.file) == reels.expected(whole, {"0": [time + 0.8 for time in even(50)]})


@pytest.mark.parametrize("name", ["still.mp4", "still.mkv"])
def test_a_single_frame_stands_for_as_long_as_it_is_wanted(tmp_path: Path, name: str) -> None:
    still = reels.make_numbered(tmp_path / name, count=1)
    whole = reels.timeline([clip(0, 0.5), clip(0.5, 0.5, at=3)])
    made = reels.make(whole, {"0": reels.source(still)}, tmp_path / "out")
    assert reels.numbers(made.file) == [1] * 30
