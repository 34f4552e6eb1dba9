"""What pages add to a script that was copied out of a PDF: numbers, running heads, (MORE), CONTINUED."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from dataclasses import dataclass, replace

_NUMBER = re.compile(r"[-–—(]?\s*(?:page\s+)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?\s*[-–—).]?", re.IGNORECASE)
_CONTINUED = re.compile(
    r"(?:[A-Z]?\d{1,4}[A-Z]?\s+)?[(\[]?\s*(?:MORE|CONTINUED|"
    r"CONT['’]?D)\s*[)\]]?\s*:?\s*(?:\(\d{1,3}\))?(?:\s+[A-Z]?\d{1,4}[A-Z]?)?",
    re.IGNORECASE,
)
_LONGEST = 100
_REVISED = re.compile(r"\s{2,}\*+$")


@dataclass(frozen=True, slots=True)
class Row:
    """A line with something on it."""

    number: int  # of the line, from 1
    indent: int
    gap: int  # blank lines before it, less one where all lines have one
    text: str
    apart: bool = False  # a blank line before it, whatever the others have


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    removed: int


def cleared(text: str) -> Page:
    """All lines with something on them, without what pages add. A page's end is no blank line."""
    raw = text.expandtabs(4).split("\n")
    heads = _running_heads(raw)
    rows: list[Row] = []
    gap = removed = 0
    broken = False
    for number, line in enumerate(raw, 1):
        line = (
            line.replace("\u00a0", " ").strip("\f\r\n ")
            if len(line) > 5_000
            else _REVISED.sub("", line.replace("\u00a0", " ").rstrip("\f "))
        )
        bare = line.strip("\f ")
        if not bare:
            gap += 1
        elif number in heads or (len(bare) <= _LONGEST and is_one(bare)):
            removed, broken = removed + 1, True
        else:
            indent = len(line) - len(line.lstrip())
            before = min(gap, 1) if broken else gap
            rows.append(Row(number=number, indent=indent, gap=before, text=bare, apart=gap > 0 and not broken))
            gap, broken = 0, False
    return Page(_single_spaced(rows), removed)


def is_one(bare: str) -> bool:
    """12., - 12 -, Page 3 of 90, (MORE), CONTINUED: (2)."""
    return bool(_NUMBER.fullmatch(bare) or (_CONTINUED.fullmatch(bare) and not bare.islower()))


def _running_heads(raw: list[str]) -> set[int]:
    """Lines that come again and again with a number that grows: THE LONG NIGHT  12."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, line in enumerate(raw, 1):
        bare = line.strip("\f ") if len(line) <= _LONGEST * 2 else ""
        last = re.search(r"(\d{1,4})\.?$", bare) if 6 <= len(bare) <= _LONGEST else None
        if last and re.search(r"[^\W\d_]{3}", bare):
            found[bare[: last.start()]].append((number, int(last[1])))
    heads: set[int] = set()
    for places in found.values():
        counted = [count for _, count in places]
        if len(places) >= 3 and all(one < other for one, other in itertools.pairwise(counted)):
            heads.update(number for number, _ in places)
    return heads


def _single_spaced(rows: list[Row]) -> list[Row]:
    """Where there is a blank line between any two lines, one blank line means nothing."""
    close = sum(1 for row in rows[1:] if row.gap == 0)
    if len(rows) < 8 or close > 0.1 * len(rows):
        return rows
    return [replace(row, gap=max(0, row.gap - 1)) for row in rows]
