"""A picture that moves: where it lies at each frame of a window, to a fraction of a pixel.

It is cut out and scaled once, to the largest size that it has. Then it is drawn anew for each frame, by the filter
"perspective", into a frame no larger than it needs; and that is put down where it belongs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from videos.media.probe import VideoStream
from videos.timeline import geometry
from videos.timeline.curves import Curve
from videos.timeline.geometry import Box, Side
from videos.timeline.model import Canvas, Clip
from videos.timeline.motion import Transform

_BORDER = 4  # pixels around the picture, for whoever draws looks at that many beside the one that is meant
_SPARE = 1.5  # times the size that is needed, up to which that of the whole clip is taken: no seam shows then
_LARGEST_PIXEL = 64  # that one pixel is enlarged to
_SMALLEST = 0.0005  # a scale at which hardly anything is seen
_FEWER = 1.25  # times the picture's size, up to which a frame stays where it is

_PLACED = ("x", "y", "scale", "rotation")


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One dimension of the frame that a moving picture is drawn into."""

    length: int
    at: int | None  # on the canvas; None: it goes along with the picture
    middle: str  # an expression of ffmpeg: that of the picture on the canvas, when the frame's number is in `ld(0)`

    @property
    def place(self) -> str:
        """Where it is put. The filter "overlay" can put things at even places only."""
        return str(self.at) if self.at is not None else f"2*floor(({self.middle}-{self.length / 2!r})/2)"


@dataclass(frozen=True, kw_only=True)
class Journey:
    """What is cut from an upright picture, and how it moves. Its own lengths are those on the canvas at scale 1."""

    crop: Box
    width: int  # that it is scaled to
    height: int
    low: tuple[float, float]  # where the part that is cut out begins, seen from the middle of the picture
    high: tuple[float, float]
    across: Axis
    down: Axis
    scale: Curve
    rotation: Curve
    covers: bool  # nothing of the canvas is left free, at any frame
    stands: bool  # where it is at the first frame

    @property
    def whole(self) -> tuple[int, int]:
        """Width and height of the picture with its border, which are those of what is drawn, before it is cut."""
        return max(self.width + 2 * _BORDER, self.across.length), max(self.height + 2 * _BORDER, self.down.length)

    @property
    def margins(self) -> tuple[int, int]:
        """At the left and the top of the picture: even, and about as wide as those at the other side."""
        width, height = self.whole
        return (width - self.width) // 4 * 2, (height - self.height) // 4 * 2

    @property
    def rests(self) -> bool:
        """Whether the frame does, that it is drawn into."""
        return self.across.at is not None and self.down.at is not None

    def corners(self) -> dict[str, str]:
        """What the filter "perspective" is told: which place of the picture goes to each corner of what is drawn."""
        width, height = self.whole
        places = [(x, y) for y in (0, height) for x in (0, width)]
        found = {}
        for number, (x, y) in enumerate(places):
            found[f"x{number}"] = self._source(0, x, y)
            found[f"y{number}"] = self._source(1, x, y)
        return found

    def _source(self, axis: int, x: int, y: int) -> str:
        """The place in the picture of one on the frame. A pixel's place is that of its middle."""
        frame = "ld(0)"
        turn = f"st(1,{self.rotation.expression(frame)}*PI/180)"
        across = f"st(2,{self.across.place}+{x + 0.5!r}-{self.across.middle})"
        down = f"st(3,{self.down.place}+{y + 0.5!r}-{self.down.middle})"
        turned = ("cos(ld(1))*ld(2)+sin(ld(1))*ld(3)", "cos(ld(1))*ld(3)-sin(ld(1))*ld(2)")[axis]
        side = (self.width, self.height)[axis]
        pixels = side / (self.high[axis] - self.low[axis])
        off = self.margins[axis] - 0.5 - self.low[axis] * pixels
        scale = f"max({self.scale.expression(frame)},{_SMALLEST})"
        return f"st(0,in-1);{turn};{across};{down};{off!r}+{pixels!r}*({turned})/{scale}"


@dataclass(frozen=True, kw_only=True)
class _Moment:
    """A transform on a canvas, in its pixels."""

    middle: tuple[float, float]
    scale: float
    angle: float

    def on_canvas(self, sides: tuple[float, float]) -> tuple[float, float]:
        """Width and height of what is around a picture of that size."""
        cosine, sine = abs(math.cos(math.radians(self.angle))), abs(math.sin(math.radians(self.angle)))
        width, height = (side * self.scale for side in sides)
        return width * cosine + height * sine, width * sine + height * cosine

    def corners(self, canvas: Canvas) -> list[tuple[float, float]]:
        """Those of the canvas, seen from the middle of the picture."""
        found = []
        for x in (0, canvas.width):
            for y in (0, canvas.height):
                turned = geometry.turned(x - self.middle[0], y - self.middle[1], -self.angle)
                found.append((turned[0] / self.scale, turned[1] / self.scale))
        return found


