"""A job's move from one status to another, as those see it who draw consequences from it (jobs.journal)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jobs.models import Attempt, Job
from jobs.status import FINISHED, JobStatus


@dataclass(frozen=True)
class Move:
    """One row of `Transition`, with what belongs to it. Each is seen exactly once; not always in order."""

    id: int
    job: Job  # as it is now; it may have moved on since
    attempt: Attempt | None  # the attempt that the move began or ended
    before: str  # empty: the job was recorded
    after: str
    reason: str
    at: datetime

    @property
    def is_an_end(self) -> bool:
        """Whether the job came to an end by this move; a retry by hand may begin it anew."""
        return JobStatus(self.after) in FINISHED
