"""Slates: what stands in a film for a medium that is missing. A grey picture with its name; for sound, silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
from ffmpeg.nodes import InputNode

from jobs.children import ChildFailed
from videos.drafts import media
from videos.drafts.media import Missing
from videos.media import program, sandbox, transcode
from videos.media.probe import Caps, Probe
from videos.media.transcode import Workshop
from videos.timeline.model import Canvas, Clip, Crop, Timeline
from videos.timeline.sources import Source

_GREY = "0x2b2b2b"
_LONGEST_NAME = 40  # characters
_SILENCE = Source(
    path=Path("silence"),  # there is none: nobody opens a file without streams
    probe=Probe(container="", duration=None, trust="whole", video=None, audio=None, streams=0, unusable=()),
)


def make(missing: Sequence[Missing], canvas: Canvas, workshop: Workshop) -> dict[str, Source]:
    """A slate for each, by its name in the timeline; files of the workshop's folder, one frame long."""
    sources = {}
    for number, one in enumerate(missing, start=1):
        seen = one.media.kind != "sound"
        sources[one.media.name] = _picture(one, number, canvas, workshop) if seen else _SILENCE
    return sources


def put(timeline: Timeline, names: set[str]) -> Timeline:
    """The timeline with the clips of these materials shown as they are: upright and whole, from their only frame."""
    tracks = tuple(
        replace(track, clips=tuple(_plain(clip) if clip.material in names else clip for clip in track.clips))
        for track in timeline.tracks
    )
    return replace(timeline, tracks=tracks)


def _plain(clip: Clip) -> Clip:
    return replace(
        clip,
        source_start=0,
        speed=Fraction(1),
        reverse=False,
        freeze=False,
        crop=Crop(),
        flip_x=False,
        flip_y=False,
        mask=None,
    )


def _picture(missing: Missing, number: int, canvas: Canvas, workshop: Workshop) -> Source:
    target, text = f"slate-{number:05d}.mp4", workshop.folder / f"slate-{number:05d}.txt"
    written = _shortened(media.file_name(missing.media))
    text.write_text(written, encoding="utf-8")
    try:
        _draw(canvas, workshop, target, _lettering(canvas, text.name, len(written)))
    except ChildFailed:  # without fonts, it stays grey
        _draw(canvas, workshop, target, None)
    path = workshop.folder / target
    return Source(path=path, probe=transcode.inspect(path, workshop, caps=Caps()))


def _draw(canvas: Canvas, workshop: Workshop, target: str, lettering: dict[str, Any] | None) -> None:
    grey = f"color=c={_GREY}:s={canvas.width}x{canvas.height}:r=1:d=1"
    stream = InputNode(ffmpeg.input.__name__, kwargs={"filename": grey, "format": "lavfi"}).stream()
    if lettering:
        stream = stream.filter("drawtext", **lettering)
    options = {"c:v": "libx264", "preset": "veryfast", "crf": 18, "pix_fmt": "yuv420p", "threads": 1}
    command = program.compiled(ffmpeg.output(stream, f"file:{target}", map_metadata=-1, **options))
    pixels = canvas.width * canvas.height
    limits = sandbox.encoding(seconds=1, pixels=pixels, rate=1.0, peak=pixels * 12, outputs=1, threads=1)
    workshop.run(command, cwd=workshop.folder, limits=limits, on_log=workshop.on_log)


def _lettering(canvas: Canvas, file: str, length: int) -> dict[str, Any]:
    """The name in one line, in the middle. It is read from a file: nothing of it is taken for an option."""
    size = max(8, min(canvas.height // 10, int(canvas.width * 1.5 / max(length, 10))))
    middle = {"x": "(w-text_w)/2", "y": "(h-text_h)/2"}
    return {"textfile": file, "expansion": "none", "fontcolor": "white", "fontsize": size, **middle}


def _shortened(name: str) -> str:
    """A long name without its middle: what kind of file it is stands at its end."""
    clean = "".join(character if character.isprintable() else " " for character in name)
    if len(clean) <= _LONGEST_NAME:
        return clean
    half = _LONGEST_NAME // 2
    return f"{clean[: half - 1]}…{clean[-half:]}"
