"""Which frame of a material is seen when.

A frame of the film shows that frame of the material which stands there at the same moment: the last one that has begun.
Before the first of all frames stands the first, beyond the last one the last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from videos.media import program, shown
from videos.timeline.cutting import Window
from videos.timeline.model import Clip, moment_of
from videos.timeline.sources import Source
from videos.timeline.values import SECOND

# Containers round times, by up to half a millisecond: so a frame may begin this much (microseconds) before it does.
EARLY = 1000
# By how much (microseconds) the last frame may begin after the end that a file states.
_END = SECOND // 2
_STILL = "png_pipe"  # the demuxer that reads stills; it is allowed for nothing else, and nothing else for them
_STEP = SECOND  # that is decoded at least before the first frame that is wanted
_AGAIN = 10  # times that what is played backwards is decoded: for each of its short windows, from a keyframe on
# A jump in these ends anywhere, and not at a keyframe.
_UNINDEXED = {"mpegts": 15 * SECOND, "mpeg": 15 * SECOND}


@dataclass(frozen=True, kw_only=True)
class Look:
    """From where on a material is read. All in microseconds of the material."""

    first: Fraction  # what the first frame shows
    seek: int  # where decoding begins at the latest


def stands(clip: Clip, source: Source) -> bool:
    """Whether one frame is all that is seen of it."""
    return clip.freeze or source.still


def look(clip: Clip, source: Source, window: Window, rate: Fraction, *, patient: bool = False) -> Look:
    """How to come to the frames of a window.

    Beyond the end nothing is left to decode, so the way there begins before it. `patient`: it begins at the start of
    the material, for files whose length or whose index is a lie.
    """
    if source.still:
        return Look(first=Fraction(0), seek=0)
    first = _first(clip, window, rate)
    ends = [end for end in (source.video.duration, source.probe.duration) if end]
    if ends:
        first = min(first, Fraction(round(max(ends) * SECOND) + _END))
    if patient:
        return Look(first=first, seek=0)
    last = min(first, Fraction(round(ends[0] * SECOND))) if ends else first
    return Look(first=first, seek=max(0, math.floor(last) - _UNINDEXED.get(source.probe.container, _STEP)))


def _first(clip: Clip, window: Window, rate: Fraction) -> Fraction:
    """The earliest time in the material that is shown in a window.

    Backwards, a frame is seen up to the moment at which it begins: at that very moment it is the one before it.
    """
    if clip.freeze:
        return Fraction(clip.source_start)
    if clip.reverse:
        last = window.passed(clip, rate) + moment_of(window.frames - 1, rate)
        return clip.source_start + (clip.duration - last) * clip.speed - 2 * EARLY
    return clip.source_start + window.passed(clip, rate) * clip.speed


def frames(
    clip: Clip, source: Source, window: Window, rate: Fraction, *, number: int, threads: int, patient: bool = False
) -> Any:
    """The pictures of a clip for each frame of a window, of the size and in the colours that they have in the file.

    One picture, if it stands, and from the last to the first, if it is played backwards: `in_time` sets that right
    once they are drawn.
    """
    way = look(clip, source, window, rate, patient=patient)
    # Accurate seeking would drop what begins before it: but the frame that is wanted may have stood for long.
    options: dict[str, str | None] = {"ss": f"{way.seek}us", "noaccurate_seek": None} if way.seek else {}
    given = opened(source, threads=threads, number=number, **options, **source.clock)
    return (
        shown.deinterlaced(given[str(source.video.index)], source.video)
        .filter("settb", "1/1000000")
        .filter("setpts", _clock(clip, way, window, rate))
        # Before the filter "fps", which drops the last frame where the end is too near.
        .filter("tpad", stop=-1, stop_mode="clone")
        .filter("fps", fps=str(rate), round="up", start_time=0)
        .filter("trim", end_frame=1 if stands(clip, source) else window.frames)
        .filter("setpts", "PTS-STARTPTS")
    )


def opened(source: Source, *, threads: int, number: int, **options: str | None) -> Any:
    """A material's file, by the demuxers that are allowed for its kind."""
    if source.still:
        options |= {"format": _STILL, "format_whitelist": _STILL}
    return program.opened(source.path, threads=threads, number=number, **options)


def in_time(picture: Any, clip: Clip, source: Source, window: Window, rate: Fraction) -> Any:
    """What was drawn of `frames`, in the order of the film, for each frame of the window."""
    if stands(clip, source):
        return repeated(picture, window.frames, rate)
    return picture.filter("reverse") if clip.reverse else picture


def repeated(picture: Any, count: int, rate: Fraction) -> Any:
    """One frame, again and again."""
    many = picture.filter("loop", loop=-1, size=1).filter("settb", f"1/({rate})").filter("setpts", "N")
    return many.filter("trim", end_frame=count)


def pixel_rate(clip: Clip, source: Source) -> float:
    """How many pixels a second are decoded."""
    pixels = source.video.width * source.video.height
    if stands(clip, source):
        return float(pixels)
    return float(pixels * (source.video.frame_rate or 60) * clip.speed) * (_AGAIN if clip.reverse else 1)


def _clock(clip: Clip, way: Look, window: Window, rate: Fraction) -> str:
    """The time of a frame of the material on the clock of the window, which begins at nought."""
    time = f"(PTS-{float(way.first - way.seek + EARLY):.3f})/{float(clip.speed)!r}"
    if window.passed(clip, rate) >= 0 or window.begins_early(clip):
        return time
    # The clip begins within a frame. What stands before it in its material belongs to another shot.
    if clip.reverse and not clip.freeze:
        end = float(clip.source_at(clip.end)) - way.seek - EARLY
        never = float(window.frames * SECOND / rate) + SECOND
        return f"if(gte(PTS,{end!r}),max({time},{never!r}),{time})"
    return f"if(lte(PTS,{clip.source_start - way.seek + EARLY}),min({time},0),{time})"
