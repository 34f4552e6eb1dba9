"""How one picture gives way to another: which part of each is seen at each frame, and where.

Both are whole pictures of the canvas, each with all that lies below it: so what is below is seen wherever they leave
room, and nothing flickers. In a slide they move without that; through black or white they change their colours alone.
"""

from __future__ import annotations

import math
from typing import Any

import ffmpeg

from videos.timeline.layers import Crossing
from videos.timeline.model import Canvas, Passage

THROUGH = {Passage.FADE_BLACK: "#000000", Passage.FADE_WHITE: "#ffffff"}
SLIDES = {
    Passage.SLIDE_LEFT: (-1, 0),
    Passage.SLIDE_RIGHT: (1, 0),
    Passage.SLIDE_UP: (0, -1),
    Passage.SLIDE_DOWN: (0, 1),
}
SPOT = 8  # the width and height of a picture that is the same everywhere, before it is scaled
_WIDE = 480  # pixels, of the picture in which a circle is drawn: each of them is computed


def part(crossing: Crossing, frame: str) -> str:
    """How far it is at a frame, from 0 to 1, as an expression of ffmpeg. It may begin within a frame."""
    return f"clip({float(crossing.begin)!r}+{float(crossing.step)!r}*{frame},0,1)"


def mask(crossing: Crossing, canvas: Canvas) -> tuple[tuple[int, int], str]:
    """How much of the new picture is seen in each pixel: an expression for "geq", and the size that it is meant for."""
    width, height, now = canvas.width, canvas.height, part(crossing, "N")
    kind = crossing.kind
    if kind in (Passage.WIPE_LEFT, Passage.WIPE_RIGHT):
        edge = f"X+1-{width}*(1-{now})" if kind is Passage.WIPE_LEFT else f"{width}*{now}-X"
        return (width, SPOT), edge
    if kind in (Passage.WIPE_UP, Passage.WIPE_DOWN):
        edge = f"Y+1-{height}*(1-{now})" if kind is Passage.WIPE_UP else f"{height}*{now}-Y"
        return (SPOT, height), edge
    if kind in (Passage.CIRCLE_OPEN, Passage.CIRCLE_CLOSE):
        return _circle(crossing, canvas)
    return (SPOT, SPOT), now


def masked(old: Any, new: Any, shown: Any) -> Any:
    """One picture over another, as far as a grey one shows it."""
    return ffmpeg.overlay(old, ffmpeg.filter([new.filter("format", "yuv420p"), shown], "alphamerge"), eval="init")


def coloured(sheet: Any, colour: Any, shown: Any) -> Any:
    """A picture in which a colour is laid over all of it that is seen."""
    both = sheet.filter_multi_output("split", 2)
    over = masked(both[0].filter("format", "yuv420p"), colour, shown)
    return ffmpeg.filter([over, both[1].filter("alphaextract")], "alphamerge")


def pushed(below: Any, old: Any, new: Any, crossing: Crossing, canvas: Canvas) -> Any:
    """Both, side by side, on the way out and in."""
    ways = SLIDES[crossing.kind]
    frame = f"st(0,round(t*{canvas.rate}))"
    for sheet, behind in ((old, 0), (new, 1)):
        places = {}
        for name, way, side in zip("xy", ways, (canvas.width, canvas.height), strict=True):
            gone = f"2*round({side / 2!r}*{part(crossing, 'ld(0)')})"
            places[name] = f"{frame};{way}*({gone}-{behind * side})" if way else "0"
        below = ffmpeg.overlay(below, sheet, eval="frame", **places)
    return below


def _circle(crossing: Crossing, canvas: Canvas) -> tuple[tuple[int, int], str]:
    coarser = max(1, math.ceil(max(canvas.width, canvas.height) / _WIDE))
    size = max(SPOT + 1, canvas.width // coarser), max(SPOT + 1, canvas.height // coarser)
    across, down = canvas.width / size[0], canvas.height / size[1]
    away = f"hypot((X+0.5)*{across!r}-{canvas.width / 2!r},(Y+0.5)*{down!r}-{canvas.height / 2!r})"
    radius = math.hypot(canvas.width, canvas.height) / 2
    now = part(crossing, "N")
    if crossing.kind is Passage.CIRCLE_OPEN:
        return size, f"({radius!r}*{now}-{away})/{across!r}+0.5"
    return size, f"({away}-{radius!r}*(1-{now}))/{across!r}+0.5"
