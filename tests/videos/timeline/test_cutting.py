"""Pieces of a timeline: together they are all of it, and in none of them anything changes."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos.timeline import cutting
from videos.timeline.model import Canvas, Clip, Kind, Timeline, Track, Transition, frame_at, moment_of
from videos.timeline.motion import Keyframe, Motion
from videos.timeline.values import SECOND

RATES = st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60), Fraction(1), Fraction(7, 3)])


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    """Clips and gaps of every length, down to less than a frame; some give way to the next one."""
    lengths = st.integers(1, 3 * SECOND) | st.integers(1, 30_000)
    clips: list[Clip] = []
    at = 0
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 2 * SECOND) | st.just(0), lengths), max_size=8)):
        clips.append(Clip(start=at + gap, duration=length, material=str(len(clips))))
        at += gap + length
    for place, (one, other) in enumerate(pairwise(clips)):
        if one.end == other.start and draw(st.booleans()):
            length = draw(st.integers(1, min(one.duration, other.duration)))
            clips[place] = replace(one, transition=Transition(duration=length))
    kind = draw(st.sampled_from(Kind))
    return Track(kind=kind, clips=tuple(clips), hidden=draw(st.booleans()))


TIMELINES = st.builds(Timeline, canvas=st.builds(Canvas, rate=RATES), tracks=st.lists(tracks(), max_size=4).map(tuple))


@given(TIMELINES, st.integers(1, 300))
def test_windows_are_all_of_the_timeline_and_no_frame_twice(timeline: Timeline, longest: int) -> None:
    found = cutting.windows(timeline, longest=longest)
    assert sum(window.frames for window in found) == timeline.frames
    assert all(0 < window.frames <= longest for window in found)
    for one, other in pairwise(found):
        assert one.first + one.frames == other.first
    if found:
        assert found[0].first == 0


@given(TIMELINES)
def test_each_frame_shows_the_clips_that_are_there(timeline: Timeline) -> None:
    rate = timeline.canvas.rate
    for window in cutting.windows(timeline, longest=50):
        for frame in (window.first, window.first + window.frames - 1):
            there: list[Clip] = []
            passages = []
            for track in timeline.tracks:
                if track.kind is Kind.VIDEO and not track.hidden:
                    seen = shown(track, frame, rate)
                    passages += [len(there)] if len(seen) == 2 else []
                    there += seen
            assert list(window.clips) == there
            assert list(window.passages) == passages


def shown(track: Track, frame: int, rate: Fraction) -> list[Clip]:
    """What is seen of a track: two clips where one gives way to the other."""
    for one, other in pairwise(track.clips):
        if one.transition:
            begin = one.end - one.transition.before
            if frame_at(begin, rate) <= frame < frame_at(begin + one.transition.duration, rate):
                return [one, other]
    return [clip for clip in track.clips if frame_at(clip.start, rate) <= frame < frame_at(clip.end, rate)]


@given(TIMELINES, st.integers(1, 300))
def test_segments_are_the_windows_in_their_order(timeline: Timeline, longest: int) -> None:
    found = cutting.segments(timeline, longest=longest)
    assert [window for one in found for window in one.windows] == cutting.windows(timeline, longest=longest)
    for one in found:
        assert one.first == one.windows[0].first
        assert one.frames <= longest
        assert len(one.windows) == 1 or sum(len(window.clips) for window in one.windows) <= 16


@given(st.integers(0, 12 * 3600 * SECOND), RATES)
def test_a_frame_begins_nearest_to_the_moment_that_it_is_for(moment: int, rate: Fraction) -> None:
    frame = frame_at(moment, rate)
    assert abs(moment_of(frame, rate) - moment) <= SECOND / rate / 2


@pytest.mark.parametrize(("size", "most"), [((1280, 720), 13), ((2560, 1440), 3), ((4096, 2160), 1)])
def test_what_moves_wildly_on_a_large_canvas_is_made_a_little_at_a_time(size: tuple[int, int], most: int) -> None:
    """All windows of a segment are there at once: sixteen of 2160p took 11 GB."""
    dice = random.Random(3)
    wild = tuple(Keyframe(at=number * 20_000, value=dice.uniform(0.3, 3)) for number in range(100))
    clip = Clip(start=0, duration=2 * SECOND, material="0", motion=Motion(scale=wild))
    canvas = Canvas(width=size[0], height=size[1], rate=Fraction(25))
    timeline = Timeline(canvas=canvas, tracks=(Track(kind=Kind.VIDEO, clips=(clip,)),))
    found = cutting.segments(timeline, longest=250)
    assert sum(one.frames for one in found) == 50
    assert max(len(one.windows) for one in found) <= most
    backwards = replace(clip, motion=Motion(), reverse=True)
    cuts = tuple(replace(backwards, start=number * SECOND // 5, duration=SECOND // 5) for number in range(30))
    timeline = replace(timeline, tracks=(Track(kind=Kind.VIDEO, clips=cuts),))
    held = [one.frames * size[0] * size[1] for one in cutting.segments(timeline, longest=250) if len(one.windows) > 1]
    assert max(held, default=0) <= 12_000_000 * 60
