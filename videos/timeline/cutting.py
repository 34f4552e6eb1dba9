"""Cuts a timeline into pieces that can be made apart: windows in which nothing changes, segments of a few of them.

Every bound is a frame. So each piece has a whole number of frames, and together they are the timeline's, whoever makes
which, and in whatever order.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from videos.timeline.curves import curves_of, rests
from videos.timeline.model import Canvas, Clip, Kind, Timeline, Track, frame_at, moment_of
from videos.timeline.motion import Motion
from videos.timeline.texts import Text

_LARGEST = 2.25  # times the canvas: what is prepared of a picture that moves
_MOST_PIECES = 150  # of the curves by which it does: each makes the graph longer
_MOST_HELD = 64_000_000  # pixels of the canvas: what is played backwards is all there before its first frame is seen
_MOST_CLIPS = 16  # in one segment: each is a file that is open, and a decoder
_MOST_DRAWN = 12_000_000  # pixels of the canvas, in one segment: for each picture that moves, they take 100 bytes each
_HELD = 60  # frames, which take as much when they are played backwards
_SHORT = 10  # how many times shorter than the longest a window is that shares a process with others
_GATHERED = 4  # of those, about so many share one


@dataclass(frozen=True, kw_only=True)
class Written:
    """Texts over one picture, from the bottom to the top. They may come and go within the window."""

    below: int  # how many of the window's clips the picture is made of
    texts: tuple[Text, ...]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Some frames, and the clips that are seen in all of them, from the bottom to the top.

    `passages`: the places in `clips` of those that give way, in all of these frames, to the one after them.
    """

    first: int
    frames: int
    clips: tuple[Clip, ...]
    written: tuple[Written, ...] = ()
    passages: tuple[int, ...] = ()

    def begins_early(self, clip: Clip) -> bool:
        """Whether the clip is one that another gives way to, so that its material may begin before itself."""
        return any(self.clips[place + 1] is clip for place in self.passages)

    def passed(self, clip: Clip, rate: Fraction) -> int:
        """How much of a clip has passed when the window begins, in microseconds; a little less than nothing at times.

        In tens of them. Clips begin at whole microseconds, frames between them: what differs by no more than that is
        the same picture, wherever in the film it stands.
        """
        return round((moment_of(self.first, rate) - clip.start) / 10) * 10


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Windows that are made together.

    `bare`: its one window shows one clip, whose frames are taken as they are in the material.
    """

    windows: tuple[Window, ...]
    bare: bool = False

    @property
    def first(self) -> int:
        return self.windows[0].first

    @property
    def frames(self) -> int:
        return sum(window.frames for window in self.windows)


def windows(timeline: Timeline, *, longest: int, at: Iterable[int] = ()) -> list[Window]:
    """All of the timeline's picture, none longer than so many frames. `at`: more frames before which it is cut."""
    rate = timeline.canvas.rate
    seen = [track for track in timeline.tracks if track.kind is not Kind.AUDIO and not track.hidden]
    bounds = {0, timeline.frames, *at}
    for track in seen:
        bounds |= {frame_at(moment, rate) for clip in track.clips for moment in _bounds(clip)}
    found = []
    places = [0] * len(seen)
    for first, after in pairwise(sorted(bounds)):
        window = Window(first=first, frames=after - first, clips=())
        over: dict[int, list[Track]] = {}
        for number, track in enumerate(seen):
            if track.kind.is_written:
                over.setdefault(len(window.clips), []).append(track)
                continue
            places[number] = _following(track, places[number], first, timeline)
            window = _with(window, track, places[number], rate)
        for part in _split(window, longest):
            found += [_with_texts(piece, over, rate) for piece in _divided(part, timeline.canvas)]
    return found


def _bounds(clip: Clip) -> Iterator[int]:
    """The moments at which something else is seen, or the same in another way."""
    yield from (clip.start, clip.end, *rests(clip))
    if clip.transition:
        yield from (clip.end - clip.transition.before, clip.end + clip.transition.after)


def _with(window: Window, track: Track, place: int, rate: Fraction) -> Window:
    """With what is seen of one track: nothing, a clip, or one that gives way to another."""
    shown = [number for number in (place - 1, place) if _gives_way(track, number, window, rate)]
    if shown:
        passages = (*window.passages, len(window.clips))
        return replace(window, clips=(*window.clips, *track.clips[shown[0] : shown[0] + 2]), passages=passages)
    clip = track.clips[place] if place < len(track.clips) else None
    if clip and frame_at(clip.start, rate) <= window.first:
        return replace(window, clips=(*window.clips, clip))
    return window


