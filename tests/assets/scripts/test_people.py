"""Which names are one person's, who is only an extra, and who is there."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from assets.scripts import Breakdown, break_down, names, read
from tests.effort import assert_at_most


def _read(text: str, name: str = "a.fountain") -> Breakdown:
    return break_down(read(text, name=name))


def _people(found: Breakdown) -> dict[str, int]:
    return {one.name: one.lines for one in found.characters}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("人物小传\n小白：女，又名白白。\n白雪：女，又名小白。\n\n1-1 日 内 家\n白白：你好。", "白雪"),
        (
            "CAST OF CHARACTERS\n\nJACKIE (30s), also known as JACK. A pilot.\n"
            "SPARROW (40s), also known as JACKIE.\n\nINT. A - DAY\n\nJACK\nHi.\n",
            "JACK",
        ),
        (
            "CAST OF CHARACTERS\n\nANNA (30s), also known as BELLA.\nBELLA (40s), also known as CLARA.\n"
            "CLARA (20s), also known as ANNA.\n\nINT. A - DAY\n\nCLARA\nHi.\n",
            "CLARA",
        ),
    ],
)
def test_an_alias_of_an_alias_is_the_same_person(text: str, name: str) -> None:
    found = _read(text, "a.txt")
    assert _people(found) == {name: 1}
    assert found.scenes[0].cast == (name,)


def test_a_first_name_says_more_than_a_title_and_the_name_of_a_family() -> None:
    found = _read(
        "INT. A - DAY\n\nMARY O'NEIL (30s) climbs.\n\nMRS. O'NEIL\nMy dearest.\n\nMARY\nYes.\n\nMRS. O'NEIL\nNo.\n"
    )
    assert _people(found) == {"MARY": 1, "MRS. O'NEIL": 2}
    mary = next(one for one in found.characters if one.name == "MARY")
    assert (mary.age, mary.aliases) == ("30s", ("MARY O'NEIL",))


def test_a_surname_behind_another_first_name_or_before_the_house_is_somebody_elses() -> None:
    found = _read(
        "INT. DINER - NIGHT\n\nHANK MARLOW sits. MRS. GRETA MARLOW (70) enters.\n\nHANK\nTea?\n\nGRETA\nTea.\n\n"
        "EXT. ROAD - NIGHT\n\nHank Marlow walks.\n\nEXT. GATE - NIGHT\n\nThe Marlow house.\n\n"
        "INT. HALL - NIGHT\n\nThen Marlow enters.\n\nINT. ATTIC - NIGHT\n\nMrs. Marlow waits.\n\n"
        "INT. CELLAR - NIGHT\n\nDr. Marlow waits.\n"
    )
    assert [scene.cast for scene in found.scenes] == [("HANK", "GRETA"), ("HANK",), (), ("GRETA",), ("GRETA",), ()]


def test_a_wife_is_not_her_husband_and_who_speaks_in_turns_is_two() -> None:
    spoken = "INT. A - DAY\n\n{}\nHi.\n\nANN\nHello.\n\n{}\nWell?\n\nANN\nNo.\n"
    assert _people(_read(spoken.format("WHITE", "MRS. WHITE"))) == {"ANN": 2, "WHITE": 1, "MRS. WHITE": 1}
    assert _people(_read(spoken.format("DET. MILLS", "MILLS")))["MILLS"] == 2
    turns = "INT. A - DAY\n\nHYDE\nHi.\n\nDR. HYDE\nHello.\n\nHYDE\nWell?\n"
    assert _people(_read(turns)) == {"HYDE": 2, "DR. HYDE": 1}


def test_a_role_is_there_in_small_letters_where_one_person_has_it() -> None:
    scene = "INT. B - DAY\n\nThe waitress watches. The grace of it. He bills the stranger. The man.\n\n"
    scene += "INT. C - DAY\n\nThe waitress bell.\n"
    first = "INT. A - DAY\n\nA WAITRESS and GRACE look up. A STRANGER waits. A MAN.\n\n"
    spoken = "".join(f"{name}\nHi.\n\n" for name in ("WAITRESS", "GRACE", "STRANGER", "MAN"))
    assert [one.cast for one in _read(first + spoken + scene).scenes[1:]] == [("WAITRESS", "STRANGER"), ()]
    both = _read(first + spoken + "OLD WAITRESS\nHi.\n\n" + scene)
    assert both.scenes[1].cast == ("STRANGER",)


@pytest.mark.parametrize("name", ["TEENAGERS", "THUGS", "NUNS", "TWO NUNS", "FISHERMEN", "THREE SISTERS", "BULLIES"])
def test_many_at_once_are_extras(name: str) -> None:
    assert names.is_extra(name)


@pytest.mark.parametrize("name", ["CARMEN", "BEAMEN", "AGENT 47", "ROSS", "JAMES", "TWO-FACE", "SEVEN OF NINE"])
def test_names_that_only_look_like_many_are_names(name: str) -> None:
    assert not names.is_extra(name)


def test_a_kind_that_comes_with_two_numbers_is_extras() -> None:
    found = _read("INT. A - DAY\n\nSTORMTROOPER 1\nLook.\n\nSTORMTROOPER 2\nDroids.\n\nDROID 5\nBeep.\n")
    assert found.scenes[0].extras == ("STORMTROOPER 1", "STORMTROOPER 2")
    assert _people(found) == {"DROID 5": 1}


def test_an_extra_whom_a_list_describes_stays_one() -> None:
    found = _read("人物小传\n保镖甲：男，30岁。\n\n1-1 日 内 家\n△保镖甲走进来。\n", "a.txt")
    assert (found.scenes[0].cast, found.scenes[0].extras, found.characters) == ((), ("保镖甲",), ())


def test_nobody_is_there_who_is_written_of_or_not_there() -> None:
    first = "INT. A - DAY\n\nJOE\nHi.\n\nKATE\nHi.\n\n"
    for action in ("A letter to Joe.", 'SUPER: "Joe, 1999"', "It is not Joe.", "No sign of Joe.", 'TITLE CARD: "Joe"'):
        assert _read(f"{first}INT. B - DAY\n\n{action}\n").scenes[1].cast == (), action


def test_an_introduction_does_not_end_at_a_short_title() -> None:
    found = _read("INT. A - DAY\n\nDust. DET. SARA KLEIN (40s) enters. She sits.\n\nSARA\nHi.\n")
    assert found.characters[0].description == "DET. SARA KLEIN (40s) enters."


EVIL: dict[str, Callable[[int], str]] = {
    "sentences": lambda size: "INT. A - DAY\n\nANN\nHi.\n\n" + "Then ANN. " * (size // 2),
    "one first name": lambda size: (
        "INT. A - DAY\n\n"
        + "".join(f"SARAH X{number:x}Q\nHi.\n\n" for number in range(size))
        + "\n".join(["Sarah sat. " * 50] * (size // 50))
    ),
    "spellings": lambda size: (
        "INT. A - DAY\n\n"
        + "".join(
            "".join(letter + "'-."[number // 3**at % 3] for at, letter in enumerate("SARAHCONNORLE")) + "Z\nHi.\n\n"
            for number in range(size)
        )
    ),
    "aliases": lambda size: (
        "人物小传\n林晚：女\n" + "".join(f"别名：甲{number}\n" for number in range(size)) + "1-1 日 内 家\n林晚：好。\n"
    ),
    "one Chinese beginning": lambda size: (
        "1-1 日 内 家\n"
        + "".join(f"林晚{chr(0x4E00 + number)}：好。\n" for number in range(size))
        + "△"
        + "林晚走。" * size
    ),
    "chain of aliases": lambda size: (
        "CAST OF CHARACTERS\n\n"
        + "".join(f"ANNA{number}X, 30, also known as ANNA{number - 1}X.\n" for number in range(1, size))
        + "\nINT. A - DAY\n\nANNA0X\nHi.\n"
    ),
}


def _seconds(text: str) -> float:
    script = read(text, name="a.txt")
    began = time.thread_time()
    break_down(script)
    return time.thread_time() - began


@pytest.mark.parametrize("evil", EVIL)
def test_eight_times_the_names_are_about_eight_times_the_work(evil: str) -> None:
    assert_at_most(16, lambda: _seconds(EVIL[evil](500)), lambda: _seconds(EVIL[evil](4_000)))
