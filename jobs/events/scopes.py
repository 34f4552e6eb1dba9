"""What is told, and to whom."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q

from jobs.models import Job


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    data: dict[str, Any]
    id: int | None = None
    last: bool = False

    def encode(self) -> bytes:
        """As it goes over the line."""
        return self._encoded

    @cached_property
    def _encoded(self) -> bytes:  # once, however many are told
        number = f"id: {self.id}\n" if self.id is not None else ""
        data = json.dumps(self.data, cls=DjangoJSONEncoder)
        return f"{number}event: {self.name}\ndata: {data}\n\n".encode()


@dataclass(frozen=True)
class Scope:
    """What somebody watches: one job, one batch, or all of one user's jobs."""

    owner_id: int
    job_id: uuid.UUID | None = None
    batch_id: uuid.UUID | None = None

    @property
    def of_owner(self) -> bool:
        return self.job_id is None and self.batch_id is None

    def covers(self, job: Job) -> bool:
        return job.pk == self.job_id if not self.of_owner else job.owner_id == self.owner_id

    @property
    def jobs(self) -> Q:
        return Q(pk=self.job_id) if self.job_id else Q(owner_id=self.owner_id)

    @property
    def transitions(self) -> Q:
        return Q(job_id=self.job_id) if self.job_id else Q(job__owner_id=self.owner_id)
