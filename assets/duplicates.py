"""Which assets of a project are one: the certain ones are merged, about the others people are asked.

The comparison is made without holding anybody up. What comes of it is done under the lock on the project, and only if
the assets are still as they were when they were compared; so it makes no difference how many do it at once, nor whether
an attempt comes back that was given up: each does what the rows ask for, and the last finds nothing more to do.
"""

from __future__ import annotations

from collections.abc import Callable

from assets import likeness, merging, profiles
from assets.likeness import Plan
from assets.models import Likeness, LikenessState
from assets.profiles import Seen
from videos import projects

Progress = Callable[[float, float, str], None]

_TRIES = 3  # before nobody else may change anything meanwhile
_AT_ONCE = 500


def settle(project_id: int, *, on_progress: Progress | None = None) -> dict[str, int]:
    """Merge what is certainly one, and write down what may be; how many were compared, merged, and are to be decided.

    `on_progress` may raise, and nothing is done then. Raises ProjectGone, ProjectDeleted.
    """
    report = on_progress or (lambda *_: None)
    for tries in range(_TRIES):
        report(0, 2, "compare")
        seen = profiles.see(project_id)
        plan = _plan(seen)
        with projects.held(project_id):
            now = profiles.see(project_id)
            if now != seen and tries + 1 < _TRIES:
                continue  # an extraction has ended meanwhile, or a person has decided something
            plan = plan if now == seen else _plan(now)
            report(1, 2, "merge")
            return _carry_out(project_id, plan, now)
    raise AssertionError("the last try is the one that is made")


def _plan(seen: Seen) -> Plan:
    return likeness.settle(seen.profiles, apart=seen.apart, asked=seen.asked)


def _carry_out(project_id: int, plan: Plan, seen: Seen) -> dict[str, int]:
    merged = 0
    for group in plan.groups:
        for absorbed in group.absorbed:
            merging.join(group.kept, absorbed, by=None, reasons=group.reasons[absorbed])
            merged += 1
    _ask(project_id, plan, seen)
    return {"compared": len(seen.profiles), "merged": merged, "doubtful": len(plan.questions)}


def _ask(project_id: int, plan: Plan, seen: Seen) -> None:
    """Have exactly these questions open about assets that are there; what was asked about others waits with them."""
    rows = Likeness.objects.filter(project_id=project_id, state=LikenessState.OPEN)
    there = {profile.id for profile in seen.profiles} - {one for group in plan.groups for one in group.absorbed}
    open_now = {(row.first_id, row.second_id): row for row in rows if there.issuperset((row.first_id, row.second_id))}
    wanted = {question.pair: question for question in plan.questions}
    rows.filter(pk__in=[row.pk for pair, row in open_now.items() if pair not in wanted]).delete()
    changed = []
    for pair in wanted.keys() & open_now.keys():
        row, question = open_now[pair], wanted[pair]
        if (row.score, row.reasons) != (question.score, list(question.reasons)):
            row.score, row.reasons = question.score, list(question.reasons)
            changed.append(row)
    Likeness.objects.bulk_update(changed, ["score", "reasons"], batch_size=_AT_ONCE)
    Likeness.objects.bulk_create(
        [
            Likeness(
                project_id=project_id,
                first_id=pair[0],
                second_id=pair[1],
                score=question.score,
                reasons=list(question.reasons),
            )
            for pair, question in sorted(wanted.items())
            if pair not in open_now
        ],
        batch_size=_AT_ONCE,
    )
