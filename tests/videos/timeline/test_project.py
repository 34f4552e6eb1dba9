"""Timelines as people write them: read back the same, and every mistake named."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videos.timeline import project
from videos.timeline.model import Canvas, Clip, Crop, Fit, Kind, Mask, Shape, Sound, Timeline, Track
from videos.timeline.motion import Easing, Keyframe, Motion, Transform
from videos.timeline.project import TimelineInvalid
from videos.timeline.texts import Align, Box, Span, Stroke, Style, Text
from videos.timeline.values import SECOND

SMALL: dict[str, Any] = {
    "canvas": {"width": 1280, "height": 720, "rate": "30000/1001", "background": "#102030"},
    "tracks": [
        {"kind": "video", "clips": [{"start": 0, "duration": 1000, "material": "a"}]},
        {"kind": "audio", "clips": [{"start": 0, "duration": 1000, "material": "b", "sound": {"volume": 0.5}}]},
    ],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The small timeline with one value set, wherever that is."""
    document: dict[str, Any] = json.loads(json.dumps(SMALL))
    place: Any = document
    *way, last = path.split(".")
    for key in way:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[int(last) if isinstance(place, list) else last] = value
    return document


def problems(document: Any) -> list[dict[str, str]]:
    with pytest.raises(TimelineInvalid) as caught:
        project.parse(document)
    found: list[dict[str, str]] = caught.value.details["problems"]
    assert caught.value.status == 422
    assert found
    return found


def test_a_timeline_is_read() -> None:
    timeline = project.parse(SMALL)
    assert timeline.canvas == Canvas(width=1280, height=720, rate=Fraction(30000, 1001), background="#102030")
    assert [track.kind for track in timeline.tracks] == [Kind.VIDEO, Kind.AUDIO]
    assert timeline.tracks[1].clips[0].sound == Sound(volume=0.5)
    assert project.parse({}) == Timeline()


CLIP = "tracks.0.clips.0"
MALFORMED: dict[str, tuple[Any, ...]] = {
    "canvas.width": ("wide", 1281, 8, 5000, None, True, 1280.5),
    "canvas.rate": (0, 121, "fast", "1/0", float("nan"), "1e99999999", "9" * 5000, True, [30]),
    "canvas.background": ("red", "#12345", "#1234567", 0),
    "canvas.colour": ("#000000",),
    "tracks": (None, "none", {}, [None], [[]], [{"kind": "letters"}], [{}] * 101),
    f"{CLIP}.start": (-1, 1.5, "0", 10**18, None, True),
    f"{CLIP}.duration": (0, -5, 10**18, float("inf")),
    f"{CLIP}.material": ("", "x" * 101, 5, None),
    f"{CLIP}.speed": (0, -1, 1000, "0/0", "1e9", "-1/2"),
    f"{CLIP}.transform": ({"scale": 0}, {"rotation": float("nan")}, {"opacity": 2}, {"x": "left"}, {"z": 1}),
    f"{CLIP}.fit": ("fill", 0),
    f"{CLIP}.flip_x": ("perhaps", 7),
    f"{CLIP}.mask": (
        *("circle", {}, {"shape": "heart"}, {"shape": "circle", "width": 0}, {"shape": "line", "feather": 1.5}),
        *({"shape": "mirror", "x": 11}, {"shape": "rectangle", "corner": -1}, {"shape": "line", "invert": "so"}),
    ),
}


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, values in MALFORMED.items() for value in values], ids=str
)
def test_what_is_wrong_is_named_by_its_place(path: str, value: Any) -> None:
    begun = time.monotonic()
    found = problems(changed(path, value))
    assert time.monotonic() - begun < 1
    named = path.replace(".0", "[0]")
    assert all(problem["path"].startswith(named) for problem in found), found
    assert all(problem["problem"] for problem in found)


@pytest.mark.parametrize("document", [None, [], "timeline", 7, {"canvas": None}, {"tracks": 1}, {"name": "x"}])
def test_what_is_no_timeline_at_all_is_refused(document: Any) -> None:
    assert problems(document)


def test_every_mistake_is_named_at_once() -> None:
    document = changed(f"{CLIP}.start", -1)
    document["canvas"]["width"] = 7
    document["tracks"][1]["clips"][0]["sound"]["volume"] = 11
    paths = {problem["path"] for problem in problems(document)}
    assert paths == {"canvas.width", "tracks[0].clips[0].start", "tracks[1].clips[0].sound.volume"}


