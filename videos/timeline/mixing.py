"""The mixes of a film's sound, made one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from videos.media import sandbox
from videos.timeline import formats, loudness, sound
from videos.timeline.formats import Options, Recipe
from videos.timeline.sound import Piece
from videos.timeline.studio import Studio

STEP = "sound"
_UNLEVELLED = "unlevelled.wav"
_BITS = formats.SOUND_RATE * 2 * 32  # a second, as numbers of 32 bits


def mix(heard: Sequence[Piece], recipe: Recipe, studio: Studio, *, target: str, length: int) -> None:
    """Make the whole sound, so many samples long, in the file `target`."""
    if not recipe.loudness:
        _mix(heard, studio, formats.sound(recipe), target=target, length=length)
        return
    _mix(heard, studio, None, target=_UNLEVELLED, length=length)
    loudness.level(_UNLEVELLED, target, formats.sound(recipe), studio, length=length)
    studio.remove(_UNLEVELLED)


def _mix(heard: Sequence[Piece], studio: Studio, options: Options | None, *, target: str, length: int) -> None:
    """With the encoder's options; without them, into a file in which nothing is too loud, and nothing is limited."""
    mixes = list(sound.mixes(heard, folder=studio.folder, name=target, length=length))
    total, done = sum(one.seconds for one in mixes), 0.0
    for one in mixes:
        limits = sandbox.encoding(
            seconds=one.seconds + one.decoded, pixels=0, rate=0, peak=_BITS, outputs=len(one.pieces), threads=1
        )
        command = sound.command(one, options if one is mixes[-1] else None)
        span = done / total, (done + one.seconds) / total
        studio.ffmpeg(command, limits=limits, seconds=one.seconds, step=STEP, span=span)
        studio.remove(*one.spent)
        done += one.seconds
