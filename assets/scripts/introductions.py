"""How scripts introduce somebody: SARAH CONNOR (30s), a nurse; 林晚（女，24岁）."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Container, Iterator
from dataclasses import dataclass

from assets.scripts import facts, lines, names

_LONGEST = 20_000
_UPPER = r"[A-ZÀ-ÖØ-ÞА-ЯЁ]"
_WORD = rf"{_UPPER}(?:{_UPPER}|['’.-](?={_UPPER}))*\.?"
_CAPITALS = re.compile(rf"(?<![\w'’]){_WORD}(?:[ ](?:{_WORD}(?!\w)|[“\"]{_WORD}[”\"])){{0,4}}(?!\w)")
_NICKNAME = re.compile(r"\s*[“\"]([^“”\"]+)[”\"]")
_AGE_BEHIND = re.compile(r"\s*\(([^()]{1,60})\)|\s*,\s*([^,.;()]{1,40})(?=[,.;)]|$|\s[-–—])")
_APPOSITION = re.compile(
    r"\s*(?:\([^()]{1,60}\)|,\s[^,.;()]{1,40})"
    r"(?:,\s(?:an?|the|his|her)\s[^,.;()]{1,50}|\s(?:is|-+|–|—)\san?\s[^,.;()]{1,50})?"
)
_ABBREVIATED = re.compile(r"(?:^|\W)(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|Prof|Sgt|Lt|Capt|Det|Rev|Gen|Gov|Sen|Col)$", re.IGNORECASE)
_HAN = re.compile(r"(?P<name>[\u4e00-\u9fff·]{2,12})[（(](?P<about>[^（()）]{1,80})[)）]")
_LEADING = re.compile(r"^(?:只见|这时|此时|而|名叫|叫做|看到|见到|一个|一名|年轻的|身穿.{0,6}的|门口的|旁边的)+")


@dataclass(frozen=True, slots=True)
class Introduced:
    name: str
    about: str
    phrase: str  # right behind the name: (30s), a nurse
    age: str
    confidence: float
    nickname: str = ""
    role: bool = False  # with an article before it: A WAITRESS


def find(text: str, *, known: Container[str]) -> Iterator[Introduced]:
    """All that an action introduces: names in capitals with an age behind them, and such as are known already."""
    text = text[:_LONGEST]
    yield from _chinese(text, known)
    if not lines.in_capitals(text):  # an action in capitals emphasises everything
        yield from _english(text, known)


def _english(text: str, known: Container[str]) -> Iterator[Introduced]:
    ends = _ends(text)
    for found in _CAPITALS.finditer(text):
        article = re.search(r"\b(?:an?|the)\s$", text[max(0, found.start() - 5) : found.start()], re.IGNORECASE)
        whole = re.sub(r"^(?:A|AN|THE|TWO|OUR)\s+", "", found[0]).rstrip(".")
        name, nickname = _NICKNAME.sub("", whole), _NICKNAME.search(whole)
        if len(name) < 2:
            continue
        behind = _AGE_BEHIND.match(text, found.end())
        phrase = (behind[1] or behind[2] or "") if behind else ""
        parts = [part.strip() for part in re.split(r"[,;/]", phrase)]
        age = next((facts.age(part) or part for part in parts if facts.is_age(part)), "") or facts.age(phrase)
        key = names.key(name)
        if (not age and key not in known) or not lines.may_speak(name, sure=True):
            continue
        yield Introduced(
            name=name,
            nickname=nickname[1] if nickname else "",
            about=_sentence(text, ends, found.start()),
            phrase=_apposition(text, found.end()),
            age=age,
            confidence=0.8 if age else 0.5,
            role=bool(article) or found[0].startswith(("A ", "AN ", "THE ")),
        )


def _chinese(text: str, known: Container[str]) -> Iterator[Introduced]:
    for found in _HAN.finditer(text):
        about = found["about"]
        if not facts.age(about) and not re.match(r"(?:男|女)(?:$|[，,、\s性])", about):
            continue
        name = _LEADING.sub("", found["name"])
        shorter = next((name[at:] for at in range(len(name) - 1) if names.key(name[at:]) in known), "")
        if shorter or 2 <= len(name) <= 4:
            yield Introduced(name=shorter or name, about=about, phrase=about, age=facts.age(about), confidence=0.7)


def _apposition(text: str, at: int) -> str:
    """What is set between commas or brackets right behind a name; nobody else is spoken of there."""
    found = _APPOSITION.match(text[at : at + 200])
    return re.sub(r"\b(?:his|her)\b.*", "", found[0]) if found else ""


def _ends(text: str) -> list[int]:
    """Where its sentences end."""
    return [
        found.start()
        for found in re.finditer(r"[.!?](?=\s)", text)
        if not _ABBREVIATED.search(text[max(0, found.start() - 6) : found.start()])
    ]


def _sentence(text: str, ends: list[int], at: int) -> str:
    """The sentence around a place."""
    following = bisect(ends, at)
    start = ends[following - 1] + 1 if following else 0
    end = ends[following] + 1 if following < len(ends) else len(text)
    return text[start:end].strip()[:500]
