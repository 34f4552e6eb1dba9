"""The members of a batch: recorded at once, cancelled and retried one by one, a few at a time."""

from __future__ import annotations

import functools
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from celery.canvas import Signature
from celery.exceptions import TaskRevokedError
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from jobs import arguments, canvas, control, dispatch, kinds, transitions
from jobs.models import Batch, Hold, Job
from jobs.now import Now
from jobs.status import ACTIVE, WAITING, JobStatus

_ASIDE = timedelta(days=100 * 365)  # for ever: however late it is cancelled, it has not started
_PAGE = 500
_UPKEEP = "maintenance"


class Submits(kinds.Kind, Protocol):
    """What a batch asks of a kind beside what the engine does; `jobs.task.JobTask` is it."""

    def link_each(self, jobs: Sequence[Job]) -> None:
        """`link` for many that were recorded together."""

    def request_for(self, args: Sequence[Any], kwargs: Mapping[str, Any], **options: Any) -> dispatch.Request:
        """What the dispatcher is asked for."""

    def submit(self, args: Sequence[Any], kwargs: Mapping[str, Any], **options: Any) -> tuple[Job, bool]:
        """Record one job."""


@dataclass(frozen=True)
class Member:
    """One job to be: its kind, and its arguments."""

    kind: Submits
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def kind_of(name: str | None) -> Submits:
    """The kind with this name. Raises ValueError if there is none."""
    found = kinds.find(name)
    if found is None:
        raise ValueError(f"{name} is no kind of job")
    return cast(Submits, found)


def queue_of(name: str) -> str:
    """The queue of a kind; the one for upkeep of a name that is no kind, or whose queue is gone."""
    kind = kinds.find(name)
    return kind.job_queue if kind and kind.job_queue in settings.CELERY_TASK_QUEUES else _UPKEEP


def of_signature(signature: Signature) -> Member:
    """What a signature asks for. Raises ValueError for what is no job, or more than one."""
    if signature.options.keys() - {"task_id"}:
        raise ValueError(f"a member of a batch can't have options of its own: {sorted(signature.options)}")
    return Member(kind_of(signature.task), signature.args, signature.kwargs)


def callback(signature: Signature | None) -> dict[str, Any]:
    """A batch's callback as the row keeps it. Raises ValueError, TypeError for what could not be submitted later."""
    if signature is None:
        return {}
    options = {name: value for name, value in signature.options.items() if name in ("queue", "priority")}
    said: dict[str, Any] = json.loads(
        json.dumps({"task": signature.task, "args": signature.args, "kwargs": signature.kwargs, "options": options})
    )
    arguments.named(kind_of(signature.task), said["args"], {**said["kwargs"], "batch_id": ""})
    return said


def requests(batch: Batch, members: Sequence[Member], *, priority: int | None) -> list[dispatch.Request]:
    """What the dispatcher is to be asked for. Raises TypeError for arguments that do not fit."""
    said = {"owner_id": batch.owner_id, "priority": priority, "batch_id": batch.pk}
    return [member.kind.request_for(member.args, member.kwargs, **said) for member in members]


def record(members: Sequence[Member], wanted: Sequence[dispatch.Request]) -> list[Job]:
    """Record all of them; inside a transaction. Raises what submitting one job raises."""

    def link(rows: list[Job]) -> None:
        for kind in {member.kind.name: member.kind for member in members}.values():
            kind.link_each([job for job in rows if job.kind == kind.name])

    return dispatch.submit_many(wanted, then=link)


def digests(members: Sequence[Member]) -> list[str]:
    """What tells these members from others, in whichever order they come."""
    return sorted(digest([member.kind.name, list(member.args), dict(member.kwargs)]) for member in members)


