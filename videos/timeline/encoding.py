"""The picture of a film, segment by segment: each is encoded once, by one process, into a file of its own."""

from __future__ import annotations

from collections.abc import Mapping

import ffmpeg

from jobs.children import Limits
from videos.media import program, sandbox
from videos.timeline import checking, cutting, formats, picture
from videos.timeline.cutting import Segment
from videos.timeline.errors import FilmIncomplete
from videos.timeline.formats import Recipe
from videos.timeline.frames import pixel_rate
from videos.timeline.joining import Part
from videos.timeline.model import Canvas, Timeline
from videos.timeline.sources import Source
from videos.timeline.studio import Studio

STEP = "picture"
_SECONDS = 10
_PIXEL_BITS = 12  # before it is encoded; no encoding of it is larger


def parts(timeline: Timeline, sources: Mapping[str, Source], how: Recipe, studio: Studio) -> list[Part]:
    """Encode all segments. Raises FilmIncomplete where a segment has not all of its frames."""
    rate = timeline.canvas.rate
    made: list[Part] = []
    done = 0
    for number, segment in enumerate(cutting.segments(timeline, longest=max(1, round(rate * _SECONDS)))):
        part = Part(name=f"part-{number:05d}.mp4", frames=segment.frames)
        span = done / timeline.frames, (done + segment.frames) / timeline.frames
        for patient in (False, True):
            _encode(segment, part, sources, timeline.canvas, how, studio, span=span, patient=patient)
            problem = checking.frames(part.name, part.frames, rate, studio)
            if problem is None:
                break
        else:
            raise FilmIncomplete(f"A part of the film did not come out complete: {problem}.")
        made.append(part)
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

    `decoded`: pixels of material that are decoded for each second of the film.
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


def _encode(
    segment: Segment,
    part: Part,
    sources: Mapping[str, Source],
    canvas: Canvas,
    how: Recipe,
    studio: Studio,
    *,
    span: tuple[float, float],
    patient: bool,
) -> None:
    clips = [clip for window in segment.windows for clip in window.clips]
    videos = [(clip, video) for clip in clips if (video := sources[clip.material].probe.video) is not None]
    seconds = float(segment.frames / canvas.rate)
    bounds = limits(
        seconds=seconds,
        canvas=canvas,
        threads=studio.threads,
        inputs=1 + len(segment.windows) + len(videos),
        decoded=sum(pixel_rate(video, clip) for clip, video in videos),
    )
    argv = command(segment, part.name, sources, canvas, how, threads=studio.threads, patient=patient)
    studio.ffmpeg(argv, limits=bounds, seconds=seconds, step=STEP, span=span)
