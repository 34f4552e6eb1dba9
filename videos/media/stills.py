"""Pictures that do not move: an uploaded one becomes a plain one, in a process of its own."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from jobs.children import ChildFailed, Limits
from videos.media import errors, lenient
from videos.media.probe import Caps
from videos.media.transcode import Workshop

FILE = "still.png"
THUMBNAIL = "thumbnail.webp"
_DARKROOM = Path(__file__).with_name("darkroom.py")
_GIB = 1024**3
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


@dataclass(frozen=True, kw_only=True)
class Still:
    """What stands in the folder now, as `FILE` and `THUMBNAIL`: upright, in sRGB."""

    width: int
    height: int
    alpha: bool


def develop(source: Path, workshop: Workshop, *, caps: Caps) -> Still:
    """Make the plain picture of an uploaded one, whatever it is called.

    Raises NotAStill, MediaEmpty, MediaTruncated, MediaDamaged, MediaTooLarge.
    """
    if source.stat().st_size == 0:
        raise errors.MediaEmpty
    arguments = [str(source.absolute()), FILE, THUMBNAIL, str(caps.pixels)]
    command = [sys.executable, "-I", str(_DARKROOM), *arguments]
    try:
        said = workshop.run(command, cwd=workshop.folder, limits=_limits(caps), on_log=workshop.on_log).stdout
    except ChildFailed as error:
        raise errors.StorageFull if errors.speaks_of_full_storage(error.tail) else error from error
    answer = lenient.mapping(json.loads(said))
    if why := lenient.text(answer.get("refused")):
        raise _refusal(why, source, answer, caps)
    width, height = lenient.integer(answer.get("width")), lenient.integer(answer.get("height"))
    assert width and height
    return Still(width=width, height=height, alpha=bool(answer.get("alpha")))


def _limits(caps: Caps) -> Limits:
    """Several copies of the largest picture, of four bytes a pixel; on disk it is no larger than one."""
    return Limits(
        wall_seconds=300,
        stall_seconds=None,
        memory_bytes=_GIB + caps.pixels * 48,
        file_bytes=1024**2 + caps.pixels * 5,
        cpu_seconds=240,
        open_files=64,
    )


def _refusal(why: str, source: Path, said: lenient.Json, caps: Caps) -> errors.MediaError:
    if why == "unknown":
        with source.open("rb") as file:
            head = file.read(12)
        return errors.NotAStill(errors.NotAStill.heic if head[4:8] == b"ftyp" and head[8:12] in _HEIC else None)
    if why == "too_large":
        size = {name: said[name] for name in ("width", "height") if name in said}
        sentence = "This picture is too large. Please export it in a smaller size."
        return errors.MediaTooLarge(sentence, details={**size, "pixels_max": caps.pixels})
    return errors.MediaTruncated() if why == "truncated" else errors.MediaDamaged(errors.MediaDamaged.picture)
