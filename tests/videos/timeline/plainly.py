"""What a film's frames should look like: made anew with Pillow, pixel by pixel, from what the words say."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from videos.timeline.model import Canvas, Clip, Fit
from videos.timeline.motion import Transform

SMOOTH = Image.Resampling.BICUBIC


def put(below: Image.Image, picture: Image.Image, clip: Clip, moved: Transform | None = None) -> Image.Image:
    """A picture laid over another one, which is as large as the canvas. `moved`: in the place of its transform."""
    moved = moved or clip.transform
    cut = _cut(picture, clip).convert("RGBA")
    ratios = below.width / cut.width, below.height / cut.height
    if clip.fit is not Fit.STRETCH:
        ratios = (max(ratios),) * 2 if clip.fit is Fit.COVER else (min(ratios),) * 2
    shown = [side * ratio * moved.scale for side, ratio in zip(cut.size, ratios, strict=True)]
    # Made smaller with care first: the rest looks at no more than a few pixels.
    sides = [max(1, min(side, round(wanted))) for side, wanted in zip(cut.size, shown, strict=True)]
    cut = cut.resize((sides[0], sides[1]), SMOOTH)
    scales = [wanted / side for wanted, side in zip(shown, cut.size, strict=True)]
    middle = below.width * (0.5 + moved.x), below.height * (0.5 + moved.y)
    way = _way_back(middle, math.radians(moved.rotation), (scales[0], scales[1]), cut.size)
    colours = _stretched(cut.convert("RGB")).transform(below.size, Image.Transform.AFFINE, _shifted(way), SMOOTH)
    shape = cut.getchannel("A").transform(below.size, Image.Transform.AFFINE, way, SMOOTH)
    inside = _inside(below.size, way, cut.size)
    mask = np.asarray(shape, float) * inside * moved.opacity
    return mixed(below, colours, Image.fromarray(mask.round().astype(np.uint8)))


def mixed(one: Image.Image, other: Image.Image, mask: Image.Image | float) -> Image.Image:
    """The other one over the one, as far as the mask says: from 0 to 255, or from 0 to 1 if it is a number."""
    part = mask if isinstance(mask, float) else np.asarray(mask, float)[..., None] / 255
    whole = np.asarray(one, float) * (1 - part) + np.asarray(other, float) * part
    return Image.fromarray(whole.round().astype(np.uint8))


def plain(canvas: Canvas, colour: str | None = None) -> Image.Image:
    return Image.new("RGB", (canvas.width, canvas.height), colour or canvas.background)


def difference(one: Image.Image | np.ndarray, other: Image.Image | np.ndarray) -> float:
    """Of a channel of a pixel, on average; from 0 to 255."""
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())


def _cut(picture: Image.Image, clip: Clip) -> Image.Image:
    crop, (width, height) = clip.crop, picture.size
    left, top = round(width * crop.left), round(height * crop.top)
    cut = picture.crop((left, top, round(width * (1 - crop.right)), round(height * (1 - crop.bottom))))
    if clip.flip_x:
        cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return cut.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if clip.flip_y else cut


Way = tuple[float, float, float, float, float, float]


def _way_back(middle: tuple[float, float], angle: float, scales: tuple[float, float], size: tuple[int, int]) -> Way:
    """From a place on the canvas to one in the picture."""
    cosine, sine = math.cos(angle), math.sin(angle)
    a, b, d, e = cosine / scales[0], sine / scales[0], -sine / scales[1], cosine / scales[1]
    return (
        *(a, b, size[0] / 2 - a * middle[0] - b * middle[1]),
        *(d, e, size[1] / 2 - d * middle[0] - e * middle[1]),
    )


_EDGE = 4


def _stretched(picture: Image.Image) -> Image.Image:
    """With its outermost pixels repeated, so that nothing mixes with what is not there."""
    return Image.fromarray(np.pad(np.asarray(picture), ((_EDGE, _EDGE), (_EDGE, _EDGE), (0, 0)), mode="edge"))


def _shifted(way: Way) -> Way:
    return (*way[:2], way[2] + _EDGE, *way[3:5], way[5] + _EDGE)


def _inside(size: tuple[int, int], way: Way, picture: tuple[int, int]) -> np.ndarray:
    """How much of each pixel of the canvas lies within the picture, by 16 points in it."""
    found = np.zeros((size[1], size[0]))
    for x in (0.125, 0.375, 0.625, 0.875):
        for y in (0.125, 0.375, 0.625, 0.875):
            down, across = np.mgrid[0 : size[1], 0 : size[0]].astype(float)
            column = way[0] * (across + x) + way[1] * (down + y) + way[2]
            row = way[3] * (across + x) + way[4] * (down + y) + way[5]
            found += (column >= 0) & (column < picture[0]) & (row >= 0) & (row < picture[1])
    return found / 16
