"""What is written as OTIO is read back the same, and other programs see the same cut in it."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from typing import Any

import opentimelineio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.videos.timeline.test_project import PARTS, TEXTS
from videos.timeline import otio, project
from videos.timeline.model import (
    Canvas,
    Clip,
    Crop,
    Fit,
    Kind,
    Mask,
    Passage,
    Shape,
    Sound,
    Timeline,
    Track,
    Transition,
)
from videos.timeline.motion import Easing, Keyframe, Motion, Transform
from videos.timeline.otio import Footage
from videos.timeline.texts import Text
from videos.timeline.values import SECOND

schema = opentimelineio.schema

WHOLE = TEXTS.filter(lambda text: "\0" not in text.text)  # C++ ends a text there
RATES = st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(2997, 100)])
KEPT: dict[str, Any] = {
    "material": st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=100),
    "keep_pitch": st.booleans(),
    "sound": st.builds(Sound, volume=st.floats(0, 10), fade_in=st.integers(0, 50), fade_out=st.integers(0, 50)),
    "fit": st.sampled_from(Fit),
    "transform": st.builds(Transform, x=st.floats(-10, 10), scale=st.floats(0.01, 100), rotation=st.floats(-360, 360)),
    "crop": st.builds(Crop, left=PARTS, top=PARTS),
    "flip_x": st.booleans(),
    "flip_y": st.booleans(),
    "mask": st.none() | st.builds(Mask, shape=st.sampled_from(Shape), feather=PARTS, invert=st.booleans()),
    "backdrop": st.none() | st.just("#0a0B0c"),
    "motion": st.builds(Motion, x=st.just(()) | st.just((Keyframe(at=7, value=-1.5, easing=Easing.HOLD),))),
}


@st.composite
def clips(draw: st.DrawFn, kind: Kind, rate: Fraction) -> tuple[Clip, ...]:
    """Some that follow one another, at once or later: between frames, or anywhere."""
    in_frames = draw(st.booleans())
    found: list[Clip] = []
    edge = Fraction(0)  # in frames, or in microseconds
    unit = SECOND / rate if in_frames else Fraction(1)
    step = st.integers(4, 200) if in_frames else st.integers(100, 20 * SECOND)
    for _ in range(draw(st.integers(0, 4))):
        edge += draw(st.just(0) | step)
        start = round(edge * unit)
        edge += draw(step)
        end = round(edge * unit)
        freeze = draw(st.booleans())
        before = found[-1] if found else None
        if before and kind is Kind.VIDEO and before.end == start and draw(st.booleans()):
            room = min(before.duration - (before.duration // 2), (end - start) // 2)
            duration = draw(st.integers(1, room))
            transition = Transition(duration=duration, kind=draw(st.sampled_from(Passage)))
            found[-1] = dataclasses.replace(before, transition=transition)
        found.append(
            Clip(
                start=start,
                duration=end - start,
                source_start=round(draw(st.integers(0, 500)) * unit),
                speed=draw(st.just(Fraction(1)) | st.fractions(Fraction(1, 100), 100, max_denominator=10**8)),
                freeze=freeze,
                reverse=not freeze and draw(st.booleans()),
                **{name: draw(values) for name, values in KEPT.items()},
            )
        )
    return tuple(found)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    rate = draw(RATES | st.fractions(1, 120, max_denominator=1001))
    tracks = []
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(Kind))
        held: dict[str, Any] = (
            {"texts": tuple(draw(st.lists(WHOLE, max_size=1)))}
            if kind.is_written
            else {"clips": draw(clips(kind, rate))}
        )
        flags: dict[str, Any] = {"muted": draw(st.booleans()), "hidden": draw(st.booleans())}
        tracks.append(Track(kind=kind, ducked=draw(st.none() | st.floats(0, 10)), **flags, **held))
    canvas = Canvas(width=draw(st.integers(8, 2048)) * 2, rate=rate, background="#102030")
    return Timeline(canvas=canvas, tracks=tuple(tracks))


def footage(timeline: Timeline) -> dict[str, Footage]:
    """Every other material's file is known."""
    names = sorted(timeline.materials())
    return {
        name: Footage(url=f"file {place}.mp4", duration=place or None) for place, name in enumerate(names) if place % 2
    }


def seen(clip: Clip) -> tuple[Any, ...]:
    """What OTIO has words for."""
    speed = float(clip.speed) if not clip.freeze else None
    transition = clip.transition and clip.transition.duration
    return clip.start, clip.duration, clip.source_start, clip.material, speed, clip.reverse, clip.freeze, transition


@settings(max_examples=60)
@given(timelines())
def test_what_is_written_is_read_back_the_same(timeline: Timeline) -> None:
    project.parse(json.loads(json.dumps(project.dump(timeline))))
    reading = otio.read(otio.write(timeline, footage(timeline), name="a cut"))
    assert reading.timeline == timeline
    assert (reading.name, reading.remarks) == ("a cut", ())
    assert {medium.name for medium in reading.media} == timeline.materials()


