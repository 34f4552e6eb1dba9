"""What is seen in a window, from the bottom to the top: clips, and where their pictures lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from videos.media.probe import VideoStream
from videos.timeline import geometry
from videos.timeline.cutting import Window
from videos.timeline.geometry import Place
from videos.timeline.model import Canvas, Clip, Fit
from videos.timeline.sources import Source

_SEE_THROUGH = ("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One clip, where it is seen."""

    clip: Clip
    source: Source
    place: Place | None  # None: beside the canvas, or not to be seen, so that what is behind it alone is
    blurred: Place | None  # where it lies behind itself, blurred

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
        return (self.video.pix_fmt or "").startswith(_SEE_THROUGH)

    @property
    def opaque(self) -> bool:
        return self.clip.transform.opacity == 1 and not self.see_through

    def covers(self, canvas: Canvas) -> bool:
        """Whether nothing below it is seen."""
        return self.clip.backdrop is not None or (self.opaque and self._is_everywhere(canvas))

    def fills(self, canvas: Canvas, ground: str) -> bool:
        """Whether it makes a whole picture when it is merely cut, or filled up with a colour."""
        straight = self.place is not None and self.place.quarters is not None and self.blurred is None
        return straight and self.opaque and (self._is_everywhere(canvas) or _is_grey(ground))

    def _is_everywhere(self, canvas: Canvas) -> bool:
        return self.blurred is not None or (self.place is not None and self.place.covers(canvas))


def layers(window: Window, sources: Mapping[str, Source], canvas: Canvas) -> list[Layer]:
    """All that can be seen: nothing that another picture covers."""
    found: list[Layer] = []
    for clip in window.clips:
        layer = _layer(clip, sources[clip.material], canvas)
        if layer is None:
            continue
        if layer.covers(canvas):
            found.clear()
        found.append(layer)
    return found


def _layer(clip: Clip, source: Source, canvas: Canvas) -> Layer | None:
    if source.probe.video is None:
        return None
    place = blurred = None
    if clip.transform.opacity > 0:
        place = geometry.place(clip, source.video, canvas)
        if clip.fit is Fit.BLUR and not (place is not None and place.covers(canvas)):
            blurred = geometry.backdrop(clip, source.video, canvas)
    layer = Layer(clip=clip, source=source, place=place, blurred=blurred)
    return layer if layer.is_drawn or clip.backdrop else None


def _is_grey(colour: str) -> bool:
    """The filter "pad" takes colours for those of SDTV, which makes no difference to greys."""
    return colour[1:3].lower() == colour[3:5].lower() == colour[5:7].lower()
