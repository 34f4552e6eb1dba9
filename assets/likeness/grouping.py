"""Which assets of a project are one, and about which a person has to be asked.

Only what is certain is joined, and only where nothing speaks against it: not between any two of those who would be
joined, and not because another is as likely meant. What comes out does not depend on the order in which assets come,
and is at rest: the same again, over what was joined, joins nothing more.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from assets.likeness import names, text
from assets.likeness.comparing import compare, effort
from assets.likeness.keys import keys
from assets.likeness.verdicts import Comparison, Profile, Verdict

Pair = tuple[int, int]
"""Two ids, the smaller one first."""

_NEXT = 100  # of one word's askers, how many each is compared with: more, and the word says nothing
_FOUND = 500  # of those whom a word finds, the same
_EFFORT = 4000  # pairs of names that each is compared by: who has two or three meets some hundreds of others
_BUNCH = 100_000  # the same between all who would become one: some four hundred that are written differently
_QUESTIONS = 5  # about one asset, beyond those without which two that may be one would not hang together
_MOST_IN_DOUBT = 0.85

MOST_ALIASES = 50
FILLED = ("description", "gender", "age", "time", "place")
"""What one asset takes over from another that becomes part of it, if it has none."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Assets that are one: the one that stays, and those that become part of it, in this order."""

    kept: int
    absorbed: tuple[int, ...]
    reasons: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Question:
    """Two assets that may be one."""

    pair: Pair
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done with a project's assets. `doubts` are all pairs that may be one, `questions` those to ask."""

    groups: tuple[Group, ...]
    questions: tuple[Question, ...]
    doubts: frozenset[Pair]


def settle(profiles: Iterable[Profile], *, apart: Collection[Pair] = (), asked: Collection[Pair] = ()) -> Plan:
    """Join what is certain, and over what came of it again, until nothing more is.

    `apart` are pairs that a person has decided to be two; `asked` those about which one was asked before.
    """
    crowd = _Crowd(profiles, apart)
    while joined := crowd.certain():
        crowd.join(joined)
    doubts = crowd.doubts()
    groups = (
        Group(kept=kept, absorbed=tuple(absorbed), reasons={one: crowd.reasons[one] for one in absorbed})
        for kept, absorbed in sorted(crowd.absorbed.items())
        if kept in crowd.there
    )
    return Plan(
        groups=tuple(groups),
        questions=tuple(_chosen(doubts, {crowd.pair(*pair) for pair in asked})),
        doubts=frozenset(question.pair for question in doubts),
    )


def combine(kept: Profile, absorbed: Profile) -> Profile:
    """What one is once the other is part of it: it keeps what it has, and takes what it lacks."""
    return dataclasses.replace(
        kept,
        aliases=all_names(kept, absorbed),
        appearances=kept.appearances + absorbed.appearances,
        speaks_in=kept.speaks_in | absorbed.speaks_in,
        cherished=kept.cherished or absorbed.cherished,
        parts=(*kept.parts, dataclasses.replace(absorbed, parts=()), *absorbed.parts),
        **{field: getattr(kept, field) or getattr(absorbed, field) for field in FILLED},
    )


def all_names(kept: Profile, absorbed: Profile) -> tuple[str, ...]:
    """The other names of one that the other is part of; no more than anybody can look through."""
    called = dict.fromkeys((*kept.aliases, absorbed.name, *absorbed.aliases))
    called.pop(kept.name, None)
    return tuple(called)[: max(MOST_ALIASES, len(kept.aliases))]


def best_first(profile: Profile) -> tuple[bool, bool, int, bool, str, int]:
    """The order in which assets would rather be kept: worked on, with a whole name, those that appear most.

    Chinese characters tell more than how they are read.
    """
    whole = profile.kind != "character" or names.parse(profile.name).is_full
    spelled = not text.has_han(profile.name)
    return (not profile.cherished, not whole, -profile.appearances, spelled, profile.name, profile.id)


