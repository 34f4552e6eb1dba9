"""What of a file the library may see.

It is C++, and made for files of friends: an object of a kind that does not belong where it stands, or that refers to
another, ends the whole process. So a file is read as JSON first, and written anew: known fields of their types alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from videos.timeline.otio import times
from videos.timeline.otio.errors import OtioInvalid
from videos.timeline.otio.notes import OURS
from videos.timeline.otio.report import Report

_MOST_VALUES = 2_000_000
_DEEPEST = 32  # compositions in one another
_MOST_ITEMS = 100_000  # clips, gaps, transitions, compositions
_MOST_CHARACTERS = 10_000  # of a name or an address

_INF = re.compile(rb'"(?:[^"\\]|\\.)*+"|\bInf\b')  # texts as they are

Json = dict[str, Any]

_INSISTED: dict[str, Json] = {
    "GeneratorReference": {"parameters": {}},
    "ImageSequenceReference": {"missing_frame_policy": "error"},
}
"""What the library wants to be there; we don't."""

_Read = Callable[[Any, str], Any]

_OLD_NAMES = {"Sequence": "Track", "Filler": "Gap", "SerializeableCollection": "SerializableCollection"}
_ITEMS = frozenset({"Clip", "Gap", "Stack", "Track"})
_CHILDREN = {"Stack": _ITEMS, "Track": _ITEMS | {"Transition"}}
_MEDIA = frozenset({"ExternalReference", "MissingReference", "GeneratorReference", "ImageSequenceReference"})


