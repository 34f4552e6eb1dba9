"""Prose: a chapter is a scene, and who speaks stands beside the quotation marks. All of it is inferred."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from assets.scripts import chinese_names, names, numerals
from assets.scripts.elements import Element, Heading, Kind
from assets.scripts.words import words

_CHAPTER = re.compile(
    rf"(?:第\s*[\d{numerals.CHINESE}]{{1,7}}\s*[章节回卷集]|CHAPTER\s+\S{{1,12}}|Chapter\s+\S{{1,12}}|序章|楔子|"
    rf"尾声|番外|Prologue|Epilogue)\s*[:：.、-]?\s*.{{0,60}}"
)
_BREAK = re.compile(r"(?:[*＊]\s*){3,}|[-—–]{3,}|#|◇+|\.{5,}|…{3,}|={3,}|~{3,}")
_SAYS = (
    "said|says|asked|asks|replied|replies|whispered|whispers|shouted|shouts|answered|answers|cried|cries|muttered|"
    "murmured|yelled|called|"
    "snapped|laughed|sighed|continued|added|began|insisted|demanded|agreed|admitted|warned|hissed|growled|"
    "exclaimed|remarked|told"
)
_TITLE = r"(?:Mr|Mrs|Ms|Dr|Miss|Aunt|Uncle|Captain|Professor|Detective|Old|Young|Lady|Sir)\.? "
_NAME = rf"(?:{_TITLE})?[A-Z][\w'’-]{{1,20}}(?: [A-Z][\w'’-]{{1,20}})?"
_AFTER = re.compile(
    rf"[”\"’'](?: |, )(?:(?P<name>{_NAME}) (?:\w+ly )?(?:{_SAYS})|(?:{_SAYS}) "
    rf"(?P<other>{_NAME}))\b"
)
_BEFORE = re.compile(rf"(?:^|[.!?] )(?P<name>{_NAME}) (?:\w+ly )?(?:{_SAYS}),? ?[:,]? ?[“\"]")
_HAN_SAYS = "说道|问道|喊道|叫道|答道|笑道|怒道|冷笑道|开口道|回答道|低声道|沉声道|说|道|问|喊"
_HAN_NAME = r"[\u4e00-\u9fff·]{2,4}?"
_HAN_BEFORE = re.compile(
    rf"(?:^|[。！？”」，,\s])(?P<name>{_HAN_NAME})(?:[\u4e00-\u9fff]{{1,4}}[地着])?(?:{_HAN_SAYS})[：:，,]?\s*[“「]"
)
_HAN_AFTER = re.compile(
    rf"[”」](?P<name>{_HAN_NAME})(?:[\u4e00-\u9fff]{{1,4}}[地着])?(?:{_HAN_SAYS})(?:[。，,！]|"
    rf"$)"
)
_PRONOUNS = words(
    "He She They It I We You The His Her That This There What 他 她 他们 她们 我 我们 你 它 这 那 大家 有人 对方 ",
    "那人 男人 女人 忽然 突然 低声 轻声",
)
_LONGEST = 20_000


def read(text: str) -> Iterator[Element]:
    """Take a text apart."""
    rows = text.split("\n")
    chapters = any(len(row) <= 80 and _CHAPTER.fullmatch(row.strip(" #*　")) for row in rows)
    counts = Counter(name for row in rows for name, _ in _speakers(row))
    opened = False
    for number, row in enumerate(rows, 1):
        bare = row.strip(" \t　\f")
        if not bare:
            continue
        heading = bare.strip("#*　 ") if len(bare) <= 80 else ""
        if heading and _CHAPTER.fullmatch(heading):
            opened = True
            yield Element(kind=Kind.HEADING, text=heading, line=number, confidence=0.5, heading=Heading(text=heading))
            continue
        if len(bare) <= 40 and _BREAK.fullmatch(bare):
            opened = opened and chapters
            continue
        if not opened:
            opened = True
            yield Element(kind=Kind.HEADING, text="", line=number, confidence=0.3, heading=Heading(text=""))
        yield from _said(bare, number, counts)


def _said(row: str, number: int, counts: Counter[str]) -> Iterator[Element]:
    yield Element(kind=Kind.ACTION, text=row, line=number)
    for name, confidence in _speakers(row):
        yield Element(
            kind=Kind.CUE, text=name, line=number, confidence=confidence if counts[name] > 1 else confidence - 0.2
        )
        yield Element(kind=Kind.DIALOGUE, text="", line=number)


def _speakers(row: str) -> list[tuple[str, float]]:
    """Who says something in a paragraph."""
    found: list[str] = []
    row = row[:_LONGEST]
    if re.search(r"[\u4e00-\u9fff]", row):
        for pattern in (_HAN_BEFORE, _HAN_AFTER):
            found += [_trimmed(match["name"]) for match in pattern.finditer(row)]
        found = [name for name in found if len(name) > 1 and chinese_names.may_be(name)]
    else:
        found += [match["name"] or match["other"] for match in _AFTER.finditer(row)]
        found += [match["name"] for match in _BEFORE.finditer(row)]
    return [
        (name, 0.6) for name in dict.fromkeys(found) if name.split()[0] not in _PRONOUNS and not names.is_nobody(name)
    ]


def _trimmed(name: str) -> str:
    return "" if name[:1] in "他她我你它这那有又便就却也" else name
