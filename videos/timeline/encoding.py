"""The picture of a film, segment by segment: each is encoded once, by one process, into a file of its own."""

from __future__ import annotations

import dataclasses
import functools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ffmpeg

from jobs.children import Limits
from videos.media import program, sandbox
from videos.timeline import checking, crew, cutting, formats, frames, lettering, picture
from videos.timeline.crew import Call
from videos.timeline.cutting import Segment
from videos.timeline.errors import FilmIncomplete
from videos.timeline.fonts import Fonts
from videos.timeline.formats import Beside, Recipe
from videos.timeline.joining import Part
from videos.timeline.layers import effort
from videos.timeline.model import Canvas, Timeline
from videos.timeline.reuse import Keys
from videos.timeline.sources import Source
from videos.timeline.studio import Studio

STEP = "picture"
_SECONDS = 10
_THREADS = 2  # of each process at least: one more process makes up for less than one more thread
_PIXEL_BITS = 12  # before it is encoded; no encoding of it is larger


def segments(timeline: Timeline) -> list[Segment]:
    """All of a timeline's picture."""
    return cutting.segments(timeline, longest=longest(timeline.canvas))


def longest(canvas: Canvas) -> int:
    """Frames of a segment."""
    return max(1, round(canvas.rate * _SECONDS))


def parts(
    found: Sequence[Segment],
    sources: Mapping[str, Source],
    canvas: Canvas,
    how: Recipe,
    studio: Studio,
    *,
    beside: Beside | None = None,
) -> list[Part]:
    """Encode the segments but those that the cache has. Raises FilmIncomplete where one has not all of its frames."""
    shoot = _Shoot(
        canvas=canvas,
        sources=sources,
        how=how,
        studio=studio,
        keys=Keys(sources.values(), studio.folder, program=studio.version()) if studio.cache else None,
        beside=beside,
    )
    takes = [_Take(segment=segment, name=f"part-{number:05d}.mp4") for number, segment in enumerate(found)]
    fonts = Fonts.of(studio)
    scripts = [name for take in takes for name in lettering.write(take.segment, canvas, fonts, studio)]
    for take in takes:
        shoot.find(take)
    missing = [take for take in takes if not take.reused]
    if missing:
        shoot.encode(missing, _Watch(takes, sum(segment.frames for segment in found), studio))
    studio.remove(*scripts)
    return [Part(name=take.name, frames=take.segment.frames, reused=take.reused, key=take.key) for take in takes]


def command(
    segment: Segment,
    target: str,
    sources: Mapping[str, Source],
    canvas: Canvas,
    how: Recipe,
    *,
    threads: int,
    patient: bool = False,
    beside: Beside | None = None,
) -> list[str]:
    """The call that encodes one segment."""
    graph = _graph(segment, sources, canvas, threads=threads, patient=patient)
    if beside:
        graph = graph.filter("setparams", **beside.colours).filter("setsar", beside.square)
    options = formats.picture(how, canvas.rate, threads=threads, beside=beside)
    output = ffmpeg.output(graph, f"file:{target}", format="mp4", **options)
    return program.compiled(output, *program.PROGRESS, "-filter_complex_threads", str(threads))


def _graph(segment: Segment, sources: Mapping[str, Source], canvas: Canvas, *, threads: int, patient: bool) -> Any:
    """The stream of a segment."""
    if not segment.bare:
        return picture.graph(segment, sources, canvas, threads=threads, patient=patient)
    (window,) = segment.windows
    (clip,) = window.clips
    source = sources[clip.material]
    bare = frames.frames(clip, source, window, canvas.rate, number=0, threads=threads, patient=patient)
    return bare.filter("settb", f"1/({canvas.rate})").filter("setpts", "N")


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


@dataclass(kw_only=True)
class _Take:
    """A segment, the file that it becomes, and how far that is."""

    segment: Segment
    name: str
    key: str = ""
    reused: bool = False
    done: float = 0.0  # from 0 to 1

    def at(self, step: str, part: float) -> None:
        """As a Meter, of this segment alone."""
        self.done = part


@dataclass(frozen=True)
class _Watch:
    """How far all of them are, and what the programs say."""

    takes: Sequence[_Take]
    frames: int
    studio: Studio
    lines: deque[str] = field(default_factory=deque)  # of the programs' logs

    def log(self) -> None:
        while self.lines:
            line = self.lines.popleft()
            if self.studio.on_log:
                self.studio.on_log(line)

    def tell(self) -> None:
        """To whoever watches; what they raise comes out of here."""
        self.log()
        done = sum((1.0 if take.reused else take.done) * take.segment.frames for take in self.takes)
        self.studio.meter.at(STEP, done / self.frames)


@dataclass(frozen=True, kw_only=True)
class _Shoot:
    """The segments of one film in the making."""

    canvas: Canvas
    sources: Mapping[str, Source]
    how: Recipe
    studio: Studio
    keys: Keys | None
    beside: Beside | None

    def find(self, take: _Take) -> None:
        """Take it from the cache, if it is there. How many threads encoded it is all the same."""
        if self.keys and self.studio.cache:
            take.key = take.key or self.keys.of(self._command(take, threads=1), take.name)
            self.studio.remove(take.name)  # what is kept elsewhere under another name must not be written to
            take.reused = self.studio.cache.take(take.key, self.studio.folder / take.name)

    def encode(self, takes: Sequence[_Take], watch: _Watch) -> None:
        """Several at once, where there are threads for it."""
        most = max(1, min(len(takes), self.studio.threads // _THREADS))
        threads = self.studio.threads // most
        tasks = [functools.partial(self._encode, take, threads, watch.lines.append) for take in takes]
        try:
            crew.work(tasks, most=most, on_tick=watch.tell)
        finally:
            watch.log()

    def _encode(self, take: _Take, threads: int, on_log: Callable[[str], None], call: Call) -> None:
        self.find(take)  # the same may stand twice in a film
        if take.reused:
            return
        seconds = float(take.segment.frames / self.canvas.rate)
        studio = dataclasses.replace(self.studio, meter=take, on_tick=call.check, on_log=on_log)
        limits = self._limits(take.segment, threads)
        for patient in (False, True):
            command = self._command(take, threads=threads, patient=patient)
            studio.ffmpeg(command, limits=limits, seconds=seconds, step=STEP, span=(0.0, 1.0))
            problem = checking.frames(take.name, take.segment.frames, self.canvas.rate, studio)
            if problem is None:
                break
        else:
            raise FilmIncomplete(f"A part of the film did not come out complete: {problem}.")
        if self.studio.cache:
            self.studio.cache.keep(take.key, self.studio.folder / take.name)

    def _command(self, take: _Take, *, threads: int, patient: bool = False) -> list[str]:
        return command(
            *(take.segment, take.name, self.sources, self.canvas, self.how),
            threads=threads,
            patient=patient,
            beside=self.beside,
        )

    def _limits(self, segment: Segment, threads: int) -> Limits:
        clips = [clip for window in segment.windows for clip in window.clips]
        seen = [(clip, source) for clip in clips if (source := self.sources[clip.material]).probe.video is not None]
        return limits(
            seconds=float(segment.frames / self.canvas.rate),
            canvas=self.canvas,
            threads=threads,
            inputs=1 + len(segment.windows) + len(seen),
            decoded=sum(effort(clip, source, self.canvas) for clip, source in seen),
        )
