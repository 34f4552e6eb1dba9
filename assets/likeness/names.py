"""Takes the names of people apart: family and given name, title, form of address, kin, role, number."""

from __future__ import annotations

import dataclasses
import functools
import re

from assets.likeness import han_names, latin_names, text
from assets.likeness.parts import Name
from assets.likeness.vocabulary import HAN_TITLES, KIN, LATIN_TITLES, STAGES

_BRACKETED = re.compile(r"[(\[【〔<《].*?([)\]】〕>》]|$)")
_MARKS = re.compile(
    r"(?:[\s.,:;/·-]+|(?<=[^a-z0-9]))"
    r"(?:v\.?\s?o|o\.?\s?s|o\.?\s?c|cont'?d|continuing|continued|voice\s?over|off[ -]?screen)\.?$"
)
_HAN_MARKS = re.compile(r"(?<=.)[\s,:·-]*(?:画外音|内心独白|内心|独白|心声|旁白)$")
_STAGE_IN_BRACKETS = re.compile(r"[(\[【]\s*([^\W\d_]+)\s*[)\]】]")


@functools.lru_cache(maxsize=20_000)
def parse(written: str) -> Name:
    """What a name says of whom it names. Never raises: of what it does not understand, it keeps the letters."""
    folded = text.fold(written)
    stage = ""
    for said in _STAGE_IN_BRACKETS.findall(folded):
        stage = stage or STAGES.get(said, "")
    bare = _BRACKETED.sub(" ", folded).strip() or folded
    bare = _without(_HAN_MARKS, _without(_MARKS, bare)).strip()
    letters = text.joined(bare)
    if not letters:
        return Name(core=folded)
    name = han_names.parse(letters if "的" not in bare else bare) if text.has_han(bare) else latin_names.parse(bare)
    return dataclasses.replace(name, stage=name.stage or stage)


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
