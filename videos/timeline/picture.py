"""The picture of one segment: the ffmpeg graph that lays the clips over one another, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ffmpeg
from ffmpeg.nodes import InputNode

from videos.media import shown
from videos.media.probe import VideoStream
from videos.timeline import geometry
from videos.timeline.cutting import Segment, Window
from videos.timeline.frames import frames
from videos.timeline.geometry import Place
from videos.timeline.model import Canvas, Clip, Fit
from videos.timeline.sources import Source

_BLURRED = 8  # how many times smaller a picture is blurred than it is shown
_BLUR = 6  # pixels, of the smaller one
_SD = (1024, 576)  # a picture that is larger has the colours of HDTV where it does not say
# The names of ffprobe, and those of the filter "scale".
_MATRICES = {"bt470bg": "bt470", "bt2020nc": "bt2020", "bt2020c": "bt2020"}
_SCALED = {"bt709", "fcc", "smpte170m", "smpte240m"}
_SEE_THROUGH = ("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One clip, where it is seen."""

    clip: Clip
    source: Source
    place: Place | None  # None: beside the canvas, so that its blurred backdrop alone is seen
    backdrop: Place | None  # where it lies behind itself, blurred

    @property
    def video(self) -> VideoStream:
        return self.source.video

    @property
    def opaque(self) -> bool:
        return self.clip.transform.opacity == 1 and not (self.video.pix_fmt or "").startswith(_SEE_THROUGH)

    def covers(self, canvas: Canvas) -> bool:
        """Whether nothing below it is seen."""
        return self.opaque and (self.backdrop is not None or (self.place is not None and self.place.covers(canvas)))

    def fills(self, canvas: Canvas) -> bool:
        """Whether it makes a whole picture when it is merely cut, or filled up with the background."""
        straight = self.place is not None and self.place.quarters is not None and self.backdrop is None
        return straight and self.opaque and (self.covers(canvas) or _is_grey(canvas.background))


def layers(window: Window, sources: Mapping[str, Source], canvas: Canvas) -> list[Layer]:
    """What can be seen in a window, from the bottom to the top: nothing that another picture covers."""
    found: list[Layer] = []
    for clip in window.clips:
        source = sources[clip.material]
        if source.probe.video is None or clip.transform.opacity == 0:
            continue
        place = geometry.place(clip, source.probe.video, canvas)
        backdrop = geometry.backdrop(clip, source.probe.video, canvas) if clip.fit is Fit.BLUR else None
        if place is not None and place.covers(canvas):
            backdrop = None
        if place is None and backdrop is None:
            continue
        layer = Layer(clip=clip, source=source, place=place, backdrop=backdrop)
        if layer.covers(canvas):
            found.clear()
        found.append(layer)
    return found


def graph(
    segment: Segment, sources: Mapping[str, Source], canvas: Canvas, *, threads: int, patient: bool = False
) -> Any:
    """The stream of a segment: all its frames, one after the other, BT.709."""
    painter = _Painter(canvas, threads=threads, patient=patient)
    parts = [painter.window(window, layers(window, sources, canvas)) for window in segment.windows]
    whole = parts[0] if len(parts) == 1 else ffmpeg.concat(*parts, v=1, a=0)
    stated = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "range": "tv"}
    counted = whole.filter("settb", f"1/({canvas.rate})").filter("setpts", "N")
    return counted.filter("setparams", **stated)


