"""Compound clips: what is in them lies where they lie."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.videos.timeline.capcut.drafts import SECOND, Paper, codes, problems, read, segment
from videos.timeline.model import Kind
from videos.timeline.motion import Keyframe


def inside() -> Paper:
    """Two clips of two seconds each, a text over the second half of both, and a sound."""
    paper = Paper()
    paper.track(
        "video",
        segment(paper.video("one.mp4"), 0, 2 * SECOND, source=5 * SECOND),
        segment(
            paper.video("two.mp4"),
            2 * SECOND,
            2 * SECOND,
            clip={"transform": {"x": 1.0}, "scale": {"x": 0.5, "y": 0.5}},
        ),
    )
    paper.track("text", segment(paper.material("texts", content="x"), SECOND, 2 * SECOND))
    paper.track("audio", segment(paper.sound(), 0, 4 * SECOND, volume=0.5))
    return paper


def holding(draft: Paper, *shown: dict[str, Any], after: bool = False, sort: str = "video") -> Paper:
    """A draft that shows another one at these places."""
    paper = Paper()
    film = paper.video("", extra_type_option=2)
    compound = paper.material("drafts", type="combination", draft=draft.document())
    segments = [segment(film, one.pop("start"), one.pop("duration"), compound) | one for one in shown]
    if after:
        segments.append(segment(paper.video("after.mp4"), 10 * SECOND, SECOND))
    paper.track(sort, *segments)
    return paper


def source(start: int, duration: int) -> dict[str, Any]:
    return {"source_timerange": {"start": start, "duration": duration}}


def test_the_tracks_of_a_compound_are_cut_to_what_is_shown_of_it() -> None:
    draft = read(
        holding(inside(), {"start": 6 * SECOND, "duration": 2 * SECOND} | source(SECOND, 2 * SECOND), after=True)
    )
    film, text, sound = draft.timeline.tracks
    assert [(clip.start, clip.end, clip.source_start) for clip in film.clips] == [
        (6 * SECOND, 7 * SECOND, 6 * SECOND),
        (7 * SECOND, 8 * SECOND, 0),
        (10 * SECOND, 11 * SECOND, 0),
    ]
    assert [(one.start, one.end) for one in text.texts] == [(6 * SECOND, 8 * SECOND)]
    assert [(clip.start, clip.end, clip.source_start, clip.sound.volume) for clip in sound.clips] == [
        (6 * SECOND, 8 * SECOND, SECOND, 0.5)
    ]
    assert {media.file_name for media in draft.media} == {"one.mp4", "two.mp4", "after.mp4", "a.mp3"}
    assert codes(draft) == []


def test_a_compound_may_be_faster_smaller_and_softer() -> None:
    place = {"transform": {"x": -0.5}, "scale": {"x": 0.5, "y": 0.5}, "alpha": 0.5}
    shown = {"start": 0, "duration": 2 * SECOND, "speed": 2.0, "volume": 0.5, "clip": place} | source(0, 4 * SECOND)
    draft = read(holding(inside(), shown))
    film, text, sound = draft.timeline.tracks
    assert [(clip.start, clip.end, clip.speed) for clip in film.clips] == [
        (0, SECOND, Fraction(2)),
        (SECOND, 2 * SECOND, Fraction(2)),
    ]
    assert [(clip.transform.x, clip.transform.scale, clip.transform.opacity) for clip in film.clips] == [
        (-0.25, 0.5, 0.5),
        (0.0, 0.25, 0.5),
    ]
    assert (text.texts[0].start, text.texts[0].end) == (SECOND // 2, 3 * SECOND // 2)
    assert sound.clips[0].sound.volume == 0.25
    assert codes(draft) == ["compound_approximated"]


def test_keyframes_of_a_compound_move_what_fills_it() -> None:
    frames = [{"time_offset": at, "values": [at / SECOND]} for at in (0, 4 * SECOND)]
    shown = {
        "start": 0,
        "duration": 4 * SECOND,
        "common_keyframes": [{"property_type": "KFTypePositionX", "keyframe_list": frames}],
    }
    draft = read(holding(inside(), shown))
    first, second = draft.timeline.tracks[0].clips
    assert first.motion.x == (Keyframe(at=0, value=0), Keyframe(at=4 * SECOND, value=2.0))
    assert second.motion.x == ()  # it is somewhere of its own
    assert codes(draft) == ["compound_approximated"]


def test_compounds_follow_one_another_on_the_same_tracks() -> None:
    shown = [{"start": number * 4 * SECOND, "duration": 4 * SECOND} for number in range(5)]
    draft = read(holding(inside(), *shown))
    assert [(track.kind, len(track.items)) for track in draft.timeline.tracks] == [
        (Kind.VIDEO, 10),
        (Kind.TEXT, 5),
        (Kind.AUDIO, 5),
    ]


def test_of_a_compound_on_a_track_of_sound_only_the_sound_is_there() -> None:
    draft = read(holding(inside(), {"start": 0, "duration": 4 * SECOND}, sort="audio"))
    assert [(track.kind, len(track.clips)) for track in draft.timeline.tracks] == [(Kind.AUDIO, 2), (Kind.AUDIO, 1)]


def test_a_transition_from_or_to_a_compound_is_left_out() -> None:
    paper = holding(inside(), {"start": 0, "duration": 4 * SECOND}, after=True)
    mix = paper.material("transitions", name="Mix", duration=SECOND)
    first, last = paper.tracks[0]["segments"]
    last["target_timerange"]["start"] = 4 * SECOND
    first["extra_material_refs"].append(mix)
    draft = read(paper)
    assert codes(draft) == ["transition_left_out"]
    assert all(clip.transition is None for clip in draft.timeline.clips())


def test_what_is_remarked_inside_names_its_place_there() -> None:
    paper = Paper()
    paper.track("video", segment(paper.video(), 0, SECOND, paper.material("effects", type="filter")))
    (remark,) = read(holding(paper, *({"start": at, "duration": SECOND} for at in (0, SECOND)))).report
    assert (remark.code, remark.path) == ("filter_left_out", "materials.drafts[0].draft.tracks[0].segments[0]")
    paper.tracks[0]["type"] = None
    (problem,) = problems(holding(paper, {"start": 0, "duration": SECOND}).document())
    assert problem["path"] == "materials.drafts[0].draft.tracks[0].type"


def nested(depth: int, times: int) -> dict[str, Any]:
    paper = inside()
    for _ in range(depth):
        paper = holding(paper, *({"start": at * 4 * SECOND, "duration": 4 * SECOND} for at in range(times)))
    return paper.document()


def test_drafts_may_be_within_drafts_but_not_without_end() -> None:
    assert [len(track.items) for track in read(nested(8, 1)).timeline.tracks] == [2, 1, 1]
    (problem,) = problems(nested(9, 1))
    assert problem["path"].endswith(".draft")
    # Each level shows the one below it several times: there would be millions of clips.
    paper = inside()
    for level in range(8):
        length = 4 * SECOND * 5**level
        paper = holding(paper, *({"start": at * length, "duration": length} for at in range(5)))
    assert problems(paper.document())


def test_of_too_many_segments_the_compound_is_named_that_brings_them() -> None:
    film = Paper()
    film.track("video", *[segment(film.video(), 0, SECOND)] * 20_000)
    (problem,) = problems(holding(film, {"start": 0, "duration": SECOND}).document())
    assert problem["path"] == "materials.drafts[0].draft.tracks"
    film = Paper()
    film.track("video", *(segment(film.video(), at * 1000, 1000) for at in range(150)))
    shown = ({"start": at * SECOND, "duration": SECOND} for at in range(150))
    (problem,) = problems(holding(film, *shown).document())
    assert problem["path"].startswith("tracks[0].segments[")
