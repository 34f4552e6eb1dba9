"""When the streams of a file begin and how long they last, by what ffprobe says; and how far that can be believed."""

from __future__ import annotations

import re
from typing import Literal

from videos.media import lenient
from videos.media.lenient import Json

Trust = Literal[
    "each",  # every stream states its own length
    "whole",  # the file states how long it is as a whole, whatever it says of a stream
    "guessed",  # from how fast its bytes come, or from its first and last clock: nothing can be told by them
]

_EACH = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}  # and their clock starts at 0, where nothing may begin
_GUESSED = {"mpegts", "mpeg", "aac", "mp3"}
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def trust(container: Json) -> Trust:
    """What kind of length a container states."""
    name = lenient.text(container.get("format_name"))
    if name in _EACH:
        return "each"
    # Where the delay of an MP3's encoder is known, it has the header that counts its frames.
    return "guessed" if name in _GUESSED and not (name == "mp3" and start(container) > 0) else "whole"


def start(part: Json) -> float:
    """The time at which a stream or a whole file begins, in seconds of its own clock."""
    stated = lenient.number(part.get("start_time"))
    return stated if stated is not None and abs(stated) < 1e9 else 0.0


def lag(stream: Json, container: Json) -> float:
    """Seconds that a stream begins after the file does."""
    return max(0.0, start(stream) - start(container))


def of_container(container: Json) -> float | None:
    """Seconds of the whole. Where the clock starts at 0, a cut from the middle states where it ends."""
    stated = lenient.seconds(container.get("duration"))
    if stated is None or lenient.text(container.get("format_name")) not in _EACH:
        return stated
    return lenient.seconds(stated - max(0.0, start(container)))


def of_stream(stream: Json) -> float | None:
    """Seconds of one stream. Matroska keeps in a tag, as a clock, when it ends (some write how long it is)."""
    stated = lenient.seconds(stream.get("duration"))
    if stated is not None:
        return stated
    found = _CLOCK.match(lenient.text(lenient.mapping(stream.get("tags")).get("DURATION")) or "")
    if found is None:
        return None
    end = int(found[1][:6]) * 3600 + int(found[2]) * 60 + float(found[3])
    return lenient.seconds(end - max(0.0, start(stream)))
