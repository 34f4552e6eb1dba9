"""How many jobs of a kind run at once, altogether and for each user.

A job of a limited kind is recorded as held back (`Hold.LIMIT`), and admitted to its queue's line while fewer of
its kind, and of its owner's, are in line or at work than may. Admission is done under a lock on the kind's
limit, so the limit holds whoever admits, and the line itself never holds a job that may not run.
"""

from __future__ import annotations

import uuid
from collections import Counter

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from jobs import kinds
from jobs.line import ORDER
from jobs.memory import Remembered
from jobs.models import Hold, Job, KindLimit
from jobs.status import WAITING, JobStatus

_AT_ONCE = 100


@Remembered
def limited() -> frozenset[str]:
    """The kinds that have a limit."""
    rows = KindLimit.objects.filter(Q(at_once__isnull=False) | Q(per_user__isnull=False))
    return frozenset(rows.values_list("kind", flat=True))


def admit(kind: str) -> int:
    """Let the best held jobs of a kind stand in line, as many as its limits allow; how many."""
    held = Job.objects.filter(status__in=sorted(WAITING), released_at__isnull=True, hold=Hold.LIMIT, kind=kind)
    if not held.exists():
        return 0
    with transaction.atomic():
        limit = KindLimit.objects.select_for_update().filter(pk=kind).first() or KindLimit(kind=kind)
        in_line = Counter(dict(_in_line(kind).values_list("owner_id").annotate(n=Count("pk")).order_by()))
        admitted = 0
        while chosen := _choose(held, limit, in_line):
            admitted += Job.objects.filter(pk__in=chosen, hold=Hold.LIMIT).update(hold=Hold.NONE)
    return admitted


def admit_all() -> int:
    """`admit` for every kind that has somebody held; for the sweep."""
    held = Job.objects.filter(status__in=sorted(WAITING), released_at__isnull=True, hold=Hold.LIMIT)
    return sum(admit(kind) for kind in held.values_list("kind", flat=True).distinct().order_by("kind"))


def _in_line(kind: str) -> QuerySet[Job]:
    stands = Q(status__in=sorted(WAITING), hold=Hold.NONE)
    return Job.objects.filter(stands | Q(status=JobStatus.PROCESSING), kind=kind)


def _choose(held: QuerySet[Job], limit: KindLimit, in_line: Counter[int | None]) -> list[uuid.UUID]:
    """The next few that may stand in line; counts them in."""
    most = limit.per_user
    full = [owner for owner, n in in_line.items() if owner is not None and most is not None and n >= most]
    candidates = held.exclude(owner_id__in=full) if full else held
    chosen = []
    for pk, owner_id in candidates.order_by(*ORDER).values_list("pk", "owner_id")[:_AT_ONCE]:
        if limit.at_once is not None and in_line.total() >= limit.at_once:
            break
        if owner_id is not None and most is not None and in_line[owner_id] >= most:
            continue
        in_line[owner_id] += 1
        chosen.append(pk)
    return chosen


def install() -> None:
    """Write down the limits that kinds declare, where there is none yet; an operator's edits stay."""
    declared = [
        KindLimit(kind=kind.name, at_once=kind.at_once, per_user=kind.per_user)
        for kind in kinds.every()
        if kind.at_once is not None or kind.per_user is not None
    ]
    KindLimit.objects.bulk_create(declared, ignore_conflicts=True)
