"""The picture of one segment: the ffmpeg graph that lays the clips over one another, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ffmpeg
from ffmpeg.nodes import InputNode

from videos.timeline.cutting import Segment, Window
from videos.timeline.frames import frames, in_time, repeated
from videos.timeline.geometry import Place
from videos.timeline.layers import Layer, layers
from videos.timeline.model import Canvas
from videos.timeline.shaping import blurred, faded, shaped
from videos.timeline.sources import Source

__all__ = ["Layer", "graph", "layers"]


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
        picture = None
        for layer in seen:
            picture = self._laid(picture, layer, window)
        if picture is None:
            picture = self._ground(self._canvas.background, window.frames)
        return picture.filter("setsar", 1).filter("format", "yuv420p")

    def _laid(self, below: Any | None, layer: Layer, window: Window) -> Any:
        """The picture with one layer more. `below`: None if there is nothing yet."""
        colour = layer.clip.backdrop or (self._canvas.background if below is None else None)
        if colour and layer.fills(self._canvas, colour):
            assert layer.place is not None
            return self._fitted(self._layer(layer, window), layer.place, colour)
        if colour:
            below = self._ground(colour, window.frames)
        if not layer.is_drawn:
            return below
        return _over(below, self._layer(layer, window), layer.place if layer.blurred is None else None)

    def _ground(self, colour: str, count: int) -> Any:
        canvas = self._canvas
        plain = f"color=c=0x{colour[1:]}:s={canvas.width}x{canvas.height}:r={canvas.rate},format=rgb24"
        given = InputNode(ffmpeg.input.__name__, args=[self._next()], kwargs={"filename": plain, "format": "lavfi"})
        # Converted once, and then repeated.
        one = given.stream().filter("trim", end_frame=1)
        one = one.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuv420p")
        return repeated(one, count, canvas.rate)

    def _layer(self, layer: Layer, window: Window) -> Any:
        """The picture of one clip, as it is put down."""
        read = (layer.clip, layer.source, window, self._canvas.rate)
        moving = frames(*read, number=self._next(), threads=self._threads, patient=self._patient)
        return in_time(self._drawn(moving, layer), *read)

    def _drawn(self, moving: Any, layer: Layer) -> Any:
        opacity = layer.clip.transform.opacity
        if layer.blurred is None:
            assert layer.place is not None
            return shaped(moving, layer, layer.place, opacity=opacity)
        if layer.place is None:
            return faded(self._blurred(moving, layer, layer.blurred), opacity)
        both = moving.filter_multi_output("split", 2)
        behind = self._blurred(both[0], layer, layer.blurred)
        return faded(_over(behind, shaped(both[1], layer, layer.place), layer.place), opacity)

    def _blurred(self, moving: Any, layer: Layer, place: Place) -> Any:
        return self._fitted(blurred(moving, layer, place), place, self._canvas.background)

    def _fitted(self, picture: Any, place: Place, colour: str) -> Any:
        """Cut, or filled up with a colour, to the size of the canvas."""
        canvas, box = self._canvas, place.box
        left, top = max(0, box.x), max(0, box.y)
        width = min(canvas.width, box.x + box.width) - left
        height = min(canvas.height, box.y + box.height) - top
        if (width, height) != (box.width, box.height):
            picture = picture.filter("crop", width, height, left - box.x, top - box.y)
        if (width, height) != (canvas.width, canvas.height):
            picture = picture.filter("pad", canvas.width, canvas.height, left, top, color=f"0x{colour[1:]}")
        return picture

    def _next(self) -> int:
        self._inputs += 1
        return self._inputs


def _over(picture: Any, above: Any, place: Place | None) -> Any:
    x, y = (place.box.x, place.box.y) if place else (0, 0)
    return ffmpeg.overlay(picture, above, x=x, y=y, eval="init")
