"""Pieces of a timeline: together they are all of it, and in none of them anything changes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from videos.timeline import cutting
from videos.timeline.model import Canvas, Clip, Kind, Timeline, Track, Transition, frame_at, moment_of
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