class _Painter:
    """Builds the graph of one segment; counts the inputs, which ffmpeg-python would else take for the same."""

    def __init__(self, canvas: Canvas, *, threads: int, patient: bool) -> None:
        self._canvas = canvas
        self._threads = threads
        self._patient = patient
        self._inputs = 0

    def window(self, window: Window, seen: Sequence[Layer]) -> Any:
        if seen and seen[0].fills(self._canvas):
            assert seen[0].place is not None
            picture = self._fitted(self._layer(seen[0], window), seen[0].place)
            seen = seen[1:]
        else:
            picture = self._background(window.frames)
        for layer in seen:
            picture = _over(picture, self._layer(layer, window), layer.place if layer.backdrop is None else None)
        return picture.filter("setsar", 1).filter("format", "yuv420p")

    def _background(self, count: int) -> Any:
        canvas = self._canvas
        colour = f"color=c=0x{canvas.background[1:]}:s={canvas.width}x{canvas.height}:r={canvas.rate},format=rgb24"
        given = InputNode(ffmpeg.input.__name__, args=[self._next()], kwargs={"filename": colour, "format": "lavfi"})
        # Converted once, and then repeated.
        one = given.stream().filter("trim", end_frame=1)
        one = one.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuv420p")
        many = one.filter("loop", loop=-1, size=1).filter("settb", f"1/({canvas.rate})").filter("setpts", "N")
        return many.filter("trim", end_frame=count)

    def _layer(self, layer: Layer, window: Window) -> Any:
        """The picture of one clip, as it is put down."""
        number = self._next()
        moving = frames(
            *(layer.clip, layer.source, window, self._canvas.rate),
            number=number,
            threads=self._threads,
            patient=self._patient,
        )
        opacity = layer.clip.transform.opacity
        if layer.backdrop is None:
            assert layer.place is not None
            return _shaped(moving, layer, layer.place, opacity=opacity)
        if layer.place is None:
            return _faded(self._blurred(moving, layer, layer.backdrop), opacity)
        both = moving.filter_multi_output("split", 2)
        behind = self._blurred(both[0], layer, layer.backdrop)
        return _faded(_over(behind, _shaped(both[1], layer, layer.place), layer.place), opacity)

    def _blurred(self, moving: Any, layer: Layer, place: Place) -> Any:
        """Blurred while it is small, which costs little and looks the same."""
        small = max(2, place.width // _BLURRED), max(2, place.height // _BLURRED)
        cut = _cropped(moving, layer.video, place)
        picture = shown.converted(cut, layer.video, small, pix_fmt="yuv420p", matrix=_matrix(layer.video))
        picture = _flipped(picture, layer.clip).filter("gblur", sigma=_BLUR)
        return self._fitted(picture.filter("scale", place.width, place.height), place)

    def _fitted(self, picture: Any, place: Place) -> Any:
        """Cut, or filled up with the background, to the size of the canvas."""
        canvas, box = self._canvas, place.box
        left, top = max(0, box.x), max(0, box.y)
        width = min(canvas.width, box.x + box.width) - left
        height = min(canvas.height, box.y + box.height) - top
        if (width, height) != (box.width, box.height):
            picture = picture.filter("crop", width, height, left - box.x, top - box.y)
        if (width, height) != (canvas.width, canvas.height):
            colour = f"0x{canvas.background[1:]}"
            picture = picture.filter("pad", canvas.width, canvas.height, left, top, color=colour)
        return picture

    def _next(self) -> int:
        self._inputs += 1
        return self._inputs


def _shaped(moving: Any, layer: Layer, place: Place, *, opacity: float = 1.0) -> Any:
    """Cut out, scaled, in the film's colours, flipped, faded, turned."""
    video = layer.video
    see_through = (video.pix_fmt or "").startswith(_SEE_THROUGH) and video.hdr is None
    picture = shown.converted(
        _cropped(moving, video, place),
        video,
        (place.width, place.height),
        pix_fmt="yuva420p" if see_through else "yuv420p",
        matrix=_matrix(video),
    )
    return _turned(_faded(_flipped(picture, layer.clip), opacity), place)


def _cropped(picture: Any, video: VideoStream, place: Place) -> Any:
    crop = place.crop
    if (crop.width, crop.height) == geometry.upright(video)[:2]:
        return picture
    return picture.filter("crop", crop.width, crop.height, crop.x, crop.y)


def _flipped(picture: Any, clip: Clip) -> Any:
    if clip.flip_x:
        picture = picture.filter("hflip")
    return picture.filter("vflip") if clip.flip_y else picture


def _faded(picture: Any, opacity: float) -> Any:
    if opacity == 1:
        return picture
    return picture.filter("format", "yuva420p").filter("lutyuv", a=f"val*{opacity!r}")


def _turned(picture: Any, place: Place) -> Any:
    if place.quarters == 2:
        return picture.filter("hflip").filter("vflip")
    if place.quarters is not None:
        return picture.filter("transpose", {1: "clock", 3: "cclock"}[place.quarters]) if place.quarters else picture
    radians = repr(math.radians(place.angle))
    return picture.filter("format", "yuva420p").filter(
        "rotate", radians, ow=place.box.width, oh=place.box.height, fillcolor="black@0"
    )


def _over(picture: Any, above: Any, place: Place | None) -> Any:
    x, y = (place.box.x, place.box.y) if place else (0, 0)
    return ffmpeg.overlay(picture, above, x=x, y=y, eval="init")


def _matrix(video: VideoStream) -> str:
    """The colours of a picture, in the words of the filter "scale". What is not stated goes by the size."""
    stated = _MATRICES.get(video.matrix or "", video.matrix)
    if stated in _SCALED or stated in _MATRICES.values():
        return stated or ""
    sides = video.width, video.height
    return "smpte170m" if max(sides) <= _SD[0] and min(sides) <= _SD[1] else "bt709"


def _is_grey(colour: str) -> bool:
    """The filter "pad" takes colours for those of SDTV, which makes no difference to greys."""
    return colour[1:3].lower() == colour[3:5].lower() == colour[5:7].lower()
