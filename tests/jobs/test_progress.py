"""Progress: never backwards, written only when there is something to write."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.models import Job
from jobs.progress import Progress

amounts = st.integers(-5, 1000)


@given(st.lists(st.tuples(amounts, amounts, st.text(max_size=3)), max_size=30))
def test_the_share_never_goes_back_and_the_message_is_always_the_last(reports: list[tuple[int, int, str]]) -> None:
    progress, before, columns = Progress(), Fraction(0), {"message": ""}
    for current, total, message in reports:
        progress.report(current, total, message)
        columns = progress.take() or columns
        assert columns["message"] == message
        done, of = int(columns.get("current", 0)), int(columns.get("total", 0))
        share = Fraction(min(done, of), of) if of else Fraction(0)
        assert share >= before
        assert 0 <= Job(current=done, total=of).percent <= 100
        before = share


def test_what_has_not_changed_is_not_written_again() -> None:
    progress = Progress()
    assert progress.take() == {}
    progress.report(1, 4, "one")
    assert progress.take() == {"current": 1, "total": 4, "message": "one"}
    assert progress.take() == {}
    progress.report(1, 4, "one")
    assert progress.take() == {}


def test_a_message_is_no_longer_than_its_column() -> None:
    progress = Progress()
    progress.report(0, 0, "x" * 2000)
    assert len(progress.take()["message"]) == Job._meta.get_field("message").max_length


@pytest.mark.parametrize("nothing", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_does_not_end_the_job(nothing: float) -> None:
    progress = Progress()
    progress.report(nothing, 10, "one")
    progress.report(1, nothing, "two")
    assert progress.take()["message"] == "two"


def test_the_job_of_a_percentage_is_at_100_only_when_it_is_told_or_completed() -> None:
    assert Job(current=999, total=1000).percent == 99
    assert Job(current=2000, total=1000).percent == 100
    assert Job(current=0, total=0).percent == 0
    assert Job(current=1, total=3, status="completed").percent == 100
