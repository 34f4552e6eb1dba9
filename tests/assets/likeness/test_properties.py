"""What holds whatever the names are: the order makes no difference, nothing is left to do, nobody is joined wrongly."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from assets.likeness import Pair, Plan, Profile, Verdict, combine, compare, settle


def pool(names: str) -> list[str]:
    return [name for line in names.split("\n") for name in line.strip().split("|") if name]


_TANGLED = pool(
    """
    林晚|LIN WAN|Wan Lin|林婉|林枫|林总|林董|小林|老林|晚晚|小晚|林晚老师|林父|林晚的父亲|林小姐|林先生|苏晚|文静|林文静
    SARAH|SARAH CHEN|DR. SARAH CHEN|DR. CHEN|DOCTOR CHEN|MR. CHEN|MS. CHEN|SARA CHEN|SARAH J. CHEN|SARAH'S MOM|MOM
    YOUNG SARAH|GUARD|GUARD 1|GUARD 2|保安甲|保安1|JOHN SMITH|JOHN SMITH JR.|JOHN SMITH SR.|ALEX|Alex
    THE GHOST
    """
)
_PLACES = pool(
    """
    KITCHEN|THE KITCHEN|SARAH'S KITCHEN|APARTMENT - KITCHEN|KITCHEN, APARTMENT|ROOM 3
    ROOM THREE|ROOM 4|客厅|陈家客厅|陈家的客厅|CHEN JIA KE TING|HOSPITAL|HOSPITAL CORRIDOR
    """
)
_THINGS = pool(
    """
    PHONE|THE PHONE|SARAH'S PHONE|TOM'S PHONE|PHONES|LETTER 1|LETTER 2|手机|一部手机|林晚的手机
    """
)

_people = st.builds(
    Profile,
    id=st.just(0),
    kind=st.just("character"),
    name=st.sampled_from(_TANGLED),
    aliases=st.lists(st.sampled_from(_TANGLED), max_size=2).map(tuple),
    description=st.sampled_from(["", "人称林总", "aka THE GHOST"]),
    gender=st.sampled_from(["", "", "male", "female"]),
    age=st.sampled_from(["", "", "20", "30s", "60"]),
    appearances=st.integers(0, 3),
    speaks_in=st.frozensets(st.integers(1, 4), max_size=2),
    cherished=st.booleans(),
)
_scenes = st.builds(
    Profile,
    id=st.just(0),
    kind=st.just("scene"),
    name=st.sampled_from(_PLACES),
    time=st.sampled_from(["", "day", "night", "morning", "日"]),
    place=st.sampled_from(["", "inside", "outside", "both"]),
)
_props = st.builds(Profile, id=st.just(0), kind=st.just("prop"), name=st.sampled_from(_THINGS))
_crowds = st.lists(_people | _people | _scenes | _props, max_size=14).map(
    lambda several: [dataclasses.replace(one, id=number) for number, one in enumerate(several, 1)]
)
_some_pairs = st.frozensets(st.tuples(st.integers(1, 14), st.integers(1, 14)).filter(lambda pair: pair[0] < pair[1]))
_properly = settings(max_examples=120)


def there(pairs: Iterable[Pair], crowd: list[Profile]) -> frozenset[Pair]:
    return frozenset(pair for pair in pairs if max(pair) <= len(crowd))


def groups_of(plan: Plan) -> set[frozenset[int]]:
    return {frozenset((group.kept, *group.absorbed)) for group in plan.groups}


def carried_out(crowd: list[Profile], plan: Plan) -> list[Profile]:
    left = {profile.id: profile for profile in crowd}
    for group in plan.groups:
        for absorbed in group.absorbed:
            left[group.kept] = combine(left[group.kept], left.pop(absorbed))
    return list(left.values())


@_properly
@given(_crowds, _some_pairs, st.randoms(use_true_random=False))
def test_the_order_in_which_they_come_makes_no_difference(crowd: list[Profile], apart: set[Pair], luck: object) -> None:
    kept_apart = there(apart, crowd)
    shuffled = list(crowd)
    luck.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settle(shuffled, apart=kept_apart) == settle(crowd, apart=kept_apart)


@_properly
@given(st.lists(st.sampled_from(_TANGLED), max_size=14, unique=True), st.randoms(use_true_random=False))
def test_who_was_found_first_makes_no_difference_to_who_is_one(found: list[str], luck: object) -> None:
    def joined(order: list[str]) -> set[frozenset[str]]:
        crowd = [Profile(id=number, kind="character", name=name) for number, name in enumerate(order, 1)]
        return {frozenset(order[one - 1] for one in group) for group in groups_of(settle(crowd))}

    other = list(found)
    luck.shuffle(other)  # type: ignore[attr-defined]
    assert joined(found) == joined(other)


@_properly
@given(_crowds, _some_pairs)
def test_once_it_is_done_there_is_nothing_more_to_do(crowd: list[Profile], apart: set[Pair]) -> None:
    first = settle(crowd, apart=there(apart, crowd))
    into = {absorbed: group.kept for group in first.groups for absorbed in group.absorbed}
    still_apart = {(into.get(one, one), into.get(other, other)) for one, other in there(apart, crowd)}
    asked = [question.pair for question in first.questions]
    again = settle(carried_out(crowd, first), apart={pair for pair in still_apart if pair[0] != pair[1]}, asked=asked)
    assert not again.groups
    assert {question.pair: question.score for question in again.questions} == {
        question.pair: question.score for question in first.questions
    }


@_properly
@given(_crowds, _some_pairs)
def test_nobody_is_joined_who_cannot_be_one(crowd: list[Profile], apart: set[Pair]) -> None:
    kept_apart = there(apart, crowd)
    by_id = {profile.id: profile for profile in crowd}
    for group in groups_of(settle(crowd, apart=kept_apart)):
        for pair in itertools.combinations(sorted(group), 2):
            assert pair not in kept_apart
            assert not compare(*(by_id[one] for one in pair)).against


@_properly
@given(_crowds)
def test_who_is_joined_hangs_together_by_pairs_that_are_certain(crowd: list[Profile]) -> None:
    by_id = {profile.id: profile for profile in crowd}
    for group in settle(crowd).groups:
        grown, left = by_id[group.kept], list(group.absorbed)
        members = [grown]
        while left:
            near = [one for one in left if is_certain(by_id[one], (grown, *members))]
            assert near, (grown, left)
            for one in near:
                left.remove(one)
                members.append(by_id[one])
                grown = combine(grown, by_id[one])


def is_certain(one: Profile, others: Iterable[Profile]) -> bool:
    return any(compare(one, other).verdict is Verdict.CERTAIN for other in others)


@_properly
@given(_crowds)
def test_questions_are_about_those_that_are_left_and_are_few(crowd: list[Profile]) -> None:
    plan = settle(crowd)
    gone = {absorbed for group in plan.groups for absorbed in group.absorbed}
    asked = [question.pair for question in plan.questions]
    assert not gone & {one for pair in asked for one in pair}
    assert len(asked) == len(set(asked))
    assert set(asked) <= plan.doubts
    assert len(asked) <= 5 * len(crowd)


_anything = st.text(max_size=40) | st.text(alphabet="林晚总小的(（）'\"#1甲 .,-/ÀßA\ud800\x00👩🏽", max_size=20)


@settings(max_examples=300)
@given(st.sampled_from(["character", "scene", "prop"]), _anything, _anything, _anything)
def test_no_name_is_too_odd_to_be_compared(kind: str, one: str, other: str, more: str) -> None:
    first = Profile(id=1, kind=kind, name=one, aliases=(more,), description=more, age=more, gender=more, time=more)
    second = Profile(id=2, kind=kind, name=other, time=one, age=other)
    assert compare(first, second) == compare(second, first)
    assert len(settle([first, second]).groups) <= 1
