"""The mixes of a film's sound, made one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from videos.media import sandbox
from videos.timeline import formats, sound
from videos.timeline.formats import Recipe
from videos.timeline.sound import Piece
from videos.timeline.studio import Studio

STEP = "sound"
_BITS = formats.SOUND_RATE * 2 * 32  # a second, as numbers of 32 bits


def mix(heard: Sequence[Piece], recipe: Recipe, studio: Studio, *, target: str, length: int) -> None:
    """Make the whole sound, so many samples long, in the file `target`."""
    mixes = list(sound.mixes(heard, folder=studio.folder, name=target, length=length))
    total, done = sum(one.seconds for one in mixes), 0.0
    for one in mixes:
        limits = sandbox.encoding(
            seconds=one.seconds + one.decoded, pixels=0, rate=0, peak=_BITS, outputs=len(one.pieces), threads=1
        )
        command = sound.command(one, formats.sound(recipe) if one is mixes[-1] else None)
        span = done / total, (done + one.seconds) / total
        studio.ffmpeg(command, limits=limits, seconds=one.seconds, step=STEP, span=span)
        studio.remove(*one.spent)
        done += one.seconds