def moves(clip: Clip) -> bool:
    """Whether it has keyframes of its place."""
    return any(getattr(clip.motion, name) for name in _PLACED)


def transform(curves: Mapping[str, Curve]) -> Transform | None:
    """Where it is put, if it stays there."""
    values = {name: curves[name].constant for name in _PLACED}
    if any(value is None for value in values.values()):
        return None
    return Transform(**{name: value for name, value in values.items() if value is not None})


def journey(clip: Clip, video: VideoStream, canvas: Canvas, curves: Mapping[str, Curve]) -> Journey | None:
    """How the picture moves; None if it is never seen."""
    sides = geometry.sides(clip, video, canvas, fit=clip.fit, scale=1)
    lengths = sides[0].length, sides[1].length
    moments = list(_moments(canvas, curves))
    frame = [_axis(number, lengths, canvas, curves, moments) for number in (0, 1)]
    greatest = _resolution(clip, curves["scale"])
    cut = [_cut(number, sides[number], canvas, moments, greatest) for number in (0, 1)]
    across, down = frame
    columns, rows = cut
    if across is None or down is None or columns is None or rows is None:
        return None
    spans = sides[0].span(*columns), sides[1].span(*rows)
    covers = all(_covers(moment, lengths, canvas) for moment in moments)
    return Journey(
        crop=Box(x=columns[0], y=rows[0], width=columns[1] - columns[0], height=rows[1] - rows[0]),
        width=_scaled(columns, spans[0], greatest, enlarged=not covers),
        height=_scaled(rows, spans[1], greatest, enlarged=not covers),
        low=(spans[0][0], spans[1][0]),
        high=(spans[0][1], spans[1][1]),
        across=across,
        down=down,
        scale=curves["scale"],
        rotation=curves["rotation"],
        covers=covers,
        stands=transform(curves) is not None,
    )


def _moments(canvas: Canvas, curves: Mapping[str, Curve]) -> Iterator[_Moment]:
    for x, y, scale, angle in zip(*(curves[name].values() for name in _PLACED), strict=True):
        middle = canvas.width * (0.5 + x), canvas.height * (0.5 + y)
        yield _Moment(middle=middle, scale=max(scale, _SMALLEST), angle=angle)


def _resolution(clip: Clip, scale: Curve) -> float:
    """The scale that the picture is prepared for."""
    least, greatest = (max(value, _SMALLEST) for value in scale.bounds)
    ever = max((keyframe.value for keyframe in clip.motion.scale), default=clip.transform.scale)
    return max(greatest, min(ever, least * _SPARE))


def _scaled(pixels: tuple[int, int], span: tuple[float, float], scale: float, *, enlarged: bool) -> int:
    """How large a part is prepared.

    Whoever draws it enlarges it as well, but then its edges are as wide as its pixels. So it is enlarged before only
    where these are seen.
    """
    most = (pixels[1] - pixels[0]) * (_LARGEST_PIXEL if enlarged else 1)
    return max(2, math.ceil(min(float(most), (span[1] - span[0]) * scale) / 2) * 2)


def _cut(number: int, side: Side, canvas: Canvas, moments: Sequence[_Moment], scale: float) -> tuple[int, int] | None:
    """The pixels of the picture that are ever seen."""
    places = [corner[number] for moment in moments for corner in moment.corners(canvas)]
    return side.seen(min(places) - _BORDER / scale, max(places) + _BORDER / scale)


def _axis(
    number: int, lengths: tuple[float, float], canvas: Canvas, curves: Mapping[str, Curve], moments: Sequence[_Moment]
) -> Axis | None:
    """The frame in one dimension; None if the picture is beside the canvas all the time."""
    side = (canvas.width, canvas.height)[number]
    name = ("x", "y")[number]
    middle = f"{side}*(0.5+{curves[name].expression('ld(0)')})"
    sizes = [moment.on_canvas(lengths)[number] for moment in moments]
    spans = [
        (max(0.0, moment.middle[number] - size / 2), min(float(side), moment.middle[number] + size / 2))
        for moment, size in zip(moments, sizes, strict=True)
    ]
    seen = [(low, high) for low, high in spans if low < high]
    if not seen:
        return None
    low = math.floor(min(low for low, _ in seen) / 2) * 2
    high = math.ceil(max(high for _, high in seen) / 2) * 2
    largest = math.ceil(max(sizes) / 2) * 2 + 4
    if high - low <= max(_FEWER * largest, 2):
        return Axis(length=high - low, at=low, middle=middle)
    return Axis(length=largest, at=None, middle=middle)


def _covers(moment: _Moment, lengths: tuple[float, float], canvas: Canvas) -> bool:
    corners = moment.corners(canvas)
    return all(abs(corner[axis]) <= lengths[axis] / 2 + 1e-6 for corner in corners for axis in (0, 1))
