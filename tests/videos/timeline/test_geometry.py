"""Where pictures lie, and that nothing is ever made larger than it can be seen."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videos.media.probe import VideoStream
from videos.timeline import geometry
from videos.timeline.geometry import Box
from videos.timeline.model import Canvas, Clip, Crop, Fit
from videos.timeline.motion import Transform
from videos.timeline.values import SECOND

CANVAS = Canvas()


def video(width: int = 1920, height: int = 1080, **changes: Any) -> VideoStream:
    values: dict[str, Any] = {
        **{"index": 0, "codec": "h264", "profile": None, "width": width, "height": height, "sar": Fraction(1)},
        **{"rotation": 0, "display_width": width, "display_height": height, "frame_rate": Fraction(25)},
        **{"variable": False, "pix_fmt": "yuv420p", "bit_depth": 8, "hdr": None, "interlaced": False},
        **{"grid": Fraction(25), "lag": 0.0, "duration": 10.0, "bit_rate": None},
    }
    return VideoStream(**(values | changes))


def clip(**changes: Any) -> Clip:
    return Clip(start=0, duration=SECOND, material="0", **changes)


@pytest.mark.parametrize(
    ("size", "fit", "crop", "box"),
    [
        ((1920, 1080), Fit.CONTAIN, Box(x=0, y=0, width=1920, height=1080), Box(x=0, y=0, width=1920, height=1080)),
        ((640, 480), Fit.CONTAIN, Box(x=0, y=0, width=640, height=480), Box(x=240, y=0, width=1440, height=1080)),
        ((640, 480), Fit.COVER, Box(x=0, y=60, width=640, height=360), Box(x=0, y=0, width=1920, height=1080)),
        ((640, 480), Fit.STRETCH, Box(x=0, y=0, width=640, height=480), Box(x=0, y=0, width=1920, height=1080)),
        ((1080, 1920), Fit.CONTAIN, Box(x=0, y=0, width=1080, height=1920), Box(x=656, y=0, width=608, height=1080)),
        ((641, 361), Fit.CONTAIN, Box(x=0, y=0, width=641, height=361), Box(x=0, y=0, width=1918, height=1080)),
    ],
)
def test_fits(size: tuple[int, int], fit: Fit, crop: Box, box: Box) -> None:
    place = geometry.place(clip(fit=fit), video(*size), CANVAS)
    assert place is not None
    assert (place.crop, place.box) == (crop, box)


def test_a_turned_file_is_measured_as_it_stands() -> None:
    place = geometry.place(clip(), video(rotation=90, sar=Fraction(2)), CANVAS)
    assert place is not None
    assert place.crop == Box(x=0, y=0, width=1080, height=1920)
    assert (place.box.height, place.box.width) == (1080, 304)


@pytest.mark.parametrize(
    ("rotation", "quarters"), [(0, 0), (90, 1), (-90, 3), (720, 0), (89.9999999999, 1), (45, None)]
)
def test_right_angles_are_told_from_others(rotation: float, quarters: int | None) -> None:
    place = geometry.place(clip(transform=Transform(rotation=rotation)), video(), CANVAS)
    assert place is not None
    assert place.quarters == quarters


@pytest.mark.parametrize("x", [1.1, -1.1, 9.5])
def test_what_lies_outside_is_nowhere(x: float) -> None:
    assert geometry.place(clip(transform=Transform(x=x)), video(), CANVAS) is None


PARTS = st.floats(0, 0.49)
TRANSFORMS = st.builds(
    Transform,
    x=st.floats(-10, 10),
    y=st.floats(-10, 10),
    scale=st.floats(0.001, 100),
    rotation=st.floats(-36_000, 36_000) | st.sampled_from([0.0, 90.0, 180.0, 270.0, -90.0]),
)
CLIPS = st.builds(
    clip,
    fit=st.sampled_from(Fit),
    transform=TRANSFORMS,
    crop=st.builds(Crop, left=PARTS, top=PARTS, right=PARTS, bottom=PARTS),
    flip_x=st.booleans(),
    flip_y=st.booleans(),
)
VIDEOS = st.builds(
    video,
    st.integers(16, 8192),
    st.integers(16, 8192),
    sar=st.fractions(Fraction(1, 16), 16, max_denominator=20),
    rotation=st.sampled_from([0, 90, 180, 270]),
)
SIDES = st.integers(8, 2048).map(lambda half: half * 2)


@settings(max_examples=50)
@given(CLIPS, VIDEOS, st.builds(Canvas, width=SIDES, height=SIDES))
def test_whatever_is_asked_for_can_be_made(one: Clip, shown: VideoStream, canvas: Canvas) -> None:
    place = geometry.place(one, shown, canvas)
    if place is None:
        return
    width, height, _ = geometry.upright(shown)
    crop, box = place.crop, place.box
    assert 0 <= crop.x < crop.x + crop.width <= width
    assert 0 <= crop.y < crop.y + crop.height <= height
    assert crop.x % 2 == crop.y % 2 == 0
    assert place.width % 2 == place.height % 2 == box.x % 2 == box.y % 2 == 0
    assert min(place.width, place.height, box.width, box.height) >= 2
    # No larger than the canvas from corner to corner, and a few of its own pixels.
    longest = (canvas.width**2 + canvas.height**2) ** 0.5
    assert max(place.width, place.height) <= max(longest + 4 * 1024 + 4, 4 * 4096)
    if place.quarters is not None:
        assert (box.width, box.height) in ((place.width, place.height), (place.height, place.width))


@settings(max_examples=50)
@given(VIDEOS, st.sampled_from([Fit.COVER, Fit.STRETCH]), st.builds(Canvas, width=SIDES, height=SIDES))
def test_what_is_to_cover_leaves_nothing_free(shown: VideoStream, fit: Fit, canvas: Canvas) -> None:
    place = geometry.place(clip(fit=fit), shown, canvas)
    assert place is not None
    assert place.covers(canvas)
