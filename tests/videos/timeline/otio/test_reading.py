"""Timelines of other programs: the same cut, and every difference said."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import opentimelineio
import pytest

from tests.videos.timeline.otio.cuts import at, changed, dissolve, file, gap, shot, span, stack, track
from videos.timeline import otio
from videos.timeline.model import Kind, Passage, Transition
from videos.timeline.values import SECOND

schema = opentimelineio.schema
Cut = list[tuple[str, float, float, float]]


def cut(data: bytes, number: int = 0) -> Cut:
    """Of each clip of a track: its medium, where it starts, how long it is, where it starts in its file; in seconds."""
    return [
        (clip.material, clip.start / SECOND, clip.duration / SECOND, clip.source_start / SECOND)
        for clip in otio.read(data).timeline.tracks[number].clips
    ]


def codes(data: bytes) -> list[str]:
    return [remark.code for remark in otio.read(data).remarks]


def test_cuts_and_gaps_are_those_of_the_file() -> None:
    data = file(track(shot("a", 12, 24), gap(48), shot("b"), shot("a", 0, 12)))
    assert cut(data) == [("a", 0, 1, 0.5), ("b", 3, 1, 0), ("a", 4, 0.5, 0)]
    reading = otio.read(data)
    assert (reading.name, reading.remarks) == ("a cut", ())
    assert reading.timeline.canvas.rate == 24
    assert [(one.name, one.url, one.kind, one.file_name) for one in reading.media] == [
        ("a", "file:///footage/a.mov", "external", "a"),
        ("b", "file:///footage/b.mov", "external", "b"),
    ]


def test_a_file_s_own_clock_is_taken_off() -> None:
    assert cut(file(track(shot("a", 86_412, 24, clock=86_400)))) == [("a", 0, 1, 0.5)]


def test_a_clip_without_a_range_is_all_of_its_file() -> None:
    reference = schema.ExternalReference("b.mov", span(86_400, 48))
    data = file(track(schema.Clip("x", reference), shot("a")))
    assert cut(data) == [("b", 0, 2, 0), ("a", 2, 1, 0)]


def test_a_clip_that_does_not_say_how_long_it_is_is_left_out() -> None:
    data = file(track(schema.Clip("x", schema.ExternalReference("b.mov")), shot("a")))
    assert (cut(data), codes(data)) == ([("a", 0, 1, 0)], ["length_unknown"])


@pytest.mark.parametrize("rates", [(24, 25), (23.976, 29.97), (30, 48_000), (59.94, 1000), (30000 / 1001, 12.5)])
def test_many_short_clips_of_several_rates_neither_overlap_nor_part(rates: tuple[float, float]) -> None:
    shots = [shot("ab"[place % 2], place, 1 + place % 3, rates[place % 2]) for place in range(1000)]
    kept = otio.read(file(track(*shots))).timeline.tracks[0].clips
    assert all(following.start == clip.end for clip, following in pairwise(kept))
    meant = sum(Fraction(1 + place % 3) / round_rate(rates[place % 2]) for place in range(1000))
    assert kept[-1].end == round(meant * SECOND)


def round_rate(rate: float) -> Fraction:
    return Fraction(round(rate) * 1000, 1001) if rate > 13 and rate != round(rate) else Fraction(rate)


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (schema.LinearTimeWarp(time_scalar=2.0), (Fraction(2), False, False)),
        (schema.LinearTimeWarp(time_scalar=-0.5), (Fraction(1, 2), True, False)),
        (schema.LinearTimeWarp(time_scalar=1 / 3), (Fraction(1, 3), False, False)),
        (schema.LinearTimeWarp(time_scalar=0.0), (Fraction(1), False, True)),
        (schema.FreezeFrame(), (Fraction(1), False, True)),
    ],
)
def test_speeds_change_what_is_played_and_not_where_it_stands(effect: Any, said: tuple[Fraction, bool, bool]) -> None:
    data = file(track(shot("a", 12, 24, effects=[effect]), shot("b")))
    clip, following = otio.read(data).timeline.tracks[0].clips
    assert (clip.speed, clip.reverse, clip.freeze) == said
    assert (clip.source_start, clip.duration, following.start) == (SECOND // 2, SECOND, SECOND)
    assert codes(data) == []


def test_a_speed_that_nobody_plays_is_limited_and_said() -> None:
    data = file(track(shot("a", effects=[schema.LinearTimeWarp(time_scalar=1e6)])))
    assert otio.read(data).timeline.tracks[0].clips[0].speed == 100
    assert codes(data) == ["speed_limited"]


def test_a_dissolve_lies_about_the_cut() -> None:
    data = file(track(shot("a"), dissolve(6, 6), shot("b")))
    assert otio.read(data).timeline.tracks[0].clips[0].transition == Transition(duration=SECOND // 2)
    assert cut(data) == [("a", 0, 1, 0), ("b", 1, 1, 0)]
    assert codes(data) == []


@pytest.mark.parametrize(
    ("children", "seconds", "said"),
    [
        ((shot("a"), dissolve(12, 0), shot("b")), 0.5, "transition_moved"),
        ((shot("a"), dissolve(6, 6, "Wipe"), shot("b")), 0.5, "transition_replaced"),
        ((shot("a"), dissolve(48, 48), shot("b")), 2, "transition_shortened"),
        ((shot("a"), dissolve(0, 0), shot("b")), None, "transition_left_out"),
        ((shot("a"), dissolve(6, 6), gap(12), shot("b")), None, "transition_left_out"),
        ((shot("a"), dissolve(6, 6)), None, "transition_left_out"),
        ((dissolve(6, 6), shot("a")), None, "transition_left_out"),
    ],
)
def test_transitions_that_can_not_be_as_they_are_are_said(
    children: tuple[Any, ...], seconds: float | None, said: str
) -> None:
    data = file(track(*(child.clone() for child in children)))
    transition = otio.read(data).timeline.tracks[0].clips[0].transition
    assert transition == (Transition(duration=int(seconds * SECOND)) if seconds else None)
    assert codes(data) == [said]


def test_sound_has_no_transitions() -> None:
    data = file(track(shot("a"), dissolve(6, 6), shot("b"), kind="Audio"))
    assert "transition_left_out" in codes(data)


def test_the_sound_of_pictures_is_left_to_the_audio_tracks_if_there_are_any() -> None:
    data = file(track(shot("a")), track(shot("a"), kind="Audio"))
    assert [(one.kind, one.muted) for one in otio.read(data).timeline.tracks] == [
        (Kind.VIDEO, True),
        (Kind.AUDIO, False),
    ]
    assert codes(data) == ["video_muted"]
    assert not otio.read(file(track(shot("a")))).timeline.tracks[0].muted


def test_nested_tracks_and_stacks_are_laid_flat() -> None:
    inner = stack(track(shot("low", 0, 48)), track(gap(12), shot("high", 0, 24)), source_range=span(6, 24))
    data = file(track(shot("a"), inner, shot("b")), track(gap(96), shot("top")))
    assert cut(data, 0) == [("a", 0, 1, 0), ("low", 1, 1, 0.25), ("b", 2, 1, 0)]
    assert cut(data, 1) == [("high", 1.25, 0.75, 0)]
    assert cut(data, 2) == [("top", 4, 1, 0)]
    assert codes(data) == []


def test_a_nested_clip_that_is_trimmed_begins_later_in_its_file_by_its_speed() -> None:
    for scalar, start in ((2.0, 1.5), (-2.0, 1.5), (-1.0, 1.25)):
        inner = shot("a", 12, 48, effects=[schema.LinearTimeWarp(time_scalar=scalar)])
        # a half of it before, a quarter after: played backwards, what is left out first comes last in the file
        trimmed = track(inner, source_range=span(12, 30))
        found = cut(file(track(trimmed)))
        meant = start if scalar > 0 else 0.5 + 6 / 24 * abs(scalar)
        assert found == [("a", 0, 1.25, meant)]


def test_the_window_of_a_whole_track_is_kept() -> None:
    assert cut(file(track(shot("a"), shot("b"), source_range=span(12, 24)))) == [("a", 0, 0.5, 0.5), ("b", 0.5, 0.5, 0)]


def test_a_track_s_window_by_another_clock_shows_it_from_its_beginning() -> None:
    data = file(track(shot("a"), shot("b"), source_range=span(-86_400, 36)))
    assert cut(data) == [("a", 0, 1, 0), ("b", 1, 0.5, 0)]
    assert codes(data) == ["range_moved"]


def test_the_frame_rate_is_that_of_most_clips() -> None:
    data = file(track(shot("a", rate=15), shot("b", rate=29.97), shot("b", rate=29.97), shot("c", 0, 1000, 1000)))
    assert otio.read(data).timeline.canvas.rate == Fraction(30000, 1001)


def test_what_is_disabled_is_not_seen() -> None:
    off, hidden = shot("a"), track(shot("c"))
    off.enabled = hidden.enabled = False
    data = file(track(off, shot("b")), hidden)
    assert cut(data) == [("b", 1, 1, 0)]
    assert [(one.hidden, one.muted) for one in otio.read(data).timeline.tracks] == [(False, False), (True, True)]
    assert codes(data) == ["disabled_left_out"]


def test_what_has_no_word_here_is_left_out_and_said() -> None:
    marked = shot("a", effects=[schema.Effect(effect_name="Glow")])
    marked.markers.append(schema.Marker(name="here"))
    bars = schema.Clip("bars", schema.GeneratorReference("", "SMPTEBars"), span(0, 24))
    data = file(track(marked, bars), track(shot("x"), kind="Data"), global_start_time=at(86_400))
    assert cut(data) == [("a", 0, 1, 0)]
    assert set(codes(data)) == {
        "markers_left_out",
        "effect_left_out",
        "generator_left_out",
        "track_left_out",
        "start_time_left_out",
    }
    assert all(remark.message.endswith(".") for remark in otio.read(data).remarks)


def test_a_missing_medium_is_known_by_the_name_of_its_clip() -> None:
    data = file(track(schema.Clip("shot 7", None, span(0, 24)), schema.Clip("shot 8", None, span(0, 24))))
    assert [(one.name, one.kind) for one in otio.read(data).media] == [("shot 7", "missing"), ("shot 8", "missing")]


def test_two_files_of_one_name_stay_two() -> None:
    clips = [schema.Clip("x", schema.ExternalReference(f"/{folder}/a%20b.mov"), span(0, 24)) for folder in "12"]
    assert [one.name for one in otio.read(file(track(*clips))).media] == ["a b", "a b 2"]


def test_files_of_older_versions_are_read() -> None:
    old = {
        "OTIO_SCHEMA": "Timeline.1",
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "children": [
                {
                    "OTIO_SCHEMA": "Sequence.1",
                    "kind": "Video",
                    "children": [
                        {"OTIO_SCHEMA": "Filler.1", "source_range": time_range(0, 24)},
                        {
                            "OTIO_SCHEMA": "Clip.1",
                            "source_range": time_range(0, 24),
                            "media_reference": {"OTIO_SCHEMA": "ExternalReference.1", "target_url": "a.mov"},
                        },
                    ],
                }
            ],
        },
    }
    data = opentimelineio.core.serialize_json_to_string(old).encode()
    assert cut(data) == [("a", 1, 1, 0)]
    assert cut(file_of({"OTIO_SCHEMA": "SerializableCollection.1", "children": [old]})) == [("a", 1, 1, 0)]


def file_of(document: Any) -> bytes:
    return bytes(opentimelineio.core.serialize_json_to_string(document).encode())


def time_range(start: float, duration: float) -> dict[str, Any]:
    times = ({"OTIO_SCHEMA": "RationalTime.1", "value": value, "rate": 24} for value in (start, duration))
    return {"OTIO_SCHEMA": "TimeRange.1", **dict(zip(("start_time", "duration"), times, strict=True))}


def test_a_wipe_of_ours_that_another_program_has_kept_is_still_one() -> None:
    data = file(track(shot("a"), dissolve(6, 6, "Custom_Transition"), shot("b")))
    kept = changed(data, ["tracks", "children", 0, "children", 1, "metadata"], {"jointo": {"kind": "wipe_left"}})
    transition = otio.read(kept).timeline.tracks[0].clips[0].transition
    assert transition and transition.kind is Passage.WIPE_LEFT
    assert Kind.VIDEO is otio.read(kept).timeline.tracks[0].kind
