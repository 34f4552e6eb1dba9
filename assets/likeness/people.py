"""Whether two characters are one: by their names, and by what else is known of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assets.likeness import names, text
from assets.likeness.full_names import whole_and_whole
from assets.likeness.parts import Name
from assets.likeness.short_names import short_and_short, whole_and_short
from assets.likeness.text import listed
from assets.likeness.verdicts import NOTHING, Comparison, Evidence, Profile, best_of, weigh
from assets.likeness.vocabulary import AGES

_YEARS_APART = 15
_MEN = frozenset(listed("m male man boy masculine 男 男性 男人 男孩"))
_WOMEN = frozenset(listed("f female woman girl feminine 女 女性 女人 女孩"))
_AGES = {"infant": 1, "baby": 1, "child": 8, "kid": 8, "teen": 16, "teens": 16, "teenager": 16, "elderly": 75}
_AGES |= {"婴儿": 1, "儿童": 8, "幼儿": 5, "少年": 15, "少女": 15, "青年": 25, "中年": 45, "老年": 70, "middleaged": 45}
_ALSO_CALLED = re.compile(
    r"(?:a\.?k\.?a\.?|also known as|also called|known as|goes by|real name(?: is)?|nicknamed|"
    r"又名|又称|人称|外号|绰号|别名|小名|真名|本名|原名|艺名|昵称)[\s:：是叫]*"
    r"[\"“‘「『]?([^\s,，。;；、.\"”’」』()（）]+(?: [A-Z]\w+)?)",
    re.IGNORECASE,
)


def compare(one: Profile, other: Profile) -> Comparison:
    """The verdict on two characters."""
    first, second = names.parse(one.name), names.parse(other.name)
    direct = relate(first, second)
    best = best_of((direct, *_by_other_names(one, other, direct)))
    return weigh(best, tuple(_against(one, other, same_name=first.key == second.key)))


def relate(one: Name, other: Name) -> Evidence:
    """What two names say about those whom they name."""
    if one.key == other.key:
        return _same_key(one)
    if told_apart := _told_apart(one, other):
        return Evidence(apart=told_apart)
    if one.kin or other.kin:
        return _relatives(one, other)
    if one.role and other.role:
        return _roles(one, other)
    if one.role or other.role:
        return _role_and_name(*((one, other) if one.role else (other, one)))
    if one.han != other.han and (spelled := _spelled(one, other)):
        return spelled
    if one.is_full and other.is_full:
        found = whole_and_whole(one, other)
    elif one.is_full or other.is_full:
        found = whole_and_short(*((one, other) if one.is_full else (other, one)))
    else:
        found = short_and_short(one, other)
    if one.stage != other.stage and not found.apart and found.score:
        return Evidence(score=min(found.score, 0.5), reason=found.reason, against=("one is of another age",))
    return found


def also_called(profile: Profile) -> tuple[str, ...]:
    """The other names of a character: those that are known as such, and those that its description tells."""
    told = (found[1] for found in _ALSO_CALLED.finditer(profile.description[:2000]))
    return tuple(dict.fromkeys(name for name in (*profile.aliases, *told) if name.strip() and name != profile.name))


def gender_of(profile: Profile) -> str:
    """male, female, or empty: not known, or another."""
    said = text.fold(profile.gender)
    if said in _MEN or said in _WOMEN:
        return "male" if said in _MEN else "female"
    return "" if said else names.parse(profile.name).gender


def years(age: str) -> int | None:
    """About how old: 34, `mid 30s`, `三十多岁`, `teens`; None: it does not say."""
    said = text.fold(age)
    if found := re.search(r"\d{1,3}", said):
        return int(found[0]) + (5 if re.match(r"'?s|多", said[found.end() :]) else 0)
    if found := re.search(r"([一二三四五六七八九十]+)(?:来|多|几)?岁", said):
        return (text.number(found[1]) or 0) + (5 if "多" in said or "几" in said else 0)
    return next((_AGES[word] for word in (text.joined(said), *text.words(said)) if word in _AGES), None)


# -- names -----------------------------------------------------------------------------------------------


def _same_key(name: Name) -> Evidence:
    if name.is_generic:
        return Evidence(score=0.6, reason="the same role, which may be anybody's")
    return Evidence(score=1.0, reason="the same name", certain=True)


def _told_apart(one: Name, other: Name) -> str:
    """What excludes that two names are of one person."""
    if None not in (one.number, other.number) and one.number != other.number:
        return "other numbers"
    if one.generation and other.generation and one.generation != other.generation:
        return "one generation and another"
    if one.stage and other.stage and abs(AGES.index(one.stage) - AGES.index(other.stage)) > 1:
        return "other ages"
    if one.seniority and other.seniority and {one.seniority, other.seniority} & {"老", "大"}:
        return "other forms of address" if one.seniority != other.seniority else ""
    return ""


def _relatives(one: Name, other: Name) -> Evidence:
    """林父 and 林晚的父亲; what is somebody's is never that somebody."""
    if one.kin and other.kin:
        if one.kin != other.kin:
            return Evidence(apart="other relatives")
        if one.of_family != other.of_family and min(one.of, other.of) in max(one.of, other.of):
            return Evidence(score=0.5, reason="relatives of one family")
        return NOTHING
    kin, person = (one, other) if one.kin else (other, one)
    if kin.of == person.key:
        return Evidence(apart="one is related to the other")
    if person.role and names.kin_of(person.role) == kin.kin:
        return Evidence(score=0.45, reason="may be whom others call so")
    if person.title and names.kin_of(person.title.word) == kin.kin and kin.of == person.core:
        return Evidence(score=0.6, reason="the same family, and the same relative")
    if person.family and not person.is_full and kin.of == person.core:
        return Evidence(apart="one is related to the other")
    return NOTHING


