"""A timeline becomes a file.

the sound: place every clip, mix ─────────────────┐
                                                  ├─► join ─► check every frame
the picture: take as it is, or encode by segments ┘
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs import children
from jobs.children import ChildFailed
from videos.media.errors import MediaError
from videos.media.transcode import OnProgress, Run
from videos.timeline import (
    captions,
    checking,
    copying,
    encoding,
    formats,
    joining,
    loudness,
    mixing,
    packets,
    palette,
    seams,
    slices,
    sound,
    splicing,
)
from videos.timeline.copying import NotCopied, NotSpliced, Trimmed
from videos.timeline.errors import FilmIncomplete, NothingToHear, NothingToSee
from videos.timeline.formats import Format, Recipe
from videos.timeline.joining import Copied, Joint, Part
from videos.timeline.meter import Meter
from videos.timeline.model import Timeline, moment_of
from videos.timeline.reuse import Cache
from videos.timeline.sound import Piece
from videos.timeline.sources import Source
from videos.timeline.studio import Studio
from videos.timeline.values import SECOND

__all__ = ["Film", "Format", "Recipe", "Source", "make"]

_COPIED = "The clips were joined without encoding their pictures again."
_SPLICED = "{copied} of {whole} frames were copied without encoding them again; the others were encoded, because {why}."
_SOUND_ALONE = "There is no picture in a file of this format."
_TOLERANCE = 0.2  # seconds: a missing frame is found when frames are counted; encoders of sound pad
_SHARES = {mixing.STEP: 0.1, loudness.STEP: 0.1, encoding.STEP: 1.0, joining.STEP: 0.05, palette.STEP: 0.2}


@dataclass(frozen=True, kw_only=True)
class Film:
    """What was made."""

    file: Path  # in the folder
    duration: float  # seconds, as measured
    frames: int  # 0: sound alone
    copied: bool  # not one frame was encoded again
    reason: str  # why it was, or why it could not be copied
    frames_copied: int = 0  # without being encoded
    encoded: int = 0  # segments
    reused: int = 0  # segments that had been encoded before


def make(
    timeline: Timeline,
    sources: Mapping[str, Source],
    folder: Path,
    *,
    recipe: Recipe,
    threads: int,
    run: Run = children.run,
    on_progress: OnProgress,
    on_log: Callable[[str], None] | None = None,
    cache: Cache | None = None,
) -> Film:
    """Make the film in `folder`, which is private, exists and is empty but for nothing.

    `sources` has one for each of the timeline's materials. `on_progress` gets seconds done, seconds in all, and the
    step in a word. What was encoded before is taken from `cache`. Raises what `videos.media.errors` and
    `videos.timeline.errors` name, and what `run` raises.
    """
    timeline = dataclasses.replace(timeline, canvas=formats.canvas(timeline.canvas, recipe))
    heard = sound.pieces(timeline, sources) if recipe.format.is_heard else []
    _refuse_nothing(timeline, heard, recipe.format)
    meter = Meter(on_progress, timeline.duration / SECOND, _SHARES)
    studio = Studio(folder=folder, threads=threads, run=run, meter=meter, on_log=on_log, cache=cache)
    beside = captions.write(timeline, recipe, studio)
    drawn = captions.burnt(timeline, recipe)
    work = _Work(timeline=drawn, sources=sources, recipe=recipe, studio=studio, captions=beside)
    film = work.with_picture(heard) if recipe.format.is_seen else work.of_sound(heard)
    studio.remove(*beside)
    return film


def _refuse_nothing(timeline: Timeline, heard: Sequence[Piece], form: Format) -> None:
    if form.is_seen and not timeline.frames:
        raise NothingToSee
    if not form.is_seen and not heard:
        raise NothingToHear


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One film in the making."""

    timeline: Timeline
    sources: Mapping[str, Source]
    recipe: Recipe
    studio: Studio
    captions: Sequence[str]  # files of subtitles, for players to show

    @property
    def _target(self) -> str:
        return f"film.{self.recipe.format.value}"

    def of_sound(self, heard: Sequence[Piece]) -> Film:
        length = sound.samples(self.timeline.duration)
        mixing.mix(heard, self.recipe, self.studio, target=self._target, length=length)
        return self._film(frames=0, copied=0, reason=_SOUND_ALONE)

    def with_picture(self, heard: Sequence[Piece]) -> Film:
        with contextlib.suppress(NotCopied):
            self._copy_all(heard)
            return self._film(frames=self.timeline.frames, copied=self.timeline.frames, reason=_COPIED)
        track = self._mixed(heard)
        made = self._made(track)
        if track:
            self.studio.remove(track)
        return made

    def _made(self, track: str | None) -> Film:
        """Copied if it can be; else as much of it as can be; else encoded."""
        try:
            self._copy(track)
            return self._film(frames=self.timeline.frames, copied=self.timeline.frames, reason=_COPIED)
        except NotCopied as error:
            refusal = error
        try:
            return self._splice(track)
        except NotSpliced as error:
            refusal = error
        except NotCopied as error:
            refusal = error if isinstance(refusal, Trimmed) else refusal
        return self._told(self._encode(track), copied=0, reason=f"The pictures were encoded, because {refusal}.")

    def _told(self, parts: Sequence[Part], *, copied: int, reason: str) -> Film:
        made = self._film(frames=self.timeline.frames, copied=copied, reason=reason)
        reused = sum(part.reused for part in parts)
        return dataclasses.replace(made, encoded=len(parts) - reused, reused=reused)

    def _mixed(self, heard: Sequence[Piece]) -> str | None:
        """The file of the sound."""
        if not heard:
            return None
        track = "sound.webm" if self.recipe.format is Format.WEBM else "sound.m4a"
        length = sound.samples(moment_of(self.timeline.frames, self.timeline.canvas.rate))
        mixing.mix(heard, self.recipe, self.studio, target=track, length=length)
        return track

    def _copy_all(self, heard: Sequence[Piece]) -> None:
        """Join the clips with their own sound. Raises NotCopied, also if the sound has to be mixed."""
        joint = copying.joint(self.timeline, self.sources, self.recipe.format, self.studio)
        clips = copying.sequence(self.timeline, self.recipe.format)
        track = None if self.recipe.loudness else packets.copied(clips, heard, self.sources, joint)
        if track is None:
            raise NotCopied("the sound has to be mixed")
        self._join(joint, track)
        if checking.packets(self._target, self.studio) != track.packets:
            raise NotCopied("the sound did not join well")

    def _splice(self, track: str | None) -> Film:
        """Copy what can be copied, and encode what lies between. Raises NotCopied, or NotSpliced if it failed."""
        plan = slices.plan(self.timeline, self.sources, self.recipe.format)
        canvas = self.timeline.canvas
        try:
            spliced = splicing.splice(plan, self.sources, canvas, self.recipe, self.studio)
            self._join(spliced.joint, track)
            if problem := seams.problem(self._target, spliced, canvas, self.studio):
                raise NotSpliced(f"the clips did not join well: {problem}")
        except NotCopied as error:
            raise NotSpliced(str(error)) from error
        except (FilmIncomplete, MediaError, ChildFailed) as error:
            raise NotSpliced("the clips can't be cut") from error
        copied, whole = spliced.copied, self.timeline.frames
        reason = _COPIED if copied == whole else _SPLICED.format(copied=copied, whole=whole, why=plan.why)
        return self._told(spliced.encoded, copied=copied, reason=reason)

    def _copy(self, track: str | None) -> None:
        self._join(copying.joint(self.timeline, self.sources, self.recipe.format, self.studio), track)

    def _join(self, joint: Joint, track: str | Copied | None) -> None:
        try:
            joining.join(joint, self._target, self.studio, track=track, captions=self.captions)
        except (MediaError, ChildFailed) as error:
            raise NotCopied("the clips can't be joined as they are") from error
        if problem := self._problem():
            raise NotCopied(f"the clips did not join well: {problem}")

    def _encode(self, track: str | None) -> Sequence[Part]:
        canvas = self.timeline.canvas
        parts = encoding.parts(encoding.segments(self.timeline), self.sources, canvas, self.recipe, self.studio)
        joint = Joint(parts=parts, rate=canvas.rate, timescale=formats.timescale(canvas.rate))
        if self.recipe.format is Format.GIF:
            joining.join(joint, "joined.mp4", self.studio, track=None)
            seconds = float(self.timeline.frames / canvas.rate)
            palette.paint("joined.mp4", self._target, canvas, self.studio, seconds=seconds)
            self.studio.remove("joined.mp4")
        else:
            joining.join(joint, self._target, self.studio, track=track, captions=self.captions)
        if problem := self._problem():
            raise FilmIncomplete(f"The film did not come out complete: {problem}.")
        return parts

    def _problem(self) -> str | None:
        coarse = self.recipe.format is Format.GIF
        return checking.frames(
            self._target, self.timeline.frames, self.timeline.canvas.rate, self.studio, coarse=coarse
        )

    def _film(self, *, frames: int, copied: int, reason: str) -> Film:
        seconds = checking.seconds(self._target, self.studio)
        expected = float(frames / self.timeline.canvas.rate) if frames else self.timeline.duration / SECOND
        if abs(seconds - expected) > _TOLERANCE:
            raise FilmIncomplete(f"The film is {seconds:.3f} seconds long instead of {expected:.3f}.")
        self.studio.meter.at("done", 1.0)
        return Film(
            file=self.studio.folder / self._target,
            duration=seconds,
            frames=frames,
            copied=0 < frames == copied,
            frames_copied=copied,
            reason=reason,
        )
