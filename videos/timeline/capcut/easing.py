"""How values come from one keyframe to the next: the editor's free curves, and those few that a timeline has."""

from __future__ import annotations

from videos.timeline.capcut.fields import within
from videos.timeline.motion import Easing

CLOSE = 0.03  # of the way by which two curves may differ before anybody sees it

Point = tuple[float, float]  # parts of the way: in time, in value


def progress(easing: Easing, part: float) -> float:
    """How far the value has come when this part of the time has gone by."""
    match easing:
        case Easing.HOLD:
            return 0.0 if part < 1 else 1.0
        case Easing.EASE_IN:
            return part**2
        case Easing.EASE_OUT:
            return 1 - (1 - part) ** 2
        case Easing.EASE_IN_OUT:
            return 2 * part**2 if part < 0.5 else 1 - 2 * (1 - part) ** 2
        case _:
            return part


def nearest(first: Point, last: Point) -> tuple[Easing, float]:
    """The easing that is most like a cubic Bezier curve with these two handles, and by how much it differs."""
    curve = [_on(first, last, step / 16) for step in range(1, 16)]
    wanted = (Easing.LINEAR, Easing.EASE_IN, Easing.EASE_OUT, Easing.EASE_IN_OUT)
    differences = {easing: max(abs(value - progress(easing, time)) for time, value in curve) for easing in wanted}
    return min(differences.items(), key=lambda one: one[1])


def _on(first: Point, last: Point, at: float) -> Point:
    """A point of the curve. Time only goes forward, so that the handles can't reach beyond their ends."""
    rest = 1 - at
    times = within(first[0], 0, 1), within(last[0], 0, 1)
    time = 3 * rest**2 * at * times[0] + 3 * rest * at**2 * times[1] + at**3
    value = 3 * rest**2 * at * first[1] + 3 * rest * at**2 * last[1] + at**3
    return time, value
