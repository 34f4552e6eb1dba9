"""Cuts a timeline into pieces that can be made apart: windows in which nothing changes, segments of a few of them.

Every bound is a frame. So each piece has a whole number of frames, and together they are the timeline's, whoever makes
which, and in whatever order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from videos.timeline.model import Clip, Kind, Timeline, Track, frame_at

_MOST_CLIPS = 16  # in one segment: each is a file that is open, and a decoder


@dataclass(frozen=True, kw_only=True)
class Window:
    """Some frames, and the clips that are seen in all of them, from the bottom to the top."""

    first: int
    frames: int
    clips: tuple[Clip, ...]


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Windows that are made together."""

    windows: tuple[Window, ...]

    @property
    def first(self) -> int:
        return self.windows[0].first

    @property
    def frames(self) -> int:
        return sum(window.frames for window in self.windows)


def windows(timeline: Timeline, *, longest: int) -> list[Window]:
    """All of the timeline's picture, none longer than so many frames."""
    rate = timeline.canvas.rate
    seen = [track for track in timeline.tracks if track.kind is Kind.VIDEO and not track.hidden]
    bounds = {0, timeline.frames}
    for track in seen:
        bounds |= {frame_at(moment, rate) for clip in track.clips for moment in (clip.start, clip.end)}
    found = []
    places = [0] * len(seen)
    for first, after in pairwise(sorted(bounds)):
        clips = []
        for number, track in enumerate(seen):
            places[number] = _following(track, places[number], first, timeline)
            if clip := _at(track, places[number], first, timeline):
                clips.append(clip)
        found += _split(first, after, tuple(clips), longest)
    return found


def segments(timeline: Timeline, *, longest: int) -> list[Segment]:
    """The windows in groups, each of at most so many frames."""
    groups: list[list[Window]] = []
    for window in windows(timeline, longest=longest):
        if not groups or not _fits(groups[-1], window, longest):
            groups.append([])
        groups[-1].append(window)
    return [Segment(windows=tuple(group)) for group in groups]


def _fits(group: Sequence[Window], window: Window, longest: int) -> bool:
    frames = sum(one.frames for one in group) + window.frames
    clips = sum(len(one.clips) for one in group) + len(window.clips)
    return frames <= longest and clips <= _MOST_CLIPS


def _split(first: int, after: int, clips: tuple[Clip, ...], longest: int) -> list[Window]:
    return [
        Window(first=begin, frames=min(longest, after - begin), clips=clips) for begin in range(first, after, longest)
    ]


def _following(track: Track, place: int, frame: int, timeline: Timeline) -> int:
    """The first clip of the track that has not ended by that frame."""
    while place < len(track.clips) and frame_at(track.clips[place].end, timeline.canvas.rate) <= frame:
        place += 1
    return place


def _at(track: Track, place: int, frame: int, timeline: Timeline) -> Clip | None:
    clip = track.clips[place] if place < len(track.clips) else None
    return clip if clip and frame_at(clip.start, timeline.canvas.rate) <= frame else None
