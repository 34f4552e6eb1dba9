"""What keyframes come to at each frame, as numbers and as expressions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.videos.timeline.test_cutting import RATES
from tests.videos.timeline.test_moving import keys, value
from videos.timeline.curves import curve
from videos.timeline.motion import Easing, Keyframe, Keyframes
from videos.timeline.values import SECOND

KEYFRAMES: st.SearchStrategy[Keyframes] = st.lists(
    st.builds(Keyframe, at=st.integers(0, 4 * SECOND), value=st.floats(-10, 10), easing=st.sampled_from(Easing)),
    unique_by=lambda keyframe: keyframe.at,
    max_size=30,
).map(lambda found: tuple(sorted(found, key=lambda keyframe: keyframe.at)))


@given(KEYFRAMES, RATES, st.integers(0, 2 * SECOND), st.integers(0, 60), st.integers(1, 100))
def test_each_frame_has_the_value_of_the_moment_at_which_it_begins(
    keyframes: Keyframes, rate: Fraction, start: int, first: int, count: int
) -> None:
    found = curve(keyframes, 7.0, start=start, first=first, count=count, rate=rate)
    moments = [float((first + number) * SECOND / rate - start) for number in range(count)]
    wanted = [value(keyframes, 7.0, moment) for moment in moments]
    close = [abs(one - other) < 1e-6 for one, other in zip(found.values(), wanted, strict=True)]
    # A moment that is that of a keyframe to the last digit may be rounded to either side in the test.
    assert all(
        right or any(abs(moment - keyframe.at) < 1e-3 for keyframe in keyframes)
        for right, moment in zip(close, moments, strict=True)
    )
    assert found.bounds == pytest.approx((min(found.values()), max(found.values())), abs=1e-9)
    assert len(found.pieces) <= count


def test_what_does_not_change_is_one_piece() -> None:
    still = keys((0, 2, Easing.EASE_IN), (1, 2), (2, 2, Easing.HOLD), (3, 5))
    assert curve(still, 0.0, start=0, first=0, count=90, rate=Fraction(30)).constant == 2
    assert curve(still, 0.0, start=0, first=0, count=91, rate=Fraction(30)).constant is None
    assert curve((), 0.5, start=0, first=0, count=91, rate=Fraction(30)).constant == 0.5
