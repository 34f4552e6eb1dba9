"""What is seen in a window, from the bottom to the top: clips, and where their pictures lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from videos.media.probe import VideoStream
from videos.timeline import geometry, journeys
from videos.timeline.curves import Curve, curves_of
from videos.timeline.cutting import Window, Written
from videos.timeline.frames import pixel_rate, stands
from videos.timeline.geometry import Place
from videos.timeline.journeys import Journey
from videos.timeline.model import Canvas, Clip, Fit
from videos.timeline.sources import Source

_TRAVELLING = 8  # times the canvas, that it costs to draw a picture anew for each frame
_SEE_THROUGH = ("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One clip, where it is seen."""

    clip: Clip
    source: Source
    place: Place | Journey | None  # None: beside the canvas, or not to be seen, so that what is behind it alone is
    blurred: Place | None  # where it lies behind itself, blurred
    opacity: Curve

    @property
    def video(self) -> VideoStream:
        return self.source.video

    @property
    def is_drawn(self) -> bool:
        """Whether there is anything of its material."""
        return self.place is not None or self.blurred is not None

    @property
    def see_through(self) -> bool:
        """Whether its material is."""
        return (self.video.pix_fmt or "").startswith(_SEE_THROUGH) and self.video.hdr is None

    @property
    def opaque(self) -> bool:
        return self.opacity.constant == 1 and not self.see_through

    def covers(self, canvas: Canvas) -> bool:
        """Whether nothing below it is seen."""
        return self.clip.backdrop is not None or (self.opaque and self._is_everywhere(canvas))

    def fills(self, canvas: Canvas, ground: str) -> bool:
        """Whether it makes a whole picture when it is merely cut, or filled up with a colour."""
        if self.blurred is not None or not self.opaque:
            return False
        if isinstance(self.place, Place):
            return self.place.quarters is not None and (self.place.covers(canvas) or _is_grey(ground))
        return self._is_everywhere(canvas)

    def _is_everywhere(self, canvas: Canvas) -> bool:
        return self.blurred is not None or _covers(self.place, canvas)


def layers(window: Window, sources: Mapping[str, Source], canvas: Canvas) -> list[Layer | Written]:
    """All that can be seen: nothing that another picture covers."""
    found: list[Layer | Written] = []
    written = {one.below: one for one in window.written}
    for below, clip in enumerate((*window.clips, None)):
        if below in written:
            found.append(written[below])
        layer = _layer(clip, sources[clip.material], canvas, window) if clip else None
        if layer is None:
            continue
        if layer.covers(canvas):
            found.clear()
        found.append(layer)
    return found


def effort(clip: Clip, source: Source, canvas: Canvas) -> float:
    """How many pixels are decoded for a clip in a second, and drawn beside those that each clip has on the canvas."""
    drawn = _TRAVELLING if journeys.moves(clip) else 0
    return pixel_rate(clip, source) + drawn * float(canvas.width * canvas.height * canvas.rate)


def _layer(clip: Clip, source: Source, canvas: Canvas, window: Window) -> Layer | None:
    if source.probe.video is None:
        return None
    curves = curves_of(clip, window.first, window.frames, canvas.rate)
    place = blurred = None
    if curves["opacity"].bounds[1] > 0:
        place = _placed(clip, source, canvas, curves)
        if clip.fit is Fit.BLUR and not _covers(place, canvas):
            blurred = geometry.backdrop(clip, source.video, canvas)
    layer = Layer(clip=clip, source=source, place=place, blurred=blurred, opacity=curves["opacity"])
    return layer if layer.is_drawn or clip.backdrop else None


def _placed(clip: Clip, source: Source, canvas: Canvas, curves: Mapping[str, Curve]) -> Place | Journey | None:
    resting = journeys.transform(curves)
    # What stands still where it has moved before is drawn in the same way, and no step is seen.
    if resting is None or (stands(clip, source) and journeys.moves(clip)):
        return journeys.journey(clip, source.video, canvas, curves)
    return geometry.place(clip, source.video, canvas, resting)


def _covers(place: Place | Journey | None, canvas: Canvas) -> bool:
    if isinstance(place, Journey):
        return place.covers
    return place is not None and place.covers(canvas)


def _is_grey(colour: str) -> bool:
    """The filter "pad" takes colours for those of SDTV, which makes no difference to greys."""
    return colour[1:3].lower() == colour[3:5].lower() == colour[5:7].lower()
