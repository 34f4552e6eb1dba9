"""What ffmpeg may open, and how much it may use: uploaded media is hostile until proven otherwise.

`-protocol_whitelist file` alone does not do: a file named .mp4 that holds an ffconcat script, an HLS playlist
or a DASH manifest still makes ffmpeg open other local files. So the demuxers are listed as well, and none of
those listed opens a second file. (The mov demuxer could follow external data references, but isn't told to.)
"""

from __future__ import annotations

from pathlib import Path

from jobs.children import Limits

DEMUXERS = (
    *("mov", "matroska", "webm", "mpegts", "mpeg", "avi", "flv", "mxf", "asf"),
    *("ogg", "mp3", "wav", "aac", "flac"),
)
_GIB = 1024**3
_MIB = 1024**2


def input_options() -> dict[str, str]:
    """The options that stand before every input, of ffprobe and of ffmpeg."""
    return {"protocol_whitelist": "file", "format_whitelist": ",".join(DEMUXERS)}


def name(source: Path) -> str:
    """A local file as ffmpeg takes it: no name is read as an option or as a protocol."""
    return f"file:{source}"


def probing() -> Limits:
    """ffprobe reads headers and a few frames, and writes nothing."""
    return Limits(
        wall_seconds=120,
        stall_seconds=None,
        memory_bytes=4 * _GIB,
        file_bytes=0,
        cpu_seconds=60,
        open_files=64,
    )


def encoding(*, seconds: float, pixels: int, rate: float, peak: int, outputs: int, threads: int) -> Limits:
    """What an honest encoding stays well within.

    `seconds`: expected length; `pixels`: of one decoded frame; `rate`: frames a second; `peak`: bits a second
    of the largest output; `outputs`: how many are encoded at once, each with `threads` threads.
    """
    load = max(1.0, pixels * rate / (1920 * 1080 * 30))  # in units of one 1080p30 stream
    wall = 600 + seconds * 20 * load
    # Reference frames and the planes of tone mapping grow with the picture, stacks and arenas with threads.
    memory = 2 * _GIB + pixels * 160 + threads * (outputs + 2) * 96 * _MIB
    return Limits(
        wall_seconds=wall,
        stall_seconds=300 + 2 * load,
        memory_bytes=memory,
        file_bytes=64 * _MIB + int(2 * seconds * peak / 8),
        cpu_seconds=int(wall * max(1, threads)),
        open_files=256,
    )
