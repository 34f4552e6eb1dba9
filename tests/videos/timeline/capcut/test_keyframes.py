"""Keyframes of drafts: their values in our units, and the curves between them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.videos.timeline.capcut.drafts import SECOND, Paper, codes, read, segment
from videos.timeline.capcut import easing
from videos.timeline.capcut.keyframes import later
from videos.timeline.motion import Easing, Keyframe, Motion


def moved(*lists: tuple[str, list[dict[str, Any]]], **says: Any) -> tuple[Motion, list[str]]:
    paper = Paper()
    keyframes = [{"property_type": name, "keyframe_list": frames} for name, frames in lists]
    paper.track("video", segment(paper.video(), 0, 4 * SECOND, common_keyframes=keyframes, **says))
    draft = read(paper)
    return next(iter(draft.timeline.clips())).motion, codes(draft)


def frame(at: float, value: float, **says: Any) -> dict[str, Any]:
    return {"time_offset": at * SECOND, "values": [value], "curveType": "Line"} | says


def free(
    at: float, value: float, *, left: tuple[float, float] = (0, 0), right: tuple[float, float] = (0, 0)
) -> dict[str, Any]:
    """With handles, in seconds and in the value's own unit."""
    handles = {name: {"x": x * SECOND, "y": y} for name, (x, y) in (("left_control", left), ("right_control", right))}
    return frame(at, value, curveType="FreeCurveInOut", **handles)


def test_values_come_in_our_units() -> None:
    motion, said = moved(
        ("KFTypePositionX", [frame(1, 1.0)]),
        ("KFTypePositionY", [frame(1, 0.5)]),
        ("KFTypeRotation", [frame(1, -90)]),
        ("KFTypeAlpha", [frame(1, 3)]),
        ("KFTypeVolume", [frame(1, 0.5)]),
    )
    at = {name: getattr(motion, name)[0].value for name in ("x", "y", "rotation", "opacity", "volume")}
    assert at == {"x": 0.5, "y": -0.25, "rotation": -90, "opacity": 1.0, "volume": 0.5}
    assert said == []


def test_they_come_in_the_order_of_their_times_the_last_of_each() -> None:
    motion, _ = moved(
        ("KFTypeRotation", [frame(2, 20), frame(1, 10), frame(2, 30), {"time_offset": None}, frame(3, float("nan"))])
    )
    assert motion.rotation == (Keyframe(at=SECOND, value=10), Keyframe(at=2 * SECOND, value=30))


def test_what_lies_before_the_start_is_cut_at_its_value_there() -> None:
    motion, _ = moved(("KFTypeRotation", [frame(-1, 0), frame(3, 40)]))
    assert motion.rotation == (Keyframe(at=0, value=10), Keyframe(at=3 * SECOND, value=40))


@pytest.mark.parametrize(("how", "value"), [(Easing.EASE_IN, 1.0), (Easing.EASE_OUT, 3.0), (Easing.HOLD, 0.0)])
def test_a_cut_within_a_curve_begins_where_the_curve_is(how: Easing, value: float) -> None:
    first, last = later((Keyframe(at=0, value=0, easing=how), Keyframe(at=10, value=4)), 5)
    assert (first.at, first.value, last) == (0, value, Keyframe(at=5, value=4))
    assert first.easing is (Easing.HOLD if how is Easing.HOLD else Easing.LINEAR)
    assert later((Keyframe(at=0, value=3),), 5) == (Keyframe(at=0, value=3),)


def test_scales_for_both_ways_are_one_where_they_agree() -> None:
    frames = [frame(0, 1), frame(1, 2)]
    wanted = (Keyframe(at=0, value=1), Keyframe(at=SECOND, value=2))
    assert moved(("KFTypeScaleX", frames)) == (Motion(scale=wanted), [])
    assert moved(("KFTypeScaleX", frames), ("KFTypeScaleY", frames)) == (Motion(scale=wanted), [])
    motion, said = moved(("KFTypeScaleX", frames), ("KFTypeScaleY", frames[:1]))
    assert (motion.scale, said) == (wanted, ["scale_approximated"])
    motion, said = moved(("KFTypeScaleY", frames))
    assert (motion.scale, said) == (wanted, ["scale_approximated"])


@pytest.mark.parametrize(
    ("first", "last", "how", "said"),
    [
        (frame(0, 0), frame(2, 4), Easing.LINEAR, []),
        (frame(0, 0, curveType="EaseIn"), frame(2, 4), Easing.EASE_IN, []),
        (frame(0, 0, curveType=None), frame(2, 4, curveType=None), Easing.LINEAR, []),
        (free(0, 0, right=(2 / 3, 0)), free(2, 4, left=(-2 / 3, -8 / 3)), Easing.EASE_IN, []),
        (free(0, 0, right=(2 / 3, 8 / 3)), free(2, 4, left=(-2 / 3, 0)), Easing.EASE_OUT, []),
        (free(0, 0, right=(0.9, 0)), free(2, 4, left=(-0.9, 0)), Easing.EASE_IN_OUT, []),
        (free(0, 0, right=(1.9, 0)), free(2, 4, left=(-0.1, 0)), Easing.EASE_IN, ["easing_approximated"]),
        (frame(0, 0, curveType="Elastic"), frame(2, 4), Easing.LINEAR, ["easing_approximated"]),
        (free(0, 3, right=(1.9, 0)), free(2, 3), Easing.LINEAR, []),  # nothing changes
    ],
)
def test_curves_become_the_nearest_easing(first: Any, last: Any, how: Easing, said: list[str]) -> None:
    motion, remarked = moved(("KFTypeRotation", [first, last]))
    assert (motion.rotation[0].easing, remarked) == (how, said)


def test_a_parabola_is_met_exactly() -> None:
    assert easing.nearest((1 / 3, 0), (2 / 3, 1 / 3))[1] == pytest.approx(0)


def test_too_many_keyframes_are_thinned() -> None:
    motion, said = moved(("KFTypeRotation", [frame(number / 1000, number) for number in range(2500)]))
    assert (len(motion.rotation), said) == (834, ["keyframes_left_out"])
