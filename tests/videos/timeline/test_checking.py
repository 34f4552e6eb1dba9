"""What is counted in a film that came out, and how far it is said to be."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos.timeline.checking import Frames
from videos.timeline.meter import Meter

SHARES = {"sound": 0.1, "picture": 1.0, "joining": 0.05}


def verdict(*lines: str, count: int = 3) -> str | None:
    frames = Frames(count, Fraction(25), tolerance=0.0021)
    for line in lines:
        frames.feed(line)
    return frames.verdict()


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (("0.000000,K_", "0.080000,__", "0.040000,__"), None),
        (("0.000000,K_\n", "0.041000,__\n", "0.079000,__\n", "\n"), None),
        (("-0.040000,KD", "0.000000,__", "0.080000,__", "0.040000,__"), None),
        (("0.000000,K_", "0.080000,__"), "it has 2 frames instead of 3"),
        (("0.000000,K_", "0.040000,__", "0.080000,__", "0.120000,__"), "it has 4 frames instead of 3"),
        (("0.000000,K_", "0.040000,__", "0.040000,__"), "frame 1 is there twice"),
        (("0.000000,K_", "0.043000,__", "0.080000,__"), "frame 1 stands at 0.043000 s"),
        (("0.040000,K_", "0.080000,__", "0.120000,__"), "a frame stands at 0.120000 s"),
        (("N/A,K_", "0.040000,__", "0.080000,__"), "a frame stands at N/A s"),
        ((), "it has 0 frames instead of 3"),
    ],
)
def test_each_frame_is_to_be_there_once_and_at_its_time(lines: tuple[str, ...], problem: str | None) -> None:
    assert verdict(*lines) == problem


@given(st.lists(st.tuples(st.sampled_from([*SHARES, "done"]), st.floats(-1, 2))))
def test_progress_never_goes_back_nor_beyond(told: list[tuple[str, float]]) -> None:
    steps: list[tuple[float, float, str]] = []
    meter = Meter(lambda *step: steps.append(step), 60, SHARES)
    for step, part in told:
        meter.at(step, part)
    assert all(one[0] <= other[0] for one, other in pairwise(steps))
    assert all(0 <= step[0] <= step[1] == 60 for step in steps)


def test_progress_counts_the_shares_of_the_steps() -> None:
    steps: list[tuple[float, float, str]] = []
    meter = Meter(lambda *step: steps.append(step), 115, SHARES)
    for step, part in (("sound", 0.5), ("picture", 0.5), ("joining", 0.0), ("done", 1.0)):
        meter.at(step, part)
    assert [round(step[0], 6) for step in steps] == [5, 60, 110, 115]
