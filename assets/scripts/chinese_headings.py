"""Scene headers of Chinese scripts, in all the ways that studios write them.

A header has a number, a place, a time and inside or outside, in any order, between any marks, or glued together:
`1-1 日 内 客厅`, `1-1日内灵堂`, `场1-1 金銮殿 日 内`, `【场景 1：客厅 - 内（夜）】`. So it is not matched as a
whole, but taken apart into words; what is neither time nor inside or outside is the place. Words are looked for in the
folded line, and taken from the one that was written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from assets.scripts import times, traditional
from assets.scripts.breakdown import Place
from assets.scripts.elements import Heading
from assets.scripts.numerals import CHINESE

LONGEST = 100  # characters

_TIME = "|".join(times.CHINESE)
_INSIDE = "内外景|内外|内景|外景|室内|室外|内|外"
_COUNT = rf"(?:\d{{1,4}}|[{CHINESE}]{{1,6}})"
_PAIR = re.compile(
    r"(?P<number>\d{1,3}\s?[-－–—_.．/]\s?\d{1,3}(?:[-－–—]\d{1,3})?[A-Za-z]?)(?![\d%％])(?P<after>\s*场(?!景))?"
)
_EPISODE_AND_SCENE = re.compile(
    rf"第\s*(?P<episode>{_COUNT})\s*[集幕]\s*[-·.、，,:：\s]*第?\s*(?P<number>{_COUNT})\s*场(?!景)"
)
_NTH = re.compile(
    rf"第\s*(?P<number>{_COUNT})\s*(?:场戏|场景|场|景)(?=[\s:：、，,.．【（()）】\-－—|/]|$|{_INSIDE}|{_TIME})"
)
_SCENE = re.compile(
    rf"(?:场景|场次|场|SCENE|Scene|scene|S)\s*[#＃.（(:：]?\s*(?P<number>\d{{1,4}}(?:\s?[-－–—.]\s?\d{{1,4}})?[A-Za-z]?|"
    rf"[{CHINESE}]{{1,6}})(?=[\s:：、，,.．【（()）】\-－—|/]|$|(?:{_INSIDE})\b)"
)
_LABEL = re.compile(r"(?:场景|地点|场地|拍摄地点|景)\s*[:：]\s*")
_SIDE = re.compile(
    r"(?P<side>内外景|内景|外景|室内|室外|内/外|内|外|INT\.?/EXT|INT|EXT)[.．。]?(?:[\s:：、，,/\-－—·|]+)",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"(?P<number>\d{1,3}[A-Za-z]?)(?:\s*场(?=[\s:：、，,（(])\s*|\s*[.．、:：)）]\s*|\s+)")
_WRAPPED = re.compile(r"[【\[［〖（(](?P<inner>[^【】\[\]［］〖〗（）()]{1,20})[】\]］〗）)](?=.)")
_FIELD = re.compile(
    r"(?P<field>时间|日夜|时段|地点|场景|场地|内外景?|景别|内/外|"
    r"环境)\s*[:：]\s*(?P<value>.{0,80})"
)
_FIELDS = re.compile(
    r"(?:时间|日夜|时段|内外景?|景别|内/外)\s*[:：]\s*[^:：。！？]{1,20}[\s,，;；|｜、/](?:拍摄地点|地点|场景|场地)\s*[:：]\s*\S"
)
_LABELS_WITHIN = re.compile(r"(?:场景|地点|时间|场地|日夜|内外景?|景别|环境)\s*[:：]\s*")
_SENTENCE = re.compile(r"[。！？!?“”\"；;…]|，.*，.*，|：.*：")
_SENTENCE_FOR_SURE = re.compile(r"[。！？!?…]|[:：]\s*[“\"「]")  # with a number, and a time or 内 that stands by itself
_SEPARATOR = re.compile(r"[\s,，、;；|｜·•]+|[-－–—_/／:：（）()【】\[\].．]+")
_GLUED = re.compile(rf"(?P<time>{_TIME})[/.]?(?P<side>{_INSIDE})|(?P<side2>{_INSIDE})[/.]?(?P<time2>{_TIME})")
_GLUED_FIRST = re.compile(
    rf"(?:(?P<time>{_TIME})(?P<side>内外景|内外|内景|外景|内|外)|(?P<side2>内景|外景|内|外)(?P<time2>日|夜|晨|"
    rf"昏))(?!瓦)(?P<rest>.+)"
)
_GLUED_LAST = re.compile(
    r"(?P<rest>.{2,}?)(?:(?P<time>日|夜|晨|昏|清晨|傍晚|黄昏|深夜|凌晨)(?P<side>内景|外景|内|外)|(?P<side2>内|外|"
    r"内景|外景)(?P<time2>日|夜|晨|昏))"
)
_RELATIVE = re.compile(
    rf"(?:次日|翌日|第二天|隔天|隔日|当天|当日|同日|(?:{_COUNT}|几|数|多)[天日年月周]?(?:个月|小时|分钟)?(?:之|以)?[前后]|"
    rf"同时)(?:的)?(?P<time>{_TIME})?"
)
_NOT_NOW = re.compile(r"(?:闪回|回忆|梦境|梦中|现实|幻想|幻觉|想象|插叙|倒叙|穿插)(?:中|开始|结束)?|回到现实|现在")


@dataclass(frozen=True, slots=True)
class Found:
    heading: Heading
    confidence: float


def read(line: str) -> Found | None:
    """A header, if the line is one. The line comes without bold marks and the like."""
    shown = line.strip()
    if not shown or len(shown) > LONGEST:
        return None
    bracketed = shown[0] in "【[［〖" and shown[-1] in "】]］〗"
    inner = shown[1:-1].strip() if bracketed else shown
    bare = _unwrapped(inner)
    number, at, sure = _numbered(traditional.folded(bare))
    if not number and not sure:
        return None if bracketed and not _SIDE.match(traditional.folded(inner)) else _unnumbered(inner)
    rest = bare[at:].rstrip().rstrip("。")
    words = _Words(rest)
    apart = words.heading()
    if (_SENTENCE_FOR_SURE if sure and words.told else _SENTENCE).search(words.text):
        return None
    if not sure and not (apart.time or apart.place):
        return None
    if sure == 1 and not (apart.time or apart.place) and (len(rest) > 25 or not rest):
        return None
    confidence = 1.0 if apart.time or apart.place else 0.85
    return Found(replace(apart, number=number, text=inner), confidence)


def parts(text: str) -> Heading:
    """A header that is known to be one, taken apart."""
    found = read(text)
    return found.heading if found else _Words(text).heading()


def is_time(word: str) -> bool:
    """夜, 次日, 三天后: when, and nothing else."""
    return times.of_chinese(word) is not None or _RELATIVE.fullmatch(word) is not None


def field(line: str) -> tuple[str, Heading] | None:
    """`时间：夜` below a header: the field's name, and what it says."""
    line = line.strip()
    found = _FIELD.fullmatch(traditional.folded(line)) if len(line) <= LONGEST else None
    return (found["field"], _Words(line[found.start("value") :]).heading()) if found else None


