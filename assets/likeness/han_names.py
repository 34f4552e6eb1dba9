"""Names of people in Chinese: 林晚, 林总, 李医生, 小林, 阿强, 强哥, 晚晚, 林父, 林晚的助理, 保安甲, 年轻林晚."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from assets.likeness import text
from assets.likeness.parts import Name, Part
from assets.likeness.vocabulary import (
    COMPOUND_SURNAMES,
    HAN_ROLES,
    HAN_TITLES,
    KIN,
    KIN_GENDERS,
    STAGES,
    SURNAMES,
    Title,
)


def _longest_first(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted((word for word in words if text.has_han(word)), key=lambda word: (-len(word), word)))


_KIN = _longest_first(KIN)
_TITLES = _longest_first(HAN_TITLES)
_ROLES = _longest_first(HAN_ROLES)
_STAGES = _longest_first(STAGES)
_OF = re.compile(r"(.+?)的(.+)$")
_NUMBERED = re.compile(
    r"(?:(?P<name>.*[^\d#].*?)#?(?P<end>\d{1,4}|[a-h])号?|(?P<start>[\d一二三四五六七八九十]{1,3})号(?P<of>.{2,}))$"
)
_COUNTED = re.compile(r"(.{2,}?)(?:([一二三四五六七八九十]{1,3})号?|([甲乙丙丁戊己庚辛壬癸]))$")
_SENIORITY = "小老大阿"
_AFTER_WHOLE_NAMES = frozenset("总董哥姐叔姨婶爷队局")
"""Titles of one character that may follow two; others are then the end of a given name."""
_HEARD = Part.EITHER  # 哥 and the like follow either name


def parse(bare: str) -> Name:
    """A folded name in which there is at least one Chinese character."""
    if (found := _OF.match(bare)) and (said := text.joined(found[2])) and text.joined(found[1]):
        if kin := KIN.get(said):
            return _kin(text.joined(bare), text.joined(found[1]), kin)
        if stage := STAGES.get(text.joined(found[1])):
            return dataclasses.replace(parse(said), stage=stage)
    name = text.joined(bare)
    for read in (_role, _numbered, _staged, _related, _addressed, _introduced, _small, _role_at_end, _whole):
        if (read_so := read(name)) is not None:
            return read_so
    return Name(core=name, han=True, short=name if len(name) <= 3 else "", part=Part.GIVEN)


def _role(name: str) -> Name | None:
    return Name(core=name, han=True, role=name) if name in HAN_ROLES or name in HAN_TITLES or name in KIN else None


def _numbered(name: str) -> Name | None:
    """保安1, 员工B, 三号技师; 保安甲 and 刺客二 where a role comes before."""
    if found := _NUMBERED.match(name):
        said, rest = found["end"] or found["start"], found["name"] or found["of"]
        number = text.number(said) or text.stem_or_letter(said)
    elif (found := _COUNTED.match(name)) and _ends_as_role(found[1]):
        number, rest = text.number(found[2] or found[3]), found[1]
    else:
        return None
    return dataclasses.replace(parse(rest), number=number) if text.has_han(rest) else None


def _ends_as_role(name: str) -> bool:
    return name.endswith(_ROLES)


def _staged(name: str) -> Name | None:
    for word in _STAGES:
        rest = name.removeprefix(word).removeprefix("的")
        if name.startswith(word) and len(rest) > 1:
            return dataclasses.replace(parse(rest), stage=STAGES[word])
    return None


def _related(name: str) -> Name | None:
    """林父, 林晚妈妈. 林妈妈 and 林助理 are forms of address."""
    for word in _KIN:
        whose = name.removesuffix(word)
        if not name.endswith(word) or not whose:
            continue
        if word in ("父", "母") and (_is_surname(whose) or _split(whose)):
            return _kin(name, whose, KIN[word])
        if len(word) > 1 and KIN[word] in KIN_GENDERS and len(whose) > 1 and not _is_surname(whose):
            return _kin(name, whose, KIN[word])
    return None


def _kin(core: str, whose: str, kin: str) -> Name:
    return Name(core=core, han=True, kin=kin, of=parse(whose).key, of_family=_is_surname(whose))


def _addressed(name: str) -> Name | None:
    """林总, 李医生, 强哥, 林晚老师, 小林总."""
    for word in _TITLES:
        base = name.removesuffix(word)
        if not name.endswith(word) or not base:
            continue
        if base in ("男", "女"):
            return Name(core=name, han=True, role=word)
        title = HAN_TITLES[word]
        if not text.has_han(base):
            return Name(core=base, short=base, part=Part.GIVEN, han=True, title=title)
        if len(word) == 1 and len(base) > 1 and not _is_surname(base) and word not in _AFTER_WHOLE_NAMES:
            continue
        if len(base) > 1 and base[0] in _SENIORITY:
            return dataclasses.replace(_small(base) or Name(core=base, han=True), title=title)
        if _is_surname(base):
            part = Part.FAMILY if title.field else _HEARD
            return Name(core=base, han=True, short=base, family=base, part=part, title=title)
        if split := _split(base):
            return dataclasses.replace(split, title=title)
        if len(base) < 3:
            plain = base[0] if len(base) == 2 and base[0] == base[1] else base
            return Name(core=base, han=True, short=plain, part=Part.GIVEN, title=title)
    return None


def _introduced(name: str) -> Name | None:
    """服务员小李, 医生王强."""
    for word in _ROLES:
        rest = name.removeprefix(word)
        if name.startswith(word) and len(rest) > 1 and (found := _small(rest) or _split(rest)):
            return dataclasses.replace(found, title=HAN_TITLES.get(word) or Title(word=word, field=word))
    return None


def _small(name: str) -> Name | None:
    """小林, 老王, 大刘, 阿强, 小晚晚; 晚儿, 强子; 晚晚."""
    if len(name) == 2 and name[0] == name[1]:
        return Name(core=name, han=True, short=name[0], part=Part.GIVEN)
    if len(name) == 2 and name[1] in "儿子":
        return Name(core=name, han=True, short=name[0], part=Part.GIVEN)
    if not 1 < len(name) < 4 or name[0] not in _SENIORITY:
        return None
    rest = name[1:]
    short = rest[0] if len(rest) == 2 and (rest[0] == rest[1] or rest[1] == "儿") else rest
    part = Part.EITHER if _is_surname(rest) else Part.GIVEN
    return Name(core=rest, han=True, short=short, part=part, seniority=name[0])


def _role_at_end(name: str) -> Name | None:
    """王保安 is one with a name; 黑衣保安 is one without."""
    for word in _ROLES:
        before = name.removesuffix(word)
        if name.endswith(word) and before:
            if _is_surname(before):
                title = Title(word=word, field=word)
                return Name(core=before, han=True, short=before, family=before, part=Part.FAMILY, title=title)
            return Name(core=name, han=True, role=word)
    return None


def _whole(name: str) -> Name | None:
    if _is_surname(name):
        return Name(core=name, han=True, short=name, part=Part.EITHER)
    return _split(name)


def _is_surname(name: str) -> bool:
    return name in SURNAMES or name in COMPOUND_SURNAMES


def _split(name: str) -> Name | None:
    """A family's name and a given one of one or two characters."""
    for length, known in ((2, COMPOUND_SURNAMES), (1, SURNAMES)):
        family, given = name[:length], name[length:]
        if family in known and 0 < len(given) < 3:
            return Name(core=name, han=True, family=family, given=given)
    return None
