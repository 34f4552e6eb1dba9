"""Pictures that move by keyframes: each frame compared with what Pillow makes of the same."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.videos.timeline import plainly, reels
from videos.timeline import cutting, encoding, layers, sources
from videos.timeline.film import Format, Recipe, Source
from videos.timeline.journeys import Journey
from videos.timeline.layers import Layer
from videos.timeline.model import Canvas, Clip, Fit, Timeline
from videos.timeline.motion import Easing, Keyframe, Keyframes, Motion, Transform
from videos.timeline.values import SECOND

CANVAS = Canvas(width=320, height=180, rate=Fraction(10), background="#204080")
WHOLE = Clip(start=0, duration=SECOND, material="0")
SIZES = {"0": (322, 242), "1": (800, 600)}


def picture(width: int, height: int) -> Image.Image:
    """Waves, which tell a shift of a part of a pixel, and a square that says where up and left are."""
    down, across = np.mgrid[0:height, 0:width]
    red = 128 + 80 * np.sin(across * 20 / width)
    green = 128 + 60 * np.sin(across * 40 / width) + 60 * np.sin(down * 30 / height)
    blue = np.where((across < width * 0.4) & (down < height * 0.3), 220, 60)
    return Image.fromarray(np.stack([red, green, blue], axis=-1).round().astype(np.uint8))


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    """A still, a larger one, and a film of the first."""
    folder = tmp_path_factory.mktemp("materials")
    found = {}
    for name, (width, height) in SIZES.items():
        picture(width, height).save(folder / f"{name}.png")
        found[name] = sources.still(folder / f"{name}.png", width=width, height=height, alpha=False)
    moving = reels.make_film(folder / "2.mp4", [np.asarray(picture(*SIZES["0"]))] * 20, rate=10)
    return {**found, "2": reels.source(moving)}


def keys(*values: tuple[float, float] | tuple[float, float, Easing]) -> Keyframes:
    return tuple(
        Keyframe(at=round(at * SECOND), value=value, easing=easing[0] if easing else Easing.LINEAR)
        for at, value, *easing in values
    )


def value(keyframes: Keyframes, otherwise: float, at: float) -> float:
    """Counted anew, from what the words say."""
    if not keyframes:
        return otherwise
    if at <= keyframes[0].at:
        return keyframes[0].value
    for one, other in pairwise(keyframes):
        if one.at <= at < other.at:
            part = (at - one.at) / (other.at - one.at)
            eased = {
                Easing.LINEAR: part,
                Easing.HOLD: 0.0,
                Easing.EASE_IN: part * part,
                Easing.EASE_OUT: 2 * part - part * part,
                Easing.EASE_IN_OUT: 2 * part * part if part < 0.5 else 4 * part - 2 * part * part - 1,
            }[one.easing]
            return one.value + (other.value - one.value) * eased
    return keyframes[-1].value


def moved(clip: Clip, moment: float) -> Transform:
    at = moment * SECOND - clip.start
    names = ("x", "y", "scale", "rotation", "opacity")
    return Transform(**{name: value(getattr(clip.motion, name), getattr(clip.transform, name), at) for name in names})


def wanted(whole: Timeline, number: int) -> Image.Image:
    rate = whole.canvas.rate
    result = plainly.plain(whole.canvas)
    for track in whole.tracks:
        for clip in track.clips:
            if round(clip.start * rate / SECOND) <= number < round(clip.end * rate / SECOND):
                drawn = picture(*SIZES["0" if clip.material == "2" else clip.material])
                moment = float(number / rate)
                result = plainly.put(result, drawn, clip, moved(clip, moment))
    return result


def differences(whole: Timeline, materials: Mapping[str, Source], folder: Path) -> list[float]:
    """Of the brightness of a pixel, on average: a shift by one of them makes about 6. Colours are half as fine."""
    made = reels.make(whole, materials, folder / "out")
    found = reels.pictures(made.file, size=(whole.canvas.width, whole.canvas.height), form="rgb24")
    assert len(found) == whole.frames
    pairs = [(Image.fromarray(frame), wanted(whole, number)) for number, frame in enumerate(found)]
    assert max(plainly.difference(one, other) for one, other in pairs) < 6
    return [plainly.difference(one.convert("L"), other.convert("L")) for one, other in pairs]


def clip(material: str = "0", **changes: Any) -> Clip:
    """`changes`: of its motion if they are keyframes."""
    motion = {name: given for name, given in changes.items() if isinstance(given, tuple)}
    others = {name: given for name, given in changes.items() if not isinstance(given, tuple)}
    return replace(WHOLE, material=material, motion=Motion(**motion), **others)


CLIPS = {
    "Ken Burns": clip("1", scale=keys((0, 1), (1, 1.3)), x=keys((0, 0), (1, 0.1)), fit=Fit.COVER),
    "Ken Burns backwards": clip("1", scale=keys((0, 1.3), (1, 1)), y=keys((0, 0), (1, -0.05)), fit=Fit.COVER),
    "beginning within a frame": replace(clip("2", x=keys((0, -0.3), (0.5, 0.3))), start=33_000, duration=967_000),
    "Ken Burns on a film": clip("2", scale=keys((0, 1.1), (1, 1.2)), fit=Fit.STRETCH, flip_x=True),
    "in and out of the canvas": clip(x=keys((0, -1), (0.5, 0, Easing.EASE_OUT), (1, 1.1, Easing.EASE_IN))),
    "a small one across": clip("1", x=keys((0, -0.5), (1, 0.5)), transform=Transform(scale=0.2, y=0.1)),
    "a small one down": clip("2", y=keys((0, -0.4), (1, 0.4, Easing.EASE_IN_OUT)), transform=Transform(scale=0.3)),
    "slower than a pixel": clip("1", x=keys((0, 0), (1, 0.01)), transform=Transform(scale=0.5)),
    "turning": clip("1", rotation=keys((0, 0), (1, 180, Easing.EASE_IN_OUT)), transform=Transform(scale=0.7)),
    "turning large": clip("2", rotation=keys((0, 10), (1, -200)), transform=Transform(scale=3, x=0.2), flip_y=True),
    "growing from nothing": clip("1", scale=keys((0, 0.02), (1, 1.5, Easing.EASE_IN))),
    "to and fro": clip(
        "1",
        scale=keys((0, 0.5, Easing.EASE_IN), (0.3, 1.1, Easing.HOLD), (0.6, 0.7, Easing.EASE_OUT), (0.9, 0.9)),
        rotation=keys((0.15, 20), (0.45, -20, Easing.EASE_IN_OUT), (0.95, 45)),
        x=keys((0, 0.1, Easing.HOLD), (0.5, -0.1, Easing.HOLD), (0.8, 0.2)),
        opacity=keys((0, 0), (0.4, 1, Easing.HOLD), (0.6, 0.3, Easing.EASE_OUT), (0.9, 0.8)),
    ),
    "appearing": clip("2", opacity=keys((0, 0), (0.5, 1, Easing.EASE_IN), (1, 0)), fit=Fit.COVER),
    "appearing where it stands": clip("0", opacity=keys((0.2, 0), (0.8, 1)), transform=Transform(rotation=90)),
    "at once": clip("1", scale=keys((0, 0.01), (0.1, 2), (0.2, 0.01), (0.3, 100)), opacity=keys((0, 1), (0.9, 0.5))),
}


@pytest.mark.parametrize("name", CLIPS)
def test_every_frame_is_where_pillow_puts_it(tmp_path: Path, materials: Mapping[str, Source], name: str) -> None:
    off = differences(reels.timeline([CLIPS[name]], canvas=CANVAS), materials, tmp_path)
    assert max(off) < 2.5, [round(value, 1) for value in off]


def test_a_picture_that_rests_before_and_after_is_cut_there_and_shows_no_seam(
    tmp_path: Path, materials: Mapping[str, Source]
) -> None:
    canvas = replace(CANVAS, rate=Fraction(5))
    long = replace(clip("2", x=keys((2.5, -0.2), (3.1, 0.2)), scale=keys((2.5, 1), (3, 0.8))), duration=6 * SECOND)
    whole = reels.timeline([long], canvas=canvas)
    assert [window.first for window in cutting.windows(whole, longest=100)] == [0, 12, 16]
    off = differences(whole, materials, tmp_path)
    assert max(off) < 2.5, [round(value, 1) for value in off]


@pytest.mark.parametrize("fit", [Fit.CONTAIN, Fit.BLUR])
def test_nothing_steps_where_a_film_comes_to_rest(tmp_path: Path, materials: Mapping[str, Source], fit: Fit) -> None:
    """At the end it moves by a hundredth of a pixel, between the frames 14 and 15: at 15 it rests, at an odd place."""
    motion = Motion(
        x=keys((0, -0.2), (1.3, 0.20263, Easing.LINEAR), (1.5, 0.20266)),
        y=keys((0, 0.1), (1.3, 0.0317), (1.5, 0.0318)),
        scale=keys((0, 1), (1.3, 0.8041), (1.5, 0.8042)),
    )
    one = replace(clip("2", fit=fit), motion=motion, duration=4 * SECOND)
    whole = reels.timeline([one], canvas=CANVAS)
    assert cutting.windows(whole, longest=100)[-1].first == 15
    made = reels.make(whole, materials, tmp_path / "out")
    found = reels.pictures(made.file, size=(320, 180), form="rgb24")
    sharp = np.asarray(plainly.put(plainly.plain(CANVAS), picture(*SIZES["0"]), one, moved(one, 3)))
    inner = np.s_[30:160, 140:300, 1]
    assert plainly.difference(found[14][inner], found[16][inner]) < 1.5
    assert plainly.difference(found[30][inner], sharp[inner]) < 2


def test_a_film_that_rests_where_it_can_be_put_is_not_drawn_anew(materials: Mapping[str, Source]) -> None:
    """Which costs much: after a pan to the whole picture, and not where a pixel would have to be halved."""
    for scale, anew in ((1.0, False), (0.6, False), (0.601, True)):
        one = replace(clip("2", scale=keys((0, 1.4), (1, scale)), fit=Fit.STRETCH), duration=4 * SECOND)
        whole = reels.timeline([one], canvas=CANVAS)
        window = cutting.windows(whole, longest=100)[-1]
        (layer,) = layers.layers(window, materials, CANVAS)
        assert isinstance(layer, Layer)
        assert isinstance(layer.place, Journey) is anew


def test_a_moving_picture_with_a_blurred_one_behind_it(tmp_path: Path, materials: Mapping[str, Source]) -> None:
    one = clip("2", x=keys((0, -0.1), (1, 0.1)), opacity=keys((0, 1), (1, 0.5)), fit=Fit.BLUR)
    made = reels.make(reels.timeline([one], canvas=CANVAS), materials, tmp_path / "out")
    found = reels.pictures(made.file, size=(320, 180), form="rgb24")
    for number in (0, 9):
        opaque = replace(moved(one, number / 10), opacity=1.0)
        sharp = plainly.put(plainly.plain(CANVAS), picture(*SIZES["0"]), one, opaque)
        whole = plainly.mixed(plainly.plain(CANVAS), sharp, 1 - number / 20)
        inner = (100, 0, 200, 180)
        off = plainly.difference(Image.fromarray(found[number]).crop(inner), whole.crop(inner))
        assert off < 5


def test_a_thousand_keyframes_of_everything(tmp_path: Path, materials: Mapping[str, Source]) -> None:
    dice = random.Random(5)

    def many(low: float, high: float) -> Keyframes:
        easings = list(Easing)
        return tuple(
            Keyframe(at=number * 2000, value=dice.uniform(low, high), easing=dice.choice(easings))
            for number in range(1000)
        )

    wild = clip(
        "1", x=many(-0.5, 0.5), y=many(-0.5, 0.5), scale=many(0.3, 2), rotation=many(-90, 90), opacity=many(0, 1)
    )
    canvas = replace(CANVAS, rate=Fraction(120))
    whole = reels.timeline([replace(wild, duration=SECOND // 5)], canvas=canvas)
    off = differences(whole, materials, tmp_path)
    assert max(off) < 2.5, [round(value, 1) for value in off]


def test_graphs_stay_short_whatever_is_said(materials: Mapping[str, Source]) -> None:
    """A keyframe for each of a thousand frames, smoothly; and a scale that a picture can't be prepared for at once."""
    smooth = tuple(Keyframe(at=number * 10_000, value=number / 1000) for number in range(1000))
    growing = clip("1", x=smooth, scale=keys((0, 0.01), (10, 100)))
    whole = reels.timeline([replace(growing, duration=10 * SECOND)], canvas=replace(CANVAS, rate=Fraction(100)))
    found = cutting.windows(whole, longest=1000)
    assert max(window.frames for window in found) <= 150
    assert len(found) < 100
    how = Recipe(format=Format.MP4, crf=23, preset="veryfast")
    for segment in cutting.segments(whole, longest=1000):
        command = encoding.command(segment, "part.mp4", materials, whole.canvas, how, threads=1)
        assert max(len(word) for word in command) < 2_000_000


def test_a_hundred_pictures_that_move_fit_into_one_call(tmp_path: Path, materials: Mapping[str, Source]) -> None:
    tracks = [
        [
            replace(
                clip("2", x=keys((0, number / 100 - 0.5), (0.2, 0.5)), rotation=keys((0, 0), (0.2, number))),
                transform=Transform(scale=0.1),
                duration=SECOND // 5,
            )
        ]
        for number in range(100)
    ]
    assert reels.make(reels.timeline(*tracks, canvas=CANVAS), materials, tmp_path / "out").frames == 2


@pytest.mark.parametrize("scale", [1e-300, 0.0004, 100])
def test_the_smallest_and_the_largest_scale(tmp_path: Path, materials: Mapping[str, Source], scale: float) -> None:
    tiny = clip(
        "2", scale=keys((0, scale), (1, scale * 0.99)), rotation=keys((0, 0), (1, 30_000)), x=keys((0, 10), (1, -10))
    )
    assert reels.make(reels.timeline([tiny], canvas=CANVAS), materials, tmp_path / "out").frames == 10
