"""From the frames of a material to a picture as it is put down: cut out, scaled, in the film's colours, turned."""

from __future__ import annotations

import math
from typing import Any

import ffmpeg

from videos.media import shown
from videos.media.probe import VideoStream
from videos.timeline import geometry
from videos.timeline.geometry import Box, Place
from videos.timeline.journeys import Journey
from videos.timeline.layers import Layer
from videos.timeline.model import Clip

_BLURRED = 8  # how many times smaller a picture is blurred than it is shown
_BLUR = 6  # pixels, of the smaller one
_SPREAD = 4  # pixels, about as far as the colours of a see-through picture go on beyond its edges
_SD = (1024, 576)  # a picture that is larger has the colours of HDTV where it does not say
# The names of ffprobe, and those of the filter "scale".
_MATRICES = {"bt470bg": "bt470", "bt2020nc": "bt2020", "bt2020c": "bt2020"}
_SCALED = {"bt709", "fcc", "smpte170m", "smpte240m"}


def shaped(moving: Any, layer: Layer, place: Place | Journey) -> Any:
    """Cut out, scaled, in the film's colours, flipped, turned."""
    cut, size = _cropped(moving, layer.video, place.crop), (place.width, place.height)
    if layer.see_through:
        whole = (place.crop.width, place.crop.height)
        cut = shown.converted(cut, layer.video, whole, pix_fmt="yuva444p", matrix=_matrix(layer.video))
        return _flipped(_scaled_through(cut, size), layer.clip)
    picture = shown.converted(cut, layer.video, size, pix_fmt="yuv420p", matrix=_matrix(layer.video))
    return _flipped(picture, layer.clip)


def blurred(moving: Any, layer: Layer, place: Place) -> Any:
    """Blurred while it is small, which costs little and looks the same."""
    small = max(2, place.width // _BLURRED), max(2, place.height // _BLURRED)
    cut = _cropped(moving, layer.video, place.crop)
    if layer.see_through:  # what is not seen is black, whatever colour it has in the file
        picture = shown.converted(cut, layer.video, small, pix_fmt="yuva444p", matrix=_matrix(layer.video))
        picture = picture.filter("premultiply", inplace=1).filter("format", "yuv420p")
    else:
        picture = shown.converted(cut, layer.video, small, pix_fmt="yuv420p", matrix=_matrix(layer.video))
    picture = _flipped(picture, layer.clip).filter("gblur", sigma=_BLUR)
    return picture.filter("scale", place.width, place.height)


def _scaled_through(picture: Any, size: tuple[int, int]) -> Any:
    """A see-through picture of another size, in which no colour comes from where nothing is to be seen.

    Each pixel counts as much as it is seen. What is not seen at all takes the colours of what is next to it: for where
    it is turned, and where four pixels have one colour, those are looked at as well.
    """
    weighed = picture.filter("premultiply", inplace=1).filter("scale", *size).filter("format", "yuva444p")
    sharp, soft, alpha = (weighed.filter_multi_output("split", 3)[number] for number in range(3))
    small = max(1, size[0] // _SPREAD), max(1, size[1] // _SPREAD)
    soft = soft.filter("scale", *small, flags="area").filter("scale", *size, flags="bilinear")
    around = soft.filter("unpremultiply", inplace=1).filter("format", "yuv444p")
    seen = sharp.filter("unpremultiply", inplace=1).filter("lutyuv", a="255*gt(val,0)")
    colours = ffmpeg.overlay(around, seen, format="yuv444", eval="init").filter("format", "yuv420p")
    return ffmpeg.filter([colours, alpha.filter("alphaextract")], "alphamerge")


def faded(picture: Any, opacity: float) -> Any:
    if opacity == 1:
        return picture
    return picture.filter("format", "yuva420p").filter("lutyuv", a=f"val*{opacity!r}")


def bordered(picture: Any, journey: Journey, *, see_through: bool) -> Any:
    """Room around a picture: its own colours go on, but nothing of them is seen."""
    width, height = journey.whole
    left, top = journey.margins
    right, bottom = width - journey.width - left, height - journey.height - top
    sides = {"left": left, "top": top, "right": right, "bottom": bottom}
    if not see_through:
        return picture.filter("pad", width, height, left, top).filter("fillborders", **sides, mode="smear")
    wide = picture.filter("format", "yuva420p").filter("pad", width, height, left, top, color="black@0")
    both = wide.filter_multi_output("split", 2)
    colours = both[0].filter("format", "yuv420p").filter("fillborders", **sides, mode="smear")
    return ffmpeg.filter([colours, both[1].filter("alphaextract")], "alphamerge")


def travelled(picture: Any, journey: Journey) -> Any:
    """Drawn anew for each frame, where it is by then."""
    counted = "init" if journey.stands else "frame"
    drawn = picture.filter("perspective", **journey.corners(), interpolation="cubic", eval=counted)
    return drawn.filter("crop", journey.across.length, journey.down.length, 0, 0)


def veiled(picture: Any, veil: Any) -> Any:
    """As opaque as it is, times what a grey picture of its size says."""
    both = picture.filter("format", "yuva420p").filter_multi_output("split", 2)
    alpha = ffmpeg.filter([both[1].filter("alphaextract"), veil], "blend", all_mode="multiply")
    return ffmpeg.filter([both[0], alpha], "alphamerge")


def _cropped(picture: Any, video: VideoStream, crop: Box) -> Any:
    if (crop.width, crop.height) == geometry.upright(video)[:2]:
        return picture
    return picture.filter("crop", crop.width, crop.height, crop.x, crop.y)


def _flipped(picture: Any, clip: Clip) -> Any:
    if clip.flip_x:
        picture = picture.filter("hflip")
    return picture.filter("vflip") if clip.flip_y else picture


def turned(picture: Any, place: Place) -> Any:
    """As the place says, which it then fits into."""
    if place.quarters == 2:
        return picture.filter("hflip").filter("vflip")
    if place.quarters is not None:
        return picture.filter("transpose", {1: "clock", 3: "cclock"}[place.quarters]) if place.quarters else picture
    radians = repr(math.radians(place.angle))
    return picture.filter("format", "yuva420p").filter(
        "rotate", radians, ow=place.box.width, oh=place.box.height, fillcolor="black@0"
    )


def _matrix(video: VideoStream) -> str:
    """The colours of a picture, in the words of the filter "scale". What is not stated goes by the size."""
    stated = _MATRICES.get(video.matrix or "", video.matrix)
    if stated in _SCALED or stated in _MATRICES.values():
        return stated or ""
    sides = video.width, video.height
    return "smpte170m" if max(sides) <= _SD[0] and min(sides) <= _SD[1] else "bt709"
