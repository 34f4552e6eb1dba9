"""Texts of drafts, in the three ways in which they have been written over the years."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.videos.timeline.capcut.drafts import SECOND, Paper, codes, read, segment
from videos.timeline.model import Kind
from videos.timeline.texts import Align, Box, Span, Stroke, Style, Text


def written(content: str, segments: int = 1, **says: Any) -> tuple[Text, list[str]]:
    """The first text of a track, and what is remarked."""
    paper = Paper()
    text = paper.material("texts", content=content, **says)
    paper.track("text", *(segment(text, number * SECOND, SECOND, source=None) for number in range(segments)))
    draft = read(paper)
    (track,) = draft.timeline.tracks
    assert track.kind is Kind.TEXT
    assert len(track.texts) == segments
    return track.texts[0], codes(draft)


def solid(*colour: float, **says: Any) -> dict[str, Any]:
    return {"fill": {"content": {"solid": {"color": list(colour)}}}} | says


def test_a_plain_string_looks_as_the_fields_beside_it_say() -> None:
    text, said = written(
        "First\r\nSecond",
        font_size=8,
        text_color="#ff0000",
        border_color="#00ff00",
        border_width=0.08,
        background_color="#0000ff",
        background_alpha=0.5,
        alignment=1,
        italic_degree=10,
        font_path="C:/fonts/Source Han Sans.ttf",
        has_shadow=True,
        shadow_color="#112233",
        shadow_alpha=0.9,
        shadow_distance=10,
        shadow_angle=0,
    )
    assert text.text == "First\nSecond"
    assert text.style == Style(
        font="Source Han Sans",
        size=0.08,
        colour="#ff0000",
        italic=True,
        stroke=Stroke(colour="#00ff00", width=0.08),
    )
    assert (text.align, text.box) == (Align.CENTRE, Box(colour="#0000ff", opacity=0.5, padding=0.14))
    assert text.shadow is not None
    assert (text.shadow.colour, text.shadow.x, text.shadow.y) == ("#112233", 0.1, 0)
    assert said == []


def test_flags_say_which_of_the_fields_hold() -> None:
    stale: dict[str, Any] = {
        "border_color": "#00ff00",
        "border_width": 0.1,
        "background_color": "#0000ff",
        "has_shadow": True,
    }
    text, _ = written("x", check_flag=7, **stale)
    assert (text.style.stroke, text.box, text.shadow) == (None, None, None)
    text, _ = written("x", check_flag=63, **stale)
    assert None not in (text.style.stroke, text.box, text.shadow)


def test_tags_change_what_follows_until_they_are_closed() -> None:
    text, said = written(
        '<font id="" path="D:/f/Kai.ttf"><color=(1.0, 0.0, 0.0, 1.0)><size=5.0>[a < b]</size></color>'
        "<color=(0, 0, 1, 1)><size=10><b>[big]</b></size></color></font>"
    )
    assert text.text == "a < bbig"
    assert text.style == Style(font="Kai", size=0.05, colour="#ff0000")
    assert text.spans == (Span(first=5, after=8, style=Style(font="Kai", size=0.1, colour="#0000ff", bold=True)),)
    assert said == []


def test_ranges_count_units_of_utf_16() -> None:
    styles = [
        solid(1, 1, 1, range=[0, 3], size=10),
        solid(1, 0, 0, range=[3, 5], size=10, strokes=[{"width": 0.1, "content": {"solid": {"color": [0, 0, 0]}}}]),
        solid(1, 1, 1, range=[5, 6], size=10),
    ]
    text, said = written(json.dumps({"text": "\U0001f600a\U0001f601b", "styles": styles}))
    red = Style(size=0.1, colour="#ff0000", stroke=Stroke(width=0.1))
    assert text.text == "\U0001f600a\U0001f601b"
    assert text.style == Style(size=0.1)
    assert text.spans == (Span(first=2, after=3, style=red),)
    assert said == []


def test_what_no_range_speaks_of_looks_as_the_first_one_says() -> None:
    styles = [solid(0, 1, 0, range=[0, 1], size=8, bold=True), solid(1, 0, 0, range=[40, 2]), 5]
    text, _ = written(json.dumps({"text": "abc", "styles": styles}))
    assert (text.style, text.spans) == (Style(size=0.08, colour="#00ff00", bold=True), ())
    text, _ = written(json.dumps({"text": "abc"}), font_size=9)
    assert (text.text, text.style) == ("abc", Style(size=0.09))


@pytest.mark.parametrize("content", ['{"text": 5}', '{"text": "a"', "{" * 50_000, "[x]", "a <b> c", "<3"])
def test_what_is_of_no_known_way_is_shown_as_it_stands(content: str) -> None:
    text, _ = written(content)
    assert text.text == content[:5000]


def test_half_of_a_pair_is_replaced_and_control_characters_are_dropped() -> None:
    text, _ = written(json.dumps({"text": "a\ud83db\x00c\u2028d"}))
    assert text.text == "a\ufffdbc\nd"


def test_a_long_text_is_cut_once_for_each_segment() -> None:
    text, said = written("x" * 6000, segments=3)
    assert (len(text.text), said) == (5000, ["text_shortened"] * 3)


def test_what_letters_can_not_be_is_remarked() -> None:
    gradient = {"range": [0, 1], "fill": {"content": {"render_type": "gradient"}}}
    _, said = written(json.dumps({"text": "a", "styles": [gradient]}), typesetting=1)
    assert said == ["text_effect_left_out", "vertical_text_approximated"]


BOX = {"background_color": "#000000", "background_alpha": 1.0}


@pytest.mark.parametrize(
    ("content", "says", "word"),
    [
        ("x", BOX, None),
        ("x", BOX | {"background_width": 0.2, "background_height": 0.2, "background_style": 1}, None),
        ("x", BOX | {"background_round_radius": 0.4}, "corners"),
        ("x", BOX | {"background_horizontal_offset": 0.2}, "corners"),
        ("x", BOX | {"background_height": 0.3}, "corners"),
        ("x", BOX | {"background_style": 2}, "corners"),
        ("x", {"background_round_radius": 0.4}, None),
        ("x", {"border_color": "#ff0000", "border_width": 0.1}, None),
        ("x", {"border_color": "#ff0000", "border_width": 0.1, "border_alpha": 0.5}, "opaque"),
        ("x", {"border_color": "#ff0000", "border_width": 0.1, "border_alpha": 0.0}, None),
        ([solid(1, 1, 1, strokes=[{"width": 0.1}])], {}, None),
        ([solid(1, 1, 1, strokes=[{"width": 0.1}, {"width": 0.2}])], {}, "opaque"),
        ([solid(1, 1, 1, strokes=[{"width": 0.1, "content": {"solid": {"alpha": 0.5}}}])], {}, "opaque"),
        ([solid(1, 1, 1, 0.5)], {}, None),
        ([solid(1, 1, 1, range=[0, 1]), solid(1, 1, 1, 0.5, range=[1, 2])], {}, "as opaque as"),
        ([solid(1, 1, 1, range=[0, 1]), solid(1, 1, 1, shadows=[{"distance": 9}], range=[1, 2])], {}, "shadow"),
    ],
)
def test_what_a_text_can_not_have_is_remarked(content: Any, says: dict[str, Any], word: str | None) -> None:
    paper = Paper()
    if not isinstance(content, str):
        content = json.dumps({"text": "xy", "styles": content})
    paper.track("text", segment(paper.material("texts", content=content, **says), 0, SECOND, source=None))
    report = read(paper).report
    assert [remark.code for remark in report] == ["text_approximated"] * bool(word)
    assert all(word and word in remark.message for remark in report)


def test_a_stroke_that_is_not_seen_is_none() -> None:
    hidden = {"width": 0.1, "content": {"solid": {"color": [1, 0, 0], "alpha": 0}}}
    text, _ = written(json.dumps({"text": "a", "styles": [solid(1, 1, 1, strokes=[hidden])]}))
    assert text.style.stroke is None
    text, _ = written("a", border_color="#ff0000", border_width=0.1, border_alpha=0)
    assert text.style.stroke is None


def test_a_template_shows_its_letters() -> None:
    paper = Paper()
    parts = [paper.material("texts", content=content) for content in ("One", "Two")]
    template = paper.material("text_templates", text_info_resources=[{"text_material_id": part} for part in parts])
    paper.track("sticker", segment(template, 0, SECOND))
    draft = read(paper)
    assert draft.timeline.tracks[0].texts[0].text == "One\nTwo"
    assert codes(draft) == ["text_template_approximated"]


@pytest.mark.parametrize(
    ("says", "place", "kind"),
    [
        ({}, {"y": -0.8}, Kind.SUBTITLES),
        ({}, {"y": 0.8}, Kind.TEXT),
        ({}, {"x": 0.5, "y": -0.8}, Kind.TEXT),
        ({"type": "text"}, {"y": -0.8}, Kind.TEXT),
        ({"text_color": "#ff0000"}, {"y": -0.8}, Kind.TEXT),
        ({"background_color": "#000000"}, {"y": -0.8}, Kind.TEXT),
    ],
)
def test_subtitles_are_what_was_made_as_such_and_looks_like_nothing_else(
    says: dict[str, Any], place: dict[str, float], kind: Kind
) -> None:
    paper = Paper()
    text = paper.material("texts", **({"content": "Said", "type": "subtitle"} | says))
    paper.track("text", segment(text, 0, SECOND, clip={"transform": place}))
    assert [track.kind for track in read(paper).timeline.tracks] == [kind]


def test_texts_that_lie_over_one_another_are_on_several_tracks() -> None:
    paper = Paper()
    text = paper.material("texts", content="x")
    paper.track("text", segment(text, 0, 2 * SECOND), segment(text, SECOND, 2 * SECOND), segment("none", 0, SECOND))
    draft = read(paper)
    assert [len(track.texts) for track in draft.timeline.tracks] == [1, 1]
    assert codes(draft) == ["text_missing", "segment_moved"]
