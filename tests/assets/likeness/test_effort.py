"""A script that is written to keep us busy costs no more than what it is worth: work is counted, never timed."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import Any

import pytest

from assets.likeness import Profile, compare, settle

_MARKS = ("", "\u0301", "\u0300", "\u0302", "\u0303", "\u0308", "\u030a", "\u030c", "\u0327")


def spellings(word: str, count: int) -> list[str]:
    """One word in many spellings, all of which are one to whoever reads them."""
    marked = itertools.product(_MARKS, repeat=len(word))
    return ["".join(map("".join, zip(word, marks, strict=True))) for marks in itertools.islice(marked, count)]


def things(count: int) -> list[Profile]:
    return [Profile(id=number, kind="prop", name=name) for number, name in enumerate(spellings("BOXES", count))]


def people(count: int) -> list[Profile]:
    several = enumerate(spellings("SARAH CHEN", count))
    return [Profile(id=n, kind="character", name=name, speaks_in=frozenset([n])) for n, name in several]


def entangled(kind: str) -> Callable[[int], list[Profile]]:
    """Each with fifty other names, of which others have most as well."""

    def several(count: int) -> list[Profile]:
        names = [f"{'ABCDEFGH'[n % 8]}{'OPQRSTUV'[n // 8 % 8]}IL{n}" for n in range(count)]
        return [
            Profile(id=n, kind=kind, name=f"WHO{n}", aliases=tuple(names[(n + more) % count] for more in range(50)))
            for n in range(count)
        ]

    return several


def work(several: list[Profile]) -> int:
    """How many calls it takes, of Python's functions and of those in C."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        settle(several)
    finally:
        sys.setprofile(before)
    return calls


def lines(one: Profile, other: Profile) -> int:
    """How many lines of Python a comparison takes: a loop calls nobody."""
    seen = 0

    def count(frame: Any, event: str, argument: Any) -> Any:
        nonlocal seen
        seen += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        compare(one, other)
    finally:
        sys.settrace(before)
    return seen


@pytest.mark.parametrize("make", [things, people], ids=lambda make: make.__name__)
def test_of_many_that_are_one_each_meets_each_and_no_more(make: Callable[[int], list[Profile]]) -> None:
    few, many = work(make(20)), work(make(80))
    assert many < 20 * few, "four times as many are at most sixteen times the work"


def test_a_crowd_that_nobody_has_is_left_to_people_and_not_compared_each_with_each() -> None:
    crowd = things(500)
    plan = settle(crowd)
    assert not plan.groups
    assert plan.questions
    assert len(plan.doubts) < 500 * 100
    assert settle(crowd[:200]).groups[0].absorbed


@pytest.mark.parametrize(("kind", "count", "most"), [("character", 52, 6), ("prop", 52, 10), ("scene", 52, 10)])
def test_names_that_many_have_cost_each_asset_no_more_the_more_there_are(kind: str, count: int, most: int) -> None:
    few, many = work(entangled(kind)(count)), work(entangled(kind)(4 * count))
    assert many < most * few, "each with each would be sixteen times the work"


def test_five_times_as_many_other_names_are_five_times_the_work() -> None:
    def pair(count: int) -> list[Profile]:
        names = [[f"{'ABCDEFGH'[n % 8]}{'OPQRSTUV'[n // 8 % 8]}{who}{n}" for n in range(count)] for who in "XY"]
        return [
            Profile(id=n, kind="character", name="SARAH", gender=gender, aliases=tuple(names[n]))
            for n, gender in enumerate(("female", "male"))
        ]

    compare(*pair(50))  # the names are taken apart once
    compare(*pair(10))
    assert lines(*pair(50)) < 8 * lines(*pair(10))
