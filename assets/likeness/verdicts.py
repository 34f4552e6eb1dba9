"""What a comparison comes to, and how evidence for and against is weighed into it."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_ENOUGH = 0.3  # what is below is no likeness that anybody should be asked about
_DOUBT = 0.25  # what one thing that speaks against takes away
_MOST_IN_DOUBT = 0.85  # the score of a doubtful one, which is less than that of any certain one


EACH_WITH_EACH = 21
"""Names of one thing or place that are compared with as many of another."""


class Verdict(enum.StrEnum):
    """Whether two assets are the same."""

    CERTAIN = "certain"  # merged by itself
    DOUBTFUL = "doubtful"  # for a person to say
    DIFFERENT = "different"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is compared of one asset. `kind` is character, prop or scene; only what is of one kind is ever the same.

    `parts` are those that became part of it, as they were: who can't be one of them can't be it.
    """

    id: int
    kind: str
    name: str
    aliases: tuple[str, ...] = ()
    description: str = ""
    gender: str = ""
    age: str = ""
    time: str = ""  # of a scene: day, night, ... or as it was written
    place: str = ""  # of a scene: inside, outside, both
    appearances: int = 0
    speaks_in: frozenset[Hashable] = frozenset()  # the scenes in which it has lines
    cherished: bool = False  # a person has worked on it
    parts: tuple[Profile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two profiles have in common. Whatever is `against` keeps them from being joined through a third as well."""

    verdict: Verdict
    score: float = 0.0
    reasons: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


DIFFERENT = Comparison(verdict=Verdict.DIFFERENT)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one pair of names says: how sure they are one, and what tells them apart."""

    score: float = 0.0
    reason: str = ""
    certain: bool = False
    against: tuple[str, ...] = field(default=())  # makes a doubt of what was certain
    apart: str = ""  # excludes that they are one

    @property
    def rank(self) -> tuple[bool, bool, float, str]:
        return (not self.apart, self.certain, self.score, self.reason)


NOTHING = Evidence()


def pairs_of(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Which names of two are compared: the first with all of the other's, and of the rest some with some."""
    yield from itertools.product(ours[:EACH_WITH_EACH], theirs[:EACH_WITH_EACH])
    yield from ((ours[0], name) for name in theirs[EACH_WITH_EACH:])
    yield from ((name, theirs[0]) for name in ours[EACH_WITH_EACH:])


def best_of(found: Iterable[Evidence]) -> Evidence:
    """Of what several pairs of names say, what counts; the first is that of the two names themselves.

    Where those exclude that the two are one, only another name that is certain makes it worth a question. What speaks
    against them always counts.
    """
    several = iter(found)
    direct = best = next(several)
    while not (best.certain and best.score == 1) and (evidence := next(several, None)):
        best = max(best, evidence, key=lambda one: one.rank)
    if best is direct or not (direct.apart or direct.against):
        return best
    if direct.apart and not best.certain:
        return direct
    against = (*direct.against, *best.against, *filter(None, (direct.apart,)))
    return Evidence(score=best.score, reason=best.reason, certain=best.certain, against=against)


def weigh(evidence: Evidence, against: tuple[str, ...] = ()) -> Comparison:
    """The verdict on what the names say and what else is known."""
    doubts = tuple(dict.fromkeys((*evidence.against, *against)))
    if not evidence.score and not evidence.apart:
        return DIFFERENT
    if evidence.apart:
        return Comparison(verdict=Verdict.DIFFERENT, against=(evidence.apart, *doubts))
    if evidence.certain and not doubts:
        return Comparison(verdict=Verdict.CERTAIN, score=round(evidence.score, 2), reasons=(evidence.reason,))
    score = max(0.0, min(evidence.score, _MOST_IN_DOUBT) - (0 if evidence.certain else _DOUBT * len(against)))
    if score < _ENOUGH:
        return Comparison(verdict=Verdict.DIFFERENT, against=doubts)
    return Comparison(verdict=Verdict.DOUBTFUL, score=round(score, 2), reasons=(evidence.reason,), against=doubts)
