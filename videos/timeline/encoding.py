"""The picture of a film, segment by segment: each is encoded once, by one process, into a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ffmpeg

from jobs.children import Limits
from videos.media import program, sandbox
from videos.timeline import checking, cutting, formats, lettering, picture
from videos.timeline.cutting import Segment
from videos.timeline.errors import FilmIncomplete
from videos.timeline.fonts import Fonts
from videos.timeline.formats import Recipe
from videos.timeline.joining import Part
from videos.timeline.layers import effort
from videos.timeline.model import Canvas, Timeline
from videos.timeline.reuse import Keys
from videos.timeline.sources import Source
from videos.timeline.studio import Studio

STEP = "picture"
_SECONDS = 10
_PIXEL_BITS = 12  # before it is encoded; no encoding of it is larger


def parts(timeline: Timeline, sources: Mapping[str, Source], how: Recipe, studio: Studio) -> list[Part]:
    """Encode all segments but those that the cache has. Raises FilmIncomplete where one has not all of its frames."""
    shoot = _Shoot(
        canvas=timeline.canvas,
        sources=sources,
        how=how,
        studio=studio,
        fonts=Fonts.of(studio),
        keys=Keys(sources.values(), studio.folder, program=studio.version()) if studio.cache else None,
    )
    longest = max(1, round(timeline.canvas.rate * _SECONDS))
    made: list[Part] = []
    done = 0
    for number, segment in enumerate(cutting.segments(timeline, longest=longest)):
        span = done / timeline.frames, (done + segment.frames) / timeline.frames
        made.append(shoot.part(segment, f"part-{number:05d}.mp4", span=span))
        done += segment.frames
    return made


def command(
    segment: Segment,
    target: str,
    sources: Mapping[str, Source],
    canvas: Canvas,
    how: Recipe,
    *,
    threads: int,
    patient: bool = False,
) -> list[str]:
    """The call that encodes one segment."""
    graph = picture.graph(segment, sources, canvas, threads=threads, patient=patient)
    options = formats.picture(how, canvas.rate, threads=threads)
    output = ffmpeg.output(graph, f"file:{target}", format="mp4", **options)
    return program.compiled(output, *program.PROGRESS, "-filter_complex_threads", str(threads))


def limits(*, seconds: float, canvas: Canvas, threads: int, inputs: int = 1, decoded: float = 0.0) -> Limits:
    """What an honest encoding of so many seconds stays well within.

    `decoded`: pixels of material that are decoded, and drawn beside the film's own, for each second of it.
    """
    pixels, rate = canvas.width * canvas.height, float(canvas.rate)
    return sandbox.encoding(
        seconds=seconds,
        pixels=pixels + round(decoded / rate),
        rate=rate,
        peak=round(pixels * rate * _PIXEL_BITS),
        outputs=inputs,
        threads=threads,
    )


@dataclass(frozen=True, kw_only=True)
class _Shoot:
    """The segments of one film in the making."""

    canvas: Canvas
    sources: Mapping[str, Source]
    how: Recipe
    studio: Studio
    fonts: Fonts
    keys: Keys | None

    def part(self, segment: Segment, name: str, *, span: tuple[float, float]) -> Part:
        """The segment as a file of that name."""
        scripts = lettering.write(segment, self.canvas, self.fonts, self.studio)
        try:
            return self._part(segment, name, span=span)
        finally:
            self.studio.remove(*scripts)

    def _part(self, segment: Segment, name: str, *, span: tuple[float, float]) -> Part:
        key = self.keys.of(self._command(segment, name), name) if self.keys else ""
        file, cache = self.studio.folder / name, self.studio.cache
        if cache and cache.take(key, file):
            self.studio.meter.at(STEP, span[1])
            return Part(name=name, frames=segment.frames, reused=True)
        self._encode(segment, name, span=span)
        if cache:
            cache.keep(key, file)
        return Part(name=name, frames=segment.frames)

    def _encode(self, segment: Segment, name: str, *, span: tuple[float, float]) -> None:
        seconds = float(segment.frames / self.canvas.rate)
        for patient in (False, True):
            command = self._command(segment, name, patient=patient)
            self.studio.ffmpeg(command, limits=self._limits(segment), seconds=seconds, step=STEP, span=span)
            problem = checking.frames(name, segment.frames, self.canvas.rate, self.studio)
            if problem is None:
                return
        raise FilmIncomplete(f"A part of the film did not come out complete: {problem}.")

    def _command(self, segment: Segment, name: str, *, patient: bool = False) -> list[str]:
        threads = self.studio.threads
        return command(segment, name, self.sources, self.canvas, self.how, threads=threads, patient=patient)

    def _limits(self, segment: Segment) -> Limits:
        clips = [clip for window in segment.windows for clip in window.clips]
        seen = [(clip, source) for clip in clips if (source := self.sources[clip.material]).probe.video is not None]
        return limits(
            seconds=float(segment.frames / self.canvas.rate),
            canvas=self.canvas,
            threads=self.studio.threads,
            inputs=1 + len(segment.windows) + len(seen),
            decoded=sum(effort(clip, source, self.canvas) for clip, source in seen),
        )
