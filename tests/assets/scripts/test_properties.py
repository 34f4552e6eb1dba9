"""What holds for any text, and that a screenplay that was written from a model is read as that model."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.scripts import Breakdown, Format, Script, break_down, names, pieces, read, reading
from assets.scripts.elements import Kind
from jobs.errors import JointoError
from tests.assets.scripts.models import HEADERS, HeaderWriter, Model, models

SCRIPTISH = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(
                    "INT. HOUSE - DAY",
                    "EXT. ROAD",
                    "SARAH",
                    "SARAH (V.O.)",
                    "Hello.",
                    "(quietly)",
                    "CUT TO:",
                    "> FADE OUT.",
                ),
                *(
                    "# Act",
                    "= synopsis",
                    "[[note",
                    "]]",
                    "/*",
                    "*/",
                    "@Tom",
                    ".HALL",
                    "!BANG",
                    "~la",
                    "===",
                    "^",
                    "",
                    "  ",
                ),
                *(
                    "第一集",
                    "1-1 日 内 客厅",
                    "人物：林晚、陆沉",
                    "林晚：你好",
                    "△她走了",
                    "【闪回】",
                    "人物小传",
                    "林晚（女，24岁）：设计师",
                ),
                *(
                    "场景：家",
                    "时间：夜",
                    "CAST OF CHARACTERS",
                    "12.",
                    "(MORE)",
                    "ACT ONE",
                    "SCENE 2",
                    "TOM: Hi",
                    "“走。”林晚说。",
                ),
            ]
        ),
        st.text(max_size=40),
    ),
    max_size=30,
).map("\n".join)
QUICK = settings(max_examples=80)


def _check(script: Script, breakdown: Breakdown) -> None:
    last = script.text.count("\n") + 1
    firsts = [scene.span.first_line for scene in breakdown.scenes]
    assert firsts == sorted(firsts)
    assert [scene.index for scene in breakdown.scenes] == list(range(len(firsts)))
    spans = [scene.span for scene in breakdown.scenes] + [one.span for one in breakdown.characters]
    spans += [prop.span for prop in breakdown.props] + [cue.span for scene in breakdown.scenes for cue in scene.cues]
    assert all(1 <= span.first_line <= span.last_line <= last for span in spans)
    for one, other in zip(breakdown.scenes, breakdown.scenes[1:], strict=False):
        assert one.span.last_line < other.span.first_line
    known = {character.name for character in breakdown.characters}
    assert all(set(scene.cast) <= known for scene in breakdown.scenes)
    confidences = [scene.confidence for scene in breakdown.scenes] + [one.confidence for one in breakdown.characters]
    assert all(0 <= confidence <= 1 for confidence in confidences)
    assert len(known) == len(breakdown.characters)


@QUICK
@given(SCRIPTISH, st.sampled_from(["", "a.fountain", "a.txt", "a.docx", "\0"]))
def test_any_text_can_be_taken_apart(text: str, name: str) -> None:
    script = read(text, name=name)
    _check(script, break_down(script))


@QUICK
@given(SCRIPTISH, st.sampled_from(list(Format)))
def test_any_text_can_be_taken_apart_by_every_reader(text: str, form: Format) -> None:
    script = Script(format=form, title="", text=read(text).text, encoding="")
    _check(script, break_down(script))
    lines = [element.line for element in reading.elements(script)]
    assert lines == sorted(lines)


@QUICK
@given(st.binary(max_size=300))
def test_any_bytes_are_a_script_or_refused(data: bytes) -> None:
    try:
        script = read(data, name="a.txt")
    except JointoError as error:
        assert error.code == "script_unreadable"
        assert error.status == 422
        return
    assert "\0" not in script.text
    assert script.text.encode().strip()
    _check(script, break_down(script))


@QUICK
@given(SCRIPTISH, st.integers(min_value=1, max_value=200))
def test_pieces_are_the_text_and_no_longer_than_asked(text: str, characters: int) -> None:
    script = read(text)
    parts = pieces(script, characters=characters)
    assert "".join(parts) == script.text
    assert all(0 < len(part) <= characters for part in parts)


def _same(model: Model, breakdown: Breakdown) -> None:
    assert [(s.place_name, s.place.value, s.time) for s in breakdown.scenes] == [
        (s.place_name, s.place, s.time) for s in model.scenes
    ]
    for scene, wanted in zip(breakdown.scenes, model.scenes, strict=True):
        assert [(names.key(cue.speaker), cue.lines) for cue in scene.cues] == [
            (names.key(cue.speaker), len(cue.lines)) for cue in wanted.cues
        ]
        assert {names.key(name) for name in scene.cast} == {names.key(cue.speaker) for cue in wanted.cues}
    speakers = {names.key(cue.speaker) for scene in model.scenes for cue in scene.cues}
    assert {names.key(character.name) for character in breakdown.characters} == speakers


@QUICK
@given(models(chinese=False))
def test_fountain_that_was_written_from_a_model_is_read_as_that_model(model: Model) -> None:
    script = read(model.fountain(), name="a.fountain")
    assert script.format is Format.FOUNTAIN
    _same(model, break_down(script))


@QUICK
@given(models(chinese=False))
def test_final_draft_that_was_written_from_a_model_is_read_as_that_model(model: Model) -> None:
    script = read(model.fdx().encode(), name="a.fdx")
    assert script.format is Format.FDX
    _same(model, break_down(script))
    _same(model, break_down(read(script.text, name="a.fountain")))


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header("1-1", "客厅", "内", "日"))
@settings(QUICK, max_examples=25)
@given(model=models(chinese=True))
def test_every_chinese_header_is_read_as_the_model_it_was_written_from(header: HeaderWriter, model: Model) -> None:
    script = read(model.chinese(header).encode("gb18030"), name="a.txt")
    assert script.format is Format.CHINESE
    _same(model, break_down(script))


@QUICK
@given(st.text(max_size=60))
def test_texts_of_final_draft_stay_what_they_are(text: str) -> None:
    """Whatever stands in an action is an action, and in what somebody says, is said."""
    bare = "".join(sign for sign in text if sign.isprintable() and not 0xD800 <= ord(sign) <= 0xDFFF)
    paragraphs = [
        ("Scene Heading", "INT. HOUSE - DAY"),
        ("Action", bare),
        ("Character", "SARAH"),
        ("Dialogue", f"I say {bare}"),
    ]
    body = "".join(f'<Paragraph Type="{kind}"><Text>{escape(said)}</Text></Paragraph>' for kind, said in paragraphs)
    script = read(f"<FinalDraft><Content>{body}</Content></FinalDraft>", name="a.fdx")
    kinds = [element.kind for element in reading.elements(script)]
    assert kinds.count(Kind.HEADING) == 1
    assert [cue.speaker for scene in break_down(script).scenes for cue in scene.cues] == ["SARAH"]
