"""Programs that write screenplays give every paragraph its type. As text, such a script is Fountain.

So it can be kept, shown and read again, and means the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from assets.scripts import headings, lines


class Type(Enum):
    HEADING = auto()
    ACTION = auto()
    CHARACTER = auto()
    DIALOGUE = auto()
    PARENTHETICAL = auto()
    TRANSITION = auto()
    SECTION = auto()
    SYNOPSIS = auto()
    CAST = auto()


@dataclass(slots=True)
class Paragraph:
    type: Type
    text: str
    number: str = ""
    cast: list[str] = field(default_factory=list)  # who is in the scene or tagged in the paragraph
    props: list[str] = field(default_factory=list)


def as_fountain(paragraphs: Iterable[Paragraph], *, title: str = "") -> str:
    """The script as Fountain; what would be taken for something else is forced to be what it is."""
    rows = [f"Title: {_inline(title)}", ""] if title else []
    rows += _Renderer().rows(paragraphs)
    return "\n".join(rows).strip("\n") + "\n"


class _Renderer:
    def __init__(self) -> None:
        self._talking = False

    def rows(self, paragraphs: Iterable[Paragraph]) -> Iterator[str]:
        for paragraph in paragraphs:
            text = _inline(paragraph.text)
            if text.strip():
                yield from self._paragraph(paragraph, text)
            if paragraph.cast:
                yield f"[[Tagged: {', '.join(map(_inline, paragraph.cast))}]]"
            if paragraph.props:
                yield f"[[Props: {', '.join(map(_inline, paragraph.props))}]]"

    def _paragraph(self, paragraph: Paragraph, text: str) -> Iterator[str]:
        spoken = paragraph.type in (Type.DIALOGUE, Type.PARENTHETICAL)
        if self._talking and spoken:
            yield from self._said(paragraph.type, text)
            return
        self._talking = paragraph.type is Type.CHARACTER
        if paragraph.type is Type.CAST:
            yield f"[[Cast: {re.sub(r'[;，、；]', ',', ' '.join(text.split()))}]]"
            return
        yield ""
        one = " ".join(text.split())
        if paragraph.type is Type.HEADING:
            known = headings.starts_one(one) and not one.startswith(".")
            yield (one if known else f".{one}") + (f" #{paragraph.number}#" if paragraph.number else "")
        elif paragraph.type is Type.CHARACTER:
            yield f"@{one}"
        elif paragraph.type is Type.TRANSITION:
            yield f"> {one}"
        elif paragraph.type is Type.SECTION:
            yield f"# {one}"
        elif paragraph.type is Type.SYNOPSIS:
            yield f"= {one}"
        else:
            for row in text.split("\n"):
                yield _action(row.strip())

    @staticmethod
    def _said(kind: Type, text: str) -> Iterator[str]:
        if kind is Type.PARENTHETICAL:
            inner = " ".join(text.split())
            inner = inner[1:-1] if lines.is_parenthetical(inner) and inner.endswith(")") else inner
            yield f"({inner})" if lines.is_parenthetical(f"({inner})") else f"({re.sub('[()]', ' ', inner).strip()})"
            return
        for row in text.split("\n"):
            bare = row.strip() or "  "
            yield f"\\{bare}" if bare[0] == "(" and lines.is_parenthetical(bare) else bare


def _inline(text: str) -> str:
    """Signs that mean something in Fountain, and don't here."""
    text = text.replace("[[", "[ [").replace("/*", "/ *")
    return re.sub(r"([*_])", r"\\\1", text)


def _action(row: str) -> str:
    special = row[:1] in tuple(".@>!~#=") or headings.starts_one(row) or re.match(r"[A-Za-z][A-Za-z ]{0,30}:", row)
    bare = re.sub(r"\([^()]{0,80}\)", "", row[:300])
    return f"!{row}" if special or lines.named_in_capitals(bare) or lines.is_division(row[:200]) else row
