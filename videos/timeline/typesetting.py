"""A text becomes lines of letters: broken at its width, each line at its height, every letter in a font that has it.

Here it is decided where everything stands, and not by whoever draws: no drawing library breaks Chinese, Arabic and
English alike, or knows of the height of a line. All lengths are pixels of the canvas, before the text is scaled.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from videos.timeline import fonts
from videos.timeline.fonts import Face, Fonts, Look
from videos.timeline.model import Canvas
from videos.timeline.texts import Align, Style, Text

_BREAKS = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_JOINERS = "\u200c\u200d"  # which say how the letters beside them are shaped
# What stands at the end of a line rather than at the start of one, and the other way round.
_NEVER_FIRST = set(
    "!%),.:;?]}¢°·’”‰′″℃、。々〉》」』】〕〗〞︶︺︾﹀﹄﹚﹜﹞！＂％＇），．：；？］｝～ぁぃぅぇぉっゃゅょァィゥェォッャュョー…—"
)
_NEVER_LAST = set("([{£¥‘“〈《「『【〔〖〝﹙﹛﹝＄（．［｛￡￥")


@dataclass(frozen=True, kw_only=True)
class Run:
    """Letters that look the same."""

    text: str
    face: Face
    style: Style
    size: float

    @property
    def width(self) -> float:
        return self.size * self.face.width(self.text, spacing=self.style.spacing)


@dataclass(frozen=True, kw_only=True)
class Line:
    """Letters beside each other. Its places are counted from the middle of its block."""

    runs: tuple[Run, ...]
    x: float  # of its left end, its middle or its right end: as the text is aligned
    top: float  # of its letters: their foot less the largest ascent of their fonts


@dataclass(frozen=True, kw_only=True)
class Block:
    """All lines of a text."""

    lines: tuple[Line, ...]
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class _Letter:
    """One character."""

    character: str
    style: Style
    face: Face


def compose(text: Text, canvas: Canvas, available: Fonts) -> Block:
    """Set a text."""
    language = fonts.language(text.text)
    rows: list[Sequence[_Letter]] = []
    for paragraph in paragraphs(text):
        letters = _in_faces(paragraph, available, language)
        rows += _broken(letters, text.width * canvas.width, canvas)
    usual = available.face(Look.of(text.style, language=language))
    return _stacked([_runs(row, canvas) for row in rows], text, canvas, usual)


def _stacked(rows: Sequence[tuple[Run, ...]], text: Text, canvas: Canvas, usual: Face) -> Block:
    """The lines one below the other, each as high as the text says, whatever its fonts would have."""
    sizes = [max((run.size for run in row), default=text.style.size * canvas.height) for row in rows]
    width = max((sum(run.width for run in row) for row in rows), default=0.0)
    height = sum(sizes) * text.line_height
    x = {Align.LEFT: -width / 2, Align.CENTRE: 0.0, Align.RIGHT: width / 2}[text.align]
    top, lines = -height / 2, []
    for row, size in zip(rows, sizes, strict=True):
        free = text.line_height - usual.ascent - usual.descent
        foot = top + (free / 2 + usual.ascent) * size
        if row:
            lines.append(Line(runs=row, x=x, top=foot - max(run.face.ascent * run.size for run in row)))
        top += size * text.line_height
    return Block(lines=tuple(lines), width=width, height=height)


def paragraphs(text: Text) -> Iterator[list[tuple[str, Style]]]:
    """The characters of each line that the text itself ends, with their styles; none that programs alone would see."""
    styles = [text.style] * len(text.text)
    for span in text.spans:
        styles[span.first : span.after] = [span.style] * (span.after - span.first)
    start = 0
    for found in (*_BREAKS.finditer(text.text), None):
        end = found.start() if found else len(text.text)
        seen = ((_visible(one), style) for one, style in zip(text.text[start:end], styles[start:end], strict=True))
        yield [(one, style) for one, style in seen if one]
        start = found.end() if found else end


def _visible(character: str) -> str:
    """The character, a space, or nothing: controls turn texts round, cut them off, or mean something to libass."""
    category = unicodedata.category(character)
    if character == "\t" or category == "Zs":
        return " " if character != "\u3000" else character
    return "" if category in ("Cc", "Cf", "Cs", "Cn", "Co") and character not in _JOINERS else character


def _in_faces(paragraph: Sequence[tuple[str, Style]], available: Fonts, language: str) -> list[_Letter]:
    letters: list[_Letter] = []
    for style, group in groupby(paragraph, key=lambda one: one[1]):
        characters = [character for character, _ in group]
        found = available.faces(Look.of(style, language=language), characters)
        for character, face in zip(characters, found, strict=True):
            # What belongs to the letter before it is drawn with it.
            if _hangs_on(character) and letters and letters[-1].style == style:
                face = letters[-1].face
            if face is not None:
                letters.append(_Letter(character=character, style=style, face=face))
    return letters


def _broken(letters: Sequence[_Letter], longest: float, canvas: Canvas) -> list[Sequence[_Letter]]:
    """Lines of a paragraph, as full as they get."""
    lines: list[list[_Letter]] = [[]]
    length = 0.0
    for piece in _pieces(letters):
        for part in _parts(piece, longest, canvas):
            width, blank = _width(part, canvas), part[-1].character == " "
            if lines[-1] and length + (_width(part[:-1], canvas) if blank else width) > longest:
                lines.append([])
                length = 0.0
            lines[-1] += part
            length += width
    return [_trimmed(line) for line in lines]


def _pieces(letters: Sequence[_Letter]) -> Iterator[Sequence[_Letter]]:
    """What stays together: words with the space after them, single signs of Chinese."""
    start = 0
    for place, (one, other) in enumerate(pairwise(letters), start=1):
        if _may_part(one.character, other.character):
            yield letters[start:place]
            start = place
    if letters:
        yield letters[start:]


def _may_part(one: str, other: str) -> bool:
    if _hangs_on(other) or other == " " or one in _JOINERS or other in _NEVER_FIRST or one in _NEVER_LAST:
        return False
    return one in " -" or _is_sign(one) or _is_sign(other)


def _parts(piece: Sequence[_Letter], longest: float, canvas: Canvas) -> Iterator[Sequence[_Letter]]:
    """A piece that is longer than a line is broken anywhere, but for what hangs together."""
    if _width(piece, canvas) <= longest:
        yield piece
        return
    start, length = 0, 0.0
    for place, letter in enumerate(piece):
        width = _width([letter], canvas)
        if place > start and length + width > longest and not _hangs_on(letter.character):
            yield piece[start:place]
            start, length = place, 0.0
        length += width
    yield piece[start:]


def _trimmed(line: Sequence[_Letter]) -> Sequence[_Letter]:
    """Without the spaces at its ends."""
    there = [place for place, letter in enumerate(line) if letter.character != " "]
    return line[there[0] : there[-1] + 1] if there else ()


def _width(letters: Sequence[_Letter], canvas: Canvas) -> float:
    return sum(run.width for run in _runs(letters, canvas))


def _runs(letters: Sequence[_Letter], canvas: Canvas) -> tuple[Run, ...]:
    return tuple(
        Run(
            text="".join(letter.character for letter in group),
            face=face,
            style=style,
            size=style.size * canvas.height,
        )
        for (face, style), group in (
            (key, list(members)) for key, members in groupby(letters, key=lambda letter: (letter.face, letter.style))
        )
    )


def _hangs_on(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Mc", "Me") or character in _JOINERS


def _is_sign(character: str) -> bool:
    """Whether lines break beside it without a space: Chinese, Japanese; Korean has spaces, and breaks there."""
    return unicodedata.east_asian_width(character) in "WF" and not "\uac00" <= character <= "\ud7af"
