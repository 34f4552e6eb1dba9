"""Which assets are joined, and about which a person is asked: the stories that the rules are for."""

from __future__ import annotations

import dataclasses
import time

from assets.likeness import Profile, settle
from assets.likeness.vocabulary import SURNAMES


def crowd(*names: str, kind: str = "character") -> list[Profile]:
    """Each `name`, or `name/alias`, or `name:gender`."""
    several = []
    for number, said in enumerate(names, 1):
        rest, _, gender = said.partition(":")
        name, *aliases = rest.split("/")
        several.append(Profile(id=number, kind=kind, name=name, aliases=tuple(aliases), gender=gender))
    return several


def outcome(several: list[Profile], **more: object) -> tuple[list[set[str]], set[frozenset[str]]]:
    """Who is one, and about whom one is asked, by their names."""
    names = {profile.id: profile.name for profile in several}
    plan = settle(several, **more)  # type: ignore[arg-type]
    joined = [{names[one] for one in (group.kept, *group.absorbed)} for group in plan.groups]
    return joined, {frozenset(names[one] for one in question.pair) for question in plan.questions}


def test_a_name_and_how_it_is_read_are_one() -> None:
    joined, asked = outcome(crowd("林晚", "LIN WAN", "Linwan", "林晚老师"))
    assert joined == [{"林晚", "LIN WAN", "Linwan", "林晚老师"}]
    assert not asked


def test_a_reading_that_two_names_share_is_left_to_a_person() -> None:
    joined, asked = outcome(crowd("林晚", "林婉", "LIN WAN"))
    assert not joined
    assert asked == {frozenset(pair) for pair in [("林晚", "LIN WAN"), ("林婉", "LIN WAN"), ("林晚", "林婉")]}


def test_a_reading_does_not_join_a_name_that_comes_later_and_only_sounds_the_same() -> None:
    joined, asked = outcome(crowd("林晚/LIN WAN", "林婉"))
    assert not joined
    assert asked == {frozenset(("林晚", "林婉"))}


def test_a_form_of_address_that_two_may_be_meant_by_is_left_to_a_person_even_if_one_is_known_by_it() -> None:
    joined, asked = outcome(crowd("林总", "林晚/林总", "林枫"))
    assert not joined
    assert asked == {frozenset(("林总", "林晚")), frozenset(("林总", "林枫"))}


def test_a_form_of_address_that_one_alone_is_known_by_is_that_one() -> None:
    assert outcome(crowd("林总", "林晚/林总", "王强")) == ([{"林总", "林晚"}], set())


def test_nobody_joins_two_who_are_not_one() -> None:
    joined, asked = outcome(crowd("Alex:male", "ALEX", "alex:female"))
    assert not joined
    assert frozenset(("Alex", "ALEX")) in asked


def test_no_chain_of_other_names_joins_two_who_are_not_one() -> None:
    chain = crowd("MARCUS WEBB/RAZOR", "RAZOR", "THE FIXER/RAZOR", "JOHN RAVEN/THE FIXER")
    joined, asked = outcome(chain)
    assert joined == [{"MARCUS WEBB", "RAZOR"}]
    assert asked == {frozenset(("MARCUS WEBB", "THE FIXER")), frozenset(("THE FIXER", "JOHN RAVEN"))}
    assert outcome(chain[:3])[0] == [{"MARCUS WEBB", "RAZOR", "THE FIXER"}]


def test_a_chain_is_cut_also_where_no_link_by_itself_is_in_doubt() -> None:
    chain = crowd("MARCUS WEBB/RAZOR", "RAZOR/FLINT", "FLINT/GRIM", "GRIM", "JOHN RAVEN/GRIM")
    joined, asked = outcome(chain)
    assert not [group for group in joined if {"MARCUS WEBB", "JOHN RAVEN"} <= group]
    assert frozenset(("GRIM", "JOHN RAVEN")) in asked
    assert len(outcome(chain[:4])[0][0]) == 4


def test_who_cannot_be_one_that_was_joined_before_is_not_joined_now() -> None:
    part = Profile(id=2, kind="character", name="DOCTOR CHEN", age="40")
    whole = Profile(id=1, kind="character", name="DR. CHEN", age="30", parts=(part,))
    young = Profile(id=3, kind="character", name="Doc Chen", age="20")
    assert not settle([whole, young]).groups
    assert settle([dataclasses.replace(whole, parts=()), young]).groups


