"""Whether a film that was put together is one: it is decoded around each seam, and what is copied is compared with what
ffmpeg finds in the material at that time.

A seam that was found to be sound is remembered, by what meets there. So a film that is made again after a change is
decoded around its new seams alone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ffmpeg

from videos.media import program
from videos.timeline import encoding, joining
from videos.timeline.joining import told
from videos.timeline.model import Canvas
from videos.timeline.splicing import Piece, Spliced
from videos.timeline.studio import Studio
from videos.timeline.values import SECOND

_EDITION = "1"  # of what is looked at
_AFTER = 8  # frames that are decoded after a seam, at least
_MOST_INPUTS = 16
_LIST, _HASHES, _NOTE = "seams.txt", "seams.md5", "seam.txt"
_DAMAGED = "around its seams it can't be decoded without errors"


@dataclass(frozen=True, kw_only=True)
class _Seam:
    """Where a piece begins."""

    before: Piece | None  # None: it is the first one
    after: Piece

    @property
    def span(self) -> tuple[int, int]:
        """The frames of the film that are decoded: all that those beside the seam need, and no more."""
        return (self.before.begun() if self.before else 0), self.after.ended(_AFTER)


def problem(target: str, spliced: Spliced, canvas: Canvas, studio: Studio) -> str | None:
    """What is wrong with the film in the file `target`; None if nothing is."""
    pieces = spliced.pieces
    seams = [_Seam(before=one, after=other) for one, other in zip((None, *pieces), pieces, strict=False)]
    keys = _keys(seams, spliced, studio)
    seams = [seam for seam in seams if not _is_known(keys.get(seam.after.first), studio)]
    try:
        if found := _problem(target, seams, spliced, canvas, studio):
            return found
    finally:
        studio.remove(_LIST, _HASHES)
    for seam in seams:
        _remember(keys.get(seam.after.first), studio)
    return None


def _problem(target: str, seams: Sequence[_Seam], spliced: Spliced, canvas: Canvas, studio: Studio) -> str | None:
    spans = list(_merged(seam.span for seam in seams))
    if not spans:
        return None
    hashes = _decoded(target, spans, spliced, canvas, studio)
    frames = [frame for begin, end in spans for frame in range(begin, end)]
    if hashes is None or len(hashes) != len(frames):
        return _DAMAGED
    shown = dict(zip(frames, hashes, strict=True))
    copied = [seam.after for seam in seams if seam.after.source]
    for first in range(0, len(copied), _MOST_INPUTS):
        some = copied[first : first + _MOST_INPUTS]
        expected = _of_materials(some, canvas, studio)
        if expected is None or expected != [shown[piece.first] for piece in some]:
            return "what was copied is not what the materials show"
    return None


def _decoded(
    target: str, spans: Sequence[tuple[int, int]], spliced: Spliced, canvas: Canvas, studio: Studio
) -> Sequence[str] | None:
    """A hash of each frame in the spans; None if decoding them was not without errors."""
    lines = ["ffconcat version 1.0"]
    for begin, end in spans:
        # Packet by packet, from a keyframe on: each is decoded so many frames before its place among the frames.
        outpoint = (end - (spliced.joint.delay or 0) - Fraction(1, 2)) / canvas.rate
        lines += [f"file {target}", f"inpoint {told(begin / canvas.rate)}", f"outpoint {told(outpoint)}"]
        lines.append(f"duration {told((end - begin) / canvas.rate)}")
    (studio.folder / _LIST).write_text("\n".join(lines) + "\n", encoding="ascii")
    allowed = {"protocol_whitelist": "file", "format_whitelist": "concat,mov"}
    film = ffmpeg.input(f"file:{_LIST}", format="concat", safe=0, auto_convert=0, threads=studio.threads, **allowed)
    frames = sum(end - begin for begin, end in spans)
    return _hashes([film["v:0"]], canvas, studio, frames=frames, threads=studio.threads)


def _of_materials(pieces: Sequence[Piece], canvas: Canvas, studio: Studio) -> Sequence[str] | None:
    """A hash of what each one's material shows where the piece begins: found by its time, as any player would."""
    streams = []
    for number, piece in enumerate(pieces):
        assert piece.source
        begin = {"ss": f"{math.floor(piece.part.begin * SECOND)}us"} if piece.begin else {}
        given = program.opened(piece.source.path, threads=1, number=number, **begin)
        streams.append(given[str(piece.source.video.index)].filter("trim", end_frame=1))
    return _hashes(streams, canvas, studio, frames=len(pieces), threads=1)


def _hashes(
    streams: Sequence[Any], canvas: Canvas, studio: Studio, *, frames: int, threads: int
) -> Sequence[str] | None:
    """One for each frame, in the order of the streams; None if there was an error."""
    output = ffmpeg.output(*streams, f"file:{_HASHES}", format="framemd5", vsync="passthrough")
    seconds = float(frames / canvas.rate)
    limits = encoding.limits(seconds=seconds, canvas=canvas, threads=threads, inputs=len(streams))
    said = studio.ffmpeg(
        program.compiled(output, *program.PROGRESS), limits=limits, seconds=seconds, step=joining.STEP, span=(1.0, 1.0)
    )
    rows = [row.split(",") for row in (studio.folder / _HASHES).read_text(encoding="ascii").splitlines()]
    found = [(int(row[0]), row[-1].strip()) for row in rows if not row[0].startswith("#")]
    return None if said else [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same frames, none of them twice."""
    held: tuple[int, int] | None = None
    for begin, end in spans:
        if held and begin <= held[1]:
            held = held[0], max(held[1], end)
            continue
        if held:
            yield held
        held = begin, end
    if held:
        yield held


def _keys(seams: Sequence[_Seam], spliced: Spliced, studio: Studio) -> dict[int, str]:
    """The names of seams, by where they are, of those that are between what is known."""
    if studio.cache is None:
        return {}
    words = (_EDITION, studio.version(), str(spliced.joint.delay), spliced.sets.written().hex())
    named = {}
    for seam in seams:
        pair = [piece.identity for piece in (seam.before, seam.after) if piece]
        if all(pair):
            named[seam.after.first] = hashlib.sha256("\0".join((*words, *pair)).encode()).hexdigest()
    return named


def _is_known(key: str | None, studio: Studio) -> bool:
    known = bool(key and studio.cache and studio.cache.take(key, studio.folder / _NOTE))
    studio.remove(_NOTE)
    return known


def _remember(key: str | None, studio: Studio) -> None:
    if key and studio.cache:
        (studio.folder / _NOTE).write_text("sound\n", encoding="ascii")
        studio.cache.keep(key, studio.folder / _NOTE)
        studio.remove(_NOTE)
