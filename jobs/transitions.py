"""The only writer of `Job.status`.

Every move is one conditional UPDATE on status and attempt whose row count is checked, together with its
`Transition` and the end of its `Attempt`, in one transaction. None updated means that somebody else was
first: normal, and quiet. The attempt's number fences: whoever comes back from the dead changes nothing.

`now` is the database's clock by default, so that machines whose clocks differ agree about leases.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Value

from jobs import line, quotas, results, statements
from jobs.models import DeadLetter, Hold, Instant, Job, Resolution, Transition
from jobs.now import Now
from jobs.status import RETRYABLE, JobStatus, Outcome, may_move

Effect = Callable[[], None]
Then = Callable[[Job], None]

_AT_ONCE = 500


def after(now: Instant, wait: timedelta) -> Instant:
    """The point in time that lies `wait` after `now`, whichever of the two clocks it comes from."""
    if isinstance(now, Now):
        return ExpressionWrapper(now + Value(wait), output_field=DateTimeField())
    return now + wait


def record(job: Job) -> None:
    """Write a new job; inside a transaction."""
    job.save(force_insert=True)
    _note(job.id, 0, "", JobStatus.PENDING)


def record_many(jobs: Sequence[Job]) -> None:
    """Write many new jobs; inside a transaction."""
    Job.objects.bulk_create(jobs, batch_size=_AT_ONCE)
    now = Now()
    Transition.objects.bulk_create(
        [Transition(job_id=job.pk, attempt=0, before="", after=JobStatus.PENDING, at=now) for job in jobs],
        batch_size=_AT_ONCE,
    )


def claim(job_id: uuid.UUID, *, worker: str, pid: int, lease: timedelta) -> Job | None:
    """Take a released job that is due, and begin its next attempt; None if it is not to be had.

    The returned row carries the attempt's number. Deliver a message twice, to two workers at once, and one
    of them gets None.
    """
    with transaction.atomic():
        waiting = statements.waiting(job_id)
        if waiting is None:
            return None
        before = JobStatus(waiting[0])
        _checked(before, JobStatus.PROCESSING)
        job = statements.claim(job_id, before=before.value, attempt=waiting[1], lease=lease)
        if job is None:
            return None
        statements.begin_attempt(job_id, number=job.attempt, worker=worker, pid=pid, due_at=job.run_at)
        _note(job_id, job.attempt, before, JobStatus.PROCESSING)
    return job


def renew(job: Job, *, lease: timedelta, now: Instant | None = None, **seen: Any) -> bool:
    """Prolong the lease of the running attempt, and write the progress `seen` with it; False: not ours now."""
    now = now or Now()
    return bool(_mine(job).update(lease_expires_at=after(now, lease), updated_at=now, **seen))


def is_mine(job: Job) -> bool:
    """Whether the attempt of this row still is the one that may write."""
    return bool(_mine(job).exists())


def complete(job: Job, result: Any, *, effects: Iterable[Effect] = (), **attempt: Any) -> bool:
    """End the job well; `effects` on other rows commit together with it, or not at all."""
    with transaction.atomic():
        _checked(JobStatus.PROCESSING, JobStatus.COMPLETED)
        if not statements.complete(job.pk, attempt=job.attempt, result=result):
            return False
        _end_attempt(job, Outcome.COMPLETED, **attempt)
        _note(job.pk, job.attempt, JobStatus.PROCESSING, JobStatus.COMPLETED)
        for effect in effects:
            effect()
        results.mirror(job, JobStatus.COMPLETED, result=result)
    return True


def retry_later(
    job: Job,
    *,
    wait: timedelta,
    code: str,
    message: str,
    crashed: bool = False,
    setbacks: int = 0,
    fallback: str | None = None,
    **attempt: Any,
) -> bool:
    """End the attempt, and have another one after `wait`, by the `fallback` if one is named.

    Its new turn is a fair one, and the next of its line if its worker `crashed`.
    """
    outcome = Outcome.CRASHED if crashed else Outcome.FAILED
    standing = {"hold": Hold.LATER.value, "turn": None} if wait else line.place(job, again=crashed)
    fields = {
        **standing,
        "error_code": code,
        "error_message": message,
        "run_at": after(Now(), wait) if wait else Now(),
        "retry_count": F("retry_count") + 1,
        "crashes": F("crashes") + int(crashed),
        "setbacks": setbacks,
    }
    if fallback is not None:
        fields["fallback"] = fallback
    said = {"error_code": code, "error_message": message, **attempt}
    with transaction.atomic():
        return _leave(job, JobStatus.RETRYING, outcome, fields, said, reason=code)


def fail(
    job: Job,
    *,
    code: str,
    message: str,
    crashed: bool = False,
    dead: bool = False,
    then: Then | None = None,
    **attempt: Any,
) -> bool:
    """End the job badly, for good, until a person retries it; `dead`: an operator should see it.

    `then` commits together with it, or not at all; so it does for `refuse` and `cancel`.
    """
    outcome = Outcome.CRASHED if crashed else Outcome.FAILED
    fields = {"error_code": code, "error_message": message, "crashes": F("crashes") + int(crashed), **_ENDED}
    said = {"error_code": code, "error_message": message, **attempt}
    with transaction.atomic():
        if not _leave(job, JobStatus.FAILED, outcome, fields, said, reason=code):
            return False
        error = {"code": code, "message": message}
        results.mirror(job, JobStatus.FAILED, error=error, traceback=said.get("traceback"))
        _ended_badly(job, code=code, message=message, dead=dead, then=then)
    return True


def hand_back(job: Job, **attempt: Any) -> bool:
    """Give a job back that a stopping worker was at: it waits again, and the attempt is not charged."""
    fields = {**line.place(job, again=True), "run_at": Now(), "max_attempts": F("max_attempts") + 1}
    with transaction.atomic():
        return _leave(job, JobStatus.PENDING, Outcome.HANDED_BACK, fields, attempt, reason="the worker was stopped")


def refuse(job: Job, *, code: str, message: str, dead: bool = False, then: Then | None = None) -> bool:
    """Fail a waiting job that can't be started: its deadline passed, or nobody knows its kind."""
    with transaction.atomic():
        fields = {"error_code": code, "error_message": message, **_ENDED}
        moved = _move(job, JobStatus.FAILED, fields, reason=code, error={"code": code, "message": message})
        if moved:
            _ended_badly(job, code=code, message=message, dead=dead, then=then)
    return moved


