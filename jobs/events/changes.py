"""Finds what has changed since the last look; used from the hub's thread alone."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from jobs.events.scopes import Scope
from jobs.events.states import SETTLE
from jobs.models import Batch, Job, Transition

_OVERLAP = timedelta(seconds=5)  # a transaction may commit later than it says that it changed the row


@dataclass(frozen=True)
class Found:
    """What is new: jobs as they are, their moves, moves that are settled by now with their owners, batches."""

    jobs: list[Job] = field(default_factory=list)
    moves: list[Transition] = field(default_factory=list)
    settled: list[tuple[int | None, Transition]] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)


class Changes:
    """Remembers what was seen."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._seen: dict[uuid.UUID, tuple[Any, ...]] = {}
        self._told: dict[int, datetime] = {}
        self._unsettled: dict[int, tuple[float, int | None, Transition]] = {}
        self._batches: dict[uuid.UUID, datetime] = {}

    def since_last(self, scopes: Collection[Scope]) -> Found:
        """What has changed in the scopes since the last call."""
        jobs = self._changed_jobs(scopes)
        moves = self._new_moves(jobs)
        owners = {job.pk: job.owner_id for job in jobs}
        for row in moves:
            self._unsettled[row.pk] = (time.monotonic(), owners[row.job_id], row)
        return Found(jobs=jobs, moves=moves, settled=self._settled(), batches=self._changed_batches(scopes))

    def _changed_jobs(self, scopes: Collection[Scope]) -> list[Job]:
        of_jobs = [scope.job_id for scope in scopes if scope.job_id]
        of_owners = [scope.owner_id for scope in scopes if scope.of_owner]
        if not of_jobs and not of_owners:
            return []
        jobs = Job.objects.filter(Q(pk__in=of_jobs) | Q(owner_id__in=of_owners))
        newest = jobs.order_by("-updated_at").values_list("updated_at", flat=True).first()
        if newest is None:
            return []
        since, self._since = self._since or newest - _OVERLAP, newest - _OVERLAP
        changed = [job for job in jobs.filter(updated_at__gte=since) if self._is_new(job)]
        self._forget(since)
        return changed

    def _is_new(self, job: Job) -> bool:
        now = (job.updated_at, job.status, job.attempt, job.current, job.total, job.message)
        before, self._seen[job.pk] = self._seen.get(job.pk), now
        return before != now

    def _new_moves(self, jobs: list[Job]) -> list[Transition]:
        if not jobs or self._since is None:
            return []
        found = []
        since = self._since - _OVERLAP
        for row in Transition.objects.filter(job_id__in=[job.pk for job in jobs], at__gte=since).order_by("id"):
            if row.pk not in self._told:
                self._told[row.pk] = row.at
                found.append(row)
        return found

    def _settled(self) -> list[tuple[int | None, Transition]]:
        """By their number, up to the first that is too young: one with a smaller number may still come."""
        found = []
        for number in sorted(self._unsettled):
            seen_at, owner_id, row = self._unsettled[number]
            if time.monotonic() - seen_at < SETTLE.total_seconds():
                break
            found.append((owner_id, row))
            del self._unsettled[number]
        return found

    def _changed_batches(self, scopes: Collection[Scope]) -> list[Batch]:
        watched = [scope.batch_id for scope in scopes if scope.batch_id]
        if not watched:
            return []
        rows = list(Batch.objects.filter(pk__in=watched))
        changed = [batch for batch in rows if self._batches.get(batch.pk) != batch.updated_at]
        self._batches = {batch.pk: batch.updated_at for batch in rows}
        return changed

    def _forget(self, since: datetime) -> None:
        self._told = {key: at for key, at in self._told.items() if at >= since - 2 * _OVERLAP}
        self._seen = {key: seen for key, seen in self._seen.items() if seen[0] >= since}
