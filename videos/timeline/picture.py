"""The picture of one segment: the ffmpeg graph that lays the clips over one another, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ffmpeg
from ffmpeg.nodes import InputNode

from videos.timeline import lettering, masking, passages
from videos.timeline.cutting import Segment, Window, Written
from videos.timeline.frames import frames, in_time, repeated, stands
from videos.timeline.geometry import Place
from videos.timeline.journeys import Journey
from videos.timeline.layers import Crossing, Layer, layers
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

    def window(self, window: Window, seen: Sequence[Layer | Crossing | Written]) -> Any:
        picture = None
        for layer in seen:
            if isinstance(layer, Written):
                picture = self._lettered(picture, layer, window)
            elif isinstance(layer, Crossing):
                picture = self._crossed(picture, layer, window)
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

    def _crossed(self, below: Any | None, crossing: Crossing, window: Window) -> Any:
        """The picture with one layer more, that gives way to another."""
        if crossing.kind in passages.SLIDES or crossing.kind in passages.THROUGH:
            below = self._ground(self._canvas.background, window.frames) if below is None else below
        if crossing.kind in passages.SLIDES:
            sheets = [self._sheet(layer, window) for layer in (crossing.old, crossing.new)]
            return passages.pushed(below, sheets[0], sheets[1], crossing, self._canvas)
        if crossing.kind in passages.THROUGH:
            return ffmpeg.overlay(below, self._through(crossing, window), eval="init")
        whole = []
        for layer, under in zip((crossing.old, crossing.new), _under(below, crossing), strict=True):
            if layer is not None:
                whole.append(self._laid(under, layer, window))
            else:
                whole.append(self._ground(self._canvas.background, window.frames) if under is None else under)
        shown = self._grey(*passages.mask(crossing, self._canvas), window.frames)
        return passages.masked(whole[0], whole[1], shown)

    def _through(self, crossing: Crossing, window: Window) -> Any:
        """The one that is seen, while a colour comes or goes."""
        amount = f"1-abs(1-2*{passages.part(crossing, 'N')})"
        shown = self._grey((passages.SPOT,) * 2, amount, window.frames)
        colour = self._ground(passages.THROUGH[crossing.kind], window.frames)
        return passages.coloured(self._sheet(crossing.old, window), colour, shown)

    def _sheet(self, layer: Layer | None, window: Window) -> Any:
        """A layer by itself, as large as the canvas."""
        if layer is not None and layer.covers(self._canvas):
            sheet = self._laid(None, layer, window)
        else:
            canvas = self._canvas
            words = f"color=c=black@0:s={canvas.width}x{canvas.height}:r={canvas.rate},format=yuva420p"
            sheet = repeated(self._lavfi(words).filter("trim", end_frame=1), window.frames, canvas.rate)
            sheet = self._laid(sheet, layer, window) if layer else sheet
        return sheet.filter("format", "yuva420p").filter("setsar", 1)

    def _grey(self, size: tuple[int, int], words: str, count: int, to: tuple[int, int] | None = None) -> Any:
        """A grey picture of the canvas's size: an expression, from 0 to 1, for each pixel of a smaller one."""
        plain = f"color=c=black:s={size[0]}x{size[1]}:r={self._canvas.rate},format=gray"
        small = self._lavfi(plain).filter("trim", end_frame=count)
        grey = small.filter("geq", lum=f"round(255*clip({words},0,1))")
        to = to or (self._canvas.width, self._canvas.height)
        return grey.filter("scale", *to, flags="neighbor" if passages.SPOT in size else "bilinear")

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
            picture = in_time(self._resting(moving, layer, window), *read)
        return picture if layer.opacity.constant is not None else self._veiled(picture, layer, window)

    def _resting(self, moving: Any, layer: Layer, window: Window) -> Any:
        opacity = layer.opacity.constant if layer.opacity.constant is not None else 1
        place = layer.place
        assert not isinstance(place, Journey)
        if layer.blurred is None:
            assert place is not None
            return turned(faded(self._shaped(moving, layer, place, window), opacity), place)
        if place is None:
            return faded(self._blurred(moving, layer, layer.blurred), opacity)
        both = moving.filter_multi_output("split", 2)
        behind = self._blurred(both[0], layer, layer.blurred)
        front = turned(self._shaped(both[1], layer, place, window), place)
        return faded(_over(behind, front, place, self._canvas), opacity)

    def _travelling(self, moving: Any, layer: Layer, journey: Journey, window: Window) -> Any:
        opacity = layer.opacity.constant if layer.opacity.constant is not None else 1
        see_through = layer.has_holes or not journey.covers
        if layer.blurred is None:
            return faded(self._drawn(moving, layer, journey, window, see_through=see_through), opacity)
        read = (layer.clip, layer.source, window, self._canvas.rate)
        both = moving.filter_multi_output("split", 2)
        behind = in_time(self._blurred(both[0], layer, layer.blurred), *read)
        picture = self._drawn(both[1], layer, journey, window, see_through=True)
        return faded(_over(behind, picture, journey, self._canvas), opacity)

    def _drawn(self, moving: Any, layer: Layer, journey: Journey, window: Window, *, see_through: bool) -> Any:
        read = (layer.clip, layer.source, window, self._canvas.rate)
        picture = bordered(self._shaped(moving, layer, journey, window), journey, see_through=see_through)
        if journey.stands:  # one frame is drawn once
            return in_time(travelled(picture, journey), *read)
        return travelled(in_time(picture, *read), journey)

    def _shaped(self, moving: Any, layer: Layer, place: Place | Journey, window: Window) -> Any:
        """As `shaped`; and what its mask leaves of it, which is drawn once."""
        picture = shaped(moving, layer, place)
        if layer.clip.mask is None:
            return picture
        size = place.width, place.height
        one = self._grey(size, masking.shown(layer.clip, layer.video, self._canvas, place.crop, size), 1, size)
        plate = repeated(one, 1 if stands(layer.clip, layer.source) else window.frames, self._canvas.rate)
        return veiled(picture, plate) if layer.see_through else ffmpeg.filter([picture, plate], "alphamerge")

    def _veiled(self, picture: Any, layer: Layer, window: Window) -> Any:
        """As opaque as it is at each frame."""
        spot = (passages.SPOT,) * 2
        return veiled(picture, self._grey(spot, layer.opacity.expression("N"), window.frames, self._size(layer)))

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


def _under(below: Any | None, crossing: Crossing) -> list[Any | None]:
    """What each of the two is laid upon. Each stream has to be taken once, and a backdrop takes none."""
    taken = [layer is None or not layer.clip.backdrop for layer in (crossing.old, crossing.new)]
    if below is None or not all(taken):
        return [below if taking else None for taking in taken]
    both = below.filter_multi_output("split", 2)
    return [both[0], both[1]]


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