def cancel(job_id: uuid.UUID, *, reason: str = "", then: Then | None = None) -> Job | None:
    """Cancel a job that has not ended; None if it has. A running attempt stops at its next look."""
    while True:
        job = Job.objects.get(pk=job_id)
        if job.is_finished:
            return None
        with transaction.atomic():
            if _move(job, JobStatus.CANCELLED, _ENDED, reason=reason, outcome=Outcome.CANCELLED):
                _ended_badly(job, code="", message="", dead=False, then=then)
                return job


def retry(job: Job, *, budget: int, by: str = "", reserved_at: datetime | None = None) -> bool:
    """Have a failed or cancelled job done again, by hand, with `budget` fresh attempts."""
    if JobStatus(job.status) not in RETRYABLE:
        return False
    fields = {
        **line.place(job, again=False),
        "finished_at": None,
        "run_at": Now(),
        "deadline_at": None,
        "unknown_since": None,
        "result": None,
        "error_code": "",
        "error_message": "",
        "crashes": 0,
        "setbacks": 0,
        "fallback": "",
        "current": 0,
        "total": 0,
        "message": "",
        "retry_count": F("retry_count") + 1,
        "max_attempts": F("attempt") + budget,
        "reserved_at": reserved_at,
    }
    with transaction.atomic():
        moved = _move(job, JobStatus.PENDING, fields, reason=f"retried by {by}")
        if moved:
            DeadLetter.objects.filter(job_id=job.pk, resolved_at__isnull=True).update(
                resolution=Resolution.RETRIED, resolved_at=Now(), resolved_by=by[:150]
            )
    return moved


_ENDED: dict[str, Any] = {"finished_at": Now(), "reserved_at": None}


def _ended_badly(job: Job, *, code: str, message: str, dead: bool, then: Then | None) -> None:
    """What belongs to a job's failure or cancellation, in the same transaction: its quota, its dead letter."""
    if job.reserved_at is not None:
        quotas.give_back(job)
    if dead:
        DeadLetter.objects.create(
            job_id=job.pk,
            kind=job.kind,
            error_code=code,
            error_message=message,
            attempt=job.attempt,
            created_at=Now(),
        )
    if then:
        then(job)


def _mine(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, status=JobStatus.PROCESSING, attempt=job.attempt)


def _checked(before: JobStatus, after: JobStatus) -> JobStatus:
    if not may_move(before, after):
        raise ValueError(f"a job can't go from {before} to {after}")
    return after


def _leave(
    job: Job,
    after: JobStatus,
    outcome: Outcome,
    fields: dict[str, Any],
    attempt: dict[str, Any],
    *,
    reason: str = "",
) -> bool:
    """Move a job on from processing, by its own attempt or by the rescue; inside a transaction."""
    _checked(JobStatus.PROCESSING, after)
    mine = _mine(job)
    if outcome is Outcome.CRASHED and job.lease_expires_at:  # whoever has renewed since the rescue read the row lives
        mine = mine.filter(lease_expires_at__lte=job.lease_expires_at)
    if not mine.update(status=after, lease_expires_at=None, updated_at=Now(), **fields):
        return False
    _end_attempt(job, outcome, **attempt)
    _note(job.pk, job.attempt, JobStatus.PROCESSING, after, reason=reason)
    return True


def _move(
    job: Job,
    after: JobStatus,
    fields: dict[str, Any],
    *,
    reason: str,
    outcome: Outcome | None = None,
    error: dict[str, str] | None = None,
) -> bool:
    """Move a job on from the status and attempt that this row was read with."""
    before = JobStatus(job.status)
    _checked(before, after)
    with transaction.atomic():
        # With what it had reserved: a row read before a cancel and a retry must not give back what came later.
        same = Job.objects.filter(pk=job.pk, status=before, attempt=job.attempt, reserved_at=job.reserved_at)
        moved = same.update(status=after, lease_expires_at=None, released_at=None, updated_at=Now(), **fields)
        if not moved:
            return False
        if before is JobStatus.PROCESSING and outcome is not None:
            _end_attempt(job, outcome)
        _note(job.pk, job.attempt, before, after, reason=reason)
        if after in (JobStatus.CANCELLED, JobStatus.FAILED):
            results.mirror(job, after, error=error)
    return True


def _end_attempt(job: Job, outcome: Outcome, **said: Any) -> None:
    statements.end_attempt(job.pk, number=job.attempt, outcome=outcome.value, **said)


def _note(
    job_id: uuid.UUID,
    attempt: int,
    before: JobStatus | str,
    after: JobStatus,
    *,
    at: Instant | None = None,
    reason: str = "",
) -> None:
    statements.note(job_id, attempt=attempt, before=str(before), after=after.value, at=at, reason=reason)
