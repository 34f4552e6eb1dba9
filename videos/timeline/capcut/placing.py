"""Where a segment is put on the canvas, and what is cut from its picture."""

from __future__ import annotations

import math

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields
from videos.timeline.capcut.fields import within
from videos.timeline.capcut.keyframes import BOUNDS
from videos.timeline.capcut.report import Report
from videos.timeline.capcut.segments import Segment
from videos.timeline.model import Crop
from videos.timeline.motion import Transform

_ASKEW = 0.002  # of a side: by which corners may miss a rectangle
_SAME = 0.001  # by which two scales may differ and be one
_LEAST_LEFT = 0.01  # of a picture that is cropped


def transform(segment: Segment, report: Report) -> Transform:
    """Positions are halves of the canvas, upwards; a scale for each direction becomes one for both."""
    clip = lenient.mapping(segment.says.get("clip"))
    place, scale = lenient.mapping(clip.get("transform")), lenient.mapping(clip.get("scale"))
    across, down = (_scale(scale.get(side)) for side in ("x", "y"))
    if abs(across - down) > _SAME * max(across, down):
        said = f"It is {across:.3g} times as wide and {down:.3g} times as high; here it grows the same both ways."
        segment.remark(report, "scale_approximated", said)
    return Transform(
        x=within(fields.number(place.get("x"), 0) / 2, *BOUNDS["x"]),
        y=within(-fields.number(place.get("y"), 0) / 2, *BOUNDS["y"]),
        scale=within(math.sqrt(across * down), *BOUNDS["scale"]),
        rotation=within(fields.number(clip.get("rotation"), 0), *BOUNDS["rotation"]),
        opacity=within(fields.number(clip.get("alpha"), 1), *BOUNDS["opacity"]),
    )


def _scale(value: object) -> float:
    return within(abs(fields.number(value, 1)), *BOUNDS["scale"])


def flips(segment: Segment) -> tuple[bool, bool]:
    """Whether it is mirrored, from side to side and upside down."""
    flip = lenient.mapping(lenient.mapping(segment.says.get("clip")).get("flip"))
    return fields.truth(flip.get("horizontal")), fields.truth(flip.get("vertical"))


def crop(material: Json, segment: Segment, report: Report) -> Crop:
    """What is left lies between four corners: a rectangle, or the one around them."""
    says = lenient.mapping(material.get("crop"))
    corners = {
        (down, across): tuple(
            within(fields.number(says.get(f"{down}_{across}_{axis}"), default), 0, 1)
            for axis, default in (("x", float(across == "right")), ("y", float(down == "lower")))
        )
        for down in ("upper", "lower")
        for across in ("left", "right")
    }
    columns, rows = zip(*corners.values(), strict=True)
    if _askew(corners):
        segment.remark(
            report, "crop_approximated", "Its picture is cropped askew; here it is cropped straight around that."
        )
    left, top, right, bottom = min(columns), min(rows), max(columns), max(rows)
    if right - left < _LEAST_LEFT or bottom - top < _LEAST_LEFT:
        segment.remark(report, "crop_left_out", "Nothing would be left of its picture; it is not cropped.")
        return Crop()
    return Crop(left=left, top=top, right=1 - right, bottom=1 - bottom)


def _askew(corners: dict[tuple[str, str], tuple[float, ...]]) -> bool:
    sides = [corners["upper", side][0] - corners["lower", side][0] for side in ("left", "right")]
    sides += [corners[side, "left"][1] - corners[side, "right"][1] for side in ("upper", "lower")]
    return any(abs(off) > _ASKEW for off in sides)
