"""The state machine of a job, whole. docs/job-states.md draws it; a test holds the drawing to this.

Plain Python. Nobody but `jobs.transitions` moves a job; the database repeats these rules as constraints.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class JobStatus(enum.StrEnum):
    """Where a job is. What Celery calls the same: `celery_state`."""

    PENDING = "pending"  # left by: a worker that claims it, a cancel, its deadline
    PROCESSING = "processing"  # left by: its own attempt, a cancel, the rescue, a worker that stops
    RETRYING = "retrying"  # left by: a worker that claims it once run_at has come, a cancel, its deadline
    COMPLETED = "completed"  # left by: nobody
    FAILED = "failed"  # left by: a person who retries it
    CANCELLED = "cancelled"  # left by: a person who retries it


class Outcome(enum.StrEnum):
    """How one attempt ended, or that it has not."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CRASHED = "crashed"  # the worker or its child died, or the lease ran out
    CANCELLED = "cancelled"
    HANDED_BACK = "handed_back"  # a stopping worker gave the job back; not charged


_S = JobStatus

TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    _S.PENDING: frozenset({_S.PROCESSING, _S.CANCELLED, _S.FAILED}),
    _S.PROCESSING: frozenset({_S.COMPLETED, _S.RETRYING, _S.FAILED, _S.CANCELLED, _S.PENDING}),
    _S.RETRYING: frozenset({_S.PROCESSING, _S.CANCELLED, _S.FAILED}),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset({_S.PENDING}),
    _S.CANCELLED: frozenset({_S.PENDING}),
}

WAITING = frozenset({_S.PENDING, _S.RETRYING})
ACTIVE = frozenset({_S.PENDING, _S.PROCESSING, _S.RETRYING})
FINISHED = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED})
RETRYABLE = frozenset({_S.FAILED, _S.CANCELLED})

_CELERY = {
    _S.PENDING: "PENDING",
    _S.PROCESSING: "STARTED",
    _S.RETRYING: "RETRY",
    _S.COMPLETED: "SUCCESS",
    _S.FAILED: "FAILURE",
    _S.CANCELLED: "REVOKED",
}


def may_move(before: JobStatus, after: JobStatus) -> bool:
    """Whether a job may go from one status straight to the other."""
    return after in TRANSITIONS[before]


def celery_state(status: JobStatus, *, has_progress: bool = False) -> str:
    """Celery's word for a status, for clients that speak Celery."""
    if status is JobStatus.PROCESSING and has_progress:
        return "PROGRESS"
    return _CELERY[status]
