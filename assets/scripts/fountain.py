"""Fountain, by its published syntax (https://fountain.io/syntax), and where real text bends it (decisions/0020)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from assets.scripts import castlists, front, headings, informal, lines, names
from assets.scripts.elements import Element, Kind
from assets.scripts.words import words

_KEY = re.compile(r"(?P<key>[A-Za-z][A-Za-z ]{0,30}):(?P<value>.*)")
_TITLE_KEYS = words(
    "title credit author authors source notes date draft contact copyright revision format font episode version ",
    "format ",
    "written by based on story by company cast series",
)
_TITLE_PHRASES = frozenset(
    ("draft date", "written by", "based on", "story by", "revision date", "episode title", "series title")
)
_NOTE = re.compile(r"\[\[(?P<note>[^\[\]]{0,20000})\]\]")
_MARKS = re.compile(r"(?P<what>cast|characters?|props?|tagged)\s*[:：]\s*(?P<names>.+)", re.IGNORECASE | re.DOTALL)
_EMPHASIS = re.compile(r"\*{1,3}|(?<!\w)_|_(?!\w)")


def title(text: str) -> str:
    """The title that the title page has, else nothing."""
    rows = text.split("\n", 60)
    for at, row in enumerate(rows[: _title_page(rows)]):
        found = _KEY.match(row)
        if found and found["key"].strip().lower() in ("title", "series title"):
            following = [found["value"], *rows[at + 1 :]]
            parts = [following[0].strip()]
            for more in following[1:4]:
                if not more.startswith(("   ", "\t")) or not more.strip():
                    break
                parts.append(more.strip())
            return plain(" ".join(part for part in parts if part))
    return ""


def plain(text: str) -> str:
    """Without emphasis."""
    return (
        _EMPHASIS.sub("", text.replace("\\*", "\0").replace("\\_", "\1")).replace("\0", "*").replace("\1", "_").strip()
    )


def read(text: str) -> Iterator[Element]:
    """Take a text apart."""
    text, notes = _without_notes(_without_boneyard(text))
    rows = text.split("\n")
    first = _title_page(rows)
    yield from front.settled(castlists.recognised(_Reader(rows, first, notes).read()))


def _title_page(rows: list[str]) -> int:
    """How many lines it has."""
    start = next((at for at, row in enumerate(rows) if row.strip()), 0)
    found = _KEY.match(rows[start]) if start < len(rows) else None
    if not found:
        return 0
    key = found["key"].strip().lower()
    if key not in _TITLE_PHRASES and key not in _TITLE_KEYS:
        return 0
    return next((at for at in range(start, len(rows)) if not rows[at].strip()), len(rows))


def _without_boneyard(text: str) -> str:
    """Blank out /* … */, so that lines keep their numbers."""
    parts, at = [], 0
    while (start := text.find("/*", at)) >= 0 and (end := text.find("*/", start + 2)) >= 0:
        parts += [text[at:start], "\n" * text.count("\n", start, end)]
        at = end + 2
    return "".join([*parts, text[at:]])


def _without_notes(text: str) -> tuple[str, dict[int, str]]:
    """Blank out [[…]], and what stood in them, by line."""
    notes: dict[int, str] = {}
    parts, at, line = [], 0, 1
    for found in _NOTE.finditer(text):
        if "\n\n" in found["note"]:
            continue
        parts += [text[at : found.start()], "\n" * found["note"].count("\n")]
        line += text.count("\n", at, found.start())
        notes[line] = (notes[line] + "\n" if line in notes else "") + found["note"].strip()
        line += found["note"].count("\n")
        at = found.end()
    return "".join([*parts, text[at:]]), notes


def _without_extension(text: str) -> str:
    return re.sub(r"\([^()]{0,80}\)?\s*\^?$", "", text) if len(text) < 200 else ""


def _key(text: str) -> str:
    return names.key(names.read(text).name)


class _Reader:
    def __init__(self, rows: list[str], first: int, notes: dict[int, str]) -> None:
        self._rows = rows
        self._at = first
        self._notes = notes
        self._counts = Counter(  # lines that stand where names do
            _key(row)
            for at, row in enumerate(rows)
            if 0 < len(row) < 100 and self._blank(at - 1) and not self._blank(at + 1) and lines.in_capitals(row)
        )

    def read(self) -> Iterator[Element]:
        talking = False
        while self._at < len(self._rows):
            row = self._rows[self._at]
            number = self._at + 1
            self._at += 1
            if row.strip():
                element = self._talk(row, number) if talking else None
                element = element or self._outside(row, number)
                talking = element.kind in (Kind.CUE, Kind.DIALOGUE, Kind.PARENTHETICAL)
                yield element
            elif number not in self._notes:
                talking = talking and len(row) >= 2  # two blanks on a line keep a dialogue together
            if number in self._notes:
                yield from self._marks(number)

    def _talk(self, row: str, number: int) -> Element | None:
        text = row.strip()
        if headings.is_plain(text):
            return None
        kind = Kind.DIALOGUE
        if lines.is_parenthetical(text):
            kind = Kind.PARENTHETICAL
        return Element(kind=kind, text=plain(text.removeprefix("~").replace("\\(", "(")), line=number)

    def _outside(self, row: str, number: int) -> Element:
        text = row.strip()
        if forced := self._forced(text, number):
            return forced
        bare = plain(text) if len(text) <= headings.LONGEST else text
        before, after = self._blank(number - 2), self._blank(number)
        if headings.starts_one(bare) and (before or headings.is_plain(bare)):
            confidence = 1.0 if before and headings.is_plain(bare) else 0.9
            return Element(
                kind=Kind.HEADING, text=bare, line=number, confidence=confidence, heading=headings.read(bare)
            )
        capital = before and lines.named_in_capitals(_without_extension(bare))
        again = capital and (self._counts[_key(bare)] > 1 or names.is_continued(bare))
        speaks = capital and not after and lines.may_speak(bare, sure=again)
        if before and not speaks and lines.is_division(bare):
            return Element(kind=Kind.DIVISION, text=bare, line=number)
        if capital and (lines.is_transition(bare) or (after and bare.endswith("TO:"))):
            return Element(kind=Kind.TRANSITION, text=bare, line=number)
        if capital and after and (heading := informal.read(bare)):
            return Element(kind=Kind.HEADING, text=bare, line=number, confidence=informal.CONFIDENCE, heading=heading)
        if speaks:
            return Element(kind=Kind.CUE, text=bare.rstrip(" ^"), line=number)
        kind = Kind.ASIDE if lines.is_on_screen(bare) else Kind.ACTION
        return Element(kind=kind, text=plain(text), line=number)

    def _forced(self, text: str, number: int) -> Element | None:
        sign, rest = text[0], text[1:].strip()
        if sign == "." and rest and text[1:2] != "." and (text[1].isalnum() or text[1] in " (['\"“"):
            heading = headings.read(plain(rest))
            return Element(kind=Kind.HEADING, text=rest, line=number, heading=heading)
        if sign == "@" and rest:
            return Element(kind=Kind.CUE, text=plain(rest).rstrip(" ^"), line=number)
        if sign == ">":
            centred = text.endswith("<")
            kind = Kind.ASIDE if centred else Kind.TRANSITION
            return Element(kind=kind, text=plain(rest.rstrip("< ")), line=number)
        if sign == "!":
            kind = Kind.ASIDE if lines.is_on_screen(rest) else Kind.ACTION
            return Element(kind=kind, text=plain(rest), line=number)
        if sign == "~":
            return Element(kind=Kind.ASIDE, text=plain(rest), line=number)
        if sign == "#":
            return Element(kind=Kind.DIVISION, text=plain(text.lstrip("#")), line=number)
        if sign == "=":
            return Element(kind=Kind.ASIDE, text=plain(text.strip("= ")), line=number)
        return None

    def _blank(self, at: int) -> bool:
        return not 0 <= at < len(self._rows) or not self._rows[at].strip()

    def _marks(self, number: int) -> Iterator[Element]:
        """[[Cast: SARAH, TOM]] and [[Props: lantern]]. [[Tagged: SARAH]] says who is there too."""
        for note in self._notes[number].split("\n"):
            found = _MARKS.fullmatch(note.strip())
            if found:
                what = found["what"].lower()
                named = [plain(name) for name in re.split(r"[,;，、；]", found["names"].strip("()（） "))]
                if what.startswith("prop"):
                    yield Element(kind=Kind.PROPS, text=note, line=number, names=tuple(filter(None, named)))
                    continue
                cast = tuple(name for one in named if (name := names.read(one).name))
                yield Element(kind=Kind.CAST, text=note, line=number, names=cast, complete=what != "tagged")