def merged(heading: Heading, other: Heading) -> Heading:
    """What a header lacks, taken from a line below it."""
    return replace(
        heading,
        place_name=heading.place_name or other.place_name,
        place=heading.place or other.place,
        time=heading.time or other.time,
    )


def below(text: str) -> Heading | None:
    """`日 内` or `日 内 大雄宝殿` alone on a line below a header."""
    apart = _Words(text).heading() if len(text) <= 40 and not _SENTENCE.search(text) and "：" not in text else None
    return (
        apart
        if apart and (apart.time or apart.place) and (not apart.place_name or (apart.time and " " in text))
        else None
    )


def _unwrapped(text: str) -> str:
    """【第1场】客厅, （1-1）客厅: without what is around the number."""
    found = _WRAPPED.match(text)
    if not found:
        return text
    inner = traditional.folded(found["inner"].strip())
    _, at, sure = _numbered(f"{inner} -")
    return f"{inner} {text[found.end() :]}" if inner.isdecimal() or (sure and at >= len(inner)) else text


def _numbered(text: str) -> tuple[str, int, int]:
    """Number, where the rest begins, and how sure that alone makes it: 2 by words, 1 by a number like 1-1, 0 not."""
    if found := _EPISODE_AND_SCENE.match(text):
        return f"{found['episode']}-{found['number']}", found.end(), 2
    for pattern in (_NTH, _SCENE):
        if found := pattern.match(text):
            return re.sub(r"\s", "", found["number"]), found.end(), 2
    if found := _LABEL.match(text):
        return "", found.end(), 2 if text[found.end() :].strip() else 0
    if _FIELDS.match(text):
        return "", 0, 2
    if found := _PAIR.match(text):
        rest = text[found.end() :]
        dotted = re.search(r"[.．/]", found["number"]) is not None
        parted = bool(found["after"]) or rest[:1] in tuple(" \t　、：:，,）)．.（(【") or not rest
        return re.sub(r"\s", "", found["number"]), found.end(), 1 if parted and rest and not dotted else 0
    if found := _COUNTED.match(text):
        rest = text[found.end() :]
        parts = _Words(rest).heading()
        if parts.time and (parts.place or len(rest) <= 15) and parts.place_name:
            return found["number"], found.end(), 1
    return "", 0, 0


