"""Whether two scenes are one: the same place, at the same time of day, inside or outside."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from functools import cached_property

from assets.likeness import text
from assets.likeness.text import listed
from assets.likeness.verdicts import Comparison, Evidence, Profile, best_of, pairs_of, weigh

_LEADING = re.compile(
    r"^(?:(?:int|ext|est|i/e)\b[./ ]*)+(?=\S)|^(?:back (?:in|at|to)|meanwhile(?: in| at)?|in|at|inside of)\s+(?=\S)"
)
_SEPARATORS = re.compile(r"\s+[-–—]+\s+|\s*[/,，、>|:：;·]+\s*|\s*[–—]+\s*")
_BRACKETS = re.compile(r"[(\[【]([^)\]】]*)(?:[)\]】]|$)")
_NUMERAL = "[零〇一二两三四五六七八九十百]+"
_COUNTED = re.compile(
    rf"(?<=第)({_NUMERAL})|({_NUMERAL})(?=号|楼|层|室|栋|幢|单元|区|组|班|病房|车间|排|街|院|厅|门|期|库|房)"
)
_PARTICLE = re.compile(r"(?<=[^目])的(?!士)")
_ARTICLES = frozenset(listed("the a an some"))
_SMALL = frozenset(listed("of in at on and s"))
_SPELLED = {
    **{"apt": "apartment", "rd": "road", "ave": "avenue", "hq": "headquarters", "rm": "room", "bldg": "building"},
    **{"dept": "department", "blvd": "boulevard", "bdrm": "bedroom", "centre": "center", "theatre": "theater"},
    **{"&": "and", "flat": "apartment", "hallway": "corridor", "carpark": "parkinglot"},
}

# What a time of day says; what stands in one row may well be meant by each of its words.
_TIMES = {
    "day": listed(
        "day daytime noon midday afternoon morning 日 白天 日间 白日 昼 中午 正午 午后 下午 上午 早上 早晨 晨 清晨 早"
    ),
    "dawn": listed("dawn sunrise morning earlymorning daybreak 黎明 拂晓 凌晨 清晨 晨 早晨 破晓 日出"),
    "dusk": listed("dusk sunset evening twilight magichour 黄昏 傍晚 昏 日落 暮"),
    "night": listed("night nighttime evening latenight midnight 夜 晚 晚上 夜晚 深夜 夜间 午夜 半夜 夜里 傍晚 凌晨"),
}
_SAME_TIMES = (
    *(listed("day daytime 日 白天 日间 白日 昼"), listed("night nighttime 夜 晚 晚上 夜晚 夜间 夜里")),
    *(listed("morning 早上 早晨 晨 早 上午"), listed("afternoon 下午 午后"), listed("noon midday 中午 正午")),
    *(listed("dusk twilight 黄昏 傍晚 昏 暮"), listed("dawn daybreak 黎明 拂晓 破晓"), listed("sunset 日落")),
    *(listed("midnight 午夜 半夜"), listed("latenight 深夜"), listed("earlymorning 清晨"), listed("sunrise 日出")),
)
_TELLS_NOTHING = frozenset(
    listed("continuous later same sametime momentslater continued present unknown 连续 稍后 同时 片刻后 随后 不明 现在")
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The name of a place, taken apart: from the whole to the part of it, as headings write it."""

    parts: tuple[str, ...]  # each its words, joined by blanks
    numbers: tuple[int, ...]
    remark: str = ""  # what is said in brackets

    @cached_property
    def key(self) -> str:
        return "".join(self.parts).replace(" ", "")

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(word for part in self.parts for word in part.split())

    @cached_property
    def is_chinese(self) -> bool:
        return text.has_han(self.key)


@functools.lru_cache(maxsize=20_000)
def parse(written: str) -> Setting:
    """What the name of a place says. Never raises: of what it does not understand, it keeps the letters."""
    folded = text.fold(written)
    bare, remark = _BRACKETS.sub(" ", folded).strip(), text.joined(" ".join(_BRACKETS.findall(folded)))
    if not text.joined(bare):
        bare, remark = folded, ""
    bare = _LEADING.sub("", bare).strip() or bare
    bare = re.sub(r"'s?\b", " ", _PARTICLE.sub("", bare))
    bare = _COUNTED.sub(lambda found: str(text.number(found[0])), bare)
    parts = tuple(filter(None, (_part(part) for part in _SEPARATORS.split(bare))))
    parts = parts or (text.joined(bare) or folded,)
    numbers = tuple(int(digits) for part in (*parts, remark) for digits in re.findall(r"\d{1,6}", part))
    return Setting(parts=parts, numbers=numbers, remark=remark)


