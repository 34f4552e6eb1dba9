"""Numbers as episodes have them: 12, １２, 十二, 一百零三, Twelve, XII."""

from __future__ import annotations

import re
import unicodedata

CHINESE = "〇零一二三四五六七八九十百千两廿卅"
_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen ",
    "seventeen",
    "eighteen nineteen twenty",
)
_TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ENGLISH = {word: value for value, word in enumerate(" ".join(_TO_TWENTY).split())} | _TENS
_WORD = "|".join(sorted([*_ENGLISH, "hundred", "and"], key=len, reverse=True))
ENGLISH = rf"(?:{_WORD})(?:[ -](?:{_WORD})){{0,4}}\b"  # a pattern
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_LONGEST = 40


def read(text: str) -> int | None:
    """A number in whatever script; None if it is none."""
    text = unicodedata.normalize("NFKC", text).strip() if len(text) <= _LONGEST else ""
    if re.fullmatch(r"\d{1,6}", text):
        return int(text)
    if text and all(sign in CHINESE for sign in text):
        return _chinese(text)
    return _english(text) or _roman(text)


def _chinese(text: str) -> int | None:
    text = text.replace("廿", "二十").replace("卅", "三十")
    if not any(sign in _UNITS for sign in text):  # 一二三, 二〇
        return int("".join(str(_DIGITS[sign]) for sign in text))
    total, digit = 0, 0
    for sign in text:
        if sign in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[sign], 0
        else:
            digit = _DIGITS[sign]
    return total + digit


def _english(text: str) -> int | None:
    words = [word for word in re.split(r"[\s-]+", text.lower()) if word and word != "and"]
    total = 0
    for word in words:
        if word == "hundred":
            total = max(1, total) * 100
        elif word in _ENGLISH:
            total += _ENGLISH[word]
        else:
            return None
    return total if words else None


def _roman(text: str) -> int | None:
    if not re.fullmatch(r"[IVXLC]{1,8}", text):
        return None
    values = [_ROMAN[letter] for letter in text]
    return sum(
        -value if any(value < later for later in values[at + 1 :][:1]) else value for at, value in enumerate(values)
    )
