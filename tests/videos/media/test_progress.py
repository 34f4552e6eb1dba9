"""How far an encoding is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from videos.media.progress import Progress


def test_time_moves_on() -> None:
    progress = Progress(10)
    assert progress.feed("out_time_us=2500000\n")
    assert progress.seconds == 2.5
    assert not progress.feed("out_time_us=2500000")
    assert not progress.feed("frame=77")


def test_what_says_nothing_is_passed_over() -> None:
    progress = Progress(10)
    for line in (
        "out_time_us=N/A",
        "out_time_us=-66667",
        "out_time_us=",
        "out_time_us",
        "",
        "out_time=00:00:05",
    ):
        assert not progress.feed(line)
    assert progress.seconds == 0


def test_beyond_the_end_is_the_end_and_still_a_sign_of_life() -> None:
    progress = Progress(10)
    assert progress.feed("out_time_us=11000000")
    assert progress.feed("out_time_us=12000000")
    assert progress.seconds == 10


def test_without_an_expected_length_the_time_itself_counts() -> None:
    progress = Progress(None)
    assert progress.feed("out_time_us=11000000")
    assert progress.seconds == 11


@given(st.lists(st.integers(-(10**9), 10**9)), st.floats(0.1, 500))
def test_it_never_goes_backwards_nor_beyond(times: list[int], expected: float) -> None:
    progress, before = Progress(expected), 0.0
    for time in times:
        progress.feed(f"out_time_us={time}")
        assert before <= progress.seconds <= expected
        before = progress.seconds
