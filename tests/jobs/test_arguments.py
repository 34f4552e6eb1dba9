"""Arguments are held against the body's parameters, and what users send against their types."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import arguments
from jobs.context import JobContext


class Kind:
    """As much of one as is asked here."""

    @staticmethod
    def run(
        ctx: JobContext, video_id: int, at: float = 0.0, title: str = "", loud: bool = False, more: Any = None
    ) -> None:
        """Nothing."""


def test_arguments_are_named_whichever_way_they_come() -> None:
    whole = {"video_id": 7, "at": 1.5, "title": "", "loud": False, "more": None}
    assert arguments.named(Kind, (7, 1.5), {}) == arguments.named(Kind, (7,), {"at": 1.5}) == whole


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1,), {"video_id": 1}), ((1,), {"none": 1}), ((1,) * 6, {})])
def test_what_does_not_fit_is_a_type_error(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        arguments.named(Kind, args, kwargs)


@pytest.mark.parametrize(
    "given", [{"video_id": 7}, {"at": 2}, {"at": 2.5}, {"title": "x"}, {"loud": True}, {"more": [{}]}]
)
def test_what_is_of_its_type_passes(given: dict[str, Any]) -> None:
    arguments.check(Kind, given)


OTHERS: dict[str, list[Any]] = {
    "video_id": [7.0, "7", True, None, [7]],
    "at": ["2", None, True, float("nan"), float("inf"), 10**400, []],
    "title": [None, 7, {}],
    "loud": [0, 1, "yes", None],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in OTHERS.items() for value in values])
def test_what_is_of_another_type_is_named(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name):
        arguments.check(Kind, {name: value})
