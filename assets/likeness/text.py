"""Evens out what does not tell two names apart: width, case, accents, script of Chinese, spaces, numerals.

Chinese characters are turned into simplified ones by OpenCC, and read out by pypinyin; both are loaded when the first
Chinese name comes.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import unicodedata
from collections.abc import Callable, Iterator


def listed(words: str) -> tuple[str, ...]:
    """The words of a table that is written down with blanks between them."""
    return tuple(words.split())


LONGEST = 200  # characters of a name that are looked at
_MOST_READINGS = 16  # of one name

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
_WORD = re.compile(r"[a-z0-9]+|" + _HAN.pattern + r"+|[^\W_]+")
_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_WORDS = listed("one two three four five six seven eight nine ten eleven twelve")
_ORDINALS = listed("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth")


def fold(text: str) -> str:
    """Of one width, one case, without accents, in simplified characters; control characters become spaces."""
    text = _SURROGATES.sub(" ", text[:LONGEST]).translate(_QUOTES)
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold()
    text = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))
    text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in text)
    if has_han(text):
        text = _simplify()(text)
    return " ".join(text.split())


def has_han(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return _HAN.search(text) is not None


def words(text: str) -> list[str]:
    """The words of a folded text: runs of letters and digits, or of Chinese characters."""
    return _WORD.findall(text)


def joined(text: str) -> str:
    """The letters of a folded text alone."""
    return "".join(words(text))


@functools.lru_cache(maxsize=20_000)
def readings(text: str) -> frozenset[str]:
    """How a folded text may be written in Latin letters: a few, as some characters have several readings.

    Without tones. Latin letters stand for themselves; `lü` is written lu, lv and lyu.
    """
    sounds = [_sounds()(letter) if has_han(letter) else (letter,) for letter in joined(text)]
    several = itertools.product(*sounds)
    return frozenset("".join(one) for one in itertools.islice(several, _MOST_READINGS))


@functools.lru_cache(maxsize=20_000)
def reading(text: str) -> str:
    """How a folded text is usually written in Latin letters, each character for itself."""
    return "".join(_sounds()(letter)[0] if has_han(letter) else letter for letter in joined(text))


def number(word: str) -> int | None:
    """The number that a folded word says: 3, three, third, 三, 十二, 甲; None: it says none."""
    if word.isascii() and word.isdigit():
        return int(word) if len(word) < 7 else None
    for series in (_WORDS, _ORDINALS):
        if word in series:
            return series.index(word) + 1
    if len(word) == 1 and word in _STEMS:
        return _STEMS.index(word) + 1
    return _chinese(word)


def stem_or_letter(letter: str) -> int | None:
    """The place of 甲, or of the letter a, in its row."""
    if letter in _STEMS:
        return _STEMS.index(letter) + 1
    return ord(letter) - ord("a") + 1 if len(letter) == 1 and "a" <= letter <= "h" else None


def one_slip(first: str, second: str) -> bool:
    """Whether one letter more, less, other or swapped with its neighbour makes one of the other."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    start = sum(1 for _ in same)
    a, b = first[start:], second[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def shortened(word: str) -> Iterator[str]:
    """The word with each of its letters left out: two words that differ by one slip have one of them in common."""
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]


def _chinese(word: str) -> int | None:
    """Up to 999, as numbers are written in scripts."""
    if not word or any(letter not in _DIGITS and letter not in "十百" for letter in word):
        return None
    if all(letter in _DIGITS for letter in word):
        return int("".join(str(_DIGITS[letter]) for letter in word[:6]))
    total = digit = 0
    for letter in word:
        if letter in _DIGITS:
            digit = _DIGITS[letter]
        else:
            total += (digit or 1) * (10 if letter == "十" else 100)
            digit = 0
    return total + digit


@functools.cache
def _simplify() -> Callable[[str], str]:
    import opencc

    return opencc.OpenCC("t2s").convert


@functools.cache
def _sounds() -> Callable[[str], tuple[str, ...]]:
    """The readings of one character, the usual one first."""
    # Names are read character by character: the readings of phrases would take 40 MB in each worker.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    import pypinyin

    @functools.lru_cache(maxsize=5000)
    def sounds(letter: str) -> tuple[str, ...]:
        found = pypinyin.pinyin(letter, style=pypinyin.Style.NORMAL, heteronym=True)
        plain: dict[str, None] = {}
        for sound in found[0] if found else [letter]:
            spellings = [sound.replace("v", u) for u in ("u", "v", "yu")] if "v" in sound else [sound]
            plain.update(dict.fromkeys(spellings))
        return tuple(plain)

    return sounds
