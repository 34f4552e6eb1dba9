"""Names of people in Latin letters: JOHN SMITH JR., DET. MORALES, SARAH'S MOTHER, GUARD #2, YOUNG SARAH."""

from __future__ import annotations

import dataclasses
import re

from assets.likeness import text
from assets.likeness.parts import Name, Part
from assets.likeness.text import listed
from assets.likeness.vocabulary import GENERATIONS, KIN, LATIN_ROLES, LATIN_TITLES, NICKNAMES, STAGES, Title

_ARTICLES = frozenset({"the", "a", "an", "some", "our", "that", "this"})
_PARTICLES = frozenset(listed("de da del della di du la le van von der den bin al el st mac"))
_FAMILIES = frozenset(
    listed("cook hunter king knight archer butler farmer judge singer prince page baker fisher chambers")
)
"""Roles that are common family names too."""
_KIN_OF = re.compile(r"(.+?)(?:'s|s'|')\s+(?:\w+\s+)?([a-z]+)$")
_OF_KIN = re.compile(r"(?:the\s+)?([a-z]+) of (.+)$")


def parse(bare: str) -> Name:
    """A folded name that has at least one letter or digit."""
    if related := _related(bare):
        return related
    bare = re.sub(r"'s\b", "s", bare).replace("'", "")
    words = text.words(_in_order(bare))
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    words, number = _numbered(words)
    words, generation = _taken(words, GENERATIONS, last=True)
    words, stage = _taken(words, STAGES)
    body, title = _titled(words)
    return dataclasses.replace(
        _body(body, title=title, generation=generation), number=number, stage=stage, generation=generation
    )


def _body(words: list[str], *, title: Title | None, generation: str) -> Name:
    core = "".join(words)
    if not title and not generation and _is_role(words):
        return Name(core=core, role=words[-1])
    if len(words) == 1 or words[0] in _PARTICLES:  # De la Cruz is a family
        return Name(core=core, short=core, part=Part.EITHER, title=title)
    cut = next((n for n, word in enumerate(words[1:-1], 1) if word in _PARTICLES), len(words) - 1)
    return Name(
        core=core, given=words[0], middle=tuple(words[1:cut]), family="".join(words[cut:]), short="", title=title
    )


def _related(bare: str) -> Name | None:
    """Somebody's mother, if that is what the name says."""
    if (found := _KIN_OF.match(bare)) and (kin := KIN.get(found[2])):
        whose = parse(found[1])
    elif (found := _OF_KIN.match(bare)) and (kin := KIN.get(found[1])):
        whose = parse(found[2])
    else:
        return None
    return Name(core=text.joined(bare), kin=kin, of=whose.key)


def _in_order(bare: str) -> str:
    """Chen, Sarah: the family first."""
    before, comma, after = bare.partition(",")
    known = {*GENERATIONS, *LATIN_TITLES}
    said = text.words(after)
    if not comma or not said or "," in after or len(said) > 2 or known & set(said) or len(text.words(before)) != 1:
        return bare
    return f"{after} {before}"


def _numbered(words: list[str]) -> tuple[list[str], int | None]:
    """GUARD 2, GUARD NO. 2, GUARD TWO, GUARD B, SECOND GUARD, 2ND GUARD."""
    last, before = words[-1], words[:-1]
    if joined := re.fullmatch(r"([a-z]{2,})(\d{1,4})", last):
        return [*before, joined[1]], int(joined[2])
    if not before:
        return words, None
    if last.isdigit():
        return [word for word in before if word not in ("no", "number", "nr")] or before, text.number(last)
    said = text.number(last) or text.stem_or_letter(last)
    if said and _is_role(before):
        return before, said
    first = re.fullmatch(r"(\d{1,3})(?:st|nd|rd|th)", words[0])
    said = int(first[1]) if first else text.number(words[0])
    return (words[1:], said) if said and _is_role(words[1:]) else (words, None)


def _taken(words: list[str], known: dict[str, str], *, last: bool = False) -> tuple[list[str], str]:
    """Without the first or last word, if it is one of these, and not the only one."""
    place = -1 if last else 0
    if len(words) < 2 or words[place] not in known:
        return words, ""
    return (words[:-1] if last else words[1:]), known[words[place]]


def _titled(words: list[str]) -> tuple[list[str], Title | None]:
    title: Title | None = None
    body = words
    while len(body) > 1 and body[0] in LATIN_TITLES:
        said = LATIN_TITLES[body[0]]
        title = said if title is None or not title.field else title
        body = body[1:]
    return (words, None) if _is_role(body) else (body, title)


def _is_role(words: list[str]) -> bool:
    if len(words) == 1 and words[0] in LATIN_TITLES:
        return True
    if not words or words[-1] not in LATIN_ROLES:
        return False
    return not (len(words) > 1 and (words[-1] in _FAMILIES or words[0] in NICKNAMES))