def test_a_whole_name_is_not_torn_by_one_that_only_may_be_meant() -> None:
    joined, _ = outcome(crowd("SARAH CHEN", "DR. SARAH CHEN:female", "MR. CHEN"))
    assert joined == [{"SARAH CHEN", "DR. SARAH CHEN"}]


def test_several_of_each_kind_are_joined_although_one_in_the_middle_could_be_either() -> None:
    several = crowd("Alex Moor:male", "ALEX MOOR:male", "alex moor", "Alex MOOR:female")
    joined, asked = outcome(several)
    assert joined == [{"Alex Moor", "ALEX MOOR"}]
    assert len(asked) == 3


def test_who_was_kept_apart_is_neither_joined_nor_asked_about() -> None:
    assert outcome(crowd("DR. CHEN", "DOCTOR CHEN"), apart=[(1, 2)]) == ([], set())


def test_who_was_kept_apart_is_not_joined_by_way_of_a_third() -> None:
    joined, _ = outcome(crowd("DR. CHEN", "DOCTOR CHEN", "Doc Chen"), apart=[(1, 2)])
    assert not [group for group in joined if {"DR. CHEN", "DOCTOR CHEN"} <= group]


def test_one_that_a_person_has_worked_on_is_kept() -> None:
    several = [
        Profile(id=1, kind="character", name="LIN WAN", appearances=90),
        Profile(id=2, kind="character", name="林晚", cherished=True),
    ]
    (group,) = settle(several).groups
    assert (group.kept, group.absorbed) == (2, (1,))


def test_the_whole_name_is_kept_and_then_the_one_that_appears_most() -> None:
    several = [
        Profile(id=1, kind="character", name="RAZOR", appearances=9),
        Profile(id=2, kind="character", name="SARAH CHEN", aliases=("RAZOR",)),
        Profile(id=3, kind="character", name="Sarah Chen", appearances=2),
    ]
    (group,) = settle(several).groups
    assert (group.kept, set(group.absorbed)) == (3, {1, 2})


def test_day_and_night_of_a_place_are_two_scenes() -> None:
    times = ["day", "night", "日", ""]
    several = [Profile(id=n, kind="scene", name="BAR", time=said) for n, said in enumerate(times, 1)]
    plan = settle(several)
    assert [(group.kept, group.absorbed) for group in plan.groups] == [(1, (3,))]
    assert {question.pair for question in plan.questions} == {(1, 4), (2, 4)}


def test_a_character_is_never_a_prop() -> None:
    several = [Profile(id=1, kind="character", name="ROBIN"), Profile(id=2, kind="prop", name="ROBIN")]
    assert not settle(several).groups


def test_of_many_that_look_alike_not_each_pair_is_a_question() -> None:
    count = 40
    plan = settle([Profile(id=number, kind="character", name="GUARD") for number in range(count)])
    assert not plan.groups
    assert len(plan.doubts) == count * (count - 1) // 2
    assert count - 1 <= len(plan.questions) <= 3 * count


def test_what_was_asked_stays_asked() -> None:
    several = [Profile(id=number, kind="character", name="GUARD") for number in range(1, 31)]
    unusual = [(20, 30), (21, 30), (22, 30)]
    assert set(unusual) <= {question.pair for question in settle(several, asked=unusual).questions}


def test_five_thousand_are_compared_in_seconds() -> None:
    """Of 12.5 million pairs only those that have a word in common are looked at."""
    families, given = sorted(SURNAMES)[:70], "晚枫雨晴强伟娜静敏杰涛明超霞平刚桂英华玉兰萍红鑫宇浩凯欣怡梓涵轩诗琪佳"
    names = [f"{family}{first}{second}" for family in families for first in given[::3] for second in given[1::3]]
    names += [f"{family}{title}" for family in families for title in ("总", "医生", "姐")]
    several = crowd(*names[:5000])
    assert len(several) == 5000
    before = time.process_time()
    plan = settle(several)
    assert time.process_time() - before < 60
    assert plan.doubts
