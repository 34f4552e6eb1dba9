"""How jobs, moves and batches become events, and what a watcher has to know first."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import takewhile
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from jobs import transitions
from jobs.events.scopes import Event, Scope
from jobs.models import Batch, Job, Transition
from jobs.now import Now
from jobs.status import ACTIVE, FINISHED

SETTLE = timedelta(seconds=1)
_PAGE = 1000
_PICTURES = 1000


@dataclass(frozen=True)
class Renderers:
    """How the API gives a job and a batch, as plain JSON values."""

    job: Callable[[Job], dict[str, Any]]
    batch: Callable[[Batch], dict[str, Any]]


def is_over(job: Job, *, after: int | None) -> bool:
    """Whether a client that knows all transitions up to `after` has nothing more to expect."""
    return job.is_finished and after is not None and not Transition.objects.filter(job_id=job.pk, pk__gt=after).exists()


def batch_is_over(batch: Batch, *, after: int | None) -> bool:
    """Whether a client that was told the batch's state `after` has nothing more to expect."""
    return batch.ended_at is not None and after == batch.revision


def pictures(scope: Scope, render: Renderers) -> list[Event]:
    """What a watcher has to know first: what is there, as it is now.

    The number that the picture of one job carries is read before the picture: what happens in between is told
    once more, rather than never.
    """
    if scope.batch_id:
        return [of_batch(batch, render) for batch in Batch.objects.filter(pk=scope.batch_id)]
    newest = None
    jobs: QuerySet[Job] = Job.objects.filter(scope.jobs)
    if scope.of_owner:
        jobs = jobs.filter(status__in=sorted(ACTIVE)).order_by("created_at")[:_PICTURES]
    else:
        moves = Transition.objects.filter(scope.transitions).order_by("-id")
        newest = moves.values_list("pk", flat=True).first()
    return [replace(of_job(job, scope, render), id=newest) for job in jobs]


def missed(scope: Scope, *, after: int) -> list[Event]:
    """The next page of transitions after that one, oldest first; empty when there are no more."""
    if scope.batch_id:
        return []
    rows = Transition.objects.filter(scope.transitions, pk__gt=after).order_by("id")
    if not scope.of_owner:
        return [of_move(row) for row in rows[:_PAGE]]
    page = rows.annotate(settled=_is_older(SETTLE))[:_PAGE]
    # Up to the first that is too young: one with a larger number may be older by its clock.
    return [of_move(row) for row in takewhile(lambda row: row.settled, page)]


def newest() -> int:
    """The number of the last move of anybody's that is settled: what a first visit to all of a user's jobs knows."""
    older = Transition.objects.filter(at__lte=transitions.after(Now(), -2 * SETTLE))
    return older.order_by("-id").values_list("pk", flat=True).first() or 0


def _is_older(than: timedelta) -> ExpressionWrapper:
    return ExpressionWrapper(Q(at__lte=transitions.after(Now(), -than)), output_field=BooleanField())


def ends(scope: Scope, job_ids: Collection[uuid.UUID], render: Renderers) -> list[Event]:
    """How those of the jobs ended that have: a client that was away gets their results."""
    jobs = Job.objects.filter(scope.jobs, pk__in=list(job_ids)[:_PICTURES], status__in=sorted(FINISHED))
    return [of_job(job, scope, render) for job in jobs]


def in_order(rows: Iterable[Transition]) -> Iterator[Event]:
    """Moves by their number, so that the last id told covers those before."""
    for row in sorted(rows, key=lambda row: row.pk):
        yield of_move(row)


def of_move(row: Transition) -> Event:
    data = {
        "id": row.job_id,
        "from": row.before,
        "to": row.after,
        "attempt": row.attempt,
        "reason": row.reason,
        "at": row.at,
    }
    return Event("transition", data, id=row.pk)


def of_job(job: Job, scope: Scope, render: Renderers) -> Event:
    """The job as it is; the last event to who watches it alone, if it has ended."""
    return Event("job", render.job(job), last=scope.job_id is not None and job.is_finished)


def of_batch(batch: Batch, render: Renderers) -> Event:
    return Event("batch", render.batch(batch), id=batch.revision, last=batch.ended_at is not None)