def test_contradictions_between_fields_are_named_too() -> None:
    piece = {"start": 0, "duration": 1000, "material": "a"}
    document = {
        "tracks": [
            {
                "kind": "video",
                "clips": [
                    piece | {"crop": {"left": 0.5, "right": 0.5}},
                    piece | {"start": 999},
                    piece | {"start": 1999, "sound": {"fade_in": 600, "fade_out": 500}},
                ],
            }
        ]
    }
    assert {(problem["path"], problem["problem"]) for problem in problems(document)} == {
        ("tracks[0].clips[0].crop", "Nothing is left of the picture"),
        ("tracks[0].clips[1].start", "The one before it ends at 1000 only"),
        ("tracks[0].clips[2].sound", "The fades are longer than the clip"),
    }


TWO = [{"start": 0, "duration": 1000, "material": "a"}, {"start": 1000, "duration": 500, "material": "b"}]
NEXT = {"start": 1500, "duration": 500, "material": "c"}


@pytest.mark.parametrize(
    ("track", "path", "problem"),
    [
        ({"kind": "text", "clips": TWO}, "clips", "A track of the kind text holds texts"),
        (
            {"kind": "audio", "texts": [{"start": 0, "duration": 5, "text": "x"}]},
            "texts",
            "of the kind audio holds clips",
        ),
        (
            {"kind": "video", "clips": [TWO[0], TWO[1] | {"transition": {"duration": 5}}]},
            "clips[1].transition",
            "No clip",
        ),
        (
            {"kind": "video", "clips": [TWO[0] | {"transition": {"duration": 5}}, NEXT]},
            "clips[0].transition",
            "No clip",
        ),
        (
            {"kind": "audio", "clips": [TWO[0] | {"transition": {"duration": 5}}, TWO[1]]},
            "clips[0].transition",
            "Only pic",
        ),
        (
            {
                "kind": "video",
                "clips": [TWO[0] | {"transition": {"duration": 700}}, TWO[1] | {"transition": {"duration": 302}}, NEXT],
            },
            "clips[1].transition",
            "The clip is shorter than its parts of the transitions",
        ),
        (
            {"kind": "video", "clips": [TWO[0] | {"transition": {"duration": 1001}}, TWO[1]]},
            "clips[1].transition",
            "The clip is shorter than its parts of the transitions",
        ),
        (
            {"kind": "video", "clips": [TWO[0] | {"freeze": True, "reverse": True}]},
            "clips[0].reverse",
            "A frame that stands",
        ),
        (
            {"kind": "video", "clips": [TWO[0] | {"motion": {"opacity": [{"at": 0, "value": 2}]}}]},
            "clips[0].motion.opacity[0].value",
            "Input should be less than or equal to 1",
        ),
        (
            {"kind": "video", "clips": [TWO[0] | {"motion": {"x": [{"at": 5, "value": 1}, {"at": 5, "value": 2}]}}]},
            "clips[0].motion.x[1].at",
            "Keyframes come in the order of their times",
        ),
        (
            {
                "kind": "text",
                "texts": [{"start": 0, "duration": 5, "text": "x", "motion": {"volume": [{"at": 0, "value": 1}]}}],
            },
            "texts[0].motion.volume",
            "A text is not heard",
        ),
        (
            {
                "kind": "text",
                "texts": [{"start": 0, "duration": 5, "text": "x", "spans": [{"first": 0, "after": 2, "style": {}}]}],
            },
            "texts[0].spans[0]",
            "Spans follow one another within the text",
        ),
        (
            {
                "kind": "text",
                "texts": [{"start": 0, "duration": 5, "text": "x"}, {"start": 4, "duration": 5, "text": "y"}],
            },
            "texts[1].start",
            "The one before it ends at 5 only",
        ),
        ({"kind": "text", "texts": [{"start": 0, "duration": 5, "text": "x\0"}]}, "texts[0].text", "NUL"),
        ({"kind": "text", "texts": [{"start": 0, "duration": 5, "text": "\ud800"}]}, "texts[0].text", "unicode"),
    ],
)
def test_what_can_not_be_together_is_named(track: dict[str, Any], path: str, problem: str) -> None:
    (found,) = problems({"tracks": [track]})
    assert found["path"] == f"tracks[0].{path}"
    assert problem in found["problem"]


def test_transitions_that_fill_a_clip_are_fine() -> None:
    clips = [
        TWO[0] | {"transition": {"duration": 500}},
        TWO[1] | {"transition": {"duration": 500, "kind": "wipe_left"}},
        NEXT,
    ]
    (track,) = project.parse({"tracks": [{"kind": "video", "clips": clips}]}).tracks
    transition = track.clips[0].transition
    assert transition
    assert (transition.before, transition.after) == (250, 250)


