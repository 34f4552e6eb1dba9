"""What is seen in a window, from the bottom to the top: clips, and where their pictures lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from videos.media.probe import VideoStream
from videos.timeline import geometry, journeys
from videos.timeline.curves import Curve, curves_of
from videos.timeline.cutting import Window, Written
from videos.timeline.frames import pixel_rate, stands
from videos.timeline.geometry import Place
from videos.timeline.journeys import Journey
from videos.timeline.model import Canvas, Clip, Fit, Passage, frame_at, moment_of
from videos.timeline.sources import Source
from videos.timeline.values import SECOND

_TRAVELLING = 8  # times the canvas, that it costs to draw a picture anew for each frame
_CROSSING = 8  # and to have two pictures, with what is below each, go over into each other
_STEP = 0.1  # pixels, which nobody sees
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
    def has_holes(self) -> bool:
        """Whether what is behind is seen through its picture: the material is so, or a mask hides some of it."""
        return self.see_through or self.clip.mask is not None

    @property
    def opaque(self) -> bool:
        holes = self.see_through if self.blurred is not None else self.has_holes
        return self.opacity.constant == 1 and not holes

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


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """One clip that gives way to another. Either may have nothing to be seen.

    Through a colour they are seen one after the other: then both are that one.
    """

    old: Layer | None
    new: Layer | None
    kind: Passage
    begin: Fraction  # how far it is at the window's first frame, from 0 to 1
    step: Fraction  # how much further at each frame

    def covers(self, canvas: Canvas) -> bool:
        """Whether nothing below it is seen."""
        return all(layer is not None and layer.covers(canvas) for layer in (self.old, self.new))


def layers(window: Window, sources: Mapping[str, Source], canvas: Canvas) -> list[Layer | Crossing | Written]:
    """All that can be seen: nothing that another picture covers."""
    found: list[Layer | Crossing | Written] = []
    written = {one.below: one for one in window.written}
    clips = enumerate((*window.clips, None))
    for place, clip in clips:
        if place in written:
            found.append(written[place])
        if clip is None:
            break
        layer: Layer | Crossing | None = _layer(clip, sources[clip.material], canvas, window)
        if place in window.passages:
            _, following = next(clips)
            assert following is not None
            assert layer is None or isinstance(layer, Layer)
            other = _layer(following, sources[following.material], canvas, window)
            layer = _crossing(clip, layer, other, window, canvas) if layer or other else None
        if layer is None:
            continue
        if layer.covers(canvas):
            found.clear()
        found.append(layer)
    return found


def _crossing(clip: Clip, old: Layer | None, new: Layer | None, window: Window, canvas: Canvas) -> Crossing:
    assert clip.transition is not None
    length = clip.transition.duration
    passed = moment_of(window.first, canvas.rate) - (clip.end - clip.transition.before)
    step = Fraction(SECOND, length) / canvas.rate
    if clip.transition.kind in (Passage.FADE_BLACK, Passage.FADE_WHITE):
        old = new = old if window.first < frame_at(clip.end, canvas.rate) else new
    return Crossing(old=old, new=new, kind=clip.transition.kind, begin=passed / length, step=step)


def effort(clip: Clip, source: Source, canvas: Canvas) -> float:
    """How many pixels are decoded for a clip in a second, and drawn beside those that each clip has on the canvas."""
    drawn = (_TRAVELLING if journeys.moves(clip) else 0) + (_CROSSING if clip.transition else 0)
    return pixel_rate(clip, source) + drawn * float(canvas.width * canvas.height * canvas.rate)


def _layer(clip: Clip, source: Source, canvas: Canvas, window: Window) -> Layer | None:
    if source.probe.video is None:
        return None
    curves = curves_of(clip, window.first, window.frames, canvas.rate)
    place = blurred = None
    if curves["opacity"].bounds[1] > 0:
        place = _placed(clip, source, canvas, curves)
        if clip.fit is Fit.BLUR and (clip.mask is not None or not _covers(place, canvas)):
            blurred = geometry.backdrop(clip, source.video, canvas)
    layer = Layer(clip=clip, source=source, place=place, blurred=blurred, opacity=curves["opacity"])
    return layer if layer.is_drawn or clip.backdrop else None


def _placed(clip: Clip, source: Source, canvas: Canvas, curves: Mapping[str, Curve]) -> Place | Journey | None:
    resting = journeys.transform(curves)
    if resting is None:
        return journeys.journey(clip, source.video, canvas, curves)
    place = geometry.place(clip, source.video, canvas, resting)
    if place is None or not journeys.moves(clip):
        return place
    # What stands still where it has moved before is drawn in the same way, or a step would be seen. Films are not if
    # none can be: as long as they stand, that would be done again for each of their frames.
    if stands(clip, source) or place.stray > _STEP:
        return journeys.journey(clip, source.video, canvas, curves)
    return place


def _covers(place: Place | Journey | None, canvas: Canvas) -> bool:
    if isinstance(place, Journey):
        return place.covers
    return place is not None and place.covers(canvas)


def _is_grey(colour: str) -> bool:
    """The filter "pad" takes colours for those of SDTV, which makes no difference to greys."""
    return colour[1:3].lower() == colour[3:5].lower() == colour[5:7].lower()
