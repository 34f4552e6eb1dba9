"""Arguments that are plain JSON pass as they are; what would stop a worker or a database is refused at the caller."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.plain import DEEPEST, BadArguments, depth, plain

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(SCALARS | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


@given(VALUES)
def test_what_is_json_comes_back_as_it_is(value: Any) -> None:
    assert plain(value) == value
    assert plain(plain(value)) == plain(value)


def test_depth_is_the_number_of_levels() -> None:
    values: list[Any] = [0, [], {}, [[]], {"a": [1, {"b": 2}]}]
    assert [depth(value) for value in values] == [0, 1, 1, 2, 3]
    assert depth(nested(10_000)) == DEEPEST + 1


@pytest.mark.parametrize(
    "value", [nested(DEEPEST + 1), nested(480), "a\0b", {"\0": 1}, ["\ud800"], {"a": {"\udfff": 1}}]
)
def test_what_no_worker_or_database_takes_is_refused(value: Any) -> None:
    with pytest.raises(BadArguments):
        plain(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_is_no_json_is_the_callers_mistake(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        plain(value)


def test_what_passes_can_be_pickled_for_the_pool() -> None:
    assert pickle.loads(pickle.dumps(plain(nested(DEEPEST)))) == nested(DEEPEST)
