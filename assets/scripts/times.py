"""Times of day, as headings have them, in one set of words."""

from __future__ import annotations

import re

from assets.scripts.words import words

_ENGLISH = {
    "day": "DAY DAYTIME DAYLIGHT",
    "night": "NIGHT MIDNIGHT NIGHTTIME",
    "morning": "MORNING",
    "noon": "NOON MIDDAY",
    "afternoon": "AFTERNOON",
    "evening": "EVENING",
    "dawn": "DAWN SUNRISE DAYBREAK SUNUP",
    "dusk": "DUSK SUNSET TWILIGHT SUNDOWN",
    "continuous": "CONTINUOUS CONTINUED CONT",
    "later": "LATER",
    "same": "SAME",
}
_CHINESE = {
    "day": "日 白天 白日 日间 白昼 日景 日戏",
    "night": "夜 夜晚 晚上 深夜 午夜 半夜 晚 夜间 夜里 子夜 入夜 当晚 夜景 夜戏 雨夜 雪夜",
    "morning": "晨 清晨 早晨 早上 上午 早 晨间 次日清晨",
    "noon": "中午 正午 午",
    "afternoon": "下午 午后",
    "evening": "傍晚",
    "dawn": "凌晨 黎明 拂晓 破晓 日出",
    "dusk": "昏 黄昏 日落 夕",
}
_WORDS = {word: time for table in (_ENGLISH, _CHINESE) for time, words in table.items() for word in words.split()}
_QUALIFIERS = words(
    "EARLY LATE MOMENTS MINUTES SECONDS HOURS DAYS WEEKS MONTHS YEARS A AN FEW THE NEXT SAME PRE VERY MUCH THAT ",
    "ONE TWO ",
    "THREE SHORTLY SOON LITTLE BIT TIME FOLLOWING FIRST SECOND THIRD MID MAGIC LAST SOME PRESENT",
)
_DATES = words(
    "MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST ",
    "SEPTEMBER OCTOBER NOVEMBER DECEMBER SPRING SUMMER AUTUMN FALL WINTER CHRISTMAS",
)
_VAGUE = ("later", "same", "continuous")
_YEAR = re.compile(r"\d{4}S?")
_YEAR_OR_CLOCK = re.compile(r"\d{1,2}(:\d\d)?\s?[AP]\.?M\.?|\d{1,2}:\d\d|(?:1[5-9]|20|21)\d\d|\d{4}S|\d+ O'CLOCK")
_FROM_HERE = re.compile(r"[\s,;/]+")

CHINESE = tuple(sorted((word for words in _CHINESE.values() for word in words.split()), key=len, reverse=True))


def of(text: str) -> str | None:
    """The time that a part of an English heading tells: `NIGHT`, `LATE AFTERNOON`, `10 MINUTES LATER`. Else None."""
    bare = re.sub(r"[(\[][^()\[\]]{0,80}[)\]]?", " ", text).strip(" .,-–—*_").upper()
    if not bare or len(bare) > 40:
        return None
    if _YEAR_OR_CLOCK.fullmatch(bare):
        return bare
    if bare in ("MAGIC HOUR", "GOLDEN HOUR"):
        return "dusk"
    words = [word.strip(".'") for word in _FROM_HERE.split(bare.replace("-", " "))]
    found = [_WORDS[word] for word in words if word in _WORDS]
    known = (_WORDS, _QUALIFIERS, _DATES)
    others = [word for word in words if word and not word.isdigit() and not any(word in one for one in known)]
    if not found:
        return None
    return first(found) if not others or (words[0] in _WORDS and "/" in bare) else None


def is_year(time: str) -> bool:
    """1987, 1980S."""
    return _YEAR.fullmatch(time) is not None


def first(found: list[str]) -> str:
    """`LATER THAT NIGHT` is night: what the light is like says more than what came before, and a year says least."""
    told = [time for time in found if not is_year(time)] or found
    return next((time for time in told if time not in _VAGUE), told[0])


def of_chinese(word: str) -> str | None:
    """The time that a word tells: 夜, 清晨. Else None."""
    return _WORDS.get(word) if word not in _ENGLISH else None
