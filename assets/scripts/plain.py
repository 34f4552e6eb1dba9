"""Screenplays as people type them or copy them out of a PDF: nothing can be relied on, lines are judged by each other.

A name is a name because it stands where names stand, and comes again. Blank lines may be lost or doubled, names may be
in small letters or have a colon; stage plays have their scenes numbered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from assets.scripts import castlists, episode_marks, front, furniture, headings, informal, lines, names, numerals, times
from assets.scripts.elements import Element, Heading, Kind
from assets.scripts.furniture import Row
from assets.scripts.words import words

_TITLES = "MR MRS MS DR ST JR SR LT PROF SGT CAPT COL GEN REV HON DET SEN GOV PRES"
# A period within a name: behind a title, JR, or an initial.
_WITHIN_NAME = "".join(rf"(?<!\b{title})" for title in _TITLES.split())
_COLON = re.compile(
    rf"(?P<name>[^:：\s](?:[^:：.!?;()]|(?!{_WITHIN_NAME}(?<!\b[A-Z]))\.){{0,38}}(?:\([^()]{{0,40}}\))?)"
    r"\s*[:：]\s*(?P<said>\S.*)?",
    re.DOTALL | re.IGNORECASE,
)
_PERIOD = re.compile(
    rf"(?P<name>(?:(?:{_TITLES.replace(' ', '|')})\. )?(?!(?:{_TITLES.replace(' ', '|')})\.)"
    r"[A-ZÀ-ÖØ-Þ][A-ZÀ-ÖØ-Þ' "
    r"’#\d-]{1,30}?)(?:\s*\((?P<mood>[^()]{0,80})\))?\.\s*[-–—]?\s*(?P<said>[^\s.].*)",
    re.DOTALL,
)
_SCENE = re.compile(
    rf"(?:(?:ACT\s+(?:{numerals.ENGLISH}|[IVXLC]{{1,6}}|"
    rf"\d{{1,2}})\s*[,.:–—-]?\s*)?SCENE\s+#?(?P<number>\d{{1,3}}[A-Z]?|{numerals.ENGLISH}|[IVXLC]{{1,7}}))"
    r"\b\s*[:.–—,-]*\s*(?P<rest>.{0,120})",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W\d_][\w'’.#-]*(?: (?:[^\W_][\w'’.#-]*)){0,3}")
_EXTENDED = re.compile(r"\((?:V\.?O\.?|O\.?S\.?|O\.?C\.?|CONT['’]?D\.?)\)\s*$", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…][\"”’')]*$")
_LONGEST_SENTENCE = 30  # lines
_NOT_SAID = words(
    "note notes time setting place scene title by author date draft contact synopsis logline genre location int ",
    "ext at",
)


def read(text: str) -> Iterator[Element]:
    """Take a text apart."""
    rows = furniture.cleared(text).rows
    yield from _unwrapped(front.settled(castlists.recognised(_Reader(rows).read())), rows)


def _unwrapped(elements: Iterable[Element], rows: Iterable[Row]) -> Iterator[Element]:
    """Actions whose lines were broken by hand or by a page's width, in one: a sentence goes on in the line below."""
    shape = {row.number: row for row in rows}
    parts: list[Element] = []
    for element in elements:
        more = element.kind is Kind.ACTION and 0 < len(parts) < _LONGEST_SENTENCE
        if more and _goes_on(shape[parts[-1].line], shape[element.line]):
            parts.append(element)
            continue
        yield from _one(parts)
        parts = [element] if element.kind is Kind.ACTION else []
        if not parts:
            yield element
    yield from _one(parts)


def _goes_on(row: Row, following: Row) -> bool:
    together = following.gap == 0 and row.indent == following.indent
    if not together or _SENTENCE_END.search(row.text[-5:]):
        return False
    return not lines.in_capitals(row.text) and not lines.in_capitals(following.text)


def _one(parts: list[Element]) -> Iterator[Element]:
    if parts:
        text = " ".join(part.text for part in parts)
        yield replace(parts[0], text=text, through=parts[-1].line)


