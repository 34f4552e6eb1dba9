"""Whatever JSON comes: a draft is read or refused, and nothing else happens; nor does it take long."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.videos.timeline.capcut.drafts import SECOND, Paper, segment
from videos.timeline import project
from videos.timeline.capcut import reading
from videos.timeline.capcut.reading import DraftInvalid

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 0.5, 1e308, -1e308, 1e-320, 10**30, 2**53, 12 * 3600 * SECOND),
    *(
        float("nan"),
        float("inf"),
        "",
        "1",
        "0.25",
        "-3",
        "nan",
        "x" * 20_000,
        "\ud800",
        "\x00",
        "#12345678",
        "9" * 5000,
    ),
    *("9" * 5000, [], {}, [[]], [{}], [None], {"start": 0, "duration": "1"}, [0, -5], {"x": 0, "y": float("-inf")}),
)


def everything() -> dict[str, Any]:
    """A draft with something of each kind in it."""
    paper = Paper(name="All")
    hung = [
        paper.material("speeds", speed=2.0, mode=1, curve_speed={"points": [1]}),
        paper.material("transitions", name="叠化", resource_id="6724845717472416269", duration=SECOND // 2),
        paper.material("canvases", type="canvas_color", color="#ff0000"),
        paper.material("audio_fades", fade_in_duration=9, fade_out_duration=SECOND),
        paper.material("effects", type="filter", name="Warm", value=0.5),
        paper.material("material_animations", animations=[{"name": "Fade In"}]),
        paper.material("masks", resource_type="circle", config={"centerX": 0.1, "feather": 0.2, "invert": False}),
    ]
    moving = [
        {
            "property_type": f"KFType{name}",
            "keyframe_list": [
                {"time_offset": -7, "values": [0.5], "curveType": "FreeCurveIn", "right_control": {"x": 9, "y": 1}},
                {"time_offset": SECOND, "values": [1], "curveType": "EaseOut", "left_control": {"x": -5, "y": 0}},
                {"time_offset": SECOND, "values": [1.5], "curveType": "Line"},
            ],
        }
        for name in ("PositionX", "ScaleX", "ScaleY", "Volume", "Brightness")
    ]
    clip = {
        "alpha": 0.5,
        "rotation": 30,
        "flip": {"horizontal": True},
        "scale": {"x": 2, "y": 1},
        "transform": {"x": 1, "y": 1},
    }
    film = paper.video(crop={"upper_left_x": 0.2, "lower_right_y": 0.7})
    content = {
        "text": "a\U0001f600b",
        "styles": [{"range": [0, 3], "size": 8, "strokes": [{"width": 0.1}], "shadows": [{"distance": 5}]}],
    }
    inside = Paper()
    inside.track("video", segment(inside.video("b.mp4"), 0, SECOND), segment(inside.video("c.mp4"), SECOND, SECOND))
    inside.track("text", segment(inside.material("texts", content="<size=5>[inside]"), 0, SECOND))
    compound = paper.material("drafts", type="combination", draft=inside.document())
    paper.track(
        "video",
        segment(film, 0, 2 * SECOND, *hung, clip=clip, common_keyframes=moving),
        segment(paper.photo(), 3 * SECOND // 2, SECOND, *hung[1:3], common_keyframes=moving),
        segment(paper.video(path=""), 5 * SECOND // 2, SECOND, compound, clip=clip, common_keyframes=moving),
    )
    paper.track("audio", segment(paper.sound(), 0, SECOND, hung[3], reverse=True), attribute=1)
    text = paper.material("texts", content=json.dumps(content), type="subtitle", background_color="#000000")
    template = paper.material("text_templates", text_info_resources=[{"text_material_id": text}])
    paper.track("text", segment(text, 0, SECOND, source=None, common_keyframes=moving, clip=clip))
    paper.track("sticker", segment(template, 0, SECOND), segment("nothing", SECOND, SECOND))
    return paper.document()


EVERYTHING = everything()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything that is in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, one in inside for found in places(one, (*path, key)))]


PLACES = places(EVERYTHING)[1:]


def put(document: Any, way: tuple[Any, ...], value: Any) -> None:
    *before, last = way
    for key in before:
        if not isinstance(document, dict | list) or (isinstance(document, dict) and key not in document):
            return
        if isinstance(document, list) and (not isinstance(key, int) or key >= len(document)):
            return
        document = document[key]
    if isinstance(document, dict) or (isinstance(document, list) and isinstance(last, int) and last < len(document)):
        document[last] = value


def check(document: Any) -> None:
    try:
        draft = reading.read(document)
    except DraftInvalid as error:
        assert error.details["problems"]
        return
    assert project.parse(json.loads(json.dumps(project.dump(draft.timeline)))) == draft.timeline
    assert draft.timeline.materials() <= {media.name for media in draft.media}
    json.dumps([draft.name, [vars(one) for one in (*draft.media, *draft.report)]], ensure_ascii=False).encode()


def test_a_draft_with_everything_in_it_is_read() -> None:
    check(EVERYTHING)
    assert len(reading.read(EVERYTHING).timeline.tracks) > 4


def test_any_field_may_hold_anything() -> None:
    for number, way in enumerate(PLACES):
        document = copy.deepcopy(EVERYTHING)
        put(document, way, ODD[number % len(ODD)])
        check(document)


@given(st.data())
@settings(max_examples=60)
def test_many_fields_may_hold_anything(data: st.DataObject) -> None:
    document = copy.deepcopy(EVERYTHING)
    anything = st.recursive(
        st.sampled_from(ODD) | st.integers() | st.floats() | st.text(),
        lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
        max_leaves=5,
    )
    for way in data.draw(st.lists(st.sampled_from(PLACES), min_size=2, max_size=12)):
        put(document, way, data.draw(anything))
    check(document)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-16", "surrogatepass")))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        reading.load(data)
    except (reading.DraftInvalid, reading.DraftEncrypted) as error:
        assert error.status == 422
