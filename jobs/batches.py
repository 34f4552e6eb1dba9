"""Many jobs as one: recorded together, counted as they move, cancelled and retried together.

A batch comes to its end when all of its members have ended, the failed and the cancelled ones included. That is one
round: `rounds` goes up by one, `ended_at` is set, and the callback is submitted, once. A member that is retried by
hand opens the batch again, and its next end is another round, with another callback.

`jobs.journal` has it counted, so the numbers in the row follow what the members do within about a second.
Whatever locks rows of batches and of other tables locks the batches first, by id.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from celery.canvas import Signature
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.expressions import Case, When

from jobs import dispatch, heirs, members, notifications, transitions
from jobs.errors import BadInput, JointoError, Remedy
from jobs.members import Member
from jobs.models import Batch, FailurePolicy, Job, Transition
from jobs.moves import Move
from jobs.now import Now
from jobs.priority import CRITICAL, LOW
from jobs.status import ACTIVE, FINISHED, JobStatus

logger = logging.getLogger(__name__)

LARGEST = 10_000
"""So many members may a batch have."""

_AT_ONCE = 100  # so many members are cancelled or retried while the caller waits; a job does the rest
_CANCEL_REST = "jobs.batch_tasks.cancel_members"
_RETRY_REST = "jobs.batch_tasks.retry_members"
_COLUMNS = {JobStatus.COMPLETED: "completed", JobStatus.FAILED: "failed", JobStatus.CANCELLED: "cancelled"}


class BatchTooLarge(BadInput):
    """More members than a batch may have."""

    code = "batch_too_large"
    message = f"A batch may have at most {LARGEST} members. Make several batches of them."


class BatchClosed(JointoError):
    """Nothing can be added any more."""

    code = "batch_closed"
    status = 409
    remedy = Remedy.NONE
    message = "The batch has ended or was cancelled, so nothing can be added to it. Make a new batch."


class BatchEnded(JointoError):
    """All members have ended."""

    code = "batch_ended"
    status = 409
    remedy = Remedy.NONE
    message = "All jobs of the batch have ended already, so there is nothing to cancel."


class BatchBeingCancelled(JointoError):
    """Members are still to be cancelled."""

    code = "batch_being_cancelled"
    status = 409
    message = "Jobs of the batch are still being cancelled. Try again once all of them have ended."


class NothingToRetry(JointoError):
    """No member has failed."""

    code = "nothing_to_retry"
    status = 409
    remedy = Remedy.NONE
    message = "No job of the batch has failed, so there is nothing to retry."


class Terms(TypedDict, total=False):
    """What may be said of a batch, all of it optional.

    - `owner_id`: whose it and its members are; else each member's own, as its kind says, else that of the job that
      makes the batch. The batch is theirs if all are of one owner.
    - `priority`: of the members; low, unless said otherwise.
    - `on_failure`: what a member that fails for good means for the others.
    - `callback`: a signature of a kind of job; it gets the argument `batch_id` beside its own, at each end. No
      quota keeps it back; one that can't be submitted by then is a dead letter.
    - `callback_url`: told by a signed webhook, at each end.
    - `idempotency_key`: the same key of the same owner gives the same batch.
    """

    owner_id: int | None
    name: str
    priority: int | None
    on_failure: FailurePolicy
    callback: Signature | None
    callback_url: str
    idempotency_key: str | None


Arguments = Iterable[tuple[Sequence[Any], Mapping[str, Any]]]
"""For each member its positional and its named arguments."""


def create(task: Any, arguments: Arguments, **terms: Unpack[Terms]) -> Batch:
    """Record a job of one kind for each of `arguments`, and the batch that they are.

    All or nothing. Without members it is at its end at once. Raises BatchTooLarge, TypeError for arguments that do
    not fit, and what submitting one job raises (UnknownQueue, QuotaExceeded, IdempotencyKeyReused).
    """
    return _record([Member(task, args, kwargs) for args, kwargs in arguments], terms)


def create_mixed(signatures: Iterable[Signature], **terms: Unpack[Terms]) -> Batch:
    """As `create`, with members of any kinds: signatures such as ``generate_thumbnail.si(12, at=3.0)``."""
    return _record([members.of_signature(signature) for signature in signatures], terms)


def add(batch: Batch, task: Any, arguments: Arguments, *, priority: int | None = LOW) -> int:
    """Add members to a batch that has neither ended nor been cancelled; how many. Raises BatchClosed, BatchTooLarge."""
    more = [Member(task, args, kwargs) for args, kwargs in arguments]
    with transaction.atomic():
        # The row stays locked until the members are there: neither its end nor its cancelling misses them.
        still_open = Batch.objects.filter(pk=batch.pk, ended_at__isnull=True, cancelled_at__isnull=True)
        if not _change(still_open, total=F("total") + len(more)):
            raise BatchClosed
        if Batch.objects.filter(pk=batch.pk, total__gt=LARGEST).exists():
            raise BatchTooLarge
        members.record(more, members.requests(batch, more, priority=priority))
    return len(more)


def cancel(batch: Batch, *, by: str) -> None:
    """Cancel all members that have not ended: waiting ones never start, running ones stop, new ones are refused.

    The first few at once; a job sees to it that all are, and until then the rest stands in no line. Harmless when
    repeated. Raises BatchEnded.
    """
    with transaction.atomic():
        cancelled = _change(Batch.objects.filter(pk=batch.pk, ended_at__isnull=True), cancelled_at=Now())
        if not cancelled or not members.active(batch.pk).exists():
            raise BatchEnded
        # Here, and of a small batch too: whoever dies after the commit has left nothing half cancelled.
        members.set_aside(batch.pk)
        _upkeep(_CANCEL_REST, batch_id=str(batch.pk), by=by)
    members.cancel(batch.pk, by=by, limit=_AT_ONCE)


def retry_failed(batch: Batch, *, by: str, cancelled: bool = False) -> int:
    """Retry every member that has failed, and with `cancelled` also those that were cancelled; how many at once.

    Of a large batch a job retries the rest. A member whose subject another job works for is left as it is. Two
    who do it at once retry each member once. While members are still to be cancelled nothing is retried, as nobody
    could say which of them are meant. Raises NothingToRetry, BatchBeingCancelled, QuotaExceeded.
    """
    statuses = [JobStatus.FAILED, JobStatus.CANCELLED] if cancelled else [JobStatus.FAILED]
    last_end = Job.objects.filter(batch_id=batch.pk, status__in=statuses).order_by("-finished_at")
    before = last_end.values_list("finished_at", flat=True).first()
    if before is None:
        raise NothingToRetry
    with transaction.atomic():
        if _is_being_cancelled(Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)):
            raise BatchBeingCancelled
        _change(Batch.objects.filter(pk=batch.pk), cancelled_at=None)
    retried, more = members.retry(batch.pk, by=by, before=before, cancelled=cancelled, limit=_AT_ONCE)
    if more:
        _upkeep(_RETRY_REST, batch_id=str(batch.pk), by=by, before=before.isoformat(), cancelled=cancelled)
    return retried


def counts(batch: Batch) -> dict[str, int]:
    """How many members are in each status now: from the members while they move, from the row once all ended."""
    by_status = dict.fromkeys(JobStatus, 0)
    if batch.ended_at is None:
        rows = Job.objects.filter(batch_id=batch.pk).order_by().values_list("status")
        by_status |= {JobStatus(status): n for status, n in rows.annotate(n=Count("pk"))}
    # The row knows also of those that retention has removed since.
    return {
        status.value: max(n, getattr(batch, _COLUMNS[status])) if status in _COLUMNS else n
        for status, n in by_status.items()
    }


def count(moves: Sequence[Move]) -> list[Batch]:
    """Count what moves mean for the batches of their jobs, and draw it to its end; those that came to theirs.

    Inside the transaction that books the moves. Commutes: whichever moves are booked first, the numbers and the
    rounds are the same in the end.
    """
    changes: dict[uuid.UUID, Counter[str]] = defaultdict(Counter)
    for move in moves:
        batch_id = move.job.batch_id
        if batch_id is None:
            continue
        for status, sign in ((move.after, 1), (move.before, -1)):
            if status in FINISHED:
                changes[batch_id][_COLUMNS[JobStatus(status)]] += sign
                changes[batch_id]["opened"] += sign < 0
    for batch_id in sorted(changes):
        _add_up(batch_id, changes[batch_id])
    ended = _ended(changes, seen={move.id for move in moves})
    for batch in sorted(ended, key=lambda batch: (batch.owner_id or 0, batch.pk)):
        _end(batch)
    failed = {move.job.batch_id for move in moves if move.after == JobStatus.FAILED and move.job.batch_id}
    _stop_others(failed - {batch.pk for batch in ended})
    return ended


def _record(asked: Sequence[Member], terms: Terms) -> Batch:
    if len(asked) > LARGEST:
        raise BatchTooLarge
    batch = Batch(
        name=terms.get("name", "")[:200],
        owner_id=terms.get("owner_id"),
        on_failure=FailurePolicy(terms.get("on_failure", FailurePolicy.GO_ON)).value,
        callback=members.callback(terms.get("callback")),
        callback_url=terms.get("callback_url", ""),
        idempotency_key=terms.get("idempotency_key") or None,
        total=len(asked),
        created_at=Now(),
        updated_at=Now(),
    )
    wanted = members.requests(batch, asked, priority=terms.get("priority", LOW))
    if batch.owner_id is None:
        batch.owner_id = _owner_of(wanted)
    if batch.idempotency_key:
        said = [batch.name, batch.on_failure, batch.callback, batch.callback_url]
        batch.asked = members.digest([*said, members.digests(asked)])
    known = _known(batch)
    if known:
        return known
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
            members.record(asked, wanted)
            if not asked:
                _end(batch)
    except IntegrityError:
        known = _known(batch)  # the same key, at the same time, was quicker
        if known is None:
            raise
        return known
    return Batch.objects.get(pk=batch.pk)


def _owner_of(wanted: Sequence[dispatch.Request]) -> int | None:
    """Whose all members will be; None if they will not be of one owner."""
    parent = heirs.parent()
    inherited = parent.owner_id if parent else None
    owners = {inherited if request.owner_id is None else request.owner_id for request in wanted} or {inherited}
    return owners.pop() if len(owners) == 1 else None


def _known(batch: Batch) -> Batch | None:
    """The batch that the same owner made with the same key. Raises IdempotencyKeyReused if it is another one.

    What was asked for is compared, not what became of it: members may have been added since, or removed.
    """
    if batch.idempotency_key is None or batch.owner_id is None:
        return None
    known = Batch.objects.filter(owner_id=batch.owner_id, idempotency_key=batch.idempotency_key).first()
    if known and known.asked != batch.asked:
        raise dispatch.IdempotencyKeyReused
    return known


def _change(rows: QuerySet[Batch], **columns: Any) -> int:
    """Update batches, as one more revision of each; how many."""
    return rows.update(updated_at=Now(), revision=F("revision") + 1, **columns)


def _is_being_cancelled(batch: Batch) -> bool:
    """Whether members are still to be cancelled, in the round in which that was said."""
    if batch.cancelled_at is None or (batch.ended_at and batch.cancelled_at <= batch.ended_at):
        return False
    return members.active(batch.pk).exists()


def _add_up(batch_id: uuid.UUID, change: Counter[str]) -> None:
    fields: dict[str, Any] = {name: F(name) + change[name] for name in _COLUMNS.values() if change[name]}
    if change["opened"]:
        # A cancellation belongs to the round in which it was said.
        over = When(cancelled_at__lte=F("ended_at"), then=Value(None))
        fields |= {"ended_at": None, "cancelled_at": Case(over, default=F("cancelled_at"))}
    _change(Batch.objects.filter(pk=batch_id), **fields)


def _ended(batch_ids: Collection[uuid.UUID], *, seen: Collection[int]) -> list[Batch]:
    """Which of these have come to an end: all members have, and no move of theirs is left to be counted.

    The rows are locked by the counting before, so whoever counts the last move is sure to see that it is. A move
    that is not counted yet may have opened the batch again: its end would be told twice.
    """
    full = Batch.objects.filter(
        pk__in=list(batch_ids), ended_at__isnull=True, total__lte=F("completed") + F("failed") + F("cancelled")
    )
    candidates = {batch.pk: batch for batch in full}
    if not candidates:
        return []
    moving = set(Job.objects.filter(batch__in=candidates, status__in=sorted(ACTIVE)).values_list("batch_id", flat=True))
    ending = Q(before__in=sorted(FINISHED)) | Q(after__in=sorted(FINISHED))
    to_count = Transition.objects.filter(ending, booked=False, job__batch__in=candidates)
    for pk, batch_id in to_count.values_list("pk", "job__batch_id"):
        if pk not in seen:
            moving.add(batch_id)
    return [batch for pk, batch in candidates.items() if pk not in moving]


def _end(batch: Batch) -> None:
    """Close a round: say so, and submit its callback."""
    still_open = Batch.objects.filter(pk=batch.pk, ended_at__isnull=True)
    if not _change(still_open, ended_at=Now(), rounds=F("rounds") + 1):
        return
    batch.refresh_from_db()
    notifications.tell_of_batch(batch)
    if batch.callback:
        _call_back(batch)


def _call_back(batch: Batch) -> None:
    """Submit the callback, whatever is left of the owner's quota; or have an operator see that it can't be done."""
    said = batch.callback
    named = {**said["kwargs"], "batch_id": str(batch.pk)}
    try:
        with transaction.atomic():
            kind = members.kind_of(said["task"])
            request = kind.request_for(said["args"], named, owner_id=batch.owner_id, **said["options"])
            dispatch.submit(replace(request, promised=True), then=kind.link)
    except OperationalError:  # the database's own trouble: all of the booking is tried again
        raise
    except Exception as error:  # what kinds do there is theirs, and the same again the next time
        logger.exception("the callback of batch %s can't be submitted", batch.pk)
        _refuse(said["task"], said["args"], named, owner_id=batch.owner_id, error=error)


def _refuse(
    kind: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, owner_id: int | None, error: Exception
) -> None:
    """Record a job that has failed before it could begin: a dead letter, from which an operator retries it."""
    request = dispatch.Request(
        kind=kind, queue=members.queue_of(kind), args=args, kwargs=kwargs, owner_id=owner_id, promised=True
    )
    job, _ = dispatch.submit(request)
    said = f"The callback of a batch could not be submitted: {str(error) or type(error).__name__}"
    transitions.refuse(Job.objects.get(pk=job.pk), code="callback_not_submitted", message=said, dead=True)


def _stop_others(batch_ids: Collection[uuid.UUID]) -> None:
    """Cancel the batches that go no further than their first failed member; a job does it, soon."""
    to_stop = Batch.objects.filter(pk__in=list(batch_ids), on_failure=FailurePolicy.CANCEL).filter(
        Q(cancelled_at__isnull=True) | Q(cancelled_at__lte=F("ended_at"))
    )
    for batch_id in sorted(to_stop.values_list("pk", flat=True)):
        _change(Batch.objects.filter(pk=batch_id), cancelled_at=Now())
        _upkeep(_CANCEL_REST, batch_id=str(batch_id), by="a failed member")


def _upkeep(kind: str, **arguments: Any) -> None:
    members.kind_of(kind).submit((), arguments, priority=CRITICAL)
