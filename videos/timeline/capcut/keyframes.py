"""What changes within a segment: its keyframes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import easing, fields
from videos.timeline.capcut.fields import within
from videos.timeline.capcut.report import Report
from videos.timeline.capcut.segments import Segment
from videos.timeline.easing import eased
from videos.timeline.motion import Easing, Keyframe, Motion
from videos.timeline.values import LONGEST

PROPERTIES = ("x", "y", "scale", "rotation", "opacity", "volume")
BOUNDS = {
    "x": (-10.0, 10.0),
    "y": (-10.0, 10.0),
    "scale": (0.001, 100.0),
    "rotation": (-36_000.0, 36_000.0),
    "opacity": (0.0, 1.0),
    "volume": (0.0, 10.0),
}

# By the names of the application: the property, and how many of ours one of its units is.
_TYPES = {
    "KFTypePositionX": ("x", 0.5),  # it counts halves of the canvas, upwards
    "KFTypePositionY": ("y", -0.5),
    "KFTypeScaleX": ("scale", 1.0),
    "UNIFORM_SCALE": ("scale", 1.0),
    "KFTypeUniformScale": ("scale", 1.0),
    "KFTypeRotation": ("rotation", 1.0),
    "KFTypeAlpha": ("opacity", 1.0),
    "KFTypeGlobalAlpha": ("opacity", 1.0),
    "KFTypeVolume": ("volume", 1.0),
}
_ACROSS, _DOWN = "KFTypeScaleX", "KFTypeScaleY"
_STRAIGHT = ("", "Line")
_NAMED = {"EaseIn": Easing.EASE_IN, "EaseOut": Easing.EASE_OUT, "EaseInOut": Easing.EASE_IN_OUT}
_MOST = 1000  # of one property
_MOST_LISTS = 50


@dataclass(frozen=True, kw_only=True)
class _Point:
    """A keyframe as the draft says it."""

    at: int
    value: float
    curve: str
    left: easing.Point  # where its handles point to, from itself: microseconds, value
    right: easing.Point


def read(segment: Segment, report: Report) -> Motion:
    """The keyframes of a segment; what can't be said of a clip is remarked."""
    found: dict[str, tuple[Keyframe, ...]] = {}
    lists = {
        fields.name(one.get("property_type")): _points(one)
        for one in lenient.items(segment.says.get("common_keyframes"))[:_MOST_LISTS]
        if isinstance(one, dict)
    }
    across, down = lists.get(_ACROSS, []), lists.pop(_DOWN, [])
    if down and [(one.at, one.value) for one in down] != [(one.at, one.value) for one in across]:
        said = "Its keyframes make it grow otherwise in height than in width; here it grows the same both ways."
        segment.remark(report, "scale_approximated", said)
        lists[_ACROSS] = across or down
    for name, points in lists.items():
        if name not in _TYPES and len(points) > 0:
            said = f"Its keyframes of {name.removeprefix('KFType')} are left out."
            segment.remark(report, "keyframes_left_out", said)
        elif points:
            to, unit = _TYPES[name]
            found[to] = _keyframes(points, to, unit, segment, report)
    return Motion(**found)


def _points(says: Json) -> list[_Point]:
    """In the order of their times, one at a time: the last that is said of it."""
    found = {}
    for one in lenient.items(says.get("keyframe_list")):
        if not isinstance(one, dict):
            continue
        at = lenient.number(one.get("time_offset"))
        value = lenient.number(next(iter(lenient.items(one.get("values"))), None))
        if at is not None and value is not None and abs(at) <= LONGEST:
            left, right = _handle(one.get("left_control")), _handle(one.get("right_control"))
            curve = lenient.text(one.get("curveType")) or ""
            found[round(at)] = _Point(at=round(at), value=value, curve=curve, left=left, right=right)
    return [found[at] for at in sorted(found)]


def _handle(says: object) -> easing.Point:
    control = lenient.mapping(says)
    return lenient.number(control.get("x")) or 0.0, lenient.number(control.get("y")) or 0.0


def _keyframes(
    points: Sequence[_Point], name: str, unit: float, segment: Segment, report: Report
) -> tuple[Keyframe, ...]:
    if len(points) > _MOST:
        points = points[:: -(-len(points) // _MOST)]
        segment.remark(
            report, "keyframes_left_out", f"It has more than {_MOST} keyframes of a kind; some are left out."
        )
    eased = [_easing(one, following) for one, following in pairwise(points)]
    if any(lost > easing.CLOSE for _, lost in eased):
        said = "The curves between its keyframes are replaced by the nearest that there are."
        segment.remark(report, "easing_approximated", said)
    easings = [*(one for one, _ in eased), Easing.LINEAR]
    made = [
        Keyframe(at=one.at, value=within(one.value * unit, *BOUNDS[name]), easing=how)
        for one, how in zip(points, easings, strict=True)
    ]
    return later(made, 0)


def _easing(one: _Point, following: _Point) -> tuple[Easing, float]:
    """How the value comes from one to the other, and how much is lost by that."""
    rise, time = following.value - one.value, following.at - one.at
    if rise == 0 or (one.curve in _STRAIGHT and following.curve in _STRAIGHT):
        return Easing.LINEAR, 0.0
    if one.curve in _NAMED:
        return _NAMED[one.curve], 0.0
    if not any((*one.right, *following.left)):
        return Easing.LINEAR, 0.0 if one.curve in _STRAIGHT else 1.0
    first = round(one.right[0] / time, 3), round(one.right[1] / rise, 3)
    last = round(1 + following.left[0] / time, 3), round(1 + following.left[1] / rise, 3)
    return easing.nearest(first, last)


def later(keyframes: Sequence[Keyframe], head: int) -> tuple[Keyframe, ...]:
    """The same, seen from a start that is later by `head`: what lies before that is cut, at the value that it has."""
    moved = [(one.at - head, one) for one in keyframes]
    kept = [replace(one, at=at) for at, one in moved if at >= 0]
    before = [(at, one) for at, one in moved if at < 0]
    if not before or (kept and kept[0].at == 0):
        return tuple(kept)
    at, one = before[-1]
    if not kept:
        return (Keyframe(at=0, value=one.value),)
    come = eased(one.easing, -at / (kept[0].at - at))
    how = one.easing if one.easing is Easing.HOLD else Easing.LINEAR
    return Keyframe(at=0, value=one.value + (kept[0].value - one.value) * come, easing=how), *kept


def shifted(motion: Motion, head: int) -> Motion:
    """A motion seen from a later start."""
    return Motion(**{name: later(keyframes, head) for name, keyframes in moving(motion)})


def moving(motion: Motion) -> Iterator[tuple[str, tuple[Keyframe, ...]]]:
    """The properties that change, with their keyframes."""
    return ((name, getattr(motion, name)) for name in PROPERTIES if getattr(motion, name))
