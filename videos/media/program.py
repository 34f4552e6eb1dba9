"""How ffmpeg is called: the options that every call has, and how it opens a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ffmpeg
from ffmpeg.nodes import InputNode

from videos.media import sandbox

PROGRESS = ("-nostats", "-progress", "pipe:1")


def compiled(output: Any, *options: str) -> list[str]:
    """The call that makes an output of ffmpeg-python, which is never run by it."""
    program = ["ffmpeg", "-hide_banner", "-nostdin", "-y", "-v", "error", *options]
    command: list[str] = ffmpeg.compile(output, cmd=program)
    return command


def opened(source: Path, *, threads: int, number: int = 0, **options: str | None) -> Any:
    """A file that is read.

    An option that is None is one without a value. Two files that are opened with the same options are one input to
    ffmpeg-python, unless their numbers differ.
    """
    given = {"filename": sandbox.name(source), "threads": threads, **sandbox.input_options(), **options}
    return InputNode(ffmpeg.input.__name__, args=[number], kwargs=given).stream()