class _Crowd:
    """The assets that are there still, what their comparisons said, and who became part of whom."""

    def __init__(self, profiles: Iterable[Profile], apart: Collection[Pair]) -> None:
        self.there = {profile.id: profile for profile in sorted(profiles, key=lambda profile: profile.id)}
        self.absorbed: dict[int, list[int]] = {}
        self.reasons: dict[int, tuple[str, ...]] = {}
        self._into: dict[int, int] = {}
        self._apart = {self.pair(*pair) for pair in apart}
        self._known: dict[Pair, Comparison] = {}
        self._found: dict[Pair, Comparison] = {}
        self._foes: dict[int, set[int]] = defaultdict(set)
        self._fine: dict[int, set[int]] = defaultdict(set)

    def pair(self, one: int, other: int) -> Pair:
        """As a pair of those that are there."""
        first, second = sorted((self._into.get(one, one), self._into.get(other, other)))
        return first, second

    def certain(self) -> list[list[int]]:
        """Those that are one, best first; a group each.

        Pairs are given up, all at once that have to be, until nothing speaks against those that are left.
        """
        self._look_around()
        left = {pair for pair, found in self._found.items() if found.verdict is Verdict.CERTAIN}
        near = _neighbours(pair for pair, found in self._found.items() if not found.against)
        surely_near = _neighbours(left)
        while True:
            bunches = list(_components(left))
            torn = {pair for bunch in bunches for pair in self._torn(*bunch, surely_near, near)} or {
                pair for bunch in bunches for pair in self._weakest_where_two_clash(*bunch)
            }
            if not torn:
                return sorted(sorted(members, key=lambda one: best_first(self.there[one])) for members, _ in bunches)
            left -= torn

    def join(self, groups: list[list[int]]) -> None:
        for kept, *others in groups:
            for other in others:
                within = self._found.get((min(kept, other), max(kept, other)))
                moved = [other, *self.absorbed.pop(other, [])]
                self.reasons[other] = within.reasons if within and within.reasons else ("the same as a third",)
                self.there[kept] = combine(self.there[kept], self.there.pop(other))
                self.absorbed.setdefault(kept, []).extend(moved)
                self._into |= dict.fromkeys(moved, kept)
        self._apart = {self.pair(*pair) for pair in self._apart}
        changed = {one for group in groups for one in group}
        for seen in (self._foes, self._fine):
            for one in changed & seen.keys():
                for other in seen.pop(one):
                    seen[other].discard(one)
        self._known = {pair: found for pair, found in self._known.items() if changed.isdisjoint(pair)}

    def doubts(self) -> list[Question]:
        """All pairs that may be one, after the last `certain`."""
        doubts = []
        for pair, found in sorted(self._found.items()):
            reasons = (*found.reasons, *found.against)
            if found.verdict is Verdict.CERTAIN:
                reasons = (*reasons, "more than one may be meant")
            doubts.append(Question(pair=pair, score=min(found.score, _MOST_IN_DOUBT), reasons=reasons))
        return doubts

    def _look_around(self) -> None:
        self._found = {
            pair: found
            for pair in _candidates(self.there.values())
            if (found := self._compared(pair)).verdict is not Verdict.DIFFERENT and pair not in self._apart
        }

    def _torn(
        self, members: set[int], within: set[Pair], surely_near: Mapping[int, set[int]], near: Mapping[int, set[int]]
    ) -> Iterator[Pair]:
        """The pairs of which another is as likely meant by one, who can't be the other, or one of those that hang on.

        So 林总 is not joined with 林晚 while 林枫 is about. Of a crowd that would take long to compare, all of them.
        """
        if self._is_too_much(members):
            yield from within
            return
        exact = {pair for pair in within if self._found[pair].score == 1}
        for pairs, about in ((exact, surely_near), (within - exact, near)):
            ends = {one for pair in pairs for one in pair}
            lured = {one for one in ends if any(self._clashes(far, members - {one}) for far in about[one] - members)}
            for one, other in pairs:
                rivals = ((other, about[one] - {other}), (one, about[other] - {one}))
                if not lured.isdisjoint((one, other)) or any(self._clashes(*pair) for pair in rivals):
                    yield one, other

    def _is_too_much(self, members: Iterable[int]) -> bool:
        total = 0
        for one, other in itertools.combinations([self.there[pk] for pk in members], 2):
            total += effort(one, other) * (1 + len(one.parts)) * (1 + len(other.parts))
            if total > _BUNCH:
                return True
        return False

    def _weakest_where_two_clash(self, members: set[int], within: set[Pair]) -> set[Pair]:
        if not any(self._clashes(one, members - {one}) for one in members):
            return set()
        weakest = min(self._found[pair].score for pair in within)
        return {pair for pair in within if self._found[pair].score == weakest}

    def _clashes(self, one: int, others: set[int]) -> bool:
        """Whether one can't be one of the others. What was seen is not looked at again: of many, each meets each."""
        if not self._foes[one].isdisjoint(others):
            return True
        for other in others - self._fine[one]:
            known = self._foes if self._clash(one, other) else self._fine
            known[one].add(other)
            known[other].add(one)
            if known is self._foes:
                return True
        return False

    def _clash(self, one: int, other: int) -> bool:
        pair = self.pair(one, other)
        return pair in self._apart or bool(self._compared(pair).against) or self._parts_clash(*pair)

    def _parts_clash(self, one: int, other: int) -> bool:
        first, second = self.there[one], self.there[other]
        if not first.parts and not second.parts:
            return False
        each = itertools.product((first, *first.parts), (second, *second.parts))
        return any(compare(*both).against for both in each)

    def _compared(self, pair: Pair) -> Comparison:
        if pair not in self._known:
            self._known[pair] = compare(*(self.there[one] for one in pair))
        return self._known[pair]


