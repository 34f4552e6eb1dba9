"""Parts that are copied and parts that are encoded become one film, without a frame too many or too few at any seam.

What is encoded has parameter sets of its own number, and those of both stand at the start of the film: so the packets
that are copied are the material's, byte for byte, and no player has to take new sets on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from videos.timeline import copying, encoding, parameters, samples
from videos.timeline.copying import NotSpliced
from videos.timeline.formats import Recipe
from videos.timeline.joining import Joint, Part
from videos.timeline.model import Canvas
from videos.timeline.parameters import Sets
from videos.timeline.samples import Samples, Unfit
from videos.timeline.slices import Plan
from videos.timeline.sources import Source
from videos.timeline.studio import Studio

_HEAD = "head.mp4"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of the film, and what its packets are."""

    first: int  # of the film's frames
    part: Part
    samples: Samples  # of its file
    begin: int  # of the file's frames
    source: Source | None  # that it is copied from

    @property
    def identity(self) -> str:
        """The same for the same packets; empty if that is not known."""
        if self.source:
            return f"{self.source.identity}:{self.begin}:{self.part.frames}"
        return self.part.key

    def begun(self) -> int:
        """Its last frame that decoding may begin with; of the film."""
        return self.first + self.samples.begun(self.begin + self.part.frames) - self.begin

    def ended(self, frames: int) -> int:
        """The first frame, after so many of its own, that decoding may end before; of the film."""
        return self.first + self.samples.ended(self.begin + min(frames, self.part.frames)) - self.begin


@dataclass(frozen=True, kw_only=True)
class Spliced:
    """All of a film's picture, ready to be joined."""

    pieces: Sequence[Piece]
    joint: Joint
    sets: Sets  # that the film begins with

    @property
    def copied(self) -> int:
        """Frames."""
        return sum(piece.part.frames for piece in self.pieces if piece.source)

    @property
    def encoded(self) -> Sequence[Part]:
        return [piece.part for piece in self.pieces if not piece.source]


def splice(plan: Plan, sources: Mapping[str, Source], canvas: Canvas, how: Recipe, studio: Studio) -> Spliced:
    """Encode what is not copied. Raises NotSpliced if that came out otherwise than what is."""
    names = copying.linked(dict.fromkeys(one.material for one in plan.slices), sources, studio)
    pieces = [
        Piece(
            first=one.first,
            part=Part(
                name=names[one.material],
                frames=one.frames,
                begin=Fraction(one.begin * one.samples.ticks, one.samples.timescale),
                end=one.samples.until(one.begin + one.frames),
            ),
            samples=one.samples,
            begin=one.begin,
            source=sources[one.material],
        )
        for one in plan.slices
    ]
    if len({piece.samples.sets for piece in pieces}) != 1:
        raise NotSpliced("the clips are not encoded in the same way")
    encoded = _encoded(plan, sources, canvas, how, studio)
    pieces = sorted([*pieces, *encoded], key=lambda piece: piece.first)
    sets = plan.slices[0].samples.sets
    if encoded:
        sets = sets.beside(encoded[0].samples.sets)
        smallest = min((studio.folder / piece.part.name for piece in encoded), key=lambda path: path.stat().st_size)
        parameters.retold(smallest, studio.folder / _HEAD, sets)
    joint = Joint(
        parts=[piece.part for piece in pieces],
        rate=canvas.rate,
        timescale=plan.slices[0].samples.timescale,
        head=_HEAD if encoded else None,
        delay=max(piece.samples.delay for piece in pieces),
    )
    return Spliced(pieces=pieces, joint=joint, sets=sets)


def _encoded(plan: Plan, sources: Mapping[str, Source], canvas: Canvas, how: Recipe, studio: Studio) -> Sequence[Piece]:
    if plan.beside is None:
        return []
    parts = encoding.parts(plan.segments, sources, canvas, how, studio, beside=plan.beside)
    pieces = []
    for segment, part in zip(plan.segments, parts, strict=True):
        try:
            found = samples.read(studio.folder / part.name, rate=canvas.rate)
        except Unfit as error:
            raise NotSpliced(f"what was encoded {error}") from error
        pieces.append(Piece(first=segment.first, part=part, samples=found, begin=0, source=None))
    had = plan.slices[0].samples
    for piece in pieces:
        sets, fits = piece.samples.sets, piece.samples.timescale == had.timescale and piece.samples.begins[:1] == [0]
        same = sets == pieces[0].samples.sets and sets.numbers == {plan.beside.number}
        if not fits or not same or sets.profile > had.sets.profile or sets.width != had.sets.width:
            raise NotSpliced("what was encoded does not fit what is copied")
    return pieces
