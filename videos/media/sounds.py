"""Sound that is uploaded to be heard alone: which stream of a file it is, and how long it lasts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from jobs.children import ChildFailed
from videos.media import errors, lenient, sandbox, transcode
from videos.media.probe import Caps, Probe
from videos.media.transcode import Workshop


def probe(source: Path, workshop: Workshop) -> Probe:
    """What is in a file, but for its picture.

    Raises NotAVideo, MediaEmpty, MediaTruncated, MediaDamaged, and MediaNoSound if there is nothing to hear.
    """
    found = transcode.look(source, workshop)
    if found.audio is None:
        raise errors.MediaDamaged if "audio" in found.unusable else errors.MediaNoSound
    return dataclasses.replace(found, video=None)


def measure(source: Path, workshop: Workshop, *, caps: Caps) -> float:
    """How many seconds can be heard, by all packets there are: headers lie, and some say nothing.

    Raises what `probe` does, and MediaTooLong.
    """
    audio = probe(source, workshop).audio
    assert audio is not None
    heard = _Heard()
    options = [part for key, value in sandbox.input_options().items() for part in (f"-{key}", value)]
    show = ["-select_streams", str(audio.index), "-show_entries", "packet=pts_time,duration_time,flags"]
    command = ["ffprobe", "-hide_banner", "-v", "error", *options, *show, "-print_format", "csv=p=0"]
    try:
        workshop.run(
            [*command, "-i", sandbox.name(source.absolute())],
            cwd=workshop.folder,
            limits=sandbox.probing(),
            on_line=heard.feed,
            on_log=workshop.on_log,
        )
    except ChildFailed as error:
        raise errors.from_child(error, probed=True) from error
    if not heard.seconds:
        raise errors.MediaDamaged
    seconds = audio.lag + heard.seconds
    if seconds > caps.seconds:
        raise errors.MediaTooLong(details={"seconds": seconds, "seconds_max": caps.seconds})
    return seconds


class _Heard:
    """Takes the packets of a stream, one a line: time, duration, flags."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._end = 0.0

    @property
    def seconds(self) -> float:
        return max(0.0, self._end - self._first) if self._first is not None else 0.0

    def feed(self, line: str) -> bool:
        time, length, flags, *_ = *line.strip().split(","), "", "", ""
        at = lenient.number(time)
        if at is None or "D" in flags:
            return False  # what is decoded and not heard
        self._first = at if self._first is None else min(self._first, at)
        self._end = max(self._end, at + (lenient.seconds(length) or 0.0))
        return True
