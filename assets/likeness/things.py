"""Whether two props are one: the phone, SARAH'S PHONE, 一把刀 and 刀."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from functools import cached_property

from assets.likeness import text
from assets.likeness.text import listed
from assets.likeness.verdicts import Comparison, Evidence, Profile, best_of, pairs_of, weigh

_BRACKETS = re.compile(r"[(\[【]([^)\]】]*)(?:[)\]】]|$)")
_MEASURED = re.compile(
    r"^(?:一|这|那|某|几|半)+(?:把|个|只|件|条|张|块|支|枚|瓶|杯|本|封|台|辆|部|束|朵|盒|袋|串|幅|根|份|叠|碗|副|些)"
)
_OWNED = re.compile(r"^(.+?)'s? (.+)$|^(.+?[^目])的(.+)$")
_DETERMINERS = frozenset(listed("the a an some his her their my your our this that these those another"))


@dataclass(frozen=True, kw_only=True)
class Thing:
    """The name of a prop, taken apart."""

    words: tuple[str, ...]
    owner: str = ""  # or what it is like: 红色的包
    number: int | None = None
    remark: str = ""  # what is said in brackets

    @cached_property
    def key(self) -> str:
        return f"{self.owner}{self.core}{'' if self.number is None else f'#{self.number}'}"

    @cached_property
    def core(self) -> str:
        return "".join(self.words)

    @cached_property
    def is_chinese(self) -> bool:
        return text.has_han(self.core)


@functools.lru_cache(maxsize=20_000)
def parse(written: str) -> Thing:
    """What the name of a thing says. Never raises: of what it does not understand, it keeps the letters."""
    folded = text.fold(written)
    bare, remark = _BRACKETS.sub(" ", folded).strip(), text.joined(" ".join(_BRACKETS.findall(folded)))
    if not text.joined(bare):
        bare, remark = folded, ""
    bare = _MEASURED.sub("", bare) or bare
    owner = ""
    if (found := _OWNED.match(bare)) and text.joined(found[2] or found[4]):
        owner, bare = text.joined(found[1] or found[3]).removeprefix("the"), found[2] or found[4]
    words = text.words(bare)
    while len(words) > 1 and words[0] in _DETERMINERS:
        words = words[1:]
    number = text.number(words[-1]) if len(words) > 1 and words[-1].isascii() else None
    if number is not None:
        words = words[:-1]
    return Thing(words=tuple(words) or (folded,), owner=owner, number=number, remark=remark)


def compare(one: Profile, other: Profile) -> Comparison:
    """The verdict on two props."""
    pairs = pairs_of((one.name, *one.aliases), (other.name, *other.aliases))
    return weigh(best_of(relate(parse(mine), parse(yours)) for mine, yours in pairs))


def relate(one: Thing, other: Thing) -> Evidence:
    """What the names of two things say."""
    if one.remark != other.remark:
        same = one.key == other.key
        return Evidence(score=0.6, reason="the same name, but for what is in brackets") if same else Evidence()
    if one.key == other.key or (one.owner + one.core == other.owner + other.core and one.number == other.number):
        return Evidence(score=1.0, reason="the same name", certain=True)
    if one.number is not None and other.number is not None and one.number != other.number:
        return Evidence(apart="other numbers")
    if one.owner and other.owner and one.owner != other.owner:
        return Evidence(apart="one is somebody's, the other somebody else's") if one.core == other.core else Evidence()
    if one.core == other.core:
        return Evidence(score=0.45, reason="the same thing, one of them somebody's or numbered")
    if one.is_chinese != other.is_chinese:
        return _spelled(one, other)
    if one.words[:-1] == other.words[:-1] and _is_plural(one.words[-1], other.words[-1]):
        return Evidence(score=0.6, reason="one and several")
    if one.is_chinese and len(one.core) == len(other.core) > 1 and text.reading(one.core) == text.reading(other.core):
        return Evidence(score=0.6, reason="they sound the same", against=("they are written with other characters",))
    if not (one.owner or other.owner) and (_is_end_of(one, other) or _is_end_of(other, one)):
        return Evidence(score=0.4, reason="one says more exactly which")
    if not one.is_chinese and min(len(one.core), len(other.core)) > 5 and text.one_slip(one.core, other.core):
        return Evidence(score=0.6, reason="one letter differs")
    return Evidence()


def _spelled(one: Thing, other: Thing) -> Evidence:
    han, latin = (one, other) if one.is_chinese else (other, one)
    if latin.owner + latin.core != text.reading(han.owner + han.core) or len(han.core) < 2:
        return Evidence()
    long = len(han.core) > 2
    return Evidence(score=0.95 if long else 0.5, reason="one is how the other is read", certain=long)


def _is_end_of(short: Thing, long: Thing) -> bool:
    """A KNIFE may be the KITCHEN KNIFE; 刀 alone says too little."""
    if short.is_chinese:
        return len(short.core) > 1 and long.core.endswith(short.core)
    size = len(short.words)
    return size < len(long.words) and long.words[-size:] == short.words


def _is_plural(one: str, other: str) -> bool:
    """Whether one English word is the plural of the other."""
    single, several = sorted((one, other), key=lambda word: (len(word), word))
    if not several.startswith(single[:-2]):
        return False
    plurals = (f"{single}s", f"{single}es", single.removesuffix("y") + "ies", re.sub("fe?$", "", single) + "ves")
    return several in plurals