def digest(value: Any) -> str:
    """SHA-256 of what JSON makes of it."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def active(batch_id: uuid.UUID) -> QuerySet[Job]:
    """The members that have not ended."""
    return Job.objects.filter(batch_id=batch_id, status__in=sorted(ACTIVE))


def set_aside(batch_id: uuid.UUID) -> int:
    """Take the waiting members of a cancelled batch out of their queue's line, to wait there for their cancelling.

    How many. Those that a dispatcher is at this very moment are skipped: they count as given to the broker.
    """
    waiting = Job.objects.filter(batch_id=batch_id, status__in=sorted(WAITING), released_at__isnull=True)
    with transaction.atomic():
        if not _locked(batch_id, cancelled=True):
            return 0
        skip = connection.features.has_select_for_update_skip_locked
        ids = list(waiting.select_for_update(skip_locked=skip).order_by("id").values_list("id", flat=True))
        later = transitions.after(Now(), _ASIDE)
        for start in range(0, len(ids), _PAGE):
            waiting.filter(pk__in=ids[start : start + _PAGE]).update(hold=Hold.LATER, run_at=later, updated_at=Now())
    return len(ids)


def cancel(batch_id: uuid.UUID, *, by: str, limit: int) -> int:
    """Cancel the next few members that have not ended, those that could start or run first; how many were met.

    None of a batch that goes on, should it be retried meanwhile.
    """
    met = 0
    tell = functools.partial(canvas.failed, error=TaskRevokedError("cancelled"))
    touched: set[tuple[str, str]] = set()
    for pk in _next(batch_id, limit=limit):
        # One at a time, so that nobody waits long for the batch's row, and no member for another.
        with transaction.atomic():
            if not _locked(batch_id, cancelled=True):
                break
            job = transitions.cancel(pk, reason=f"cancelled by {by}", then=tell)
        met += 1
        if job:  # else it ended meanwhile
            touched.add((job.queue, job.kind))
    for queue, kind in sorted(touched):
        dispatch.release_quietly(queue, kind)
    return met


def retry(
    batch_id: uuid.UUID, *, by: str, before: datetime, cancelled: bool, after: uuid.UUID | None = None, limit: int
) -> tuple[int, uuid.UUID | None]:
    """Retry the next few members that failed before that moment: how many, and the last one that was looked at.

    A member that fails again is left failed: it ended after `before`. None: there are no more, or the batch was
    cancelled. Raises QuotaExceeded.
    """
    statuses = [JobStatus.FAILED, JobStatus.CANCELLED] if cancelled else [JobStatus.FAILED]
    found = Job.objects.filter(batch_id=batch_id, status__in=statuses, finished_at__lte=before)
    rows = list((found.filter(pk__gt=after) if after else found).order_by("id")[:limit])
    retried = 0
    for job in rows:
        try:
            with transaction.atomic():
                if not _locked(batch_id, cancelled=False):
                    return retried, None
                control.retry(job, by=by)
            retried += 1
        except (control.NotRetryable, control.SubjectBusy):  # somebody was quicker; another job works for the same
            continue
    return retried, rows[-1].pk if len(rows) == limit else None


def pages(batch_id: uuid.UUID, *, by: str, before: datetime, cancelled: bool) -> Iterator[int]:
    """`retry` until there are no more; how many each time."""
    last: uuid.UUID | None = None
    while True:
        retried, last = retry(batch_id, by=by, before=before, cancelled=cancelled, after=last, limit=_PAGE)
        yield retried
        if last is None:
            return


def _next(batch_id: uuid.UUID, *, limit: int) -> list[uuid.UUID]:
    """The members to cancel next: those that could start at any moment, those that run, the others."""
    about_to_start = active(batch_id).filter(released_at__isnull=False)
    found: dict[uuid.UUID, None] = {}
    for some in (about_to_start, active(batch_id).filter(status=JobStatus.PROCESSING), active(batch_id)):
        found.update(dict.fromkeys(some.order_by("id").values_list("pk", flat=True)[:limit]))
    return list(found)[:limit]


def _locked(batch_id: uuid.UUID, *, cancelled: bool) -> bool:
    """Lock the batch's row if it is cancelled, or if it is not; whether that is so. It stays so until the commit."""
    rows = Batch.objects.filter(pk=batch_id, cancelled_at__isnull=not cancelled).select_for_update(no_key=True)
    return bool(rows.order_by().values_list("pk"))
