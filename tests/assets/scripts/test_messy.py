"""Rules of scripts that were typed by hand or copied out of something, each with what it must not take along."""

from __future__ import annotations

import pytest

from assets.scripts import Breakdown, break_down, episodes, read
from assets.scripts.breakdown import Format, Script


def _read(text: str) -> Breakdown:
    return break_down(Script(format=Format.SCREENPLAY, title="", text=text, encoding=""))


def _said(found: Breakdown) -> list[tuple[str, int]]:
    return [(cue.speaker, cue.lines) for scene in found.scenes for cue in scene.cues]


@pytest.mark.parametrize("name", ["DR. LEE", "MRS. O'NEIL", "J. R. SMITH", "BOB JR.", "Dr. Lee"])
def test_names_before_a_colon_have_periods_behind_titles_and_initials(name: str) -> None:
    found = _read(f"INT. A - DAY\n\nANN: Who?\n{name}: Hello.\nANN: You?\n{name}: Yes. Me: both.\n")
    assert [speaker for speaker, _ in _said(found)] == ["ANN", name, "ANN", name]


def test_a_sentence_before_a_colon_is_no_name() -> None:
    found = _read("INT. A - DAY\n\nANN: Who?\nBOB: Me.\nANN: You?\nBOB: No.\n\nShe sits. A. It is: a door.\n")
    assert _said(found) == [("ANN", 1), ("BOB", 1)] * 2


def test_titles_are_no_names_before_a_period_either() -> None:
    found = _read("ACT I SCENE 1. A hall\n\nDR. LEE. Who?\nHAMLET. Me.\nDR. LEE. You?\nHAMLET. Aye.\n")
    assert [speaker for speaker, _ in _said(found)] == ["DR. LEE", "HAMLET", "DR. LEE", "HAMLET"]


INLINE = """INT. OFFICE - DAY

BOB: Did you get the memo?

ALICE: What memo?

BOB: The one about the fire.

There is an alarm. Nobody moves.

ALICE: Oh. That one.

EXT. LOT - DAY

Everybody stands around.

BOB: Is it bad?

They look at the smoke.
"""


def test_a_blank_line_ends_what_is_said_behind_a_colon_even_where_all_lines_have_one() -> None:
    assert [lines for _, lines in _said(_read(INLINE))] == [1] * 5
    going_on = INLINE.replace("memo?\n\nALICE", "memo?\nThe second one.\n\nALICE")
    assert [lines for _, lines in _said(_read(going_on))][:2] == [2, 1]


def test_a_sentence_that_goes_on_in_the_line_below_is_read_as_one() -> None:
    found = _read(
        "EXT. RIVER - DAY\n\nTwo figures in a canoe: HANK MARLOW\n(50s), sunburnt, and his daughter\n"
        "BETH (17), bored.\n\nHANK\nNo.\n\nINT. CABIN - DAY\n\nMRS. MARLOW\nYes.\n\nA fire. Nobody but\nthe dog.\n"
    )
    assert {one.name: one.age for one in found.characters} == {"HANK": "50s", "BETH": "17", "MRS. MARLOW": ""}
    assert [(scene.span.first_line, scene.span.last_line) for scene in found.scenes] == [(1, 8), (10, 16)]


def test_names_in_capitals_below_each_other_are_not_run_together() -> None:
    found = _read("INT. A - DAY\n\nOn the wall three names\nANN\n\nANN\nHi.\n\nBOB\nHi.\n\nANN\nBye.\n")
    assert {one.name for one in found.characters} == {"ANN", "BOB"}


def test_back_at_the_cabin_opens_a_scene_of_less_certainty() -> None:
    found = _read(
        "EXT. ROAD - DAY\n\nANN\nHi.\n\nBACK AT THE CABIN\n\nBob packs.\n\nANN\nBye.\n\nBACK TO SCENE\n\nBACK AT IT\n"
        "Hi.\n"
    )
    assert [(scene.place_name, scene.confidence) for scene in found.scenes] == [("ROAD", 0.8), ("CABIN", 0.6)]


@pytest.mark.parametrize("mark", ["# EPISODE {}: The {}", "EPISODE {}: THE {}", "Episode {} - The {}", "EP. {}"])
def test_an_episode_that_begins_below_a_speech_is_nobody_who_speaks(mark: str) -> None:
    told = "\n\nINT. ROOM {0} - DAY\n\nIt rains.\n\nANN: Where are you?\n\nBEN: Here.\n\nANN: Still?\n\nBEN: Still."
    text = "\n\n".join(mark.format(number, "Lamp") + told.format(number) for number in (1, 2, 3))
    script = read(text)
    assert [one.number for one in episodes(script)] == [1, 2, 3]
    assert {one.name for one in break_down(script).characters} == {"ANN", "BEN"}


def test_a_pasted_fountain_is_divided_at_its_sections() -> None:
    told = "\n\nINT. ROOM - DAY\n\nIt rains.\n\nANN\nWhere are you?\n\nBEN\nHere.\n"
    text = "Title: It rains\n\n" + "\n".join(f"# EPISODE {number}: The Lamp{told}" for number in (1, 2, 3))
    assert [one.number for one in episodes(read(text))] == [1, 2, 3]
