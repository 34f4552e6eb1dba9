"""Which lines are names that speak, who speaks at once, and what of it is said."""

from __future__ import annotations

import pytest

from assets.scripts import Breakdown, break_down, episodes, lines, read


def _read(text: str, name: str = "a.fountain") -> Breakdown:
    return break_down(read(text, name=name))


def _speakers(text: str) -> list[str]:
    return [cue.speaker for scene in _read(text).scenes for cue in scene.cues]


@pytest.mark.parametrize(
    "name", ["BLACK WIDOW", "SHE-HULK", "HER FATHER", "MUSIC TEACHER", "SOUND ENGINEER", "IN-LAW", "PAGE TURNER"]
)
def test_a_name_may_begin_with_a_word_of_the_camera(name: str) -> None:
    assert _speakers(f"INT. A - DAY\n\n{name}\nHi.\n") == [name]


@pytest.mark.parametrize("name", ["CRANE", "FLASH", "PAN", "PAGE", "IT", "TAG", "MATCH", "IRIS"])
def test_a_word_of_the_camera_is_a_name_where_it_comes_again_or_is_only_heard(name: str) -> None:
    assert _speakers(f"INT. A - DAY\n\nANN\nHi.\n\n{name}\nHi.\n") == ["ANN"]
    assert _speakers(f"INT. A - DAY\n\n{name}\nHi.\n\nANN\nHi.\n\n{name}\nHi.\n") == [name, "ANN", name]
    for extension in ("(V.O.)", "(O.S.)", "(CONT'D)"):
        assert _speakers(f"INT. A - DAY\n\n{name} {extension}\nHi.\n") == [name]


@pytest.mark.parametrize(
    "line",
    [
        *(
            "CRANE UP",
            "PAN TO THE DOOR",
            "FLASH OF LIGHT",
            "CLOSE ON ANN",
            "SCENE 12",
            "PAGE 3",
            "LATER",
            "ANGLE ON ANN",
        ),
        *(
            "BACK AT THE CABIN",
            "SOUND OF RAIN",
            "MUSIC SWELLS",
            "ACT TWO",
            "IN THE HALL",
            "IT RAINS",
            "MONTAGE (CONT'D)",
        ),
    ],
)
def test_a_word_of_the_camera_and_where_it_looks_is_no_name_however_often(line: str) -> None:
    assert _speakers(f"INT. A - DAY\n\nANN\nHi.\n\n{line}\nHe goes.\n\n{line}\nHe comes.\n") == ["ANN"]


@pytest.mark.parametrize("name", ["McCLANE", "MacREADY", "DeNIRO", "LeBEAU", "d'ARTAGNAN", "McCLANE (V.O.)"])
def test_a_name_with_a_small_prefix_is_in_capitals(name: str) -> None:
    assert _speakers(f"INT. A - DAY\n\n{name}\nHi.\n") == [name.removesuffix(" (V.O.)")]
    assert _speakers("INT. A - DAY\n\nAnn McCLANE\nsits.\n") == []


def test_several_who_speak_at_once_are_counted_each() -> None:
    each = "".join(f"{name}\nHi.\n\n" for name in ("SARAH", "TOM", "ANN"))
    at_once = ("SARAH, TOM AND ANN", "TOM, ANN", "SARAH (O.S.)/TOM (O.S.)", "BO, PEEP")
    found = _read(f"INT. A - DAY\n\n{each}" + "".join(f"{name}\nHey!\n\n" for name in at_once))
    assert {one.name: one.lines for one in found.characters} == {"SARAH": 3, "TOM": 4, "ANN": 3, "BO, PEEP": 1}
    assert [cue.speaker for cue in found.scenes[0].cues[3:]] == ["SARAH/TOM/ANN", "TOM/ANN", "SARAH/TOM", "BO, PEEP"]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        *(("(quietly)", True), ("(he (Tom) nods)", True), ("(to himself", True), ("(laughs) No.", False)),
        *(("(beat) Maybe. (shrugs)", False), ("No. (laughs)", False), ("(laughs) " + "No. " * 40 + "(sits)", False)),
    ],
)
def test_a_parenthetical_closes_where_its_line_ends(line: str, wanted: bool) -> None:
    assert lines.is_parenthetical(line) is wanted
    assert _read(f"INT. A - DAY\n\nANN\nHi.\n{line}\n").scenes[0].cues[0].lines == (1 if wanted else 2)


def _final_draft(*paragraphs: tuple[str, str], heading: str = "") -> str:
    body = "".join(f'<Paragraph Type="{kind}"><Text>{text}</Text></Paragraph>' for kind, text in paragraphs)
    first = f'<Paragraph Type="Scene Heading">{heading}<Text>INT. BANK - DAY</Text></Paragraph>'
    return f"<FinalDraft><Content>{first}{body}</Content></FinalDraft>"


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("Dialogue", "(laughs) No.", 1),
        ("Dialogue", "(No.)", 1),
        ("Parenthetical", "(laughs)", 0),
        ("Parenthetical", "laughs", 0),
        ("Parenthetical", "(laughs) and (cries)", 0),
    ],
)
def test_in_final_draft_the_paragraph_says_whether_it_is_spoken(kind: str, text: str, said: int) -> None:
    script = read(_final_draft(("Character", "NORA"), (kind, text), ("Dialogue", "Yes.")), name="a.fdx")
    assert break_down(script).scenes[0].cues[0].lines == said + 1
    assert break_down(read(script.text, name="a.fountain")).scenes[0].cues[0].lines == said + 1


def test_what_final_draft_marks_in_a_scene_adds_to_who_is_found_there() -> None:
    beats = "".join(f'<CharacterArcBeat Name="{name}"/>' for name in ("BERT'S VOICE", "MR_X"))
    text = _final_draft(
        ("Action", "Nora waits."),
        ("Character", "BERT'S VOICE"),
        ("Dialogue", "Hi."),
        ("Scene Heading", "INT. VAN - DAY"),
        ("Character", "NORA"),
        ("Dialogue", "Hi."),
        heading=f"<SceneProperties><SceneArcBeats>{beats}</SceneArcBeats></SceneProperties>",
    )
    found = _read(text, "a.fdx")
    assert set(found.scenes[0].cast) == {"NORA", "BERT", "MR_X"}
    assert {one.name for one in found.characters} == {"NORA", "BERT", "MR_X"}
    listed = _read("INT. A - DAY\n\n[[Cast: ANN]]\n\nBob waits.\n\nINT. B - DAY\n\nBOB\nHi.\n")
    assert listed.scenes[0].cast == ("ANN",)


def test_nobody_announces_an_episode_by_speaking_of_it() -> None:
    spoken = "".join(
        f"ANN\n{said}\n\n"
        for said in ("E4.", "E5", "Episode two was better.", "Ep 3 sucked, though.", "EPISODE 3", "第二回 你骗我")
    )
    assert episodes(read(f"INT. CLUB - DAY\n\n{spoken}")) == []
