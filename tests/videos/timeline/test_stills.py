"""Pictures that stand still, and colours behind clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.videos.media import clips
from tests.videos.timeline import plainly, reels
from tests.videos.timeline.reels import even, micro
from videos.media.errors import MediaError
from videos.timeline import frames, sources
from videos.timeline.film import Source
from videos.timeline.model import Canvas, Clip, Crop, Fit, Timeline
from videos.timeline.motion import Keyframe, Motion, Transform
from videos.timeline.values import SECOND

CANVAS = Canvas(width=320, height=180, rate=Fraction(10), background="#204080")
WHOLE = Clip(start=0, duration=SECOND // 5, material="0")


@pytest.fixture(scope="module")
def drawn() -> Image.Image:
    """Odd sides; colours that run from side to side, and a square that says where up and left are."""
    down, across = np.mgrid[0:241, 0:323]
    red, green = across * 200 / 323 + 30, down * 200 / 241 + 20
    blue = np.where((across < 120) & (down < 80), 220, 60)
    return Image.fromarray(np.stack([red, green, blue], axis=-1).astype(np.uint8))


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, drawn: Image.Image) -> Source:
    return saved(tmp_path_factory.mktemp("still") / "still.png", drawn)


def saved(path: Path, picture: Image.Image) -> Source:
    picture.save(path, format="PNG")
    return sources.still(path, width=picture.width, height=picture.height, alpha=picture.mode == "RGBA")


def clip(**changes: Any) -> Clip:
    return replace(WHOLE, **changes)


def film(whole: Timeline, materials: Mapping[str, Source], folder: Path) -> list[Image.Image]:
    made = reels.make(whole, materials, folder / "out")
    size = whole.canvas.width, whole.canvas.height
    return [Image.fromarray(frame) for frame in reels.pictures(made.file, size=size, form="rgb24")]


CLIPS = {
    "contain": clip(),
    "cover": clip(fit=Fit.COVER),
    "stretch": clip(fit=Fit.STRETCH, flip_x=True),
    "moved": clip(transform=Transform(x=0.2, y=-0.1, scale=0.6)),
    "askew": clip(transform=Transform(rotation=30, opacity=0.5), crop=Crop(left=0.25)),
    "long after its end, which it has not": clip(source_start=micro(3600), speed=Fraction(3)),
    "backwards and standing alike": clip(reverse=True, fit=Fit.COVER),
    "on a colour": clip(backdrop="#c0a000", transform=Transform(scale=0.5)),
    "faint on a colour": clip(backdrop="#c0a000", transform=Transform(opacity=0.5, scale=0.9)),
    "on a grey, which fills it up": clip(backdrop="#808080"),
    "the colour alone": clip(backdrop="#00a040", transform=Transform(x=5)),
    "the colour alone, for it is not to be seen": clip(backdrop="#00a040", transform=Transform(opacity=0)),
}


def test_a_still_stands_through_its_clip_wherever_it_is_put(tmp_path: Path, still: Source, drawn: Image.Image) -> None:
    pieces = [replace(one, start=number * SECOND // 5) for number, one in enumerate(CLIPS.values())]
    found = film(reels.timeline(pieces, canvas=CANVAS), {"0": still}, tmp_path)
    assert len(found) == 2 * len(CLIPS)
    off = {
        name: max(
            plainly.difference(frame, plainly.put(plainly.plain(CANVAS, one.backdrop), drawn, one))
            for frame in found[2 * number : 2 * number + 2]
        )
        for number, (name, one) in enumerate(CLIPS.items())
    }
    assert {name: value for name, value in off.items() if value > 2.5} == {}


def test_a_blurred_still_fills_the_canvas(tmp_path: Path, still: Source, drawn: Image.Image) -> None:
    first, second = film(reels.timeline([clip(fit=Fit.BLUR)], canvas=CANVAS), {"0": still}, tmp_path)
    inner, outer = (44, 0, 276, 180), (0, 0, 36, 180)
    assert plainly.difference(first.crop(inner), plainly.put(plainly.plain(CANVAS), drawn, clip()).crop(inner)) < 2.5
    covering = plainly.put(plainly.plain(CANVAS), drawn, clip(fit=Fit.COVER))
    assert plainly.difference(first.crop(outer), covering.crop(outer)) < 30
    assert plainly.difference(first, second) < 1


def test_what_shines_through_a_still_shows_what_is_below(tmp_path: Path, still: Source, drawn: Image.Image) -> None:
    logo = drawn.convert("RGBA")
    down, across = np.mgrid[0 : logo.height, 0 : logo.width]
    logo.putalpha(Image.fromarray(np.where(across < 160, 255, down).astype(np.uint8)))
    above = clip(material="1", transform=Transform(scale=0.7, x=0.1))
    whole = reels.timeline([clip(fit=Fit.COVER)], [above], canvas=CANVAS)
    found = film(whole, {"0": still, "1": saved(tmp_path / "logo.png", logo)}, tmp_path)
    below = plainly.put(plainly.plain(CANVAS), drawn, clip(fit=Fit.COVER))
    assert plainly.difference(found[1], plainly.put(below, logo, above)) < 2.5


WAYS = {
    "small": clip(material="1", transform=Transform(scale=0.31, x=0.1)),
    "large": clip(material="1", transform=Transform(scale=1.7)),
    "askew": clip(material="1", transform=Transform(scale=0.8, rotation=30)),
    "moving": clip(material="1", motion=Motion(x=(Keyframe(at=0, value=0.0), Keyframe(at=SECOND, value=0.3)))),
    "faint": clip(material="1", transform=Transform(scale=0.7, opacity=0.5)),
}


@pytest.mark.parametrize("hidden", [(0, 0, 0), (0, 255, 0)])
def test_no_colour_comes_from_where_a_see_through_still_has_nothing(tmp_path: Path, hidden: tuple[int, ...]) -> None:
    """Over one colour it is the same as the opaque picture of both: at every edge, at which many files hide black."""
    down, across = np.mgrid[0:240, 0:320]
    inside = np.hypot(across % 40 - 20, down % 40 - 20)
    alpha = (np.clip(17.5 - inside, 0, 1) * np.where(across < 160, 255, 140)).round().astype(np.uint8)
    colours = np.where(alpha[..., None] > 0, (250, 220, 60), hidden).astype(np.uint8)
    logo = Image.fromarray(np.dstack([colours, alpha]))
    white = Image.new("RGBA", logo.size, "#ffffff")
    both = Image.alpha_composite(white, logo).convert("RGB")
    canvas = replace(CANVAS, background="#ffffff")
    pieces = [replace(one, start=number * SECOND // 5) for number, one in enumerate(WAYS.values())]
    found = film(reels.timeline(pieces, canvas=canvas), {"1": saved(tmp_path / "logo.png", logo)}, tmp_path)
    for number, (name, one) in enumerate(WAYS.items()):
        moved = replace(one.transform, x=one.transform.x + (0.03 if name == "moving" else 0))
        wanted = plainly.put(plainly.plain(canvas), both, one, moved)
        off = np.abs(np.asarray(found[2 * number + 1].convert("L"), int) - np.asarray(wanted.convert("L"), int))
        assert (off.max(), off.mean()) < (50, 1.5), name
        assert plainly.difference(found[2 * number + 1], wanted) < 4, name


def test_a_backdrop_hides_what_lies_below_and_nothing_above(tmp_path: Path, still: Source, drawn: Image.Image) -> None:
    tracks = (
        [clip(fit=Fit.COVER)],
        [clip(transform=Transform(scale=0.4), backdrop="#102030")],
        [clip(crop=Crop(left=0.7))],
    )
    found = film(reels.timeline(*tracks, canvas=CANVAS), {"0": still}, tmp_path)
    wanted = plainly.plain(CANVAS, "#102030")
    for (one,) in tracks[1:]:
        wanted = plainly.put(wanted, drawn, one)
    assert plainly.difference(found[0], wanted) < 2.5


def test_a_frozen_frame_is_the_one_that_stands_at_its_moment(tmp_path: Path) -> None:
    """At odd moments, at every speed, beyond the end; and in every window of a long one."""
    material = reels.source(reels.make_numbered(tmp_path / "0.mp4", "-bf", "2", "-g", "50", count=100))
    moments, at = [0.0, 0.04, 0.999, 1.0, 2.21, 3.999, 77.0], 0
    pieces = []
    for number, moment in enumerate(moments):
        length = micro(11) if moment == 1.0 else micro(0.3)
        frozen = clip(start=at, duration=length, source_start=micro(moment), freeze=True, speed=Fraction(number + 1, 3))
        pieces.append(frozen)
        at += length
    whole = reels.timeline(pieces, rate=10)
    numbers = [1 + max(number for number, time in enumerate(even(100)) if time <= moment + 0.001) for moment in moments]
    made = reels.make(whole, {"0": material}, tmp_path / "out")
    wanted = [
        n for number, moment in zip(numbers, moments, strict=True) for n in [number] * (110 if moment == 1.0 else 3)
    ]
    assert reels.numbers(made.file) == wanted


def test_a_frozen_clip_that_begins_within_a_frame_shows_its_own_frame(tmp_path: Path) -> None:
    material = reels.source(reels.make_numbered(tmp_path / "0.mp4", count=60))
    frozen = clip(start=micro(0.03), duration=micro(0.97), source_start=micro(1.0), freeze=True)
    made = reels.make(reels.timeline([frozen], rate=30), {"0": material}, tmp_path / "out")
    assert reels.numbers(made.file) == [0] + [26] * 29


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "script"])
def test_no_other_file_is_opened_as_a_still(tmp_path: Path, drawn: Image.Image, kind: str) -> None:
    path = tmp_path / "still.png"
    if kind == "script":
        path.write_text(f"ffconcat version 1.0\nfile '{clips.make_clip(tmp_path / 'secret.mp4')}'\n")
    else:
        drawn.save(path, format=kind)
    with pytest.raises(MediaError):
        film(reels.timeline([WHOLE]), {"0": sources.still(path, width=323, height=241, alpha=False)}, tmp_path)


def test_a_still_is_opened_by_its_own_demuxer_and_all_else_by_none_of_pictures(still: Source) -> None:
    assert frames.opened(still, threads=1, number=0).node.kwargs["format_whitelist"] == "png_pipe"
    moving = replace(still, still=False)
    assert "png" not in frames.opened(moving, threads=1, number=0).node.kwargs["format_whitelist"]
