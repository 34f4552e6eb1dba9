"""Parts become one film: their packets are copied one after the other, and the sound is laid beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import ffmpeg

from jobs.children import Limits
from videos.media import program
from videos.timeline import formats
from videos.timeline.formats import Format
from videos.timeline.model import moment_of
from videos.timeline.studio import Studio
from videos.timeline.values import SECOND

STEP = "joining"
SAMPLES = 1024  # in a packet of AAC
_LIST = "parts.txt"
_HEARD = "heard.txt"
_NEVER = 9999  # seconds before nought: nothing is decoded as early


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some of the film's frames."""

    name: str  # of the file, in the folder
    frames: int
    reused: bool = False  # it was encoded for another film, or for this one before
    key: str = ""  # by which a cache knows it, if it was encoded
    begin: Fraction = Fraction(0)  # seconds: when its first frame is shown in the file
    end: Fraction | None = None  # seconds: packets that are decoded from then on are left out; None: there are none


@dataclass(frozen=True, kw_only=True)
class Joint:
    """Parts that are encoded in the same way, in their order."""

    parts: Sequence[Part]
    rate: Fraction
    timescale: int  # ticks a second in the film's file
    index: int = 0  # of the picture in each part
    head: str | None = None  # a file that says how all parts are encoded, if one of them alone does not; not seen
    delay: int | None = None  # packets are decoded so many frames early, one in each; None: as the parts have them


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """The first packets of the sound of one file."""

    name: str  # of the file, in the folder
    packets: int


@dataclass(frozen=True, kw_only=True)
class Copied:
    """The sound of a film, packet by packet; the first one is there for the second, and not heard."""

    stretches: Sequence[Stretch]
    rate: int  # samples a second
    index: int  # of the sound in each file

    @property
    def packets(self) -> int:
        return sum(stretch.packets for stretch in self.stretches)


def join(
    joint: Joint, target: str, studio: Studio, *, track: str | Copied | None, captions: Sequence[str] = ()
) -> None:
    """Join the parts, which are gone afterwards.

    `track`: the file of the sound, or which sound of the parts. `captions`: the files of subtitles.
    """
    (studio.folder / _LIST).write_text(script(joint), encoding="ascii")
    if isinstance(track, Copied):
        (studio.folder / _HEARD).write_text(heard(track), encoding="ascii")
    names = {part.name for part in joint.parts}
    beside = (*captions, track) if isinstance(track, str) else captions
    size = sum((studio.folder / name).stat().st_size for name in (*(part.name for part in joint.parts), *beside))
    seconds = float(sum(part.frames for part in joint.parts) / joint.rate)
    limits = Limits(wall_seconds=600 + seconds, stall_seconds=300 + seconds / 10, file_bytes=64 * 1024**2 + 2 * size)
    try:
        call = command(joint, target, track=track, captions=captions)
        studio.ffmpeg(call, limits=limits, seconds=seconds, step=STEP, span=(0.0, 1.0))
    finally:
        studio.remove(_LIST, _HEARD, *names, *([joint.head] if joint.head else []))


def script(joint: Joint) -> str:
    """What follows what, in ffmpeg's own words.

    Each part is as long as its frames, whatever its file says. The lengths are rounded so that their sums are right:
    else a long film would get out of step.
    """
    lines, first = ["ffconcat version 1.0"], 0
    if joint.head:
        lines += [f"file {joint.head}", f"outpoint {-_NEVER}", "duration 0"]
    for part in joint.parts:
        begin, end = (round(moment_of(frame, joint.rate)) for frame in (first, first + part.frames))
        # Time begins with the picture: sound that begins before it, which decoders need, would put it off.
        lines += [f"file {part.name}", f"inpoint {told(part.begin)}"]
        lines += [f"outpoint {told(part.end)}"] if part.end is not None else []
        lines.append(f"duration {told(Fraction(end - begin, SECOND))}")
        first += part.frames
    return "\n".join(lines) + "\n"


def told(seconds: Fraction) -> str:
    """A time in ffmpeg's words, to the microsecond."""
    micro = round(seconds * SECOND)
    return f"{'-' if micro < 0 else ''}{abs(micro) // SECOND}.{abs(micro) % SECOND:06d}"


def heard(sound: Copied) -> str:
    """Which packets follow one another, in ffmpeg's words."""
    lines = ["ffconcat version 1.0"]
    for one in sound.stretches:
        # From half a packet before it, a packet is left out. The first one begins a packet before nought.
        end = (one.packets - 1.5) * SAMPLES / sound.rate
        lines += [f"file {one.name}", f"outpoint {end:.6f}", f"duration {one.packets * SAMPLES / sound.rate:.6f}"]
    return "\n".join(lines) + "\n"


def command(joint: Joint, target: str, *, track: str | Copied | None, captions: Sequence[str] = ()) -> list[str]:
    """The call that joins them."""
    # The script is ours, and so are the names in it; what they name is an MP4 by its content, or is refused.
    allowed = {"protocol_whitelist": "file", "format_whitelist": "concat,mov"}
    # `auto_convert` would write the set-up data, which is the same in all parts, into their packets.
    parts = ffmpeg.input(f"file:{_LIST}", format="concat", safe=0, auto_convert=0, **allowed)
    streams = [parts[str(joint.index)]]
    options: dict[str, str | int] = {}
    if isinstance(track, str):
        streams.append(ffmpeg.input(f"file:{track}")["a"])
    elif track is not None:
        copied = ffmpeg.input(f"file:{_HEARD}", format="concat", safe=0, auto_convert=0, **allowed)
        streams.append(copied[str(track.index)])
        options["bsf:a"] = f"setts=ts=(N-1)*{SAMPLES}"  # none is longer or shorter than it is, whatever files say
    if joint.delay is not None:
        options["bsf:v"] = f"setts=pts=PTS:dts=round((N-{joint.delay})/({joint.rate})/TB)"
    options |= {"c": "copy", "map_metadata": -1, "map_chapters": -1, "max_muxing_queue_size": 9999}
    if captions:
        form, options["c:s"] = formats.CAPTIONS[Format(target.rpartition(".")[2])]
        streams += [ffmpeg.input(f"file:{name}", format=form, protocol_whitelist="file")["0"] for name in captions]
    if target.endswith((".mp4", ".mov")):
        options |= {"movflags": "+faststart", "video_track_timescale": joint.timescale}
    else:
        options["avoid_negative_ts"] = "disabled"  # all would be moved by the run-up of Opus, which is known anyway
    # `-copyts`: or else all is moved by what the first part holds before its picture.
    return program.compiled(ffmpeg.output(*streams, f"file:{target}", **options), *program.PROGRESS, "-copyts")
