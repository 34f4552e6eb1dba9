"""Two profiles, one verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assets.likeness import people, places, things
from assets.likeness.verdicts import DIFFERENT, EACH_WITH_EACH, Comparison, Profile

_BY_KIND: Mapping[str, Callable[[Profile, Profile], Comparison]] = {
    "character": people.compare,
    "scene": places.compare,
    "prop": things.compare,
}


def compare(one: Profile, other: Profile) -> Comparison:
    """Whether two assets are the same, with the reasons. It makes no difference which comes first."""
    if one.kind != other.kind:
        return DIFFERENT
    first, second = sorted((one, other), key=lambda profile: (profile.name, profile.id))
    return _BY_KIND[first.kind](first, second)


def effort(one: Profile, other: Profile) -> int:
    """About how many pairs of names `compare` looks at."""
    ours, theirs = len(one.aliases), len(other.aliases)
    several = 0 if one.kind == "character" else min(ours, EACH_WITH_EACH - 1) * min(theirs, EACH_WITH_EACH - 1)
    return 1 + ours + theirs + several
