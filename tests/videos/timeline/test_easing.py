"""What keyframes say of a moment."""

from __future__ import annotations

from itertools import pairwise

import pytest

from videos.timeline.easing import eased, moved, value
from videos.timeline.motion import Easing, Keyframe, Motion, Transform


def test_before_the_first_and_after_the_last_nothing_changes() -> None:
    way = (Keyframe(at=100, value=1.0), Keyframe(at=300, value=3.0), Keyframe(at=400, value=0.0))
    found = [value(way, moment, otherwise=9.0) for moment in (0, 100, 150, 300, 350, 400, 5000)]
    assert found == pytest.approx([1, 1, 1.5, 3, 1.5, 0, 0])
    assert value((), 50, otherwise=9.0) == 9.0
    assert value(way[:1], 5000, otherwise=9.0) == 1.0


@pytest.mark.parametrize(
    ("easing", "quarter", "half"),
    [
        (Easing.LINEAR, 0.25, 0.5),
        (Easing.HOLD, 0.0, 0.0),
        (Easing.EASE_IN, 0.0625, 0.25),
        (Easing.EASE_OUT, 0.4375, 0.75),
        (Easing.EASE_IN_OUT, 0.125, 0.5),
    ],
)
def test_each_easing_has_its_way(easing: Easing, quarter: float, half: float) -> None:
    assert (eased(easing, 0.25), eased(easing, 0.5)) == pytest.approx((quarter, half))
    parts = [eased(easing, number / 100) for number in range(100)]
    assert parts[0] == 0
    assert all(one <= other for one, other in pairwise(parts))
    way = (Keyframe(at=0, value=-2.0, easing=easing), Keyframe(at=1000, value=6.0))
    assert value(way, 1000, otherwise=0.0) == 6.0


def test_what_has_no_keyframes_stays_as_the_transform_has_it() -> None:
    at_first = Transform(x=0.1, scale=2.0, opacity=0.5)
    motion = Motion(rotation=(Keyframe(at=0, value=0.0), Keyframe(at=10, value=90.0)))
    assert moved(at_first, motion, 5) == Transform(x=0.1, scale=2.0, opacity=0.5, rotation=45.0)
