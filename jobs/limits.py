"""How many jobs of a kind run at once, altogether and for each user.

A job of a limited kind is recorded as held back (`Hold.LIMIT`), and admitted to its queue's line while fewer of
its kind, and of its owner's, are in line or at work than may. Admission is done under a lock on the kind's
limit, so the limit holds whoever admits, and the line itself never holds a job that may not run. A limit that
is set later, or lowered, takes back what stands in line already (`enforce`); what is at work, or on its way to a
worker, is left to it.
"""

from __future__ import annotations

import uuid
from collections import Counter

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet

from jobs import kinds
from jobs.line import ORDER
from jobs.memory import Remembered
from jobs.models import Hold, Job, KindLimit
from jobs.status import WAITING, JobStatus

_AT_ONCE = 100
_TAKEN_BACK_AT_ONCE = 1000


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


def enforce(kind: str) -> None:
    """Have a kind's limits hold for those as well who stand in line already: the best stay, the others are held back.

    To be called when a limit was set, changed or taken away, once that is committed. The sweep calls it too: for
    limits that were written otherwise, and for a job that was recorded at the very moment.
    """
    with transaction.atomic():
        limit = KindLimit.objects.select_for_update().filter(pk=kind).first()
        if limit and _is_exceeded(limit):
            _take_back(kind)
        admit(kind)


def admit_all() -> int:
    """`admit` for every kind that has somebody held, and limits kept where they are exceeded; for the sweep."""
    for kind in sorted(limited()):
        enforce(kind)
    held = Job.objects.filter(status__in=sorted(WAITING), released_at__isnull=True, hold=Hold.LIMIT)
    return sum(admit(kind) for kind in held.values_list("kind", flat=True).distinct().order_by("kind"))


def _is_exceeded(limit: KindLimit) -> bool:
    in_line = dict(_in_line(limit.kind).values_list("owner_id").annotate(n=Count("pk")).order_by())
    if limit.at_once is not None and sum(in_line.values()) > limit.at_once:
        return True
    most = limit.per_user
    return most is not None and any(n > most for owner, n in in_line.items() if owner is not None)


def _take_back(kind: str) -> None:
    """Hold all of a kind back that have not been released; under the lock on its limit."""
    stands = Job.objects.filter(status__in=sorted(WAITING), released_at__isnull=True, hold=Hold.NONE, kind=kind)
    # Who is being moved by another is passed over, and not waited for: each could wait for the other.
    lockable = stands.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
    while some := list(lockable.values_list("pk", flat=True)[:_TAKEN_BACK_AT_ONCE]):
        Job.objects.filter(pk__in=some).update(hold=Hold.LIMIT)


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
