"""Takes values out of a draft, which real programs fill in as they like: numbers as text, NaN, null, nothing at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut.report import Report
from videos.timeline.values import LONGEST

SLACK = 50_000  # microseconds by which times that mean the same differ in real drafts

_COLOUR = re.compile(r"#([0-9a-fA-F]{6})([0-9a-fA-F]{2})?")
_LONGEST_TEXT, _LONGEST_NAME = 10_000, 100
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True)
class Range:
    """A stretch of time, in microseconds."""

    start: int
    duration: int

    @property
    def end(self) -> int:
        return self.start + self.duration


def number(value: object, default: float) -> float:
    found = lenient.number(value)
    return default if found is None else found


def within(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)


def name(value: object) -> str:
    """What something is called, where it is told to people."""
    return text(value, most=_LONGEST_NAME)


def truth(value: object) -> bool:
    """Whether a field says yes: true, 1, "true"."""
    return (lenient.number(value) or 0) > 0 or value is True or value == "true"


def text(value: object, *, most: int = _LONGEST_TEXT) -> str:
    """What is written; nothing in it that no file can hold, and not more than anybody reads."""
    return clean((lenient.text(value) or "")[:most])


def clean(found: str) -> str:
    """The same without what no file can hold."""
    # Half of a pair of UTF-16, alone: JSON can say so, UTF-8 can't.
    return _UNSEEN.sub("", found.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def colour(value: object) -> tuple[str, float] | None:
    """`#RRGGBB` and how opaque it is, from that or from `#RRGGBBAA` or from parts of one; None: there is none."""
    if isinstance(value, str) and (found := _COLOUR.fullmatch(value[:_LONGEST_NAME].strip())):
        return f"#{found[1].lower()}", int(found[2] or "ff", 16) / 255
    parts = [lenient.number(part) for part in lenient.items(value)[:4]]
    if len(parts) < 3 or None in parts:
        return None
    levels = [within(part or 0.0, 0, 1) for part in parts]
    return "#" + "".join(f"{round(level * 255):02x}" for level in levels[:3]), levels[3] if len(levels) > 3 else 1.0


def mapping(holder: Json, name: str, path: str, report: Report) -> Json:
    """An object that may be missing, but not be anything else."""
    value = holder.get(name)
    if value is not None and not isinstance(value, dict):
        report.problem(joined(path, name), "An object is wanted here")
    return lenient.mapping(value)


def items(holder: Json, name: str, path: str, report: Report, *, required: bool = False) -> list[Any]:
    """A list; it may be missing, unless it is required."""
    value = holder.get(name)
    if not isinstance(value, list) and (required or value is not None):
        report.problem(joined(path, name), "A list is wanted here")
    return lenient.items(value)


def timerange(holder: Json, name: str, path: str, report: Report, *, required: bool = False) -> Range | None:
    """A stretch of time; None: there is none, or it is wrong and the report says so."""
    value, path = holder.get(name), joined(path, name)
    if value is None and not required:
        return None
    if not isinstance(value, dict):
        report.problem(path, "An object with start and duration is wanted here")
        return None
    found = []
    for part in ("start", "duration"):
        moment = lenient.number(value.get(part, 0 if part == "start" else None))
        if moment is None:
            report.problem(f"{path}.{part}", "A whole number of microseconds is wanted here")
        elif not 0 <= moment <= LONGEST:
            report.problem(f"{path}.{part}", "It has to be between nought and twelve hours")
        else:
            found.append(round(moment))
    if len(found) < 2:
        return None
    if sum(found) > LONGEST:
        report.problem(path, "It ends after more than twelve hours")
        return None
    return Range(start=found[0], duration=found[1])


def joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
