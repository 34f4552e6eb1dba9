"""How values come from one keyframe to the next: the editor's free curves, and those few that a timeline has."""

from __future__ import annotations

from functools import lru_cache

from videos.timeline.capcut.fields import within
from videos.timeline.easing import eased
from videos.timeline.motion import Easing

CLOSE = 0.03  # of the way by which two curves may differ before anybody sees it

Point = tuple[float, float]  # parts of the way: in time, in value


@lru_cache(maxsize=1000)  # a draft has few curves, and many keyframes
def nearest(first: Point, last: Point) -> tuple[Easing, float]:
    """The easing that is most like a cubic Bezier curve with these two handles, and by how much it differs."""
    curve = [_on(first, last, step / 8) for step in range(1, 8)]
    wanted = (Easing.LINEAR, Easing.EASE_IN, Easing.EASE_OUT, Easing.EASE_IN_OUT)
    differences = {easing: max(abs(value - eased(easing, time)) for time, value in curve) for easing in wanted}
    return min(differences.items(), key=lambda one: one[1])


def _on(first: Point, last: Point, at: float) -> Point:
    """A point of the curve. Time only goes forward, so that the handles can't reach beyond their ends."""
    rest = 1 - at
    times = within(first[0], 0, 1), within(last[0], 0, 1)
    time = 3 * rest**2 * at * times[0] + 3 * rest * at**2 * times[1] + at**3
    value = 3 * rest**2 * at * first[1] + 3 * rest * at**2 * last[1] + at**3
    return time, value