class _Reader:
    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
        self._headings = [self._heading(at) for at in range(len(rows))]
        self._margin = self._usual_margin()
        self._capitals: Counter[str] = Counter()
        self._alone: Counter[str] = Counter()
        self._inline: Counter[str] = Counter()
        self._count()
        self._lost_gaps = self._has_lost_gaps()

    def read(self) -> Iterator[Element]:
        talking = inline = False
        for at, row in enumerate(self._rows):
            if heading := self._headings[at]:
                talking = False
                sure = informal.CONFIDENCE if informal.read(heading.text) else 0.8
                yield Element(kind=Kind.HEADING, text=row.text, line=row.number, confidence=sure, heading=heading)
            elif lines.is_division(row.text) or episode_marks.starts_one(row.text):
                talking = False
                yield Element(kind=Kind.DIVISION, text=row.text, line=row.number)
            elif (
                len(row.text) < 200
                and lines.is_transition(row.text.upper())
                and (lines.in_capitals(row.text) or row.gap)
            ):
                talking = False
                yield Element(kind=Kind.TRANSITION, text=row.text, line=row.number)
            elif confidence := self._speaks(at, talking=talking):
                talking, inline = True, False
                yield Element(kind=Kind.CUE, text=row.text.rstrip(" :："), line=row.number, confidence=confidence)
            elif said := self._said_inline(row, talking=talking):
                talking = inline = True
                yield from said
            else:
                talking = talking and not self._ended(at) and not (inline and row.apart)
                kind = Kind.ACTION if not talking else Kind.PARENTHETICAL if row.text[0] == "(" else Kind.DIALOGUE
                yield Element(kind=kind, text=row.text, line=row.number)

    def _heading(self, at: int) -> Heading | None:
        row = self._rows[at]
        text = row.text.strip("*_#= ") if len(row.text) <= headings.LONGEST else ""
        if not text:
            return None
        if headings.starts_one(text):
            read = headings.read(text)
            sure = headings.is_plain(text) or (row.gap > 0 or at == 0) or bool(read.time)
            small = (
                text == text.lower()
                or lines.in_capitals(text)
                or bool(read.time)
                or re.match(r"(?:\d+\S*\s+)?(?:INT|EXT|I/E)", text)
            )
            return read if sure and small and not re.search(r"[!?]$|\b(?:is|was|are|has|had)\b.*\.$", text) else None
        between = row.gap and (at + 1 == len(self._rows) or self._rows[at + 1].gap)
        if between and lines.in_capitals(text) and (back := informal.read(text)):
            return back
        found = _SCENE.fullmatch(text)
        if not found or re.match(r"[a-z]", found["rest"] or "X"):
            return None
        rest = found["rest"].strip(" .")
        whole = headings.read(rest) if headings.starts_one(rest) else headings.read(f"INT. {rest}") if rest else None
        place = whole.place if whole and headings.starts_one(rest) else Heading(text="").place
        return Heading(
            text=text,
            number=found["number"],
            place_name=whole.place_name if whole else "",
            place=place,
            time=whole.time if whole else times.of(rest) or "",
        )

    def _usual_margin(self) -> int:
        """How far headings are indented, else most lines."""
        indents = Counter(row.indent for row, heading in zip(self._rows, self._headings, strict=True) if heading)
        indents = indents or Counter(row.indent for row in self._rows)
        return indents.most_common(1)[0][0] if indents else 0

    def _count(self) -> None:
        """How often each name stands where names stand."""
        for at, row in enumerate(self._rows):
            if len(row.text) > 200 or self._headings[at]:
                if len(row.text) > 200:
                    self._count_inline(row)
                continue
            bare = row.text.rstrip(" :：")
            if (
                lines.in_capitals(re.sub(r"\([^()]{0,80}\)?$", "", bare))
                and lines.may_speak(bare)
                and self._followed(at)
            ):
                self._capitals[_key(bare)] += 1
            elif self._looks_named(bare) and (row.gap or row.indent > self._margin) and self._followed(at):
                self._alone[_key(bare)] += 1
            self._count_inline(row)

    def _count_inline(self, row: Row) -> None:
        for pattern in (_COLON, _PERIOD):
            found = pattern.match(row.text[:300])
            if found and found["said"]:
                self._inline[_key(found["name"])] += 1

    def _has_lost_gaps(self) -> bool:
        found = [row for at, row in enumerate(self._rows) if self._capitals.get(_key(row.text[:100])) and at]
        return sum(1 for row in found if row.gap == 0) > 0.5 * len(found) if found else False

    def _followed(self, at: int) -> bool:
        """Whether something that can be said stands below."""
        following = self._rows[at + 1] if at + 1 < len(self._rows) else None
        if following is None or self._headings[at + 1] or following.gap > 1 or lines.is_transition(following.text[:80]):
            return False
        return following.gap == 0 or self._rows[at].indent > self._margin

    def _looks_named(self, text: str) -> bool:
        """Sarah, sarah (v.o.): one to three words without any mark behind."""
        bare = re.sub(r"\s*\([^()]{0,60}\)?$", "", text)
        if not _WORDS.fullmatch(bare) or len(bare) > 30 or not lines.may_speak(bare.upper()):
            return False
        return all(word[0].isupper() or bare == bare.lower() for word in bare.split())

    def _speaks(self, at: int, *, talking: bool) -> float:
        """How sure it is that this line is a name that speaks; 0 if it is none."""
        row = self._rows[at]
        text = row.text.rstrip(" :：") if len(row.text) <= 120 else ""
        if not text or text[0] == "(" or not lines.may_speak(text if lines.in_capitals(text) else text.upper()):
            return 0.0
        key = _key(text)
        apart = (
            row.gap > 0
            or at == 0
            or (row.indent > self._margin and not (talking and row.indent <= self._rows[at - 1].indent))
        )
        following = self._rows[at + 1] if at + 1 < len(self._rows) else None
        capital = lines.in_capitals(re.sub(r"\([^()]{0,80}\)?$", "", text))
        if not self._followed(at):
            loose = (
                following
                and following.gap == 1
                and not self._headings[at + 1]
                and not lines.in_capitals(following.text[:200])
            )
            return 0.6 if capital and apart and loose and self._capitals[key] > 1 else 0.0
        if _EXTENDED.search(text):
            return 0.9
        if capital:
            if apart:
                return 1.0 if self._capitals[key] > 1 else 0.8
            if self._capitals[key] > 1 or (self._lost_gaps and len(text.split()) <= 3):
                return 0.7
            return 0.0
        if not self._looks_named(text) or not (apart or row.text.endswith((":", "："))):
            return 0.0
        known = self._capitals[key] > 0 or self._inline[key] > 1
        if known or self._alone[key] > 1:
            return 0.7
        # Names are written small here, and this one stands where they do.
        return 0.5 if apart and not self._capitals and any(count > 1 for count in self._alone.values()) else 0.0

    def _said_inline(self, row: Row, *, talking: bool) -> list[Element]:
        """SARAH: What?; HAMLET. To be, or not."""
        for pattern in (_COLON, _PERIOD):
            found = pattern.match(row.text)
            if not found or not found["said"] or not lines.may_speak(found["name"].upper()):
                continue
            name = found["name"].strip()
            key = _key(name)
            capital = lines.in_capitals(re.sub(r"\([^()]{0,80}\)$", "", name))
            if key in _NOT_SAID or not (capital or self._looks_named(name)):
                continue
            often = self._inline[key] > 1 or self._capitals[key] > 0
            if not often and not (pattern is _COLON and capital and sum(self._inline.values()) > 3):
                continue
            cue = Element(kind=Kind.CUE, text=name, line=row.number, confidence=0.9 if capital else 0.7)
            return [cue, replace(cue, kind=Kind.DIALOGUE, text=found["said"])]
        return []

    def _ended(self, at: int) -> bool:
        """Whether what somebody says is over: by a blank line, or as lines go back to the margin."""
        row, before = self._rows[at], self._rows[at - 1]
        return row.gap > 0 or (row.indent <= self._margin < before.indent)


def _key(text: str) -> str:
    return names.key(names.read(text[:120].rstrip(" :：")).name)
