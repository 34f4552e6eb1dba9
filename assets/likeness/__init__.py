"""Likeness: which characters, places and things of several episodes are one and the same. Plain Python."""

from assets.likeness.comparing import compare
from assets.likeness.grouping import Group, Pair, Plan, Question, all_names, best_first, combine, settle
from assets.likeness.verdicts import Comparison, Profile, Verdict

__all__ = [
    "Comparison",
    "Group",
    "Pair",
    "Plan",
    "Profile",
    "Question",
    "Verdict",
    "all_names",
    "best_first",
    "combine",
    "compare",
    "settle",
]