def _gives_way(track: Track, place: int, window: Window, rate: Fraction) -> bool:
    """Whether a clip of the track does."""
    if not 0 <= place < len(track.clips) - 1:
        return False
    clip = track.clips[place]
    if clip.transition is None:
        return False
    begin, end = clip.end - clip.transition.before, clip.end + clip.transition.after
    return frame_at(begin, rate) <= window.first < frame_at(end, rate)


def segments(timeline: Timeline, *, longest: int) -> list[Segment]:
    """All of the timeline's picture, in segments of at most so many frames."""
    return grouped(windows(timeline, longest=longest), timeline.canvas, longest=longest)


def grouped(found: Iterable[Window], canvas: Canvas, *, longest: int) -> list[Segment]:
    """The windows in groups, each of at most so many frames that follow one another.

    Whoever changes one clip should find all segments but its own as they were. So a window is a segment by itself, and
    only short ones are gathered; where such a group ends is told by its last window, and not by how many there were.
    """
    groups: list[list[Window]] = []
    for window in found:
        if not groups or not _joins(window, groups[-1], canvas, longest):
            groups.append([])
        groups[-1].append(window)
    return [Segment(windows=tuple(group)) for group in groups]


def _joins(window: Window, group: Sequence[Window], canvas: Canvas, longest: int) -> bool:
    if max(group[-1].frames, window.frames) > longest // _SHORT or _ends_group(group[-1], canvas.rate):
        return False
    if sum(_drawn(one) for one in (*group, window)) * canvas.width * canvas.height > _MOST_DRAWN:
        return False
    if group[-1].first + group[-1].frames != window.first:
        return False
    frames = sum(one.frames for one in group) + window.frames
    clips = sum(len(one.clips) for one in group) + len(window.clips)
    return frames <= longest and clips <= _MOST_CLIPS


def _drawn(window: Window) -> float:
    """How many pictures of it take as much memory as one that moves: all of a segment's are there at once."""
    moving = sum(clip.motion != Motion() for clip in window.clips)
    return moving + window.frames / _HELD * sum(clip.reverse and not clip.freeze for clip in window.clips)


def _ends_group(window: Window, rate: Fraction) -> bool:
    """As good as by chance, but always the same for windows that show the same."""
    shown = [(clip.material, clip.source_start, window.passed(clip, rate)) for clip in window.clips]
    return zlib.crc32(repr((window.frames, shown)).encode()) % _GATHERED == 0


def _split(window: Window, longest: int) -> list[Window]:
    after = window.first + window.frames
    return [
        replace(window, first=begin, frames=min(longest, after - begin))
        for begin in range(window.first, after, longest)
    ]


def _divided(window: Window, canvas: Canvas) -> Iterator[Window]:
    """Shorter ones, where it takes too much to make it at once."""
    held = sum(clip.reverse and not clip.freeze for clip in window.clips) * window.frames * canvas.width * canvas.height
    moderate = held <= _MOST_HELD and all(_moves_little(clip, window, canvas.rate) for clip in window.clips)
    if window.frames == 1 or moderate:
        yield window
        return
    half = window.frames // 2
    yield from _divided(replace(window, frames=half), canvas)
    yield from _divided(replace(window, first=window.first + half, frames=window.frames - half), canvas)


def _moves_little(clip: Clip, window: Window, rate: Fraction) -> bool:
    """A picture that moves is prepared at its largest, with all of it that is ever seen."""
    if clip.motion == Motion():
        return True
    curves = curves_of(clip, window.first, window.frames, rate)
    least, greatest = curves["scale"].bounds
    size = (greatest / least) ** 2
    for name in ("x", "y"):
        low, high = curves[name].bounds
        size *= 1 + high - low
    return size <= _LARGEST and sum(len(curve.pieces) for curve in curves.values()) <= _MOST_PIECES


def _with_texts(window: Window, over: Mapping[int, Sequence[Track]], rate: Fraction) -> Window:
    """`over`: for each number of clips the tracks of texts that lie over so many."""
    found = {
        below: [text for track in tracks for text in _texts(track, window, rate)] for below, tracks in over.items()
    }
    written = tuple(Written(below=below, texts=tuple(texts)) for below, texts in found.items() if texts)
    return replace(window, written=written)


def _texts(track: Track, window: Window, rate: Fraction) -> Iterator[Text]:
    """Those that are seen in one of the window's frames."""
    first = bisect_right(track.texts, window.first, key=lambda text: frame_at(text.end, rate))
    for text in track.texts[first:]:
        start = frame_at(text.start, rate)
        if start >= window.first + window.frames:
            break
        if start < frame_at(text.end, rate):
            yield text


def _following(track: Track, place: int, frame: int, timeline: Timeline) -> int:
    """The first clip of the track that has not ended by that frame."""
    while place < len(track.clips) and frame_at(track.clips[place].end, timeline.canvas.rate) <= frame:
        place += 1
    return place
