"""Which rungs are made of what."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from videos.media.plan import Plan, plan
from videos.media.probe import AudioStream, Probe, VideoStream


def make_plan(width: int, height: int, **changes: Any) -> Plan:
    values: dict[str, Any] = {
        "index": 0,
        "codec": "h264",
        "profile": "High",
        "width": width,
        "height": height,
        "sar": Fraction(1),
        "rotation": 0,
        "display_width": width,
        "display_height": height,
        "frame_rate": Fraction(25),
        "grid": Fraction(25),
        "variable": False,
        "pix_fmt": "yuv420p",
        "bit_depth": 8,
        "hdr": None,
        "interlaced": False,
        "lag": 0.0,
        "duration": 10.0,
        "bit_rate": None,
    }
    video = VideoStream(**(values | changes))
    return plan(Probe(container="mov", duration=10.0, trust="each", video=video, audio=None, streams=1, unusable=()))


@pytest.mark.parametrize(
    ("source", "rungs"),
    [
        ((3840, 2160), ["1080p 1920x1080", "720p 1280x720", "480p 854x480", "360p 640x360"]),
        ((1280, 720), ["720p 1280x720", "480p 854x480", "360p 640x360"]),
        ((720, 1280), ["720p 720x1280", "480p 480x854", "360p 360x640"]),
        ((1920, 800), ["720p 1728x720", "480p 1152x480", "360p 864x360"]),
        ((640, 360), ["360p 640x360"]),
        ((641, 361), ["360p 640x360"]),
        ((320, 240), ["240p 320x240"]),
        ((321, 241), ["240p 320x240"]),
        ((99, 37), ["36p 98x36"]),
        ((1, 1), ["2p 2x2"]),
    ],
)
def test_rungs_go_by_the_short_side_and_never_above_the_source(source: tuple[int, int], rungs: list[str]) -> None:
    made = make_plan(*source).rungs
    assert [f"{rung.name} {rung.width}x{rung.height}" for rung in made] == rungs


def test_a_source_that_just_misses_a_rung_keeps_its_own_size() -> None:
    assert [rung.name for rung in make_plan(1920, 1040).rungs] == ["1040p", "720p", "480p", "360p"]


def test_a_panorama_stays_within_what_decoders_take() -> None:
    for rung in make_plan(8192, 1080).rungs:
        assert rung.width <= 4096
        assert rung.width % 2 == rung.height % 2 == 0


def test_every_name_is_there_once() -> None:
    names = [rung.name for rung in make_plan(8192, 700).rungs]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("size", "rate", "level"),
    [
        ((1920, 1080), 30, "4.0"),
        ((1920, 1080), 60, "4.2"),
        ((1280, 720), 30, "3.1"),
        ((1280, 720), 60, "3.2"),
        ((640, 360), 30, "3.0"),
        ((320, 240), 25, "1.3"),
    ],
)
def test_the_level_is_the_lowest_that_fits(size: tuple[int, int], rate: int, level: str) -> None:
    assert make_plan(*size, frame_rate=Fraction(rate), grid=Fraction(rate)).rungs[0].level == level


@pytest.mark.parametrize(
    ("average", "grid", "variable", "rate"),
    [
        (Fraction(30000, 1001), Fraction(30000, 1001), False, Fraction(30000, 1001)),
        (Fraction(60), Fraction(60), False, Fraction(60)),
        (Fraction(120000, 1999), Fraction(60), False, Fraction(120000, 1999)),
        (Fraction(240), Fraction(240), False, Fraction(60)),
        (Fraction(120000, 1001), Fraction(120000, 1001), False, Fraction(60000, 1001)),
        (Fraction(100), Fraction(100), False, Fraction(50)),
        (Fraction(1), Fraction(1), False, Fraction(10)),
        (Fraction(11), Fraction(30), True, Fraction(30)),
        (Fraction(120), Fraction(240), True, Fraction(60)),
        (Fraction(30), None, True, Fraction(30)),
        (Fraction(2), None, True, Fraction(30)),
        (None, None, True, Fraction(30)),
    ],
)
def test_frames_come_as_fast_as_in_the_source_but_not_faster_than_about_sixty(
    average: Fraction | None, grid: Fraction | None, variable: bool, rate: Fraction
) -> None:
    assert make_plan(1280, 720, frame_rate=average, grid=grid, variable=variable).rate == rate


def test_fields_are_not_counted_as_frames() -> None:
    made = make_plan(1920, 1080, frame_rate=Fraction(25), grid=Fraction(50), variable=True, interlaced=True)
    assert made.rate == 25


def test_sound_only_has_no_rungs() -> None:
    audio = AudioStream(index=3, codec="aac", channels=1, sample_rate=44100, layout="mono", lag=0.0, duration=5.0)
    made = plan(Probe(container="mov", duration=5.0, trust="each", video=None, audio=audio, streams=1, unusable=()))
    assert made.rungs == ()
    assert made.audio == audio
