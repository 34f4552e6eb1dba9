"""Who is named in what happens, and so is there: not whose photo hangs on the wall, nor whom somebody waits for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from assets.scripts import names
from assets.scripts.titles import TITLES, same_title
from assets.scripts.words import words

_LONGEST = 20_000
_MOST_WORDS = 6  # of a name
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_ABSENT_BEFORE = re.compile(
    r"\b(?:about|for|from|without|named|called|like|unlike|mentions?|remembers?|misses|imagines?|texts?|e-?mails?|"
    r"phones?|calling|dials?|"
    r"(?:photo(?:graph)?|picture|portrait|painting|image|memory|thought|voice|sound|name|news|sign|video|footage|"
    r"letter|statue|ghost|dream)s? of|(?:letter|note|message|card|e-?mail|call|toast)s? to|"
    r"addressed to|not)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_FAMILY = words("family families house household home residence mansion estate clan")
_SMALL = words(  # they begin sentences, and are no names
    "after against and around as at because before behind beside between but by even finally for from he here how ",
    "if in inside into it just meanwhile near next nobody not now of on once only or outside over past she since so ",
    "soon still suddenly than that the then there they this though through to toward towards under unlike until ",
    "upon what when where which while who why with without yet",
)
_BODY = re.compile(
    r"^['’]s?\s+(?:\w+\s+){0,2}?(?:eyes?|faces?|hands?|fingers?|head|mouth|lips|smile|expression|voice|body|arms?|"
    r"legs?|feet|foot|shoulders?|knees?|hair|gaze|jaw|"
    r"brow|chest|back|side|heart|breath|tears?|fist|grip|neck|nose|ear|attention|reaction|POV)\b",
    re.IGNORECASE,
)
_HAN_ABSENT_BEFORE = re.compile(
    r"(?:想起|想到|梦见|提到|提起|说起|写着|写给|打给|打电话给|拨通|来自|寻找|等待|关于|没有|不见|怀念|思念|名叫|"
    r"叫做|备注|显示|发给|收到)[“\"《]?$"
)
_HAN_ABSENT_AFTER = re.compile(
    r"^(?:[”\"》])?(?:的)?(?:照片|画像|遗像|名字|短信|来电|微信|消息|电话|号码|房间|办公室|公司|墓|墓碑|车|"
    r"家(?!人)|别墅|坟|病历|档案|资料|视频|录音|信|衣服|朋友圈)(?!里走|内走|来到)"
)


class How(Enum):
    """How a name can be used in an action."""

    NAME = auto()
    SURNAME = auto()  # what is left of a name: that of a whole family
    ROLE = auto()  # WAITRESS: the waitress, in small letters too


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """A name to look for."""

    name: str
    key: str  # of who has it
    how: How = How.NAME
    titles: frozenset[str] = frozenset()  # that he or she has, of a surname


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    bare: str  # in small letters, without 's


class Names:
    """Names to look for, each with the key of who has it."""

    def __init__(self, named: Iterable[Called]) -> None:
        self._called: dict[tuple[str, ...], Called] = {}
        self._sizes: dict[str, list[int]] = defaultdict(list)  # in words, of names that begin with this one
        self._han: dict[str, str] = {}
        self._han_sizes: dict[str, list[int]] = defaultdict(list)
        for called in named:
            if re.search(r"[\u3400-\u9fff]", called.name):
                if len(called.name) > 1:
                    self._han.setdefault(called.name, called.key)
                    self._han_sizes[called.name[:2]].append(len(called.name))
                continue
            found = tuple(word.casefold() for word in _WORD.findall(called.name[: 4 * names.LONGEST]))
            if 0 < len(found) <= _MOST_WORDS:
                self._called.setdefault(found, called)
                self._sizes[found[0]].append(len(found))
        for sizes in (self._sizes, self._han_sizes):
            sizes.update({first: sorted(set(some), reverse=True) for first, some in sizes.items()})

    def present(self, text: str) -> Iterator[str]:
        """Keys of those who are there, in order."""
        text = text[:_LONGEST]
        yield from (key for key, _, there in self._found(text) if there)

    def subject(self, text: str) -> str | None:
        """The key of the one whom a text begins with and who alone is named in it: he or she in it is him or her."""
        found = list(self._found(text[:_LONGEST]))
        return found[0][0] if found and found[0][1] <= 4 and len({key for key, _, _ in found}) == 1 else None

    def _found(self, text: str) -> Iterator[tuple[str, int, bool]]:
        if self._called:
            yield from self._words(text)
        if self._han:
            yield from self._signs(text)

    def _words(self, text: str) -> Iterator[tuple[str, int, bool]]:
        found = [
            _Word(one[0], one.start(), one.end(), re.sub(r"['’]s?$", "", one[0]).casefold())
            for one in _WORD.finditer(text)
        ]
        at = 0
        while at < len(found):
            size = 1
            for wanted in self._sizes.get(found[at].bare, ()):
                last = at + wanted - 1
                if last >= len(found):
                    continue
                called = self._called.get((*(word.text.casefold() for word in found[at:last]), found[last].bare))
                if not called or not self._meant(called, text, found, at, last):
                    continue
                size = wanted
                stop = found[last].start + len(found[last].bare)
                yield called.key, found[at].start, self._there(text, found[at].start, stop)
                break
            at += size

    @staticmethod
    def _meant(called: Called, text: str, found: list[_Word], at: int, last: int) -> bool:
        """Whether these words are the name, and not of somebody else who has the same one, nor another word."""
        before = found[at - 1] if at else None
        if before and (gap := text[before.end : found[at].start]) != " ":
            before = before if gap == ". " and before.text.upper() in TITLES else None
        following = last + 1 < len(found) and text[found[last].end : found[last + 1].start] == " "
        after = found[last + 1].bare if following else ""
        if not found[at].text[0].isupper():
            acts = not after or after in _SMALL or re.search(r"(?:s|ed|ing|ly)$", after)  # not the nurse call button
            return called.how is How.ROLE and before is not None and before.bare == "the" and bool(acts)
        if called.how is not How.SURNAME:
            return True
        if after in _FAMILY:
            return False
        if before is None or not before.text[0].isupper() or before.bare in _SMALL:
            return True
        title = before.text.upper()
        return title in TITLES and (not called.titles or same_title(title) in called.titles)

    @staticmethod
    def _there(text: str, start: int, stop: int) -> bool:
        after = text[stop : stop + 60]
        if (
            re.match(r"['’](?:s\b|\s)", after)
            and not _BODY.match(after)
            and not re.match(r"['’]s (?:\w+ing|here|there|gone|back|in|on|at|up|not|already|still)\b", after)
        ):
            return False
        return not _ABSENT_BEFORE.search(text[max(0, start - 40) : start])

    def _signs(self, text: str) -> Iterator[tuple[str, int, bool]]:
        at = 0
        while at < len(text) - 1:
            size = 1
            for wanted in self._han_sizes.get(text[at : at + 2], ()):
                if key := self._han.get(text[at : at + wanted]):
                    size = wanted
                    before, after = text[max(0, at - 8) : at], text[at + size : at + size + 8]
                    yield key, at, not (_HAN_ABSENT_BEFORE.search(before) or _HAN_ABSENT_AFTER.match(after))
                    break
            at += size
