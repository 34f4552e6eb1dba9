"""Finds what has changed since the last look; used from the hub's thread alone."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Q

from jobs import transitions
from jobs.events.scopes import Scope
from jobs.events.states import SETTLE
from jobs.models import Batch, Job, Transition
from jobs.now import Now

_OVERLAP = timedelta(seconds=5)  # a transaction may commit later than it says that it changed the row
_MARGIN = timedelta(seconds=0.2)  # who comes just when a move is told to the others must find it among the missed


@dataclass(frozen=True)
class Found:
    """What is new: jobs as they are, their moves, moves that are settled by now with their owners, batches."""

    jobs: list[Job] = field(default_factory=list)
    moves: list[Transition] = field(default_factory=list)
    settled: list[tuple[int | None, Transition]] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)


class Changes:
    """Remembers what was seen, for as long as it could be found again."""

    def __init__(self) -> None:
        self._looked_at: float | None = None
        self._seen: dict[uuid.UUID, tuple[float, tuple[Any, ...]]] = {}
        self._told: dict[int, float] = {}
        self._unsettled: dict[int, tuple[float, int | None, Transition]] = {}
        self._batches: dict[uuid.UUID, int] = {}

    def copy(self) -> Changes:
        """Another one that remembers the same."""
        other = copy.copy(self)
        other._seen, other._told, other._unsettled = dict(self._seen), dict(self._told), dict(self._unsettled)
        return other

    def since_last(self, scopes: Collection[Scope], *, now: float) -> Found:
        """What has changed in the scopes since the last call; `now` in seconds of a clock that only goes forward."""
        # By how long ago the last look was, whatever is watched: were it by the newest row that is, moves would be
        # forgotten and told again when its watchers leave, and left out when a look comes late.
        window = timedelta(seconds=now - (self._looked_at or now)) + _OVERLAP
        self._looked_at = now
        jobs = [job for job in self._moved_jobs(scopes, window) if self._is_new(job, now)]
        moves = self._new_moves(jobs, window, now)
        owners = {job.pk: job.owner_id for job in jobs}
        for row in moves:
            self._unsettled[row.pk] = (now, owners[row.job_id], row)
        self._forget(before=now - (window + 2 * _OVERLAP).total_seconds())
        return Found(jobs=jobs, moves=moves, settled=self._settled(now), batches=self._changed_batches(scopes))

    def _moved_jobs(self, scopes: Collection[Scope], window: timedelta) -> Iterable[Job]:
        of_jobs = [scope.job_id for scope in scopes if scope.job_id]
        of_owners = [scope.owner_id for scope in scopes if scope.of_owner]
        if not of_jobs and not of_owners:
            return []
        watched = Q(pk__in=of_jobs) | Q(owner_id__in=of_owners)
        return Job.objects.filter(watched, updated_at__gte=transitions.after(Now(), -window))

    def _is_new(self, job: Job, now: float) -> bool:
        _, before = self._seen.get(job.pk, (0.0, None))
        self._seen[job.pk] = (now, state_of(job))
        return before != state_of(job)

    def _new_moves(self, jobs: list[Job], window: timedelta, now: float) -> list[Transition]:
        if not jobs:
            return []
        rows = Transition.objects.filter(
            job_id__in=[job.pk for job in jobs], at__gte=transitions.after(Now(), -window - _OVERLAP)
        )
        found = [row for row in rows.order_by("id") if row.pk not in self._told]
        self._told |= {row.pk: now for row in found}
        return found

    def _settled(self, now: float) -> list[tuple[int | None, Transition]]:
        """By their number, up to the first that is too young: one with a smaller number may still come."""
        found = []
        for number in sorted(self._unsettled):
            seen_at, owner_id, row = self._unsettled[number]
            if now - seen_at < (SETTLE + _MARGIN).total_seconds():
                break
            found.append((owner_id, row))
            del self._unsettled[number]
        return found

    def _changed_batches(self, scopes: Collection[Scope]) -> list[Batch]:
        watched = [scope.batch_id for scope in scopes if scope.batch_id]
        if not watched:
            return []
        rows = list(Batch.objects.filter(pk__in=watched))
        changed = [batch for batch in rows if self._batches.get(batch.pk) != batch.revision]
        self._batches = {batch.pk: batch.revision for batch in rows}
        return changed

    def _forget(self, *, before: float) -> None:
        self._told = {key: at for key, at in self._told.items() if at >= before}
        self._seen = {key: seen for key, seen in self._seen.items() if seen[0] >= before}


def state_of(job: Job) -> tuple[Any, ...]:
    """What makes a row another one than before; two writes can have the same time."""
    return (job.updated_at, job.status, job.attempt, job.current, job.total, job.message)