def compare(one: Profile, other: Profile) -> Comparison:
    """The verdict on two scenes."""
    if told_apart := _times_apart(one.time, other.time) or _places_apart(one.place, other.place):
        return weigh(Evidence(apart=told_apart))
    best = best_of(relate(parse(mine), parse(yours)) for mine, yours in pairs_of(_names(one), _names(other)))
    return weigh(best, tuple(filter(None, (_time_in_doubt(one.time, other.time), _place_in_doubt(one, other)))))


def relate(one: Setting, other: Setting) -> Evidence:
    """What the names of two places say."""
    if one.key == other.key and one.remark == other.remark:
        return Evidence(score=1.0, reason="the same place", certain=True)
    if one.numbers and other.numbers and sorted(one.numbers) != sorted(other.numbers):
        return Evidence(apart="other numbers")
    if one.remark != other.remark:
        same = sorted(one.parts) == sorted(other.parts)
        return Evidence(score=0.6, reason="the same place, but for what is in brackets") if same else Evidence()
    if sorted(one.parts) == sorted(other.parts):
        return Evidence(score=0.95, reason="the same places within each other, in another order", certain=True)
    if sorted(one.words) == sorted(other.words) and not one.is_chinese:
        return Evidence(score=0.7, reason="the same words in another order")
    if one.is_chinese != other.is_chinese:
        return _spelled(one, other)
    if one.is_chinese and len(one.key) == len(other.key) and text.reading(one.key) == text.reading(other.key):
        return Evidence(score=0.7, reason="they sound the same", against=("they are written with other characters",))
    if _is_end_of(one, other) or _is_end_of(other, one):
        return Evidence(score=0.5, reason="one says more exactly where")
    if not one.is_chinese and min(len(one.key), len(other.key)) > 5 and text.one_slip(one.key, other.key):
        return Evidence(score=0.65, reason="one letter differs")
    return Evidence()


def _part(part: str) -> str:
    words = [_SPELLED.get(word, word) for word in text.words(part)]
    words = [str(number) if (number := _said(word)) else word for word in words if word not in _SMALL]
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return " ".join(words)


def _said(word: str) -> int | None:
    """The number that an English word says; in Chinese, 一品 is no number."""
    return text.number(word) if word.isascii() and not word.isdigit() else None


def _names(profile: Profile) -> tuple[str, ...]:
    return (profile.name, *(alias for alias in profile.aliases if alias.strip()))


def _spelled(one: Setting, other: Setting) -> Evidence:
    """林家宴会厅 and Lin Jia Yan Hui Ting."""
    han, latin = (one, other) if one.is_chinese else (other, one)
    if latin.key != text.reading(han.key):
        return Evidence()
    long = len(han.key) > 2
    return Evidence(score=0.95 if long else 0.5, reason="one is how the other is read", certain=long)


def _is_end_of(short: Setting, long: Setting) -> bool:
    """KITCHEN may be SARAH'S KITCHEN; the HOSPITAL is more than the HOSPITAL's CORRIDOR."""
    if short.is_chinese:
        return len(short.key) > 1 and long.key.endswith(short.key)
    size = len(short.words)
    return size < len(long.words) and long.words[-size:] == short.words


# -- time of day, inside or outside ----------------------------------------------------------------------


def _time(said: str) -> str:
    word = text.joined(text.fold(said))
    return "" if word in _TELLS_NOTHING else word


def _is_same_time(one: str, other: str) -> bool:
    return one == other or any(one in words and other in words for words in _SAME_TIMES)


def _rows(time: str) -> set[str]:
    return {row for row, words in _TIMES.items() if time in words}


def _times_apart(one: str, other: str) -> str:
    """Day and night: two pictures of one place, and so two assets."""
    first, second = _rows(_time(one)), _rows(_time(other))
    return "other times of day" if first and second and not first & second else ""


def _time_in_doubt(one: str, other: str) -> str:
    return "" if _is_same_time(_time(one), _time(other)) else "maybe another time of day"


def _places_apart(one: str, other: str) -> str:
    return "one is inside, the other outside" if {one, other} == {"inside", "outside"} else ""


def _place_in_doubt(one: Profile, other: Profile) -> str:
    return "" if one.place == other.place else "maybe inside and outside"
