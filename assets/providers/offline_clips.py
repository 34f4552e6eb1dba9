"""The ffmpeg command of a clip that moves over a picture: a pure function."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from jobs.children import Limits
from videos.media import program, sandbox

FILE = "clip.mp4"
RATE = 25  # frames a second
_FINER = 2  # how much larger the picture is than the frame: a move by whole pixels of it is not seen to jump
_CLOSER, _CLOSER_TO_WORDS = 0.15, 0.04  # by how much the frame comes nearer; a card's margin is wider than that
_FADE = 0.3  # seconds
_BITS = 8_000_000  # a second, at most


@dataclass(frozen=True, kw_only=True)
class Move:
    """How the frame goes over the picture: from the whole of it to a part, or back."""

    size: tuple[int, int]
    frames: int
    closer: float
    towards: tuple[float, float]  # from 0 to 1: left to right, top to bottom
    inwards: bool

    @classmethod
    def of(cls, prompt: str, *, seconds: float, size: tuple[int, int], words: bool) -> Move:
        """The same for the same prompt: towards a corner, or the middle where words are to be read."""
        toss = hashlib.sha256(prompt.encode("utf-8", "replace")).digest()[0]
        return cls(
            size=size,
            frames=max(2, round(seconds * RATE)),
            closer=_CLOSER_TO_WORDS if words else _CLOSER,
            towards=(0.5, 0.5) if words else (toss & 1, toss >> 1 & 1),
            inwards=bool(toss & 4),
        )


def command(move: Move, picture: str, label: str, *, threads: int) -> list[str]:
    """Run in the folder where the two pictures lie, which we wrote ourselves; gives `FILE`."""
    width, height = move.size
    step = f"on/{move.frames - 1}"
    part = step if move.inwards else f"(1-{step})"
    inner = f"{width * _FINER}:{height * _FINER}"
    fade = min(_FADE, move.frames / RATE / 4)
    graph = (
        f"[0:v]scale={inner}:force_original_aspect_ratio=increase:flags=bicubic:out_color_matrix=bt709:out_range=tv,"
        f"format=yuv444p,crop={inner},"
        f"zoompan=z='1+{move.closer}*{part}':x='(iw-iw/zoom)*{move.towards[0]}':y='(ih-ih/zoom)*{move.towards[1]}'"
        f":d={move.frames}:s={width}x{height}:fps={RATE},"
        f"fade=t=in:d={fade:.3f},fade=t=out:d={fade:.3f}:st={move.frames / RATE - fade:.3f}[moved];"
        "[moved][1:v]overlay=format=yuv444,format=yuv420p[out]"
    )
    still = ("-protocol_whitelist", "file", "-f", "png_pipe", "-threads", str(threads))
    return [
        *("ffmpeg", "-hide_banner", "-nostdin", "-y", "-v", "error", *program.PROGRESS),
        *("-filter_complex_threads", str(threads)),
        *(*still, "-i", f"file:{picture}"),
        *(*still, "-i", f"file:{label}"),
        *("-filter_complex", graph, "-map", "[out]"),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-threads", str(threads)),
        *("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"),
        *("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart"),
        f"file:{FILE}",
    ]


def limits(move: Move, *, threads: int) -> Limits:
    """What an honest one stays well within."""
    width, height = move.size
    pixels = width * height * _FINER**2
    return sandbox.encoding(
        seconds=move.frames / RATE, pixels=pixels, rate=RATE, peak=_BITS, outputs=1, threads=threads
    )
