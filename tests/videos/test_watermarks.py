"""Watermarks: where they lie, how large they are, how long they stay."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.videos.test_reel import make_sound
from tests.videos.timeline import reels
from videos import watermarks
from videos.errors import ExportInvalid
from videos.orders import Corner, Watermark
from videos.timeline import geometry
from videos.timeline.film import Source
from videos.timeline.model import Canvas, Kind, Timeline, Track
from videos.timeline.texts import Text

CANVAS = Canvas(width=320, height=180, rate=Fraction(10), background="#000000")
TIMELINE = Timeline(
    canvas=CANVAS, tracks=(Track(kind=Kind.TEXT, texts=(Text(start=0, duration=1_000_000, text=" "),)),)
)


@pytest.fixture(scope="module")
def logo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """White, twice as high as it is wide, and shorter than the film."""
    path = tmp_path_factory.mktemp("logo") / "logo.mp4"
    return reels.source(reels.make_film(path, [np.full((80, 40), 255, np.uint8)] * 2, rate=10))


PLACES = {
    Corner.TOP_LEFT: (16, 16),
    Corner.TOP_RIGHT: (272, 16),
    Corner.BOTTOM_LEFT: (16, 100),
    Corner.BOTTOM_RIGHT: (272, 100),
    Corner.CENTRE: (144, 58),
}


@pytest.mark.parametrize("corner", Corner)
def test_it_lies_in_its_corner(logo: Source, corner: Corner) -> None:
    mark = Watermark(material="logo", corner=corner, width=0.1, margin=0.05)
    (clip,) = watermarks.over(TIMELINE, mark, {"logo": logo}).tracks[-1].clips
    place = geometry.place(clip, logo.video, CANVAS)
    assert place is not None
    assert (place.box.width, place.box.height) == (32, 64)
    assert (place.box.x, place.box.y) == pytest.approx(PLACES[corner], abs=1)


def test_it_is_seen_in_every_frame_as_faintly_as_it_is_told(tmp_path: Path, logo: Source) -> None:
    mark = Watermark(material="logo", corner=Corner.TOP_RIGHT, width=0.1, margin=0.05, opacity=0.5)
    made = reels.make(watermarks.over(TIMELINE, mark, {"logo": logo}), {"logo": logo}, tmp_path / "out")
    frames = reels.pictures(made.file)
    assert len(frames) == 10
    for frame in frames:
        assert frame[20:76, 276:300].mean() == pytest.approx(128, abs=4)
        assert frame[:, :260].max() < 12


def test_sound_is_no_watermark(tmp_path: Path) -> None:
    song = Source(path=tmp_path, probe=make_sound(3))
    with pytest.raises(ExportInvalid, match="no picture"):
        watermarks.over(TIMELINE, Watermark(material="song"), {"song": song})
