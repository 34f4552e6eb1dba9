"""Single segments, and how they lie on their tracks."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tests.videos.timeline.capcut.drafts import SECOND, Paper, clips, codes, read, segment
from videos.timeline.model import Clip, Crop, Kind, Passage, Sound, Transition


def one(says: dict[str, Any], *extras: tuple[str, dict[str, Any]], **material: Any) -> tuple[Clip, list[str]]:
    """The clip of a segment of two seconds, and what is remarked."""
    paper = Paper()
    hung = [paper.material(sort, **about) for sort, about in extras]
    paper.track("video", segment(paper.video(**material), 0, 2 * SECOND, *hung) | says)
    draft = read(paper)
    return draft.timeline.tracks[0].clips[0], codes(draft)


def source(start: int, duration: int) -> dict[str, Any]:
    return {"source_timerange": {"start": start, "duration": duration}}


@pytest.mark.parametrize(
    ("says", "speed", "remarked"),
    [
        (source(0, 2 * SECOND) | {"speed": 1}, Fraction(1), []),
        (source(0, 3 * SECOND) | {"speed": 1.5}, Fraction(3, 2), []),
        (source(0, 3 * SECOND + 60_000) | {"speed": 1.5}, Fraction(3, 2), []),  # they agree within 50 ms
        (source(0, 3 * SECOND) | {"speed": None}, Fraction(3, 2), []),
        (source(0, 3 * SECOND) | {"speed": 1}, Fraction(3, 2), ["speed_corrected"]),
        (source(0, 300 * SECOND) | {"speed": 150}, Fraction(100), ["speed_limited", "source_runs_out"]),
        ({"source_timerange": None, "speed": 0.5}, Fraction(1, 2), []),
        ({"source_timerange": None, "speed": -2}, Fraction(1), []),
    ],
)
def test_the_speed_is_that_which_the_times_say(says: dict[str, Any], speed: Fraction, remarked: list[str]) -> None:
    clip, said = one(says)
    assert (clip.speed, clip.duration, said) == (speed, 2 * SECOND, remarked)


def test_a_curve_of_speeds_becomes_their_mean() -> None:
    curve = {"mode": 1, "speed": 2.0, "curve_speed": {"speed_points": [{"x": 0, "y": 1}, {"x": 1, "y": 3}]}}
    clip, said = one(source(SECOND, 4 * SECOND) | {"speed": 2.0}, ("speeds", curve))
    assert (clip.speed, clip.source_start, said) == (Fraction(2), SECOND, ["curve_speed_approximated"])


def test_a_segment_may_take_more_than_there_is() -> None:
    clip, said = one(source(59 * SECOND, 2 * SECOND))
    assert (clip.source_start, clip.duration, said) == (59 * SECOND, 2 * SECOND, ["source_runs_out"])


def test_backwards_standing_and_with_another_pitch() -> None:
    clip, _ = one({"reverse": True, "is_tone_modify": True})
    assert (clip.reverse, clip.keep_pitch, clip.freeze) == (True, False, False)
    clip, _ = one(source(SECOND, 0) | {"reverse": True})
    assert (clip.reverse, clip.freeze, clip.source_start) == (False, True, SECOND)


@pytest.mark.parametrize(
    ("corners", "cut", "code"),
    [
        ({}, Crop(), []),
        (
            {"upper_left_x": 0.25, "lower_left_x": 0.25, "lower_left_y": 0.5, "lower_right_y": 0.5},
            Crop(left=0.25, bottom=0.5),
            [],
        ),
        ({"upper_left_x": 0.25}, Crop(), ["crop_approximated"]),
        ({"upper_right_x": 0, "lower_right_x": 0}, Crop(), ["crop_left_out"]),
        ({"upper_left_x": -3, "lower_right_y": "nan", "upper_right_x": None}, Crop(), []),
    ],
)
def test_a_crop_is_a_rectangle(corners: dict[str, Any], cut: Crop, code: list[str]) -> None:
    clip, said = one({}, crop=corners)
    assert (clip.crop, said) == (cut, code)


def test_what_grows_differently_both_ways_grows_by_the_mean() -> None:
    clip, said = one({"clip": {"scale": {"x": 2.0, "y": 0.5}}})
    assert (clip.transform.scale, said) == (1.0, ["scale_approximated"])


def test_places_beyond_all_bounds_are_at_the_bounds() -> None:
    clip, _ = one({"clip": {"transform": {"x": 1e9, "y": 1e9}, "rotation": 1e9, "alpha": 7, "scale": {"x": 0, "y": 0}}})
    place = clip.transform
    assert (place.x, place.y, place.rotation, place.opacity, place.scale) == (10, -10, 36_000, 1, 0.001)


def test_fades_are_not_longer_than_the_clip() -> None:
    fades = {"fade_in_duration": 3 * SECOND, "fade_out_duration": SECOND}
    clip, _ = one({"volume": 20}, ("audio_fades", fades))
    assert clip.sound == Sound(volume=10, fade_in=3 * SECOND // 2, fade_out=SECOND // 2)


def test_what_is_switched_off_is_not_there() -> None:
    paper = Paper()
    film = paper.video()
    shut = segment(film, 0, SECOND, paper.material("effects", type="filter"), visible=False)
    paper.track("video", shut, segment(film, SECOND, SECOND), segment(film, 3 * SECOND, 0))
    draft = read(paper)
    assert [clip.start for clip in draft.timeline.clips()] == [SECOND]
    assert codes(draft) == []


def test_tracks_are_muted_by_the_lowest_bit() -> None:
    paper = Paper()
    for attribute in (0, 1, 4, 5, None):
        paper.track("audio", segment(paper.sound(), 0, SECOND), attribute=attribute)
    assert [track.muted for track in read(paper).timeline.tracks] == [False, True, False, True, False]


def test_later_tracks_lie_on_top_unless_a_height_is_stated() -> None:
    paper = Paper()
    text = paper.material("texts", content="x")
    paper.track("video", segment(paper.video("a.mp4"), 0, SECOND))
    paper.track("text", segment(text, 0, SECOND))
    paper.track("video", segment(paper.video("b.mp4"), 0, SECOND))
    assert [track.kind for track in read(paper).timeline.tracks] == [Kind.VIDEO, Kind.TEXT, Kind.VIDEO]
    for track, height in zip(paper.tracks, (0, 14_000, 1), strict=True):
        track["segments"][0]["render_index"] = height
    assert [track.kind for track in read(paper).timeline.tracks] == [Kind.VIDEO, Kind.VIDEO, Kind.TEXT]


def test_segments_come_in_any_order() -> None:
    paper = Paper()
    film = paper.video()
    paper.track("video", *(segment(film, start * SECOND, SECOND) for start in (2, 0, 1)))
    assert [clip.start for clip in clips(paper)] == [0, SECOND, 2 * SECOND]


def test_what_lies_over_another_goes_to_a_track_of_its_own() -> None:
    paper = Paper()
    film = paper.video()
    paper.track("video", segment(film, 0, 3 * SECOND), segment(film, SECOND, SECOND), segment(film, 3 * SECOND, SECOND))
    draft = read(paper)
    assert [[clip.start for clip in track.clips] for track in draft.timeline.tracks] == [[0, 3 * SECOND], [SECOND]]
    assert [(remark.code, remark.path) for remark in draft.report] == [("segment_moved", "tracks[0].segments[1]")]


def test_a_few_milliseconds_over_are_cut_off() -> None:
    paper = Paper()
    film = paper.video()
    paper.track("video", segment(film, 0, SECOND + 20_000), segment(film, SECOND, SECOND))
    draft = read(paper)
    (track,) = draft.timeline.tracks
    assert [(clip.start, clip.end) for clip in track.clips] == [(0, SECOND), (SECOND, 2 * SECOND)]
    assert codes(draft) == []


# -- transitions -----------------------------------------------------------------------------------------


def changing(*spans: tuple[int, int], duration: int = SECOND // 2, **says: Any) -> tuple[list[Clip], list[str]]:
    """Clips at these milliseconds, each with a dissolve to the next; they begin at 10 s of their material."""
    paper = Paper()
    film = paper.video()
    mix = paper.material("transitions", name="Mix", resource_id="6724845717472416269", duration=duration)
    paper.track(
        "video",
        *(segment(film, start * 1000, length * 1000, mix, source=10 * SECOND, **says) for start, length in spans),
    )
    draft = read(paper)
    return list(draft.timeline.clips()), codes(draft)


def test_clips_that_overlap_by_their_transition_touch_in_its_middle() -> None:
    (first, last), _ = changing((0, 2000), (1500, 2000))
    assert (first.start, first.end, first.source_start) == (0, 1_750_000, 10 * SECOND)
    assert (last.start, last.end, last.source_start) == (1_750_000, 3_500_000, 10_250_000)
    assert first.transition == Transition(duration=SECOND // 2)
    # What was seen of both while it lasted is seen still.
    assert last.source_at(last.start - first.transition.before) == 10 * SECOND
    assert first.source_at(first.end + first.transition.after) == 12 * SECOND


def test_an_overlap_counts_at_the_speed_of_each_clip_and_backwards_from_the_other_end() -> None:
    (first, last), _ = changing((0, 2000), (1500, 2000), speed=2.0)
    assert (first.source_start, last.source_start) == (10 * SECOND, 10_500_000)
    (first, last), _ = changing((0, 2000), (1500, 2000), reverse=True)
    assert (first.source_start, last.source_start) == (10_250_000, 10 * SECOND)


def test_clips_that_touch_stay_as_they_are() -> None:
    (first, last), said = changing((0, 2000), (2000, 2000))
    assert (first.end, last.start, last.source_start) == (2 * SECOND, 2 * SECOND, 10 * SECOND)
    assert first.transition == Transition(duration=SECOND // 2)
    assert last.transition is None
    assert said == ["transition_left_out"]  # that of the last clip, which nothing follows


def test_a_transition_is_not_longer_than_the_clips_around_it() -> None:
    (first, second, last), said = changing((0, 2000), (2000, 400), (2400, 2000), duration=SECOND)
    assert first.transition == Transition(duration=400_000)
    assert second.transition == Transition(duration=400_000)
    assert last.transition is None
    assert said == ["transition_shortened", "transition_shortened", "transition_left_out"]


def test_a_transition_over_a_gap_is_left_out_and_over_a_few_milliseconds_is_not() -> None:
    (first, _), said = changing((0, 2000), (2200, 1000))
    assert (first.transition, said) == (None, ["transition_left_out"] * 2)
    (first, last), said = changing((0, 2000), (2020, 1000))
    assert (first.end, last.start, said) == (2_020_000, 2_020_000, ["transition_left_out"])
    assert first.transition is not None


def test_an_overlap_far_beyond_the_transition_is_none_of_it() -> None:
    (first, last), said = changing((0, 3000), (1000, 3000))
    assert (first.transition, first.end, last.start) == (None, 3 * SECOND, SECOND)
    assert said == ["segment_moved", "transition_left_out", "transition_left_out"]


@pytest.mark.parametrize(
    ("says", "passage", "replaced"),
    [
        ({"resource_id": "6724239388189921806", "name": "?"}, Passage.FADE_BLACK, False),
        ({"effect_id": "322575"}, Passage.FADE_WHITE, False),
        ({"name": "Wipe Left "}, Passage.WIPE_LEFT, False),
        ({"name": "右移"}, Passage.SLIDE_RIGHT, False),
        ({"name": "Circle open"}, Passage.CIRCLE_OPEN, False),
        ({"name": "Page turn", "resource_id": "1"}, Passage.DISSOLVE, True),
        ({"name": None, "resource_id": 5}, Passage.DISSOLVE, True),
    ],
)
def test_a_transition_is_known_by_its_number_or_by_its_name(
    says: dict[str, Any], passage: Passage, replaced: bool
) -> None:
    paper = Paper()
    film = paper.video()
    change = paper.material("transitions", duration=SECOND, **says)
    paper.track("video", segment(film, 0, SECOND, change), segment(film, SECOND, SECOND))
    draft = read(paper)
    first = next(iter(draft.timeline.clips()))
    assert first.transition == Transition(duration=SECOND, kind=passage)
    assert codes(draft) == ["transition_replaced"] * replaced