def _candidates(profiles: Collection[Profile]) -> Iterator[Pair]:
    """Pairs that have a key in common, each once."""
    askers: dict[tuple[str, str], list[int]] = defaultdict(list)
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for profile in sorted(profiles, key=lambda profile: profile.id):
        own = keys(profile)
        asked = {key.word for key in own if key.asks}
        for word in asked:
            askers[profile.kind, word].append(profile.id)
        for word in {key.word for key in own} - asked:
            found[profile.kind, word].append(profile.id)
    there = {profile.id: profile for profile in profiles}
    left = dict.fromkeys(there, _EFFORT)
    seen: set[Pair] = set()
    for key, ids in sorted(askers.items(), key=lambda entry: (len(entry[1]), entry[0])):  # what few have tells most
        others = found.get(key, [])[:_FOUND]
        for place, one in enumerate(ids):
            for other in (*ids[place + 1 : place + 1 + _NEXT], *others):
                if left[one] <= 0:
                    break
                pair = (min(one, other), max(one, other))
                if left[other] > 0 and pair not in seen:
                    seen.add(pair)
                    cost = effort(there[one], there[other])
                    left[one] -= cost
                    left[other] -= cost
                    yield pair


def _neighbours(pairs: Iterable[Pair]) -> Mapping[int, set[int]]:
    near: dict[int, set[int]] = defaultdict(set)
    for one, other in pairs:
        near[one].add(other)
        near[other].add(one)
    return near


def _components(edges: set[Pair]) -> Iterator[tuple[set[int], set[Pair]]]:
    """Those that hang together by these pairs, and the pairs."""
    near = _neighbours(edges)
    left = set(near)
    for start in sorted(near):
        if start not in left:
            continue
        members, waiting = {start}, [start]
        while waiting:
            new = near[waiting.pop()] - members
            members |= new
            waiting.extend(new)
        left -= members
        yield members, {(one, other) for one in members for other in near[one] if one < other}


def _chosen(doubts: list[Question], asked: Collection[Pair]) -> Iterator[Question]:
    """What a person is asked: enough that all that may be one hang together, and a few more about each.

    Of many that all look alike, each pair would be a question; once some are answered, others come up.
    """
    about: Counter[int] = Counter()
    bunch: dict[int, int] = {}

    def root(one: int) -> int:
        while bunch.get(one, one) != one:
            bunch[one] = one = bunch.get(bunch[one], bunch[one])
        return one

    for question in sorted(doubts, key=lambda one: (one.pair not in asked, -one.score, one.pair)):
        first, second = question.pair
        hangs = root(first) == root(second)
        if question.pair in asked or not hangs or max(about[first], about[second]) < _QUESTIONS:
            about.update(question.pair)
            bunch[root(first)] = root(second)
            yield question