def sifted(content: bytes, report: Report) -> str:
    """The JSON of one timeline that the library can read, whoever wrote it. Raises OtioInvalid."""
    if sum(map(content.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise OtioInvalid("The file has too many values.")
    try:
        return json.dumps(_Sieve(report).timeline(_parsed(content)))
    except (ValueError, RecursionError) as error:
        raise OtioInvalid from error


def _parsed(content: bytes) -> Any:
    """JSON, and OTIO's own word Inf, which Python does not know. Raises ValueError, RecursionError."""
    try:
        return json.loads(content)
    except ValueError:
        if b"Inf" not in content or content.count(b'"') > _MOST_VALUES:
            raise
        return json.loads(_INF.sub(lambda found: found[0] if found[0] != b"Inf" else b"Infinity", content))


class _Sieve:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._items = 0
        item: dict[str, _Read] = {"source_range": self._range, "enabled": _flag, "effects": self._effects}
        composition: dict[str, _Read] = {**item, "children": _list}
        offsets: dict[str, _Read] = {"in_offset": self._time, "out_offset": self._time}
        medium: dict[str, _Read] = {"available_range": self._range}
        names: dict[str, _Read] = dict.fromkeys(("target_url_base", "name_prefix", "name_suffix"), _text)
        counts: dict[str, _Read] = dict.fromkeys(("start_frame", "frame_step", "frame_zero_padding"), _count)
        self._fields: dict[str, dict[str, _Read]] = {
            "Timeline": {"global_start_time": self._time},
            "Stack": composition,
            "Track": {**composition, "kind": _text},
            "Gap": item,
            "Clip": item,
            "Transition": {"transition_type": _text, **offsets},
            "ExternalReference": {**medium, "target_url": _text},
            "MissingReference": medium,
            "GeneratorReference": {**medium, "generator_kind": _text},
            "ImageSequenceReference": {**medium, **names, **counts, "rate": _number},
        }

    def timeline(self, document: Any) -> Json:
        """The document's one timeline; of a collection the first."""
        if _name(document, "") == "SerializableCollection":
            children = _list(document.get("children"), "children")
            timelines = [one for one in children if _name(one, "children") == "Timeline"]
            if len(timelines) > 1:
                self._report.remark("", "timelines_left_out", "It holds several timelines; the first one is read.")
            document = timelines[0] if timelines else document
        found = self._known(document, "", frozenset({"Timeline"}))
        found["tracks"] = self._item(document.get("tracks"), "tracks", frozenset({"Stack"}), 0)
        return found

    def _item(self, value: Any, path: str, wanted: frozenset[str], depth: int) -> Json:
        self._items += 1
        if depth > _DEEPEST or self._items > _MOST_ITEMS:
            raise OtioInvalid.of(path, "This is nested too deep" if depth > _DEEPEST else "There are too many items")
        found = self._known(value, path, wanted)
        name = found["OTIO_SCHEMA"].partition(".")[0]
        if name in _CHILDREN:
            children = enumerate(found["children"])
            found["children"] = [
                self._item(child, f"{path}.children[{place}]", _CHILDREN[name], depth + 1) for place, child in children
            ]
        if name == "Clip":
            found |= self._media(value, path)
        if value.get("markers"):
            self._report.remark(path, "markers_left_out", "Its markers are left out.")
        return found

    def _media(self, value: Json, path: str) -> Json:
        """The medium that is active, of the one or the many that a clip may have."""
        key = _text(value.get("active_media_reference_key"), path) or "DEFAULT_MEDIA"
        many = value.get("media_references")
        one = value.get("media_reference") if many is None else _object(many, path).get(key)
        if many and len(many) > 1:
            self._report.remark(path, "media_left_out", "It has several media; the active one is taken.")
        one = {"OTIO_SCHEMA": "MissingReference.1"} if one is None else one
        known = self._known(one, f"{path}.media_reference", _MEDIA)
        return {
            "OTIO_SCHEMA": "Clip.2",
            "media_references": {"DEFAULT_MEDIA": known},
            "active_media_reference_key": "DEFAULT_MEDIA",
        }

    def _known(self, value: Any, path: str, wanted: frozenset[str]) -> Json:
        """An object of one of the wanted kinds, with the fields that are known of it."""
        name = _name(value, path)
        if name not in wanted:
            raise OtioInvalid.of(path, f"A {name[:50]} can't stand here")
        found: Json = {"OTIO_SCHEMA": f"{name}.1", "name": _text(value.get("name"), f"{path}.name")}
        for field, read in self._fields[name].items():
            if value.get(field) is not None or read in (_list, _text):
                found[field] = read(value.get(field), f"{path}.{field}")
        found |= _INSISTED.get(name, {})
        metadata = value.get("metadata")
        if isinstance(metadata, dict) and isinstance(metadata.get(OURS), dict):
            noted = json.dumps(metadata[OURS])
            if "\\u0000" in noted:
                raise OtioInvalid.of(path, "A text with a NUL character can't be kept")
            found["metadata"] = {OURS: noted}  # as text: it is none of the library's business
        return found

    def _effects(self, value: Any, path: str) -> list[Json]:
        """Those that change speeds; the others by their names alone."""
        found = []
        for effect in _list(value, path):
            name = _name(effect, path)
            if name == "LinearTimeWarp":
                scalar = _number(effect.get("time_scalar", 1.0), f"{path}.time_scalar")
                found.append({"OTIO_SCHEMA": "LinearTimeWarp.1", "effect_name": name, "time_scalar": scalar})
            elif name == "FreezeFrame":
                found.append({"OTIO_SCHEMA": "FreezeFrame.1", "effect_name": name, "time_scalar": 0.0})
            else:
                known = _text(effect.get("effect_name"), path) or _text(effect.get("name"), path) or name
                found.append({"OTIO_SCHEMA": "Effect.1", "effect_name": known[:100]})
        return [{"name": "", **effect} for effect in found]

    def _range(self, value: Any, path: str) -> Json:
        if _name(value, path) != "TimeRange":
            raise OtioInvalid.of(path, "A range of time is expected")
        start, duration = (self._time(value.get(name), f"{path}.{name}") for name in ("start_time", "duration"))
        if duration["value"] < 0:
            raise OtioInvalid.of(f"{path}.duration", "This is less than nothing")
        return {"OTIO_SCHEMA": "TimeRange.1", "start_time": start, "duration": duration}

    def _time(self, value: Any, path: str) -> Json:
        if _name(value, path) != "RationalTime":
            raise OtioInvalid.of(path, "A time is expected")
        number, rate = (_number(value.get(name), f"{path}.{name}") for name in ("value", "rate"))
        try:
            times.count(number, rate)
        except ValueError as error:
            raise OtioInvalid.of(path, str(error)) from error
        return {"OTIO_SCHEMA": "RationalTime.1", "value": number, "rate": rate}


def _name(value: Any, path: str) -> str:
    """The kind of an object, without its version, under its name of today."""
    name, _, version = _text(_object(value, path).get("OTIO_SCHEMA"), path).rpartition(".")
    if not name or not (version.isascii() and version.isdigit()):
        raise OtioInvalid.of(path, "This is no object of OpenTimelineIO")
    return _OLD_NAMES.get(name, name)


def _object(value: Any, path: str) -> Json:
    if not isinstance(value, dict):
        raise OtioInvalid.of(path, "An object is expected")
    return value


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list | None):
        raise OtioInvalid.of(path, "A list is expected")
    return value or []


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str | None) or len(value or "") > _MOST_CHARACTERS:
        raise OtioInvalid.of(path, "A short text is expected")
    return (value or "").encode(errors="replace").decode()  # half characters


def _flag(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise OtioInvalid.of(path, "True or false is expected")
    return value


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e18 < value < 1e18:
        raise OtioInvalid.of(path, "A number is expected")
    return float(value)


def _count(value: Any, path: str) -> int:
    number = _number(value, path)
    if number != int(number) or abs(number) >= 2**31:
        raise OtioInvalid.of(path, "A whole number is expected")
    return int(number)
