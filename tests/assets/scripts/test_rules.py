"""Single rules, each with what it must not take for something else."""

from __future__ import annotations

import pytest

from assets.scripts import Breakdown, break_down, headings, lines, names, read
from assets.scripts.names import Said


def _read(text: str, name: str = "a.txt") -> Breakdown:
    return break_down(read(text, name=name))


def _speakers(found: Breakdown) -> list[str]:
    return [cue.speaker for scene in found.scenes for cue in scene.cues]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("INT. HOUSE - KITCHEN - NIGHT", ("", "HOUSE - KITCHEN", "inside", "night")),
        ("INT. APARTMENT, DAY", ("", "APARTMENT", "inside", "day")),
        ("12A  EXT. STREET - DAY  12A", ("12A", "STREET", "outside", "day")),
        ("I./E. CAR DAY", ("", "CAR", "both", "day")),
        ("INT./EXT. CAR - CONTINUOUS #7#", ("7", "CAR", "both", "continuous")),
        ("EXT. YARD - NIGHT [CONTINUOUS]", ("", "YARD", "outside", "night")),
        ("INT. HOUSE - DAY - FLASHBACK (1944)", ("", "HOUSE", "inside", "day")),
        ("EXT. BEACH - 3 AM", ("", "BEACH", "outside", "3 AM")),
        ("INT. DAY CARE CENTER", ("", "DAY CARE CENTER", "inside", "")),
        ("INT. ROOM 237", ("", "ROOM 237", "inside", "")),
    ],
)
def test_headings_are_taken_apart(text: str, wanted: tuple[str, str, str, str]) -> None:
    found = headings.read(text)
    assert (found.number, found.place_name, found.place.value, found.time) == wanted


@pytest.mark.parametrize("text", ["INTERNAL AFFAIRS IS WAITING", "EXTRA! EXTRA!", "Estonia wins.", "INTO THE WOODS"])
def test_words_that_only_begin_like_a_heading_are_none(text: str) -> None:
    assert not headings.starts_one(text)


@pytest.mark.parametrize(
    ("cue", "wanted"),
    [
        ("SARAH (V.O.) (CONT'D)", Said("SARAH", "V.O.")),
        ("SARAH (CONT’D)", Said("SARAH")),
        ("SARAH O.S.", Said("SARAH", "O.S.")),
        ("SARAH'S VOICE", Said("SARAH", "VOICE")),
        ("ROSS", Said("ROSS")),
        ("SAMMY DAVIS JR. (into phone", Said("SAMMY DAVIS JR.", "into phone")),
        ("林晚OS", Said("林晚", "OS")),
        ("老板的声音", Said("老板", "声音")),
    ],
)
def test_cues_are_names_and_how_they_speak(cue: str, wanted: Said) -> None:
    assert names.read(cue) == wanted


@pytest.mark.parametrize(
    "text", ["BANG!", "BACK IN THE HALL", "LATER", "CUT TO:", "CLOSE ON THE DOOR", "THE END", "12", "TITLE CARD:"]
)
def test_capitals_alone_make_no_name(text: str) -> None:
    assert not lines.may_speak(text)


def test_transitions_and_acts_are_neither_names_nor_scenes() -> None:
    for transition in ("CUT TO:", "FADE OUT.", "DISSOLVE TO:", "INTERCUT WITH:", "SMASH CUT TO BLACK"):
        found = _read(f"INT. A - DAY\n\nANN\nHi.\n\n{transition}\n\nACT TWO\n\nEXT. B - DAY\n\nANN\nBye.\n")
        assert _speakers(found) == ["ANN", "ANN"]
        assert len(found.scenes) == 2


def test_a_title_in_capitals_speaks_not() -> None:
    found = _read("THE LONG NIGHT\nby somebody\n\nINT. A - DAY\n\nANN\nHi.\n\nBOB\nHi.\n")
    assert [character.name for character in found.characters] == ["ANN", "BOB"]
    heard = _read("FADE IN:\n\nMUM (V.O.)\nOnce.\n\nINT. A - DAY\n\nANN\nHi.\n")
    assert {character.name for character in heard.characters} == {"ANN", "MUM"}


def test_what_pages_add_is_nothing_that_anybody_says() -> None:
    said = "HELEN\nWe have whales.\n(MORE)\n\nWHALES           {n}\nHELEN (CONT'D)\nThird shelf.\n\n"
    more = "(CONTINUED)\n\nWHALES           {m}\nCONTINUED:\n\nShe reads on.\n\n"
    pages = [(said + more).replace("{n}", str(2 * n)).replace("{m}", str(2 * n + 1)) for n in range(1, 5)]
    found = _read("INT. A - DAY\n\n" + "".join(pages))
    assert [(character.name, character.lines) for character in found.characters] == [("HELEN", 8)]
    assert _speakers(found) == ["HELEN"] * 8
    assert not found.scenes[0].extras


def test_fields_of_a_chinese_script_speak_not() -> None:
    found = _read(
        "剧名：雨夜\n类型：都市\n1-1 日 内 家\n人物：林晚\n道具：伞\n字幕：三年后\n音效：雷声\n镜头一：窗外\n"
        "她打开信，上面写着：今晚八点\n手机屏幕：未接来电\n△林晚喊了一声：谁！\n旁白：无人应答。\n林晚：是你。\n备注：夜戏\n"
    )
    assert _speakers(found) == ["旁白", "林晚"]
    assert [character.name for character in found.characters] == ["林晚"]
    assert found.title == "雨夜"


def test_who_speaks_at_once_is_counted_each() -> None:
    found = _read("INT. A - DAY\n\nANN\nHi.\n\nBOB\nHi.\n\nANN AND BOB\nHi!\n\nSALT AND PEPPER\nHello.\n")
    assert {one.name: one.lines for one in found.characters} == {"ANN": 2, "BOB": 2, "SALT AND PEPPER": 1}
    chinese = _read("1-1 日 内 家\n林晚：一。\n陆沉：二。\n林晚、陆沉：三！\n")
    assert {one.name: one.lines for one in chinese.characters} == {"林晚": 2, "陆沉": 2}


def test_boneyards_notes_and_synopses_are_not_in_the_film() -> None:
    found = _read(
        "INT. A - DAY\n\n/* INT. B - DAY\n\nBOB\nHi. */\n\n= INT. C - DAY\n\n[[ANN\nleaves]]\n\nCY\nHi.\n", "a.fountain"
    )
    assert [scene.place_name for scene in found.scenes] == ["A"]
    assert _speakers(found) == ["CY"]
