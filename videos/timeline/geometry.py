"""Where a picture lies on the canvas, how large it is there, and which part of it can be seen at all.

The part that lies outside is cut away before anything is scaled: a picture at scale 100 costs no more than one at 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from videos.media.probe import VideoStream
from videos.timeline.model import Canvas, Clip, Fit
from videos.timeline.motion import Transform

# How many pixels of the canvas one of the picture becomes at most by its scale: by then hardly two of them are seen.
_LARGEST_PIXEL = 1024.0
_SQUARE_TO = 1e-6  # degrees: by which an angle may miss the right one


@dataclass(frozen=True, kw_only=True)
class Box:
    """A part of a picture, in its pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is cut from an upright picture, and what becomes of it: scaled, flipped, turned, put down."""

    crop: Box
    width: int  # that it is scaled to
    height: int
    angle: float  # degrees clockwise, at least 0, below 360
    box: Box  # on the canvas, around the turned picture; may reach beyond
    stray: float  # pixels by which an edge lies beside its place, for what is put down is even

    @property
    def quarters(self) -> int | None:
        """How many right angles it is turned by; None if it stands askew."""
        return round(self.angle / 90) % 4 if self.angle % 90 == 0 else None

    def covers(self, canvas: Canvas) -> bool:
        """Whether nothing of the canvas is left free."""
        across = self.box.x <= 0 and self.box.x + self.box.width >= canvas.width
        down = self.box.y <= 0 and self.box.y + self.box.height >= canvas.height
        return self.quarters is not None and across and down


@dataclass(frozen=True, kw_only=True)
class Side:
    """One dimension of the picture: the pixels that the clip leaves of it, and how long they are on the canvas."""

    first: int
    after: int
    length: float  # on the canvas
    flipped: bool

    def seen(self, low: float, high: float) -> tuple[int, int] | None:
        """The pixels between two places, counted on the canvas from the middle; whole ones, in pairs."""
        low, high = max(low, -self.length / 2), min(high, self.length / 2)
        if low >= high:
            return None
        if self.flipped:
            low, high = -high, -low
        pixels = (self.after - self.first) / self.length
        middle = (self.first + self.after) / 2
        first = max(self.first, math.floor((middle + low * pixels) / 2 + 1e-6) * 2)
        after = min(self.after, math.ceil((middle + high * pixels) / 2 - 1e-6) * 2)
        return (first, after) if first < after else None

    def span(self, first: int, after: int) -> tuple[float, float]:
        """Where those pixels begin and end on the canvas, seen from the middle of all."""
        scale = self.length / (self.after - self.first)
        middle = (self.first + self.after) / 2
        low, high = (first - middle) * scale, (after - middle) * scale
        return (-high, -low) if self.flipped else (low, high)

    def put(self, first: int, after: int) -> tuple[float, float]:
        """How long those pixels are on the canvas, and where their middle lies, seen from the middle of all."""
        low, high = self.span(first, after)
        return high - low, (low + high) / 2


def place(clip: Clip, video: VideoStream, canvas: Canvas, transform: Transform | None = None) -> Place | None:
    """Where the clip's picture is seen; None if it lies outside altogether. `transform`: in the place of its own."""
    return _placed(clip, video, canvas, fit=clip.fit, transform=transform or clip.transform)


def backdrop(clip: Clip, video: VideoStream, canvas: Canvas) -> Place:
    """Where the same picture lies when it covers the canvas behind itself."""
    found = _placed(clip, video, canvas, fit=Fit.COVER, transform=Transform())
    assert found is not None
    return found


def _placed(clip: Clip, video: VideoStream, canvas: Canvas, *, fit: Fit, transform: Transform) -> Place | None:
    across, down = sides(clip, video, canvas, fit=fit, scale=transform.scale)
    angle = _angle(transform.rotation)
    middle = canvas.width * (0.5 + transform.x), canvas.height * (0.5 + transform.y)
    corners = [turned(x - middle[0], y - middle[1], -angle) for x in (0, canvas.width) for y in (0, canvas.height)]
    columns = across.seen(min(x for x, _ in corners), max(x for x, _ in corners))
    rows = down.seen(min(y for _, y in corners), max(y for _, y in corners))
    if columns is None or rows is None:
        return None
    (long, off_x), (high, off_y) = across.put(*columns), down.put(*rows)
    off_x, off_y = turned(off_x, off_y, angle)
    middle = middle[0] + off_x, middle[1] + off_y
    width, height = _even(long), _even(high)
    box = _around(width, height, angle, middle=middle)
    grown = max(abs(width - long), abs(height - high)) / 2
    return Place(
        crop=Box(x=columns[0], y=rows[0], width=columns[1] - columns[0], height=rows[1] - rows[0]),
        width=width,
        height=height,
        angle=angle,
        box=box,
        stray=grown + max(abs(box.x + box.width / 2 - middle[0]), abs(box.y + box.height / 2 - middle[1])),
    )


def sides(clip: Clip, video: VideoStream, canvas: Canvas, *, fit: Fit, scale: float) -> tuple[Side, Side]:
    """Width and height of the picture, that it has by its fit and a scale."""
    width, height, shape = upright(video)
    left, right = _kept(width, clip.crop.left, clip.crop.right)
    top, bottom = _kept(height, clip.crop.top, clip.crop.bottom)
    # Its size were a pixel as high as one of the canvas.
    natural = float((right - left) * shape), float(bottom - top)
    ratios = canvas.width / natural[0], canvas.height / natural[1]
    if fit is not Fit.STRETCH:
        ratios = (max(ratios),) * 2 if fit is Fit.COVER else (min(ratios),) * 2
    lengths = [
        min(one * ratio * scale, max(one * ratio, pixels * _LARGEST_PIXEL))
        for one, ratio, pixels in zip(natural, ratios, (right - left, bottom - top), strict=True)
    ]
    return (
        Side(first=left, after=right, length=lengths[0], flipped=clip.flip_x),
        Side(first=top, after=bottom, length=lengths[1], flipped=clip.flip_y),
    )


def upright(video: VideoStream) -> tuple[int, int, Fraction]:
    """Width and height of the picture as the decoder hands it over, and the shape of its pixels."""
    if video.rotation in (90, 270):
        return video.height, video.width, 1 / video.sar
    return video.width, video.height, video.sar


def _kept(side: int, before: float, after: float) -> tuple[int, int]:
    """In pairs of pixels, for most pictures have one colour for two of them."""
    first = min(round(side * before / 2) * 2, (side - 1) // 2 * 2)
    last = side - round(side * after / 2) * 2
    return first, min(side, max(last, first + 2))


def _around(width: int, height: int, angle: float, *, middle: tuple[float, float]) -> Box:
    cosine, sine = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    across = math.ceil((width * cosine + height * sine) / 2 - 1e-6) * 2
    down = math.ceil((width * sine + height * cosine) / 2 - 1e-6) * 2
    x, y = (round((centre - side / 2) / 2) * 2 for centre, side in zip(middle, (across, down), strict=True))
    return Box(x=x, y=y, width=across, height=down)


def _angle(degrees: float) -> float:
    angle = degrees % 360
    right = round(angle / 90) * 90
    return float(right % 360) if abs(angle - right) < _SQUARE_TO else angle


def turned(x: float, y: float, degrees: float) -> tuple[float, float]:
    """A point turned clockwise about the origin; y grows downwards."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return x * cosine - y * sine, x * sine + y * cosine


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)
