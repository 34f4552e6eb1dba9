"""Materials end to end: whole, in their order, on a canvas that can be."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from videos import reel
from videos.media.probe import AudioStream, Probe, VideoStream
from videos.timeline import project
from videos.timeline.model import Kind
from videos.timeline.sources import still
from videos.timeline.values import SECOND

SOUND = AudioStream(index=1, codec="aac", channels=2, sample_rate=48_000, layout="stereo", lag=0.0, duration=2.02)


def make_probe(*, width: int = 640, height: int = 360, seconds: float = 2.0, **fields: Any) -> Probe:
    """A file with picture, and with sound that goes on a little longer."""
    shape = {"width": width, "height": height, "display_width": width, "display_height": height}
    said: dict[str, Any] = {
        "frame_rate": Fraction(25),
        "grid": Fraction(25),
        "variable": False,
        "duration": seconds,
        **shape,
        **fields,
    }
    picture = VideoStream(
        index=0, codec="h264", profile=None, sar=Fraction(1), rotation=0, pix_fmt="yuv420p", bit_depth=8, hdr=None,
        interlaced=False, lag=0.0, bit_rate=None, **said,
    )  # fmt: skip
    return Probe(
        container="mov", duration=seconds + 0.02, video=picture, audio=SOUND, streams=2, unusable=(), trust="each"
    )


def make_sound(seconds: float) -> Probe:
    return Probe(container="mp3", duration=seconds, video=None, audio=SOUND, streams=1, unusable=(), trust="each")


def test_each_lasts_as_long_as_its_picture() -> None:
    timeline = reel.of({"a": make_probe(seconds=2.0), "b": make_probe(seconds=1.5)})
    (track,) = timeline.tracks
    assert [(clip.material, clip.start, clip.duration) for clip in track.clips] == [
        ("a", 0, 2 * SECOND),
        ("b", 2 * SECOND, SECOND * 3 // 2),
    ]


def test_what_has_no_picture_is_heard_in_its_turn() -> None:
    timeline = reel.of({"a": make_sound(1.0), "b": make_probe(), "c": make_sound(3.0)})
    found = {track.kind: [(clip.material, clip.start) for clip in track.clips] for track in timeline.tracks}
    assert found == {Kind.VIDEO: [("b", SECOND)], Kind.AUDIO: [("a", 0), ("c", 3 * SECOND)]}
    assert (timeline.canvas.width, timeline.canvas.height) == (640, 360)


@pytest.mark.parametrize(
    ("said", "size", "rate"),
    [
        ({}, (640, 360), "25"),
        ({"width": 641, "height": 359}, (640, 360), "25"),
        ({"width": 7680, "height": 4320}, (4096, 2304), "25"),
        ({"width": 1080, "height": 8000}, (552, 4096), "25"),
        ({"width": 4, "height": 3}, (16, 16), "25"),
        ({"display_width": 360, "display_height": 640}, (360, 640), "25"),
        ({"frame_rate": Fraction(2997003, 100000)}, (640, 360), "30000/1001"),
        ({"frame_rate": Fraction(29873, 1000), "variable": True}, (640, 360), "30"),
        ({"frame_rate": Fraction(480)}, (640, 360), "120"),
        ({"frame_rate": Fraction(1, 10)}, (640, 360), "1"),
        ({"frame_rate": None, "variable": True}, (640, 360), "30"),
    ],
    ids=str,
)
def test_the_canvas_is_like_the_first_picture_as_far_as_one_may_be(
    said: dict[str, Any], size: tuple[int, int], rate: str
) -> None:
    timeline = reel.of({"a": make_probe(**said), "b": make_probe()})
    assert (timeline.canvas.width, timeline.canvas.height, timeline.canvas.rate) == (*size, Fraction(rate))
    assert project.parse(project.dump(timeline)) == timeline, "a person could have written it"


def make_still(width: int, height: int) -> Probe:
    return still(Path("still.png"), width=width, height=height, alpha=False).probe


def test_a_still_lasts_as_long_as_it_is_said_to() -> None:
    timeline = reel.of({"a": make_probe(seconds=2.0), "b": make_still(64, 64)}, lengths={"b": 3 * SECOND})
    (track,) = timeline.tracks
    assert [(clip.material, clip.start, clip.duration) for clip in track.clips] == [
        ("a", 0, 2 * SECOND),
        ("b", 2 * SECOND, 3 * SECOND),
    ]


def test_the_canvas_is_like_a_film_and_like_a_still_only_where_there_is_none() -> None:
    photographs = {"a": make_still(6000, 4000), "b": make_still(100, 300)}
    lengths = {"a": SECOND, "b": SECOND}
    canvas = reel.of({**photographs, "c": make_probe()}, lengths=lengths).canvas
    assert (canvas.width, canvas.height, canvas.rate) == (640, 360, Fraction(25))
    canvas = reel.of(photographs, lengths=lengths).canvas
    assert (canvas.width, canvas.height, canvas.rate) == (1920, 1280, Fraction(30)), (
        "not as large as a camera's pictures"
    )


def test_sound_alone_has_an_ordinary_canvas() -> None:
    assert reel.of({"a": make_sound(1.0)}).canvas.width == 1920
