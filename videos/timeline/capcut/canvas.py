"""The frame of a draft: its size, its rate, and what lies behind the pictures of its main track."""

from __future__ import annotations

import re
from fractions import Fraction

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields
from videos.timeline.capcut.materials import Materials
from videos.timeline.capcut.report import Report
from videos.timeline.capcut.segments import Segment
from videos.timeline.model import Canvas, Fit

_LEAST, _MOST = 16, 4096
_SHORT_SIDE = 1080  # of a draft that states a shape and no size
_RATIO = re.compile(r"(\d{1,4}(?:\.\d{1,4})?):(\d{1,4}(?:\.\d{1,4})?)")
_WEAKEST = 0.2  # of the four strengths of a blur (0.0625, 0.375, 0.75, 1) the first is unlike ours
_NTSC = (Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001))


def read(document: Json, path: str, report: Report) -> Canvas:
    """The canvas of a draft. Sizes and rates that no film has are brought to the nearest that one may have."""
    config = fields.mapping(document, "canvas_config", path, report)
    width, height = _size(config)
    width, height = _possible(width, height)
    if (width, height) != _size(config):
        said = f"The canvas is {width}x{height}, because a film can't have the size that the draft states."
        report.remark(fields.joined(path, "canvas_config"), "canvas_changed", said)
    return Canvas(width=width, height=height, rate=_rate(document, path, report))


def _size(config: Json) -> tuple[float, float]:
    """As it is stated; else the shape's; else that of a television."""
    width, height = (fields.number(config.get(side), 0) for side in ("width", "height"))
    if width > 0 and height > 0:
        return width, height
    found = _RATIO.fullmatch(fields.text(config.get("ratio")))
    across, down = (float(found[1]), float(found[2])) if found else (16.0, 9.0)
    if not across or not down:
        across, down = 16.0, 9.0
    return across * _SHORT_SIDE / min(across, down), down * _SHORT_SIDE / min(across, down)


def _possible(width: float, height: float) -> tuple[int, int]:
    """The same shape within the bounds, in even numbers."""
    shrunk = min(1.0, _MOST / max(width, height))
    return _even(width * shrunk), _even(height * shrunk)


def _even(side: float) -> int:
    return int(fields.within(round(side / 2) * 2, _LEAST, _MOST))


def _rate(document: Json, path: str, report: Report) -> Fraction:
    stated = lenient.number(document.get("fps"))
    if not stated or stated < 0:
        return Fraction(30)
    close = next((rate for rate in _NTSC if abs(float(rate) - stated) < 0.005), None)
    rate = close or Fraction(str(fields.within(stated, 1, 120))).limit_denominator(1001)
    if abs(float(rate) - stated) > 0.01:
        said = f"The film has {float(rate):g} frames a second, because it can't have {stated:g}."
        report.remark(fields.joined(path, "fps"), "rate_changed", said)
    return rate


def behind(segment: Segment, materials: Materials, report: Report) -> tuple[str | None, Fit]:
    """What fills the canvas behind a picture of the main track: a colour, the picture itself blurred, or nothing."""
    attached = materials.first(segment.says, "canvases")
    if attached is None:
        return None, Fit.CONTAIN
    if attached.type == "canvas_blur":
        if fields.number(attached.says.get("blur"), 1) < _WEAKEST:
            said = "Behind its picture that is blurred slightly in the editor, and strongly here."
            segment.remark(report, "blur_approximated", said)
        return None, Fit.BLUR
    if attached.type == "canvas_image":
        segment.remark(report, "background_left_out", "The image behind its picture is left out.")
    found = fields.colour(attached.says.get("color")) if attached.type == "canvas_color" else None
    return found[0] if found and found[1] > 0 else None, Fit.CONTAIN
