"""Clips and texts that lose some of their time."""

from __future__ import annotations

from dataclasses import replace

from videos.timeline.capcut.keyframes import shifted
from videos.timeline.model import Clip, Sound
from videos.timeline.texts import Text
from videos.timeline.values import LONGEST

Item = Clip | Text


def trimmed(item: Item, *, head: int = 0, tail: int = 0) -> Item:
    """The same without so much of its start and of its end; some of it has to be left."""
    kept = replace(
        item,
        start=item.start + head,
        duration=item.duration - head - tail,
        motion=shifted(item.motion, head) if head else item.motion,
    )
    if isinstance(kept, Clip) and (head or tail):
        return _of_source(kept, head=head, tail=tail)
    return kept


def _of_source(clip: Clip, *, head: int, tail: int) -> Clip:
    """Backwards, it begins with the end of what it takes of its material."""
    gone = 0 if clip.freeze else round((tail if clip.reverse else head) * clip.speed)
    sound = replace(clip.sound, fade_in=max(0, clip.sound.fade_in - head), fade_out=max(0, clip.sound.fade_out - tail))
    return replace(clip, source_start=min(clip.source_start + gone, LONGEST), sound=within_clip(sound, clip.duration))


def within_clip(sound: Sound, duration: int) -> Sound:
    """Fades that are not longer than the clip."""
    both = sound.fade_in + sound.fade_out
    if both <= duration:
        return sound
    fade_in = sound.fade_in * duration // both
    return replace(sound, fade_in=fade_in, fade_out=duration - fade_in)