def _roles(one: Name, other: Name) -> Evidence:
    if one.core == other.core:
        return Evidence(score=0.45, reason="the same role, but for what is added")
    if one.core.endswith(other.core) or other.core.endswith(one.core):
        same_gender = not one.gender or not other.gender or one.gender == other.gender
        return Evidence(score=0.35, reason="one role is more exact than the other") if same_gender else NOTHING
    return NOTHING


def _role_and_name(role: Name, person: Name) -> Evidence:
    """THE CAPTAIN may be CAPTAIN AHAB."""
    word = names.title_of(role.core)
    if word and person.title and word == person.title.word and role.number is None:
        return Evidence(score=0.4, reason="the title alone")
    return NOTHING


def _spelled(one: Name, other: Name) -> Evidence | None:
    """LIN WAN and 林晚: Chinese characters, and how they are read."""
    han, latin = (one, other) if one.han else (other, one)
    letters = latin.core
    if latin.title or latin.stage != han.stage or han.number != latin.number or latin.remark != han.remark:
        return None
    if letters == han.sound:
        if han.syllables > 1:
            return Evidence(score=0.95, reason="one is how the other is read", certain=True)
        return Evidence(score=0.45, reason="one is how the other is read")
    if han.is_full and letters in (text.reading(han.given) + han.family_sound, *text.readings(han.core)):
        return Evidence(score=0.7, reason="one may be how the other is read")
    return None


def _by_other_names(one: Profile, other: Profile, direct: Evidence) -> Iterator[Evidence]:
    """What the other names of both say."""
    ours, theirs = also_called(one), also_called(other)
    for named, aliases in ((other.name, ours), (one.name, theirs)):
        main = names.parse(named)
        for alias in map(names.parse, aliases):
            found = relate(alias, main)
            if found.certain:
                yield Evidence(score=0.92, reason="the name of one is another name of the other", certain=True)
            elif found.score and not found.apart and alias.is_generic:
                yield Evidence(score=0.5, reason="the role of one is also said of the other")
            elif found.score and not found.apart and alias.is_full:
                yield Evidence(score=found.score - 0.1, reason=f"another name: {found.reason}")
    called = {name.key for name in map(names.parse, ours) if not name.is_generic}
    if not called.isdisjoint(names.parse(alias).key for alias in theirs):
        yield Evidence(score=0.8 if direct.score else 0.6, reason="both are also called the same")


# -- what else is known ----------------------------------------------------------------------------------


def _against(one: Profile, other: Profile, *, same_name: bool) -> Iterator[str]:
    genders = {gender_of(one), gender_of(other)} - {""}
    if len(genders) > 1:
        yield "a man and a woman"
    ages = (years(one.age), years(other.age))
    if ages[0] is not None and ages[1] is not None and abs(ages[0] - ages[1]) > _YEARS_APART:
        yield "far apart in age"
    if not same_name and one.speaks_in & other.speaks_in:
        yield "both speak in one scene"
