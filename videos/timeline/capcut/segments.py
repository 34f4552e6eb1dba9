"""One segment of a track, as a clip."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields
from videos.timeline.capcut.fields import SLACK, Range
from videos.timeline.capcut.report import Report

_SLOWEST, _FASTEST = Fraction(1, 100), Fraction(100)
_DIGITS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A segment, and where it stands in the draft."""

    says: Json
    path: str
    id: str
    target: Range
    source: Range | None

    def remark(self, report: Report, code: str, message: str) -> None:
        report.remark(self.path, code, message, segment_id=self.id)


def read(says: object, path: str, report: Report) -> Segment | None:
    """A segment that is seen or heard; None if it is not, or is wrong and the report says so."""
    if not isinstance(says, dict):
        report.problem(path, "An object is wanted here")
        return None
    target = fields.timerange(says, "target_timerange", path, report, required=True)
    source = fields.timerange(says, "source_timerange", path, report)
    if target is None or target.duration == 0 or says.get("visible") is False:
        return None
    return Segment(says=says, path=path, id=fields.name(says.get("id")), target=target, source=source)


def speed(segment: Segment, speeds: Json, report: Report) -> Fraction:
    """How fast it runs. The times rule; what is stated is more exact where it agrees with them."""
    stated = lenient.number(segment.says.get("speed")) or lenient.number(speeds.get("speed"))
    found = Fraction(str(stated)) if stated and stated > 0 else Fraction(1)
    source, target = segment.source, segment.target
    if source is not None and source.duration > 0 and abs(source.duration / found - target.duration) > SLACK:
        found = Fraction(source.duration, target.duration)
        if stated:
            said = f"It runs at {float(found):.3g} times its speed, by its times; the draft states {stated:g}."
            segment.remark(report, "speed_corrected", said)
    if lenient.integer(speeds.get("mode")) and speeds.get("curve_speed"):
        said = f"Its speed follows a curve; it runs at the mean of that, {float(found):.3g}, all the time."
        segment.remark(report, "curve_speed_approximated", said)
    if not _SLOWEST <= found <= _FASTEST:
        segment.remark(report, "speed_limited", "It is faster or slower than a film can be: a hundred times at most.")
    return min(max(found, _SLOWEST), _FASTEST).limit_denominator(_DIGITS)
