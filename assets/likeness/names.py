"""Takes the names of people apart: family and given name, title, form of address, kin, role, number."""

from __future__ import annotations

import dataclasses
import functools
import re

from assets.likeness import han_names, latin_names, text
from assets.likeness.parts import Name
from assets.likeness.vocabulary import HAN_TITLES, KIN, LATIN_TITLES, STAGES

_BRACKETED = re.compile(r"[(\[【〔<《]([^)\]】〕>》]*)(?:[)\]】〕>》]|$)")
_HEARD = (
    r"v\.?\s?o|o\.?\s?s|o\.?\s?c|cont'?d|continuing|continued|voice\s?over|off[ -]?screen|phone|"
    r"filtered|subtitled?|pre-?lap|"
    r"(?:on|over|into|via|through) (?:the )?(?:phone|radio|tv|intercom|speaker)|"
    r"画外音|画外|内心独白|内心|独白|心声|旁白|电话里?|续"
)
_MARKS = re.compile(rf"(?:[\s.,:;/·-]+|(?<=[^a-z0-9]))(?:{_HEARD})\.?$")
_IS_MARK = re.compile(rf"(?:(?:{_HEARD})[\s.,/、]*)*")


@functools.lru_cache(maxsize=20_000)
def parse(written: str) -> Name:
    """What a name says of whom it names. Never raises: of what it does not understand, it keeps the letters."""
    folded = text.fold(written)
    bare, remarks = _BRACKETED.sub(" ", folded).strip(), [said.strip() for said in _BRACKETED.findall(folded)]
    if not text.joined(bare):
        bare, remarks = folded, []
    bare = _without(_MARKS, bare).strip()
    letters = text.joined(bare)
    if not letters:
        return Name(core=folded)
    name = han_names.parse(letters if "的" not in bare else bare) if text.has_han(bare) else latin_names.parse(bare)
    for remark in remarks:
        name = _remarked(name, remark)
    return name


def _remarked(name: Name, remark: str) -> Name:
    """What is said in brackets: how somebody is heard, an age, a number; or who knows what."""
    if _IS_MARK.fullmatch(remark):
        return name
    if stage := STAGES.get(remark):
        return dataclasses.replace(name, stage=name.stage or stage)
    number = text.number(remark) or text.stem_or_letter(remark)
    if number is not None and name.number is None:
        return dataclasses.replace(name, number=number)
    return dataclasses.replace(name, remark=f"{name.remark}{text.joined(remark)}")


def _without(marks: re.Pattern[str], name: str) -> str:
    """A name that is nothing but a mark keeps it."""
    return marks.sub("", name) or name


def kin_of(word: str) -> str:
    """What relative a word says: mother, for 妈妈; empty: none."""
    return KIN.get(word, "")


def title_of(word: str) -> str:
    """The title that a word is by itself; empty: it is none."""
    title = LATIN_TITLES.get(word) or HAN_TITLES.get(word)
    return title.word if title else ""
