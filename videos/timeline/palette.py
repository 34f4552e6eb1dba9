"""A GIF: the 256 colours that suit the film best are found first, and then it is painted with them."""

from __future__ import annotations

import ffmpeg

from videos.media import program
from videos.timeline import encoding
from videos.timeline.model import Canvas
from videos.timeline.studio import Studio

STEP = "palette"
_PALETTE = "palette.mkv"


def paint(source: str, target: str, canvas: Canvas, studio: Studio, *, seconds: float) -> None:
    """Make the GIF from a film in the studio's folder."""
    limits = encoding.limits(seconds=seconds, canvas=canvas, threads=studio.threads, inputs=2)
    for command, span in ((find(source), (0.0, 0.4)), (use(source, target), (0.4, 1.0))):
        studio.ffmpeg(command, limits=limits, seconds=seconds, step=STEP, span=span)
    studio.remove(_PALETTE)


def find(source: str) -> list[str]:
    """The call that writes the palette: one lossless frame."""
    picture = ffmpeg.input(f"file:{source}").filter("palettegen")
    output = ffmpeg.output(picture, f"file:{_PALETTE}", vcodec="ffv1", pix_fmt="bgra")
    return program.compiled(output, *program.PROGRESS)


def use(source: str, target: str) -> list[str]:
    """The call that paints with it."""
    film, colours = ffmpeg.input(f"file:{source}"), ffmpeg.input(f"file:{_PALETTE}")
    painted = ffmpeg.filter([film, colours], "paletteuse", dither="bayer", bayer_scale=3, diff_mode="rectangle")
    output = ffmpeg.output(painted, f"file:{target}", format="gif", loop=0)
    return program.compiled(output, *program.PROGRESS)
