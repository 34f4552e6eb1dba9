"""Builds the timelines of other programs, in the manner of OTIO's own examples, with the library itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import opentimelineio as otio


def at(value: float, rate: float = 24) -> Any:
    return otio.opentime.RationalTime(value, rate)


def span(start: float, duration: float, rate: float = 24) -> Any:
    return otio.opentime.TimeRange(at(start, rate), at(duration, rate))


def shot(
    name: str, start: float = 0, duration: float = 24, rate: float = 24, *, clock: float | None = None, **more: Any
) -> Any:
    """A clip of the file of its name; `clock` is where that file's own clock begins."""
    available = None if clock is None else span(clock, 2400, rate)
    reference = otio.schema.ExternalReference(f"file:///footage/{name}.mov", available)
    effects = more.pop("effects", [])
    clip = otio.schema.Clip(name, reference, span(start, duration, rate), effects=effects, **more)
    return clip


def gap(duration: float, rate: float = 24) -> Any:
    return otio.schema.Gap(source_range=span(0, duration, rate))


def dissolve(before: float, after: float, kind: str = "SMPTE_Dissolve") -> Any:
    return otio.schema.Transition(transition_type=kind, in_offset=at(before), out_offset=at(after))


def track(*children: Any, kind: str = "Video", source_range: Any = None) -> Any:
    return otio.schema.Track("", list(children), kind=kind, source_range=source_range)


def stack(*children: Any, source_range: Any = None) -> Any:
    return otio.schema.Stack("", list(children), source_range=source_range)


def file(*tracks: Any, **more: Any) -> bytes:
    """An .otio with these tracks."""
    timeline = otio.schema.Timeline("a cut", **more)
    timeline.tracks.extend(list(tracks))
    return str(timeline.to_json_string()).encode()


def changed(data: bytes, path: Sequence[str | int], value: Any) -> bytes:
    """The file with one value set, wherever that is."""
    document = json.loads(data)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(document).encode()
