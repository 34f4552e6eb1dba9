"""What a mask leaves of a picture: how much of each of its pixels is seen, as an expression of ffmpeg.

It is told by how far a pixel's middle lies within the mask's edge. Without feather the edge is one pixel wide, so that
a pixel which it goes through is seen in part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from videos.media.probe import VideoStream
from videos.timeline import geometry
from videos.timeline.geometry import Box
from videos.timeline.model import Canvas, Clip, Mask, Shape


def shown(clip: Clip, video: VideoStream, canvas: Canvas, crop: Box, size: tuple[int, int]) -> str:
    """An expression for "geq": how much is seen of a pixel of the part `crop`, once that is scaled to `size`.

    It is below 0 where nothing is, above 1 where all is. The clip has a mask.
    """
    mask = clip.mask
    assert mask is not None
    sides = geometry.sides(clip, video, canvas, fit=clip.fit, scale=1)
    spans = sides[0].span(crop.x, crop.x + crop.width), sides[1].span(crop.y, crop.y + crop.height)
    steps = [(high - low) / pixels for (low, high), pixels in zip(spans, size, strict=True)]
    lengths = sides[0].length, sides[1].length
    # The middle of the pixel at the upper left, seen from the middle of the mask.
    first = [
        low + step / 2 - length * off
        for (low, _), step, length, off in zip(spans, steps, lengths, (mask.x, mask.y), strict=True)
    ]
    cosine, sine = math.cos(math.radians(mask.rotation)), math.sin(math.radians(mask.rotation))
    x = _Line(
        at=cosine * first[0] + sine * first[1],
        across=cosine * steps[0],
        down=sine * steps[1],
    )
    y = _Line(
        at=cosine * first[1] - sine * first[0],
        across=-sine * steps[0],
        down=cosine * steps[1],
    )
    edge = max(math.sqrt(steps[0] * steps[1]), mask.feather * lengths[1])
    inside = _inside(mask, x.expression, y.expression, lengths)
    return f"0.5{'-' if mask.invert else '+'}({inside})/{edge!r}"


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A coordinate of a pixel in the mask's own directions, which are turned."""

    at: float
    across: float
    down: float

    @property
    def expression(self) -> str:
        return f"({self.at!r}+({self.across!r})*X+({self.down!r})*Y)"


def _inside(mask: Mask, x: str, y: str, lengths: tuple[float, float]) -> str:
    """How far a place is from the edge, on the inner side of it; less than nothing on the other."""
    across, down = mask.width * lengths[0] / 2, mask.height * lengths[1] / 2
    match mask.shape:
        case Shape.LINE:
            return f"-{y}"
        case Shape.MIRROR:
            return f"{down!r}-abs({y})"
        case Shape.CIRCLE:
            # Of a circle exactly; of an ellipse nearly, and its edge is where it should be.
            part = f"st(0,hypot({x}/{across!r},{y}/{down!r}))"
            slope = f"hypot({x}/{across**2!r},{y}/{down**2!r})"
            return f"{part};if(lt(ld(0),0.0001),{min(across, down)!r},ld(0)*(1-ld(0))/{slope})"
        case Shape.RECTANGLE:
            radius = mask.corner * min(across, down)
            off = f"st(0,abs({x})-{across - radius!r});st(1,abs({y})-{down - radius!r})"
            return f"{off};{radius!r}-hypot(max(ld(0),0),max(ld(1),0))-min(max(ld(0),ld(1)),0)"
