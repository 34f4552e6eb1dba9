"""Names of which one or both are short: 林总, 小林, 强哥, SARAH, DR. CHEN."""

from __future__ import annotations

from assets.likeness import text
from assets.likeness.full_names import same_given, slipped
from assets.likeness.parts import Name, Part
from assets.likeness.verdicts import NOTHING, Evidence
from assets.likeness.vocabulary import NEAR_FIELDS, Title

_MARRIED = frozenset({"mrs", "太太", "夫人"})
_UNMARRIED = frozenset({"miss", "小姐"})


def whole_and_short(whole: Name, short: Name) -> Evidence:
    """林晚 and 林总, 晚晚; SARAH CHEN and SARAH, DR. CHEN."""
    if not short.short:
        return NOTHING
    if whole.han != short.han:
        return _across(whole, short)
    if whole.han:
        return _of_chinese(whole, short)
    score = max(same_given(short.short, whole.given), 1.0 if short.short == whole.family else 0.0)
    if short.short in whole.middle:
        score = max(score, 0.7)
    if not score and slipped(short.short, whole.family):
        score = 0.65
    return Evidence(score=round(0.65 * score, 2), reason="one name of the other's two") if score else NOTHING


def short_and_short(one: Name, other: Name) -> Evidence:
    """林总 and 林董, 小林 and 林姐, MORALES and DET. MORALES, MIKE and MICHAEL."""
    if not one.short or not other.short:
        return NOTHING
    if one.han != other.han:
        return _across(one, other)
    if one.short != other.short:
        return _alike(one, other)
    if told_apart := _titles_apart(one.title, other.title):
        return Evidence(apart=told_apart)
    if one.title and other.title and one.title.word != other.title.word:
        near = not one.title.field or not other.title.field or _near(one.title, other.title)
        return (
            Evidence(score=0.5, reason="the same name with another title") if near else Evidence(apart="other titles")
        )
    if one.part != other.part and Part.EITHER not in (one.part, other.part):
        return NOTHING
    return Evidence(score=0.55, reason="the same name in another form of address")


def _of_chinese(whole: Name, short: Name) -> Evidence:
    called = short.short
    if short.part is not Part.GIVEN and called == whole.family:
        return Evidence(score=0.6, reason="the same family, in a form of address")
    if short.part is not Part.FAMILY and called in (whole.given, whole.given[-1]):
        return Evidence(score=0.6, reason="the given name, in a form of address")
    if len(called) > 1 and called == whole.core:
        return Evidence(score=0.6, reason="the same name in another form of address")
    if short.part is Part.FAMILY:
        return Evidence(apart="other families")
    return NOTHING


def _alike(one: Name, other: Name) -> Evidence:
    if one.han:
        if one.family and other.family and one.title and other.title:
            return Evidence(apart="other families")
        if one.core != other.core and len(one.core) > 1 and one.sound == other.sound:
            return Evidence(
                score=0.6, reason="they sound the same", against=("they are written with other characters",)
            )
        return NOTHING
    if told_apart := _titles_apart(one.title, other.title):
        return Evidence(apart=told_apart)
    score = same_given(one.short, other.short)
    return (
        Evidence(score=round(0.8 * score, 2), reason="forms of one name, or one letter differs") if score else NOTHING
    )


def _across(one: Name, other: Name) -> Evidence:
    """LIN and 林晚, DR. CHEN and 陈医生: less is sure, as many names are read alike."""
    han, latin = (one, other) if one.han else (other, one)
    if latin.is_full or not latin.short:
        return NOTHING
    family, given = han.family_sound, text.reading(han.given)
    if latin.short not in (family, given, text.reading(han.short)):
        return NOTHING
    if han.title and latin.title:
        fields = han.title.field == latin.title.field
        return Evidence(score=0.55, reason="the same family and title, as it is read") if fields else NOTHING
    return Evidence(score=0.4, reason="part of the name, as it is read")


def _titles_apart(one: Title | None, other: Title | None) -> str:
    if one is None or other is None:
        return ""
    if one.gender and other.gender and one.gender != other.gender:
        return "a man and a woman"
    words = {one.word, other.word}
    return "one is married, the other not" if words & _MARRIED and words & _UNMARRIED else ""


def _near(one: Title, other: Title) -> bool:
    return one.field == other.field or frozenset({one.field, other.field}) in NEAR_FIELDS
