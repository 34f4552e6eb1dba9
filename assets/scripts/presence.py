"""Who is named in what happens, and so is there: not whose photo hangs on the wall, nor whom somebody waits for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

_LONGEST = 20_000
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_ABSENT_BEFORE = re.compile(
    r"\b(?:about|for|from|without|named|called|like|unlike|mentions?|remembers?|misses|imagines?|texts?|e-?mails?|"
    r"phones?|calling|dials?|"
    r"(?:photo(?:graph)?|picture|portrait|painting|image|memory|thought|voice|sound|name|news|sign|video|footage|"
    r"letter|statue|ghost|dream)s? of)\s+(?:the\s+)?$",
    re.IGNORECASE,
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


class Names:
    """Names to look for, each with the key of who has it."""

    def __init__(self, named: Iterable[tuple[str, str]]) -> None:
        self._by_word: dict[str, list[tuple[list[str], str]]] = defaultdict(list)
        self._han: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, key in named:
            if re.search(r"[\u3400-\u9fff]", name):
                if len(name) > 1:
                    self._han[name[:2]].append((name, key))
            elif words := _WORD.findall(name):
                self._by_word[words[0].casefold()].append((words, key))
        for found in self._by_word.values():
            found.sort(key=lambda one: -len(one[0]))
        for listed in self._han.values():
            listed.sort(key=lambda one: -len(one[0]))

    def present(self, text: str) -> Iterator[str]:
        """Keys of those who are there, in order."""
        text = text[:_LONGEST]
        yield from (key for key, _, there in self._found(text) if there)

    def subject(self, text: str) -> str | None:
        """The key of the one whom a text begins with and who alone is named in it: he or she in it is him or her."""
        found = list(self._found(text[:_LONGEST]))
        return found[0][0] if found and found[0][1] <= 4 and len({key for key, _, _ in found}) == 1 else None

    def _found(self, text: str) -> Iterator[tuple[str, int, bool]]:
        if self._by_word:
            yield from self._words(text)
        if self._han:
            yield from self._signs(text)

    def _words(self, text: str) -> Iterator[tuple[str, int, bool]]:
        words = [(found[0], found.start(), found.end()) for found in _WORD.finditer(text)]
        bare = [re.sub(r"['’]s?$", "", word).casefold() for word, _, _ in words]
        at = 0
        while at < len(words):
            size = 1
            for wanted, key in self._by_word.get(bare[at], ()):
                end = at + len(wanted)
                if not words[at][0][0].isupper() or [word.casefold() for word in wanted] != self._tail(
                    words, bare, at, end
                ):
                    continue
                size = len(wanted)
                last = end - 1
                stop = words[last][1] + len(wanted[-1])
                yield key, words[at][1], self._there(text, words[at][1], stop)
                break
            at += size

    @staticmethod
    def _tail(words: list[tuple[str, int, int]], bare: list[str], at: int, end: int) -> list[str]:
        return [word.casefold() for word, _, _ in words[at : end - 1]] + bare[end - 1 : end]

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
            for name, key in self._han.get(text[at : at + 2], ()):
                if text.startswith(name, at):
                    size = len(name)
                    before, after = text[max(0, at - 8) : at], text[at + size : at + size + 8]
                    yield key, at, not (_HAN_ABSENT_BEFORE.search(before) or _HAN_ABSENT_AFTER.match(after))
                    break
            at += size