def test_too_many_clips_are_refused() -> None:
    pieces = [{"start": number, "duration": 1, "material": "a"} for number in range(project.MOST_CLIPS + 1)]
    assert problems({"tracks": [{"kind": "video", "clips": pieces}]})[0]["path"] == "tracks"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *((30, Fraction(30)), ("30", Fraction(30)), (29.97, Fraction(2997, 100)), ("23.976", Fraction(2997, 125))),
        *((29.97003, Fraction(30000, 1001)), ("30000/1001", Fraction(30000, 1001)), (59.94006, Fraction(60000, 1001))),
    ],
)
def test_a_rate_is_what_was_meant(written: Any, meant: Fraction) -> None:
    assert project.parse(changed("canvas.rate", written)).canvas.rate == meant


@pytest.mark.parametrize(("written", "meant"), [(1.37, Fraction(137, 100)), ("1/3", Fraction(1, 3)), (2, Fraction(2))])
def test_a_speed_is_what_was_written(written: Any, meant: Fraction) -> None:
    assert project.parse(changed(f"{CLIP}.speed", written)).tracks[0].clips[0].speed == meant


PARTS = st.floats(0, 0.49)
KEPT = st.characters(codec="utf-8", exclude_characters="\0")
CLIPS = st.builds(
    Clip,
    start=st.integers(0, 10 * SECOND),
    duration=st.integers(2 * SECOND, 5 * SECOND),
    material=st.text(KEPT, min_size=1, max_size=10),
    source_start=st.integers(0, SECOND),
    speed=st.fractions(Fraction(1, 100), 100, max_denominator=1000),
    sound=st.builds(Sound, volume=st.floats(0, 10), fade_in=st.integers(0, SECOND), fade_out=st.integers(0, SECOND)),
    fit=st.sampled_from(Fit),
    transform=st.builds(Transform, x=st.floats(-10, 10), scale=st.floats(0.01, 100), rotation=st.floats(-360, 360)),
    crop=st.builds(Crop, left=PARTS, right=PARTS, top=PARTS, bottom=PARTS),
    flip_x=st.booleans(),
    mask=st.none() | st.builds(Mask, shape=st.sampled_from(Shape), width=st.floats(0.1, 100), invert=st.booleans()),
)
TEXTS = st.builds(
    Text,
    start=st.integers(0, 10 * SECOND),
    duration=st.integers(1, 5 * SECOND),
    text=st.text(KEPT, min_size=2, max_size=10),
    spans=st.just((Span(first=0, after=2, style=Style(bold=True, stroke=Stroke())),)),
    align=st.sampled_from(Align),
    box=st.none() | st.builds(Box, padding=st.floats(0, 1)),
    motion=st.builds(Motion, x=st.just((Keyframe(at=0, value=-1.5, easing=Easing.HOLD), Keyframe(at=7, value=2)))),
)
TRACKS = st.builds(
    Track, kind=st.sampled_from([Kind.VIDEO, Kind.AUDIO]), clips=st.lists(CLIPS, max_size=1).map(tuple)
) | st.builds(Track, kind=st.sampled_from([Kind.TEXT, Kind.SUBTITLES]), texts=st.lists(TEXTS, max_size=1).map(tuple))
TIMELINES = st.builds(
    Timeline,
    canvas=st.builds(Canvas, rate=st.fractions(1, 120, max_denominator=1001)),
    tracks=st.lists(TRACKS, max_size=3).map(tuple),
)


@settings(max_examples=40)
@given(TIMELINES)
def test_what_is_written_is_read_back_the_same(timeline: Timeline) -> None:
    assert project.parse(json.loads(json.dumps(project.dump(timeline)))) == timeline


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PATHS = [*MALFORMED, f"{CLIP}.crop", f"{CLIP}.sound", f"{CLIP}.source_start", "tracks.0", CLIP]


@given(st.sampled_from(PATHS), JSON)
def test_nothing_raises_anything_but_what_names_the_mistake(path: str, value: Any) -> None:
    try:
        project.parse(changed(path, value))
    except TimelineInvalid as error:
        assert error.details["problems"]


def test_the_schema_names_every_field() -> None:
    text = json.dumps(project.schema())
    for name in (
        "background",
        "source_start",
        "speed",
        "opacity",
        "fade_out",
        "flip_y",
        "feather",
        "hidden",
        "transition",
        "motion",
        "spans",
    ):
        assert f'"{name}"' in text
