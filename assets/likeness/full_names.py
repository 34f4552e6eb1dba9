"""Two whole names: whether they are spellings of one."""

from __future__ import annotations

from assets.likeness import text
from assets.likeness.parts import Name
from assets.likeness.verdicts import NOTHING, Evidence
from assets.likeness.vocabulary import NICKNAMES

SHORTEST_WITH_SLIP = 5  # letters: in shorter ones, one letter makes another name
_ENDINGS = frozenset({frozenset("oa"), frozenset({"", "a"}), frozenset({"", "e"})})


def whole_and_whole(one: Name, other: Name) -> Evidence:
    """Both with family and given name; their keys differ."""
    if one.core == other.core:
        return _but_for_marks(one, other)
    if one.han and other.han:
        return _in_chinese(one, other)
    if one.han or other.han:
        return NOTHING
    return _in_latin(one, other)


def same_given(one: str, other: str) -> float:
    """How likely two given names in Latin letters are forms of one; 0: not."""
    if one == other:
        return 1.0
    if NICKNAMES.get(one, frozenset()) & NICKNAMES.get(other, frozenset()):
        return 0.8
    if len(one) == 1 or len(other) == 1:
        return 0.6 if one[0] == other[0] else 0.0
    return 0.65 if slipped(one, other) else 0.0


def slipped(one: str, other: str) -> bool:
    """Whether one is likely the other with a slip of the pen; Mario and Maria are two."""
    if min(len(one), len(other)) < SHORTEST_WITH_SLIP or not text.one_slip(one, other):
        return False
    length = max(len(one), len(other)) - 1
    return one[:length] != other[:length] or frozenset((one[length:], other[length:])) not in _ENDINGS


def _but_for_marks(one: Name, other: Name) -> Evidence:
    """The letters are the same; one has a number, a generation or an age besides."""
    return Evidence(score=0.6, reason="the same name, but for what is added", against=("only one has an addition",))


def _in_chinese(one: Name, other: Name) -> Evidence:
    if one.sound == other.sound and len(one.core) == len(other.core):
        return Evidence(score=0.7, reason="they sound the same", against=("they are written with other characters",))
    if other.given == one.core or one.given == other.core:  # 文静 is a whole name, and 林文静's given one
        return Evidence(score=0.6, reason="one is the given name of the other")
    if one.family != other.family:
        return Evidence(apart="other families")
    return Evidence(apart="other given names")


def _in_latin(one: Name, other: Name) -> Evidence:
    if one.given == other.family and one.family == other.given and not one.middle and not other.middle:
        return Evidence(score=0.7, reason="the same names in another order")
    if one.given == other.given and one.family == other.family:
        if one.middle and other.middle and not _same_middle(one.middle, other.middle):
            return Evidence(apart="other middle names")
        return Evidence(score=0.8, reason="the same name, one with a middle name")
    if one.family == other.family:
        if score := same_given(one.given, other.given):
            return Evidence(score=score, reason="the same family, and forms of one given name")
        if (other.given in one.middle[:1]) or (one.given in other.middle[:1]):
            return Evidence(score=0.6, reason="one goes by the middle name")
        return Evidence(apart="other given names")
    if one.given == other.given:
        if one.family in other.middle or other.family in one.middle:
            return Evidence(score=0.6, reason="one has a double family name")
        if slipped(one.family, other.family):
            return Evidence(score=0.65, reason="one letter differs")
    return Evidence(apart="other families")


def _same_middle(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return all(a[0] == b[0] and (len(a) == 1 or len(b) == 1 or a == b) for a, b in zip(one, other, strict=False))
