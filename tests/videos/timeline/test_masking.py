"""What masks leave of pictures: each frame compared with what numpy makes of the same words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.videos.timeline import plainly, reels
from tests.videos.timeline.reels import Array
from videos.timeline import encoding, sources
from videos.timeline.cutting import Segment, Window
from videos.timeline.film import Format, Recipe, Source
from videos.timeline.model import Canvas, Clip, Crop, Fit, Kind, Mask, Shape, Timeline, Track, Transition
from videos.timeline.motion import Keyframe, Motion, Transform
from videos.timeline.values import SECOND

CANVAS = Canvas(width=320, height=180, rate=Fraction(10), background="#000000")
WHOLE = Clip(start=0, duration=SECOND // 5, material="white")
SIDES = (240, 180)  # of the material, which fills the middle of the canvas


def hidden(mask: Mask, sides: tuple[int, int] = SIDES) -> Image.Image:
    """How much of each pixel of an upright picture is seen: by 16 points in it, or by its distance from a soft edge."""
    (width, height), fine = sides, 1 if mask.feather else 4
    down, across = (np.mgrid[0 : height * fine, 0 : width * fine] + 0.5) / fine
    x, y = across - width * (0.5 + mask.x), down - height * (0.5 + mask.y)
    angle = np.radians(mask.rotation)
    x, y = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    half = mask.width * width / 2, mask.height * height / 2
    seen = within(mask, x, y, half).astype(float)
    if mask.feather:
        away = np.min([np.hypot(x - one[0], y - one[1]) for one in edge(mask, half)], axis=0)
        seen = (0.5 + np.where(seen > 0, away, -away) / (mask.feather * height)).clip(0, 1)
    seen = 1 - seen if mask.invert else seen
    means = seen.reshape(height, fine, width, fine).mean(axis=(1, 3))
    return Image.fromarray((means * 255).round().astype(np.uint8))


def within(mask: Mask, x: Array, y: Array, half: tuple[float, float]) -> Array:
    if mask.shape is Shape.LINE:
        return y < 0
    if mask.shape is Shape.MIRROR:
        return np.abs(y) < half[1]
    if mask.shape is Shape.CIRCLE:
        return (x / half[0]) ** 2 + (y / half[1]) ** 2 < 1
    radius = mask.corner * min(half)
    over = np.abs(x) - half[0] + radius, np.abs(y) - half[1] + radius
    corner = (over[0] > 0) & (over[1] > 0)
    return np.where(corner, np.hypot(*over) < radius, (over[0] < radius) & (over[1] < radius))


def edge(mask: Mask, half: tuple[float, float]) -> Array:
    """Points along it, a pixel from one to the next."""
    along = np.arange(-400.0, 400.0)
    level = np.ones_like(along)
    if mask.shape is Shape.LINE:
        return np.stack([along, level * 0], axis=1)
    bands = [np.stack([along, level * way * half[1]], axis=1) for way in (-1, 1)]
    if mask.shape is Shape.MIRROR:
        return np.concatenate(bands)
    if mask.shape is Shape.CIRCLE:
        turn = np.linspace(0, 2 * np.pi, 500)
        return np.stack([half[0] * np.cos(turn), half[1] * np.sin(turn)], axis=1)
    points: Array = np.concatenate([*bands, *(np.stack([level * way * half[0], along], axis=1) for way in (-1, 1))])
    return points[np.all(np.abs(points) <= half, axis=1)]


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    """A white still, one of colours, one that is see-through itself, a film and a film of another colour."""
    folder = tmp_path_factory.mktemp("materials")
    pictures = {"white": Image.new("RGB", SIDES, "white"), "drawn": drawn(), "glass": drawn()}
    pictures["glass"].putalpha(Image.linear_gradient("L").resize(SIDES))
    found = {}
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")
        found[name] = sources.still(
            folder / f"{name}.png", width=SIDES[0], height=SIDES[1], alpha=picture.mode == "RGBA"
        )
    for name, one in (("film", drawn()), ("blue", Image.new("RGB", (320, 180), "blue"))):
        found[name] = reels.source(reels.make_film(folder / f"{name}.mp4", [np.asarray(one)] * 10, rate=10))
    return found


def drawn() -> Image.Image:
    down, across = np.mgrid[0 : SIDES[1], 0 : SIDES[0]]
    red, green = across * 0.8 + 30, down * 1.1 + 20
    blue = np.where((across < 90) & (down < 60), 220, 60)
    return Image.fromarray(np.stack([red, green, blue], axis=-1).astype(np.uint8))


def frames(whole: Timeline, materials: Mapping[str, Source], folder: Path) -> list[Image.Image]:
    folder.mkdir(exist_ok=True)
    made = reels.make(whole, materials, folder / "out")
    size = whole.canvas.width, whole.canvas.height
    return [Image.fromarray(frame) for frame in reels.pictures(made.file, size=size, form="rgb24")]


def masked(picture: Image.Image, mask: Mask) -> Image.Image:
    """The picture, as far as the mask leaves it."""
    result = picture.convert("RGBA")
    alpha = np.asarray(result.getchannel("A"), float) * np.asarray(hidden(mask, picture.size), float) / 255
    result.putalpha(Image.fromarray(alpha.round().astype(np.uint8)))
    return result


MASKS = {
    "the upper half": Mask(shape=Shape.LINE),
    "a slope": Mask(shape=Shape.LINE, x=0.2, y=-0.1, rotation=30),
    "what is below a soft line": Mask(shape=Shape.LINE, y=0.1, feather=0.4, rotation=-10, invert=True),
    "a band": Mask(shape=Shape.MIRROR, height=0.3),
    "a soft band, turned": Mask(shape=Shape.MIRROR, height=0.5, rotation=60, x=-0.1, feather=0.2),
    "a circle": Mask(shape=Shape.CIRCLE, width=0.6, height=0.8),
    "an ellipse, turned and moved": Mask(shape=Shape.CIRCLE, width=0.9, height=0.4, x=0.1, y=0.2, rotation=25),
    "a soft hole": Mask(shape=Shape.CIRCLE, width=0.45, height=0.6, feather=0.3, invert=True),
    "a rectangle": Mask(shape=Shape.RECTANGLE, width=0.5, height=0.75, x=-0.1),
    "with round corners": Mask(shape=Shape.RECTANGLE, width=0.7, height=0.5, corner=0.6, rotation=-20),
    "as round as can be": Mask(shape=Shape.RECTANGLE, width=0.8, height=0.3, corner=1, y=0.3),
    "a soft frame": Mask(shape=Shape.RECTANGLE, width=0.6, height=0.6, feather=0.1, invert=True),
    "larger than the picture": Mask(shape=Shape.CIRCLE, width=100, height=100),
    "beside the picture": Mask(shape=Shape.RECTANGLE, x=3),
    "the smallest": Mask(shape=Shape.CIRCLE, width=1e-9, height=1e-9),
}


def test_every_shape_leaves_what_it_should_to_a_part_of_a_pixel(
    tmp_path: Path, materials: Mapping[str, Source]
) -> None:
    """Of white on black the mask alone is left."""
    pieces = [replace(WHOLE, start=number * SECOND // 5, mask=mask) for number, mask in enumerate(MASKS.values())]
    found = frames(reels.timeline(pieces, canvas=CANVAS), materials, tmp_path)
    for number, (name, mask) in enumerate(MASKS.items()):
        wanted = plainly.put(plainly.plain(CANVAS), masked(Image.new("RGB", SIDES, "white"), mask), WHOLE)
        for frame in found[2 * number : 2 * number + 2]:
            off = np.abs(np.asarray(frame, np.int16) - np.asarray(wanted, np.int16))[..., 1]
            assert off.mean() < 1.5, name
            assert np.percentile(off, 99.8) < 40, name


def keys(*values: tuple[float, float]) -> tuple[Keyframe, ...]:
    return tuple(Keyframe(at=round(at * SECOND), value=value) for at, value in values)


ROUND = Mask(shape=Shape.CIRCLE, width=0.6, height=0.7, x=0.1, y=-0.05)
CORNERED = Mask(shape=Shape.RECTANGLE, width=0.5, height=0.7, corner=0.3, rotation=15, x=-0.1)


def clip(mask: Mask, material: str = "drawn", **changes: Any) -> Clip:
    return replace(WHOLE, material=material, mask=mask, **changes)


CLIPS = {
    "moved and turned": clip(CORNERED, transform=Transform(x=0.2, y=-0.1, scale=0.7, rotation=40)),
    "a film, a quarter turned": clip(CORNERED, "film", transform=Transform(rotation=90)),
    "large, so that little of it is decoded": clip(CORNERED, "film", transform=Transform(x=0.5, y=0.4, scale=3)),
    "faint": clip(ROUND, transform=Transform(opacity=0.5)),
    "see-through by itself": clip(ROUND, "glass"),
    "covering": clip(ROUND, "film", fit=Fit.COVER),
    "on a colour": clip(ROUND, "film", backdrop="#00a040"),
    "backwards": clip(ROUND, "film", reverse=True),
}


def below() -> Image.Image:
    return Image.new("RGB", (320, 180), "blue")


def test_what_is_hidden_shows_what_lies_below(tmp_path: Path, materials: Mapping[str, Source]) -> None:
    pieces = [replace(one, start=number * SECOND // 5) for number, one in enumerate(CLIPS.values())]
    ground = [replace(one, material="blue", mask=None, transform=Transform(), fit=Fit.CONTAIN) for one in pieces]
    ground = [replace(one, backdrop=None, reverse=False) for one in ground]
    found = frames(reels.timeline(ground, pieces, canvas=CANVAS), materials, tmp_path)
    off = {}
    for number, (name, one) in enumerate(CLIPS.items()):
        picture = drawn()
        if one.material == "glass":
            picture.putalpha(Image.linear_gradient("L").resize(SIDES))
        assert one.mask is not None
        under = plainly.plain(CANVAS, one.backdrop) if one.backdrop else below()
        wanted = plainly.put(under, masked(picture, one.mask), one)
        off[name] = max(plainly.difference(frame, wanted) for frame in found[2 * number : 2 * number + 2])
    assert {name: value for name, value in off.items() if value > 2.5} == {}


def test_a_mask_lies_on_the_picture_as_it_is_cropped_and_flipped(
    tmp_path: Path, materials: Mapping[str, Source]
) -> None:
    """Also where only a part of that is decoded."""
    seen = drawn().crop((60, 0, 240, 144)).transpose(Image.Transpose.ROTATE_180)
    places = [Transform(), Transform(x=0.6, y=0.4, scale=2.5)]
    pieces = [
        replace(
            clip(CORNERED, "film", crop=Crop(left=0.25, bottom=0.2), flip_x=True, flip_y=True, transform=place),
            start=number * SECOND // 5,
        )
        for number, place in enumerate(places)
    ]
    found = frames(reels.timeline(pieces, canvas=CANVAS), materials, tmp_path)
    for number, place in enumerate(places):
        wanted = plainly.put(plainly.plain(CANVAS), masked(seen, CORNERED), WHOLE, place)
        assert plainly.difference(found[2 * number], wanted) < 2.5, place


def test_a_mask_travels_with_its_picture(tmp_path: Path, materials: Mapping[str, Source]) -> None:
    motion = Motion(x=keys((0, -0.2), (0.4, 0.2)), scale=keys((0, 0.6), (0.4, 1)), rotation=keys((0, 0), (0.4, 80)))
    for name in ("drawn", "film"):
        one = clip(CORNERED, name, duration=SECOND // 2, motion=motion)
        ground = Clip(start=0, duration=SECOND // 2, material="blue")
        found = frames(reels.timeline([ground], [one], canvas=CANVAS), materials, tmp_path / name)
        for number, frame in enumerate(found):
            part = min(1, number / 4)
            place = Transform(x=-0.2 + 0.4 * part, scale=0.6 + 0.4 * part, rotation=80 * part)
            assert plainly.difference(frame, plainly.put(below(), masked(drawn(), CORNERED), one, place)) < 3


def test_what_is_hidden_shows_the_blurred_picture_behind_and_nothing_below(
    tmp_path: Path, materials: Mapping[str, Source]
) -> None:
    """Also where the picture would cover the canvas by itself."""
    for transform in (Transform(), Transform(scale=2)):
        one = clip(ROUND, "film", fit=Fit.BLUR, transform=transform)
        ground = Clip(start=0, duration=SECOND // 5, material="blue")
        (frame, _) = frames(reels.timeline([ground], [one], canvas=CANVAS), materials, tmp_path / str(transform.scale))
        covering = np.asarray(plainly.put(plainly.plain(CANVAS), drawn(), replace(one, fit=Fit.COVER, mask=None)))
        seen = np.asarray(plainly.put(plainly.plain(CANVAS), masked(Image.new("RGB", SIDES, "white"), ROUND), one))
        sharp = plainly.put(plainly.plain(CANVAS), drawn(), one)
        inside, outside = seen[..., 0] > 250, seen[..., 0] < 5
        off = np.abs(np.asarray(frame, np.int16) - np.asarray(sharp, np.int16))
        assert off[inside].mean() < 3
        assert off[outside].mean() > 4
        assert np.abs(np.asarray(frame, np.int16) - covering)[outside].mean() < 40


def test_masked_pictures_give_way_to_others(tmp_path: Path, materials: Mapping[str, Source]) -> None:
    old = clip(ROUND, "film", duration=SECOND // 2, transition=Transition(duration=SECOND * 2 // 5))
    new = Clip(start=SECOND // 2, duration=SECOND // 2, material="blue")
    found = frames(reels.timeline([old, new], canvas=CANVAS), materials, tmp_path)
    first = plainly.put(plainly.plain(CANVAS), masked(drawn(), ROUND), WHOLE)
    for number in (1, 4, 5, 6, 8):
        part = min(1.0, max(0.0, (number - 3) / 4))
        assert plainly.difference(found[number], plainly.mixed(first, below(), part)) < 3, number


def test_a_mask_is_drawn_once_and_not_for_every_frame(materials: Mapping[str, Source]) -> None:
    window = Window(first=0, frames=100, clips=(clip(ROUND, "film", duration=10 * SECOND),))
    how = Recipe(format=Format.MP4, crf=23, preset="veryfast")
    words = encoding.command(Segment(windows=(window,)), "part.mp4", materials, CANVAS, how, threads=1)
    graph = words[words.index("-filter_complex") + 1]
    before, after = graph.split("geq=", 1)
    assert "trim=end_frame=1[" in before.rsplit(";", 1)[0][-30:]
    assert "loop=loop=-1:size=1" in after


def test_a_clip_that_is_sound_only_may_have_a_mask(tmp_path: Path, materials: Mapping[str, Source]) -> None:
    heard = Track(kind=Kind.AUDIO, clips=(clip(ROUND, "film"),))
    whole = Timeline(canvas=CANVAS, tracks=(Track(kind=Kind.VIDEO, clips=(WHOLE,)), heard))
    assert len(frames(whole, materials, tmp_path)) == 2
