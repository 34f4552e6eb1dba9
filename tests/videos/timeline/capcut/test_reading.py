"""Drafts as a whole: their files, their canvas, and what is wrong with those that are refused."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from tests.videos.timeline.capcut.drafts import SECOND, Paper, clips, codes, problems, read, segment
from videos.timeline.capcut import reading
from videos.timeline.capcut.reading import DraftEncrypted, DraftInvalid
from videos.timeline.model import Canvas, Clip, Timeline

PLACEHOLDER = "##_draftpath_placeholder_0E685133-18CE-45ED-8CB8-2904A212EC80_##"


@pytest.mark.parametrize(
    ("written", "path", "file_name", "placeholder"),
    [
        ("C:\\Users\\我\\Videos\\a b.mp4", "C:\\Users\\我\\Videos\\a b.mp4", "a b.mp4", False),
        ("D:/media/a.mp4", "D:/media/a.mp4", "a.mp4", False),
        ("/home/me/a.mp4", "/home/me/a.mp4", "a.mp4", False),
        (f"{PLACEHOLDER}/materials/video/a.mp4", "materials/video/a.mp4", "a.mp4", True),
        (f"{PLACEHOLDER}\\a.mp4", "a.mp4", "a.mp4", True),
        ("a.mp4", "a.mp4", "a.mp4", False),
    ],
)
def test_files_are_named_as_the_draft_writes_them(written: str, path: str, file_name: str, placeholder: bool) -> None:
    paper = Paper()
    paper.track("video", segment(paper.video(written), 0, SECOND))
    (media,) = read(paper).media
    assert (media.path, media.file_name, media.placeholder) == (path, file_name, placeholder)


def test_a_file_of_several_materials_has_one_name_and_each_sort_its_own() -> None:
    paper = Paper()
    film, again, sound = paper.video("a.mp4"), paper.video("a.mp4"), paper.sound("a.mp4")
    paper.track("video", segment(film, 0, SECOND), segment(again, SECOND, SECOND))
    paper.track("audio", segment(sound, 0, SECOND), segment(film, SECOND, SECOND))
    draft = read(paper)
    assert [(media.name, media.kind) for media in draft.media] == [("m-1", "video"), ("m-2", "sound")]
    assert [clip.material for track in draft.timeline.tracks for clip in track.clips] == ["m-1", "m-1", "m-2", "m-1"]


@pytest.mark.parametrize("material", ["nothing", None, 5, ["a"]])
def test_a_segment_without_a_file_is_left_out_and_named(material: Any) -> None:
    paper = Paper()
    paper.track("video", segment(paper.video(), 0, SECOND), segment("x", SECOND, SECOND) | {"material_id": material})
    paper.track("audio", segment(paper.sound(path=""), 0, SECOND), segment(paper.photo(), SECOND, SECOND))
    draft = read(paper)
    assert len(list(draft.timeline.clips())) == 1
    assert [(remark.code, remark.path) for remark in draft.report] == [
        ("media_missing", "tracks[0].segments[1]"),
        ("media_missing", "tracks[1].segments[0]"),
        ("media_missing", "tracks[1].segments[1]"),
    ]


def test_a_draft_says_what_it_is_called() -> None:
    draft = read(Paper(id="8CB8", name="第1集"))
    assert (draft.id, draft.name, draft.timeline.tracks) == ("8CB8", "第1集", ())


def test_the_least_that_can_be_a_draft_is_one() -> None:
    draft = reading.read({"tracks": []})
    assert draft.timeline == Timeline()
    assert (draft.id, draft.name, draft.media, draft.report) == ("", "", (), ())


def test_real_drafts_leave_out_much_and_write_numbers_as_they_like() -> None:
    bare = {"material_id": "v", "target_timerange": {"start": "0", "duration": 1e6}, "speed": None, "volume": "nan"}
    document: dict[str, Any] = {
        "platform": "windows",
        "canvas_config": {"width": "1280", "height": 720.0},
        "fps": "25",
        "keyframes": None,
        "materials": {"videos": [{"id": "v", "path": "a.mp4"}, None, 7, {"id": 3}], "audios": None, "texts": {}},
        "tracks": [{"type": "video", "segments": [bare]}, {"type": "video"}, {"type": "audio", "segments": None}],
    }
    draft = read(document)
    assert draft.timeline.canvas == Canvas(width=1280, height=720, rate=Fraction(25))
    assert [track.clips for track in draft.timeline.tracks] == [(Clip(start=0, duration=SECOND, material="m-1"),)]
    assert codes(draft) == []


@pytest.mark.parametrize(
    ("config", "size", "changed"),
    [
        ({"width": 1080, "height": 1920, "ratio": "9:16"}, (1080, 1920), False),
        ({"width": 1081, "height": 1920}, (1080, 1920), True),
        ({"width": 7680, "height": 4320}, (4096, 2304), True),
        ({"width": 8, "height": 4}, (16, 16), True),
        ({"width": 0, "height": 0, "ratio": "9:16"}, (1080, 1920), False),
        ({"ratio": "4:3"}, (1440, 1080), False),
        ({"ratio": "original"}, (1920, 1080), False),
        ({"ratio": 1.7}, (1920, 1080), False),
        ({"width": 1e300, "height": 1}, (4096, 16), True),
        (None, (1920, 1080), False),
    ],
)
def test_the_canvas_has_a_size_that_a_film_can_have(config: Any, size: tuple[int, int], changed: bool) -> None:
    draft = read(Paper(canvas_config=config))
    assert (draft.timeline.canvas.width, draft.timeline.canvas.height) == size
    assert codes(draft) == ["canvas_changed"] * changed


@pytest.mark.parametrize(
    ("fps", "rate", "changed"),
    [
        (30.0, Fraction(30), False),
        (29.97, Fraction(30000, 1001), False),
        (23.976, Fraction(24000, 1001), False),
        (59.94, Fraction(60000, 1001), False),
        (12.5, Fraction(25, 2), False),
        (0, Fraction(30), False),
        (None, Fraction(30), False),
        (1000, Fraction(120), True),
        (0.1, Fraction(1), True),
    ],
)
def test_the_rate_is_one_that_a_film_can_have(fps: Any, rate: Fraction, changed: bool) -> None:
    draft = read(Paper(fps=fps))
    assert draft.timeline.canvas.rate == rate
    assert codes(draft) == ["rate_changed"] * changed


@pytest.mark.parametrize(
    ("material", "backdrop", "fit", "code"),
    [
        ({"type": "canvas_color", "color": "#FF8000"}, "#ff8000", "contain", None),
        ({"type": "canvas_color", "color": ""}, None, "contain", None),
        ({"type": "canvas_color", "color": "#00000000"}, None, "contain", None),
        ({"type": "canvas_blur", "blur": 0.375}, None, "blur", None),
        ({"type": "canvas_blur", "blur": 0.0625}, None, "blur", "blur_approximated"),
        ({"type": "canvas_image", "image": "a.png"}, None, "contain", "background_left_out"),
    ],
)
def test_what_lies_behind_a_picture_is_that_of_the_main_track_only(
    material: dict[str, Any], backdrop: str | None, fit: str, code: str | None
) -> None:
    paper = Paper()
    behind = paper.material("canvases", **material)
    for _ in range(2):
        paper.track("video", segment(paper.video(), 0, SECOND, behind))
    draft = read(paper)
    main, above = (track.clips[0] for track in draft.timeline.tracks)
    assert (main.backdrop, main.fit.value) == (backdrop, fit)
    assert (above.backdrop, above.fit.value) == (None, "contain")
    assert codes(draft) == ([code] if code else [])


# -- drafts that are refused -----------------------------------------------------------------------------

FIRST = "tracks.0.segments.0"


def broken(way: str, value: Any) -> dict[str, Any]:
    """A draft that is well but for one field."""
    paper = Paper()
    paper.track("video", segment(paper.video(), 0, SECOND))
    document: Any = paper.document()
    place: Any = document
    *before, last = way.split(".")
    for key in before:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[int(last) if isinstance(place, list) else last] = value
    return dict(document)


WRONG: list[tuple[str, Any, str]] = [
    ("tracks", None, "tracks"),
    ("tracks", {}, "tracks"),
    ("tracks", "none", "tracks"),
    ("tracks.0", None, "tracks[0]"),
    ("tracks.0", [], "tracks[0]"),
    ("tracks.0.type", None, "tracks[0].type"),
    ("tracks.0.type", 4, "tracks[0].type"),
    ("tracks.0.segments", {}, "tracks[0].segments"),
    ("tracks.0.segments", "none", "tracks[0].segments"),
    (FIRST, None, "tracks[0].segments[0]"),
    (FIRST, "a", "tracks[0].segments[0]"),
    (f"{FIRST}.target_timerange", None, "tracks[0].segments[0].target_timerange"),
    (f"{FIRST}.target_timerange", [0, 5], "tracks[0].segments[0].target_timerange"),
    (f"{FIRST}.target_timerange", {"start": 0}, "tracks[0].segments[0].target_timerange.duration"),
    (f"{FIRST}.target_timerange.start", -1, "tracks[0].segments[0].target_timerange.start"),
    (f"{FIRST}.target_timerange.start", "soon", "tracks[0].segments[0].target_timerange.start"),
    (f"{FIRST}.target_timerange.start", float("nan"), "tracks[0].segments[0].target_timerange.start"),
    (f"{FIRST}.target_timerange.duration", 10**15, "tracks[0].segments[0].target_timerange.duration"),
    (f"{FIRST}.target_timerange.duration", True, "tracks[0].segments[0].target_timerange.duration"),
    (f"{FIRST}.target_timerange", {"start": 4e10, "duration": 4e10}, "tracks[0].segments[0].target_timerange"),
    (f"{FIRST}.source_timerange", 7, "tracks[0].segments[0].source_timerange"),
    (f"{FIRST}.source_timerange.start", -5, "tracks[0].segments[0].source_timerange.start"),
    (f"{FIRST}.source_timerange.duration", {}, "tracks[0].segments[0].source_timerange.duration"),
    ("materials", [], "materials"),
    ("materials", "none", "materials"),
    ("canvas_config", [1280, 720], "canvas_config"),
]
"""Where in the draft, what is there, and the path by which that is named."""


@pytest.mark.parametrize(("way", "value", "path"), WRONG)
def test_what_is_wrong_is_named_by_its_field(way: str, value: Any, path: str) -> None:
    (problem,) = problems(broken(way, value))
    assert problem["path"] == path
    assert problem["problem"]


def test_every_mistake_is_named_at_once() -> None:
    document = broken("tracks.0.segments.0", None)
    document["canvas_config"] = "large"
    document["tracks"].append({"segments": []})
    paths = [problem["path"] for problem in problems(document)]
    assert paths == ["canvas_config", "tracks[0].segments[0]", "tracks[1].type"]


@pytest.mark.parametrize("document", [None, [], "draft", 7, True])
def test_what_is_no_object_is_no_draft(document: Any) -> None:
    assert problems(document)[0]["path"] == ""


def test_there_are_bounds_of_how_much_a_draft_may_hold() -> None:
    paper = Paper()
    film = paper.video()
    paper.track("video", *[segment(film, 0, SECOND)] * 20_001)
    assert problems(paper.document())[0]["path"] == "tracks"

    paper = Paper()
    film = paper.video()
    paper.track("video", *[segment(film, 0, SECOND)] * 101)
    assert "at once" in problems(paper.document())[0]["problem"]

    paper = Paper()
    film = paper.video()
    for _ in range(101):
        paper.track("video", segment(film, 0, SECOND))
    assert problems(paper.document()) == [{"path": "tracks", "problem": "More than 100 tracks lie over one another"}]


def test_many_tracks_that_follow_one_another_share_one() -> None:
    paper = Paper()
    film, sound = paper.video(), paper.sound()
    for number in range(120):
        paper.track("video", segment(film, number * SECOND, SECOND))
        paper.track("audio", segment(sound, (number % 3) * SECOND // 2, SECOND // 2))
    timeline = read(paper).timeline
    assert len(timeline.tracks) == 1 + 40
    assert [clip.start for clip in timeline.tracks[0].clips] == [number * SECOND for number in range(120)]


@pytest.mark.parametrize("data", [b"UG5hSzV4eXo" * 40 + b"==", b"3zXv+/k0" * 10 + b"\n" + b"aGVsbG8h" * 9])
def test_an_encrypted_draft_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(DraftEncrypted) as caught:
        reading.load(data)
    assert (caught.value.code, caught.value.status) == ("draft_encrypted", 422)


@pytest.mark.parametrize("data", [b"", b"draft", b"<html>", b'{"tracks": [', b"\xff\x00\x17" * 50, b"[" * 100_000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(DraftInvalid) as caught:
        reading.load(data)
    assert caught.value.details["problems"] == [{"path": "", "problem": "It is no JSON"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_may_begin_with_a_mark_of_its_encoding(encoding: str) -> None:
    assert (
        reading.load(json.dumps({"tracks": [], "name": "第1集"}, ensure_ascii=False).encode(encoding)).name == "第1集"
    )


def test_a_draft_of_half_a_second_is_one() -> None:
    paper = Paper()
    paper.track("video", segment(paper.video(), 0, SECOND // 2))
    assert clips(paper)[0].duration == SECOND // 2
