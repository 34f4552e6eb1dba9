"""Parts become one film: their packets are copied one after the other, and the sound is laid beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import ffmpeg

from jobs.children import Limits
from videos.media import program
from videos.timeline.model import moment_of
from videos.timeline.studio import Studio
from videos.timeline.values import SECOND

STEP = "joining"
_LIST = "parts.txt"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some of the film's frames."""

    name: str  # of the file, in the folder
    frames: int
    reused: bool = False  # it was encoded for another film, or for this one before


@dataclass(frozen=True, kw_only=True)
class Joint:
    """Parts that are encoded in the same way, in their order."""

    parts: Sequence[Part]
    rate: Fraction
    timescale: int  # ticks a second in the film's file
    index: int = 0  # of the picture in each part


def join(joint: Joint, target: str, studio: Studio, *, track: str | None) -> None:
    """Join the parts, which are gone afterwards. `track`: the file of the sound."""
    (studio.folder / _LIST).write_text(script(joint), encoding="ascii")
    names = {part.name for part in joint.parts}
    size = sum((studio.folder / name).stat().st_size for name in (*names, *([track] if track else [])))
    repeated = max(1, len(joint.parts) // len(names))
    seconds = float(sum(part.frames for part in joint.parts) / joint.rate)
    limits = Limits(
        wall_seconds=600 + seconds, stall_seconds=300 + seconds / 10, file_bytes=64 * 1024**2 + 2 * size * repeated
    )
    try:
        studio.ffmpeg(command(joint, target, track=track), limits=limits, seconds=seconds, step=STEP, span=(0.0, 1.0))
    finally:
        studio.remove(_LIST, *names)


def script(joint: Joint) -> str:
    """What follows what, in ffmpeg's own words.

    Each part is as long as its frames, whatever its file says. The lengths are rounded so that their sums are right:
    else a long film would get out of step.
    """
    lines, first = ["ffconcat version 1.0"], 0
    for part in joint.parts:
        begin, end = (round(moment_of(frame, joint.rate)) for frame in (first, first + part.frames))
        # Time begins with the picture: sound that begins before it, which decoders need, would put it off.
        lines += [f"file {part.name}", "inpoint 0", f"duration {(end - begin) // SECOND}.{(end - begin) % SECOND:06d}"]
        first += part.frames
    return "\n".join(lines) + "\n"


def command(joint: Joint, target: str, *, track: str | None) -> list[str]:
    """The call that joins them."""
    # The script is ours, and so are the names in it; what they name is an MP4 by its content, or is refused.
    allowed = {"protocol_whitelist": "file", "format_whitelist": "concat,mov"}
    # `auto_convert` would write the set-up data, which is the same in all parts, into their packets.
    parts = ffmpeg.input(f"file:{_LIST}", format="concat", safe=0, auto_convert=0, **allowed)
    streams = [parts[str(joint.index)]]
    if track is not None:
        streams.append(ffmpeg.input(f"file:{track}")["a"])
    options = {"c": "copy", "map_metadata": -1, "map_chapters": -1, "max_muxing_queue_size": 9999}
    if target.endswith((".mp4", ".mov")):
        options |= {"movflags": "+faststart", "video_track_timescale": joint.timescale}
    else:
        options["avoid_negative_ts"] = "disabled"  # all would be moved by the run-up of Opus, which is known anyway
    # `-copyts`: or else all is moved by what the first part holds before its picture.
    return program.compiled(ffmpeg.output(*streams, f"file:{target}", **options), *program.PROGRESS, "-copyts")