def _unnumbered(text: str) -> Found | None:
    """内景 客厅 日; 客厅 日 内: by its words alone."""
    if len(text) > 45 or _SENTENCE.search(text):
        return None
    parts = _Words(text).heading()
    if side := _SIDE.match(traditional.folded(text)):
        if parts.place_name and (len(side["side"]) > 1 or parts.time) and len(text) <= 40:
            return Found(replace(parts, text=text), 1.0 if parts.time else 0.8)
        return None
    if parts.place_name and parts.time and parts.place and ":" not in text and "：" not in text:
        return Found(replace(parts, text=text), 0.9)
    return None


class _Words:
    """The words of a header: times, insides and outsides, and the place."""

    def __init__(self, shown: str) -> None:
        self._shown = shown[:LONGEST]
        self._times: list[tuple[str, str]] = []  # folded, and as written
        self._sides: list[str] = []
        self._names: list[tuple[str, int, int]] = []  # what stands before a word; and where the word does
        self._not_now: list[tuple[str, int, int]] = []  # 闪回: no place, unless nothing else is one
        labelled = traditional.folded(self._shown)
        labelled = _LABELS_WITHIN.sub(lambda found: " " * len(found[0]), labelled)
        self.text = re.sub(r"内\s?[/／]\s?外|外\s?[/／]\s?内", lambda found: "内外".ljust(len(found[0])), labelled)
        at, before = 0, ""
        for found in _SEPARATOR.finditer(self.text):
            if found.start() > at:
                self._add(before, at, found.start())
                before = ""
            before += found[0]
            at = found.end()
        if at < len(self.text):
            self._add(before, at, len(self.text))
        self.told = bool(self._times or self._sides)  # by words of their own
        self._unglue()

    def _add(self, before: str, start: int, end: int) -> None:
        word, shown = self.text[start:end], self._shown[start:end]
        if times.of_chinese(word) or (len(word) > 2 and times.of(word)):
            self._times.append((word, shown))
        elif re.fullmatch(rf"(?:{_INSIDE}|INT|EXT)", word, re.IGNORECASE):
            self._sides.append(word.upper())
        elif glued := _GLUED.fullmatch(word):
            self._times.append((glued["time"] or glued["time2"], shown))
            self._sides.append(glued["side"] or glued["side2"])
        elif _RELATIVE.fullmatch(word):
            self._times.append((word, shown))
        else:
            (self._not_now if _NOT_NOW.fullmatch(word) else self._names).append((before, start, end))

    def _unglue(self) -> None:
        """1-1日内灵堂, 1-1 灵堂日内: only where no word of its own tells the time."""
        if self._times or not self._names:
            return
        before, start, end = self._names[0]
        last_before, last_start, last_end = self._names[-1]
        if found := _GLUED_FIRST.fullmatch(self.text, start, end):
            self._names[0] = (before, *found.span("rest"))
        elif found := _GLUED_LAST.fullmatch(self.text, last_start, last_end):
            self._names[-1] = (last_before, *found.span("rest"))
        if found:
            time = found["time"] or found["time2"]
            self._times.append((time, time))
            self._sides.append(found["side"] or found["side2"])

    def heading(self) -> Heading:
        name = ""
        for before, start, end in self._names or self._not_now:
            mark = next((sign for sign in before if sign in "-－–—/／、·,，()（）；;"), " ")
            name += (mark if name else "") + self._shown[start:end]
        if name.count("(") + name.count("（") > name.count(")") + name.count("）"):
            name += "）" if "（" in name else ")"
        return Heading(text="", place_name=name.strip(), place=self._place(), time=self._time())

    def _place(self) -> Place:
        inside = any("内" in side or "INT" in side for side in self._sides)
        outside = any("外" in side or "EXT" in side for side in self._sides)
        return (
            Place.BOTH
            if inside and outside
            else Place.INSIDE
            if inside
            else Place.OUTSIDE
            if outside
            else Place.UNKNOWN
        )

    def _time(self) -> str:
        found = [self._normal(*word) for word in self._times]
        return next((time for time in found if time.isascii()), found[0]) if found else ""

    def _normal(self, word: str, shown: str) -> str:
        relative = _RELATIVE.fullmatch(word)
        bare = relative["time"] if relative and relative["time"] else word
        return times.of_chinese(bare) or times.of(bare) or shown