@settings(max_examples=60)
@given(timelines())
def test_a_program_that_forgets_our_notes_keeps_the_cut(timeline: Timeline) -> None:
    whole = opentimelineio.core.deserialize_json_from_string(otio.write(timeline, footage(timeline), name="").decode())
    for thing in (whole, *whole.find_children()):
        thing.metadata.clear()
    kept = otio.read(whole.to_json_string().encode()).timeline
    for before, after in zip(timeline.tracks, kept.tracks, strict=True):
        for clip, again in zip(before.clips, after.clips, strict=True):
            assert seen(again)[:4] == seen(clip)[:4]
            assert seen(again)[5:] == seen(clip)[5:]
            assert clip.freeze or float(again.speed) == pytest.approx(float(clip.speed), rel=1e-2)


def second(number: float) -> int:
    return round(number * SECOND)


def test_other_programs_see_cuts_gaps_speeds_and_transitions() -> None:
    shots = (
        Clip(
            start=0, duration=second(2), material="a", speed=Fraction(3, 2), transition=Transition(duration=second(1))
        ),
        Clip(start=second(2), duration=second(2), material="b", source_start=second(5), reverse=True),
        Clip(start=second(5), duration=second(1), material="a", freeze=True),
    )
    text = Text(start=second(1), duration=second(2), text="Hello")
    tracks = (Track(kind=Kind.VIDEO, clips=shots), Track(kind=Kind.TEXT, texts=(text,), hidden=True))
    timeline = Timeline(canvas=Canvas(rate=Fraction(24)), tracks=tracks)
    data = otio.write(timeline, {"a": Footage(url="a.mp4", duration=second(9))}, name="a cut")
    found = opentimelineio.core.deserialize_json_from_string(data.decode())
    video, letters = found.tracks
    assert [type(child).__name__ for child in video] == ["Clip", "Transition", "Clip", "Gap", "Clip"]
    first, dissolve, other, _, still = video
    assert [clip.range_in_parent().start_time.to_frames() for clip in (first, other, still)] == [0, 48, 120]
    assert {one.source_range.duration.rate for one in video if not isinstance(one, schema.Transition)} == {24}
    assert (dissolve.transition_type, dissolve.in_offset.value, dissolve.out_offset.value) == ("SMPTE_Dissolve", 12, 12)
    assert [clip.effects[0].time_scalar for clip in (first, other, still)] == [1.5, -1, 0]
    assert isinstance(still.effects[0], schema.FreezeFrame)
    assert (first.media_reference.target_url, first.media_reference.available_range.duration.to_seconds()) == (
        "a.mp4",
        9,
    )
    assert isinstance(other.media_reference, schema.MissingReference)
    assert (letters.kind, letters.enabled, letters.find_clips()[0].name) == ("Text", False, "Hello")


def test_cuts_between_no_frames_are_told_to_the_microsecond() -> None:
    clips = tuple(Clip(start=start, duration=100_001, material="a") for start in (7, 100_008))
    data = otio.write(Timeline(tracks=(Track(kind=Kind.VIDEO, clips=clips),)), {}, name="")
    (video,) = opentimelineio.core.deserialize_json_from_string(data.decode()).tracks
    assert [child.range_in_parent().start_time.to_seconds() for child in video] == [0, 0.000007, 0.100008]


def test_what_another_program_has_moved_shortened_or_enabled_is_taken_from_there() -> None:
    fades = Sound(fade_in=second(1), fade_out=second(1))
    clip = Clip(start=0, duration=second(2), material="a", sound=fades, flip_x=True, speed=Fraction(1, 3))
    data = otio.write(Timeline(tracks=(Track(kind=Kind.VIDEO, clips=(clip,), hidden=True),)), {}, name="")
    whole = opentimelineio.core.deserialize_json_from_string(data.decode())
    (video,) = whole.tracks
    video.enabled = True
    video[0].source_range = opentimelineio.opentime.TimeRange(video[0].source_range.start_time, time(1))
    video[0].effects[0].time_scalar = 2.0
    video.insert(0, schema.Gap(duration=time(3)))
    reading = otio.read(whole.to_json_string().encode())
    (track,) = reading.timeline.tracks
    assert not track.hidden
    (again,) = track.clips
    assert (again.start, again.duration, again.speed, again.flip_x) == (second(3), second(1), Fraction(2), True)
    assert (again.sound.fade_in, again.sound.fade_out) == (second(0.5), second(0.5))
    assert [remark.code for remark in reading.remarks] == ["fades_shortened"]


def time(seconds: float) -> Any:
    return opentimelineio.opentime.RationalTime(seconds * 24, 24)
