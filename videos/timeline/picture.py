"""The picture of one segment: the ffmpeg graph that lays the clips over one another, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ffmpeg
from ffmpeg.nodes import InputNode

from videos.timeline import lettering
from videos.timeline.cutting import Segment, Window, Written
from videos.timeline.frames import frames, in_time, repeated
from videos.timeline.geometry import Place
from videos.timeline.journeys import Journey
from videos.timeline.layers import Layer, layers
from videos.timeline.model import Canvas
from videos.timeline.shaping import blurred, bordered, faded, shaped, travelled, turned, veiled
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

    def window(self, window: Window, seen: Sequence[Layer | Written]) -> Any:
        picture = None
        for layer in seen:
            if isinstance(layer, Written):
                picture = self._lettered(picture, layer, window)
            else:
                picture = self._laid(picture, layer, window)
        if picture is None:
            picture = self._ground(self._canvas.background, window.frames)
        return picture.filter("setsar", 1).filter("format", "yuv420p")

    def _laid(self, below: Any | None, layer: Layer, window: Window) -> Any:
        """The picture with one layer more. `below`: None if there is nothing yet."""
        colour = layer.clip.backdrop or (self._canvas.background if below is None else None)
        if colour and layer.fills(self._canvas, colour):
            picture = self._layer(layer, window)
            return self._fitted(picture, layer.place, colour) if isinstance(layer.place, Place) else picture
        if colour:
            below = self._ground(colour, window.frames)
        if not layer.is_drawn:
            return below
        return _over(below, self._layer(layer, window), layer.place if layer.blurred is None else None, self._canvas)

    def _ground(self, colour: str, count: int) -> Any:
        canvas = self._canvas
        plain = f"color=c=0x{colour[1:]}:s={canvas.width}x{canvas.height}:r={canvas.rate},format=rgb24"
        # Converted once, and then repeated.
        one = self._lavfi(plain).filter("trim", end_frame=1)
        one = one.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuv420p")
        return repeated(one, count, canvas.rate)

    def _lettered(self, below: Any | None, written: Written, window: Window) -> Any:
        """The picture with letters over it. `below`: None if there is nothing yet."""
        if below is None:
            below = self._ground(self._canvas.background, window.frames)
        # On the film's clock again.
        return lettering.drawn(below, window, written).filter("settb", f"1/({self._canvas.rate})").filter("setpts", "N")

    def _layer(self, layer: Layer, window: Window) -> Any:
        """The picture of one clip, as it is put down."""
        read = (layer.clip, layer.source, window, self._canvas.rate)
        moving = frames(*read, number=self._next(), threads=self._threads, patient=self._patient)
        if isinstance(layer.place, Journey):
            picture = self._travelling(moving, layer, layer.place, window)
        else:
            picture = in_time(self._resting(moving, layer), *read)
        return picture if layer.opacity.constant is not None else self._veiled(picture, layer, window)

    def _resting(self, moving: Any, layer: Layer) -> Any:
        opacity = layer.opacity.constant if layer.opacity.constant is not None else 1
        place = layer.place
        assert not isinstance(place, Journey)
        if layer.blurred is None:
            assert place is not None
            return turned(faded(shaped(moving, layer, place), opacity), place)
        if place is None:
            return faded(self._blurred(moving, layer, layer.blurred), opacity)
        both = moving.filter_multi_output("split", 2)
        behind = self._blurred(both[0], layer, layer.blurred)
        return faded(_over(behind, turned(shaped(both[1], layer, place), place), place, self._canvas), opacity)

    def _travelling(self, moving: Any, layer: Layer, journey: Journey, window: Window) -> Any:
        opacity = layer.opacity.constant if layer.opacity.constant is not None else 1
        read = (layer.clip, layer.source, window, self._canvas.rate)
        see_through = layer.see_through or not journey.covers
        if layer.blurred is None:
            picture = in_time(bordered(shaped(moving, layer, journey), journey, see_through=see_through), *read)
            return faded(travelled(picture, journey), opacity)
        both = moving.filter_multi_output("split", 2)
        behind = in_time(self._blurred(both[0], layer, layer.blurred), *read)
        picture = in_time(bordered(shaped(both[1], layer, journey), journey, see_through=True), *read)
        return faded(_over(behind, travelled(picture, journey), journey, self._canvas), opacity)

    def _veiled(self, picture: Any, layer: Layer, window: Window) -> Any:
        """As opaque as it is at each frame: its own alpha, times what is drawn for that, which is of a few pixels."""
        veil = self._lavfi(f"color=c=black:s=8x8:r={self._canvas.rate},format=gray").filter(
            "trim", end_frame=window.frames
        )
        opacity = layer.opacity.expression("N")
        veil = veil.filter("geq", lum=f"round(255*({opacity}))").filter("scale", *self._size(layer), flags="neighbor")
        return veiled(picture, veil)

    def _size(self, layer: Layer) -> tuple[int, int]:
        if layer.blurred is not None or layer.place is None:
            return self._canvas.width, self._canvas.height
        if isinstance(layer.place, Journey):
            return layer.place.across.length, layer.place.down.length
        return layer.place.box.width, layer.place.box.height

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

    def _lavfi(self, words: str) -> Any:
        return InputNode(
            ffmpeg.input.__name__, args=[self._next()], kwargs={"filename": words, "format": "lavfi"}
        ).stream()

    def _next(self) -> int:
        self._inputs += 1
        return self._inputs


def _over(picture: Any, above: Any, place: Place | Journey | None, canvas: Canvas) -> Any:
    if isinstance(place, Journey) and not place.rests:
        # The filter counts what it has in store already: so the frame's number is told from its time.
        frame = f"st(0,round(t*{canvas.rate}))"
        return ffmpeg.overlay(
            picture, above, x=f"{frame};{place.across.place}", y=f"{frame};{place.down.place}", eval="frame"
        )
    if isinstance(place, Journey):
        return ffmpeg.overlay(picture, above, x=place.across.place, y=place.down.place, eval="init")
    x, y = (place.box.x, place.box.y) if place else (0, 0)
    return ffmpeg.overlay(picture, above, x=x, y=y, eval="init")
