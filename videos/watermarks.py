"""A watermark: one more track on top of a timeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from videos import errors
from videos.orders import Corner, Watermark
from videos.timeline.film import Source
from videos.timeline.model import Canvas, Clip, Kind, Sound, Timeline, Track
from videos.timeline.motion import Transform

_SIDES = {
    Corner.TOP_LEFT: (-1, -1),
    Corner.TOP_RIGHT: (1, -1),
    Corner.BOTTOM_LEFT: (-1, 1),
    Corner.BOTTOM_RIGHT: (1, 1),
    Corner.CENTRE: (0, 0),
}


def over(timeline: Timeline, mark: Watermark, sources: Mapping[str, Source]) -> Timeline:
    """The timeline under a watermark. Raises ExportInvalid if that has no picture."""
    video = sources[mark.material].probe.video
    if video is None:
        raise errors.ExportInvalid.of({"watermark": f"The material {mark.material} has no picture"})
    clip = Clip(
        start=0,
        duration=timeline.duration,
        material=mark.material,
        transform=_place(mark, timeline.canvas, shape=video.display_width / video.display_height),
        sound=Sound(volume=0),
    )
    track = Track(kind=Kind.VIDEO, clips=(clip,), muted=True)
    return dataclasses.replace(timeline, tracks=(*timeline.tracks, track))


def _place(mark: Watermark, canvas: Canvas, *, shape: float) -> Transform:
    """`shape`: how many times wider than high the material is."""
    width = mark.width * canvas.width
    margin = mark.margin * canvas.width
    across, down = _SIDES[mark.corner]
    return Transform(
        x=across * (0.5 - (margin + width / 2) / canvas.width),
        y=down * (0.5 - (margin + width / shape / 2) / canvas.height),
        scale=width / min(canvas.width, canvas.height * shape),  # as wide as it is at scale 1, when all of it fits
        opacity=mark.opacity,
    )
