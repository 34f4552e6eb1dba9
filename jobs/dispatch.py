"""Record a job; release it to Celery after commit, best first, while its queue has room; release it again.

The backlog waits in the database. A released job is a message in the broker, and not more than the
workers will soon take: so order, delay and cancel are decided in SQL, alike on every broker. What the
broker loses is released again by `resend`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from kombu.exceptions import OperationalError

from jobs import accounts, canvas, heirs, kinds, limits, line, quotas, statistics, transitions
from jobs.errors import JointoError, Remedy
from jobs.heirs import on_behalf_of as on_behalf_of
from jobs.memory import Remembered
from jobs.models import FurtherKey, Hold, Instant, Job, Worker
from jobs.now import Now
from jobs.plain import plain
from jobs.priority import NORMAL
from jobs.status import WAITING, JobStatus

logger = logging.getLogger(__name__)

MISSED_PULSES = 3  # a worker that missed so many heartbeats is not counted on any more
_SURELY_LOST = 60  # times the wait after which a message counts as lost, however busy the workers are
_BROKER_REST_SECONDS = 3.0  # after a failure: do not make every request wait for a broker that is away

_AHEAD_SECONDS = 0.25  # as much work may wait at a worker: more would be out of the line's order
MOST_AHEAD = 8
_AT_ONCE = 500  # rows in one statement
_UNKNOWN_WAIT = timedelta(minutes=1)
_UNKNOWN_AT_MOST = timedelta(minutes=10)

_broker_down_until = 0.0


class UnknownQueue(JointoError):
    """No worker would ever take from it."""

    code = "unknown_queue"
    status = 400
    remedy = Remedy.NONE
    message = "There is no queue of this name."


class UnknownKind(JointoError):
    """No process has known the job's kind for a while: it was removed or renamed while the job waited."""

    code = "unknown_kind"
    message = "No task of this name is known any more."


class IdempotencyKeyReused(JointoError):
    """The key belongs to another request of the same user."""

    code = "idempotency_key_reused"
    status = 409
    remedy = Remedy.NONE
    message = "This Idempotency-Key was used for a different request. Use a new key."


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller of `delay` or `apply_async` asked for, in Jointo's words."""

    kind: str
    queue: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    job_id: uuid.UUID | None = None
    owner_id: int | None = None
    subject: str = ""
    priority: int | None = None
    quota: quotas.Quota | None = None
    promised: bool = False  # whatever was had of its quota: it belongs to what was accepted already
    tier: str = ""
    batch_id: uuid.UUID | None = None
    callback_url: str = ""
    max_attempts: int = 1
    run_at: datetime | None = None
    wait: timedelta | None = None
    deadline_at: Instant | None = None
    idempotency_key: str | None = None
    canvas: Mapping[str, Any] = field(default_factory=dict)


def submit(request: Request, *, then: Callable[[Job], None] | None = None) -> tuple[Job, bool]:
    """Record a job, to be released once the caller's transaction commits; and whether it is a new one.

    `then` runs in the transaction that records it. Rolled back, the job never existed, and its quota was never
    reserved. The same idempotency key of the same owner gives the same job. Raises UnknownQueue, QuotaExceeded,
    IdempotencyKeyReused.
    """
    request = _completed(request)
    known = _known(request)
    if known:
        return known, False
    job = _row(request)
    try:
        with transaction.atomic():
            transitions.record(job)
            if then:
                then(job)
            _reserve(request, [job])
    except (IntegrityError, quotas.QuotaExceeded):
        known = _known(request)  # the same key, at the same time, was quicker, and had the last of the quota
        if known is None:
            raise
        return known, False
    if job.hold == Hold.LATER:
        transaction.on_commit(_promote_quietly)  # it may be due, by the database's clock
    else:
        transaction.on_commit(lambda: release_quietly(job.queue, job.kind))
    return job, True


def submit_many(requests: Sequence[Request], *, then: Callable[[list[Job]], None] | None = None) -> list[Job]:
    """Record many jobs at once, in one transaction; they may be of several kinds, and have no idempotency keys.

    `then` runs in that transaction.
    """
    groups = _grouped(_completed(request) for request in requests)
    with transaction.atomic():
        rows: list[list[Job]] = []
        for alike in groups:
            first = alike[0]
            hold, turn = line.read(
                queue=first.queue, kind=first.kind, priority=_priority(first), owner_id=first.owner_id
            )
            jobs = [_row(request) for request in alike]
            for position, job in enumerate(jobs):
                if job.hold != Hold.LATER:
                    job.hold, job.turn = hold, turn + position
            rows.append(jobs)
        every = [job for jobs in rows for job in jobs]
        transitions.record_many(every)
        if then:
            then(every)
        for alike, jobs in zip(groups, rows, strict=True):
            _reserve(alike[0], jobs)
    for queue, kind in sorted({(job.queue, job.kind) for job in every}):
        transaction.on_commit(lambda queue=queue, kind=kind: release_quietly(queue, kind))  # type: ignore[misc]
    return every


def _grouped(requests: Iterable[Request]) -> list[list[Request]]:
    """Those together that stand in the same line one behind the other."""
    groups: dict[tuple[Any, ...], list[Request]] = {}
    for request in requests:
        groups.setdefault((request.queue, request.kind, request.owner_id, request.priority), []).append(request)
    return [groups[key] for key in sorted(groups, key=str)]


def _completed(request: Request) -> Request:
    """The request with what it inherits: owner and priority of the job that asks, or the owner's tier's."""
    if request.queue not in settings.CELERY_TASK_QUEUES:
        raise UnknownQueue(f"There is no queue called {request.queue!r}.")
    parent = heirs.parent()
    owner_id, priority, tier = request.owner_id, request.priority, request.tier
    if owner_id is None and parent:
        owner_id = parent.owner_id
    if priority is None and parent:
        priority = parent.priority
    if owner_id is not None and not tier and (priority is None or quotas.applies_to(request.kind, request.quota)):
        tier = accounts.tier_of(owner_id)
    if priority is None:
        priority = accounts.priority_of(tier) if tier else NORMAL
    return replace(request, owner_id=owner_id, priority=min(10, max(0, priority)), tier=tier)


def _priority(request: Request) -> int:
    return NORMAL if request.priority is None else request.priority


def _reserve(request: Request, jobs: Sequence[Job]) -> None:
    """Reserve the quota of jobs that are recorded. Last of all: who waits for a window holds what `then` has locked."""
    if request.owner_id is None or request.promised or not quotas.applies_to(request.kind, request.quota):
        return
    reserved_at = quotas.reserve(
        owner_id=request.owner_id,
        kind=request.kind,
        quota=request.quota,
        tier=request.tier,
        now=timezone.now(),
        count=len(jobs),
    )
    for first in range(0, len(jobs) if reserved_at else 0, _AT_ONCE):
        some = [job.pk for job in jobs[first : first + _AT_ONCE]]
        Job.objects.filter(pk__in=some).update(reserved_at=reserved_at)
    for job in jobs:
        job.reserved_at = reserved_at


def _row(request: Request) -> Job:
    now = Now()
    later = bool(request.run_at or request.wait)
    priority = _priority(request)
    standing = (
        None
        if later
        else line.turn(queue=request.queue, kind=request.kind, priority=priority, owner_id=request.owner_id)
    )
    return Job(
        id=request.job_id or uuid.uuid4(),
        kind=request.kind,
        queue=request.queue,
        owner_id=request.owner_id,
        subject=request.subject[:200],
        args=plain(list(request.args)),
        kwargs=plain(dict(request.kwargs)),
        canvas=dict(request.canvas),
        batch_id=request.batch_id,
        callback_url=request.callback_url,
        idempotency_key=request.idempotency_key,
        priority=priority,
        level=priority,
        hold=Hold.LATER.value if later else line.held(request.kind),
        turn=standing,
        max_attempts=request.max_attempts,
        run_at=request.run_at or (transitions.after(now, request.wait) if request.wait else now),
        deadline_at=request.deadline_at,
        created_at=now,
        updated_at=now,
    )


def release_quietly(queue: str, kind: str = "") -> None:
    """`release`, for callers whose own work is done and committed: the sweep will do what fails here."""
    if time.monotonic() < _broker_down_until:
        return
    try:
        release(queue, kind)
    except Exception:  # the job is recorded, and whoever submitted it must not hear of the broker's trouble
        logger.exception("release of queue %s failed; the sweep tries again", queue)


def release(queue: str, kind: str = "") -> int:
    """Send the best waiting jobs of a queue to Celery, as many as it has room for; how many were sent.

    `kind`: one of whose jobs something has changed, so that its limits may let another one in.
    """
    if kind and kind in limits.limited():
        limits.admit(kind)
    sent = 0
    jobs = line.take(queue, room=_room().get(queue, 0))
    for position, job in enumerate(jobs):
        known = kinds.find(job.kind)
        if known is None:
            _put_off(job)
            continue
        try:
            known.publish(job)
            sent += 1
        except (OperationalError, OSError) as error:
            _put_back(jobs[position:], error)
            break
    return sent


def promote() -> None:
    """Release what has become due since the last time."""
    for queue, kind in sorted(line.promote()):
        release_quietly(queue, kind)


def _promote_quietly() -> None:
    try:
        promote()
    except Exception:  # as for `release_quietly`: the workers' tick does the same
        logger.exception("jobs that are due were not released; the workers try again")


def release_all() -> int:
    """Send what can be sent, of every queue that has something waiting, and let the waiting gain rank."""
    _room.forget()
    line.promote()
    limits.admit_all()
    sent = 0
    for queue in sorted(settings.CELERY_TASK_QUEUES):
        line.age(queue, heads=max(1, capacity(queue)))
        sent += release(queue)
    return sent


def resend(*, older_than: timedelta) -> int:
    """Have jobs sent again whose message nobody took although workers were free; how many.

    While all workers of a queue are busy a message waits rightfully. That is sampled, and a lost one could be
    missed again and again, so after a long while every message is sent once more. Should one that was given up
    arrive all the same, whichever of the two comes second finds the job claimed.
    """
    released = Job.objects.filter(status__in=sorted(WAITING), released_at__isnull=False)
    long_ago = transitions.after(Now(), -_SURELY_LOST * older_than)
    lost = released.filter(released_at__lt=long_ago).update(released_at=None)
    stale = released.filter(released_at__lt=transitions.after(Now(), -older_than))
    for queue in stale.values_list("queue", flat=True).distinct().order_by("queue"):
        workers = _alive(queue)
        shared = {name for queues, _ in workers for name in queues}
        busy = Job.objects.filter(queue__in=shared, status=JobStatus.PROCESSING).count()
        if busy < sum(concurrency for _, concurrency in workers):
            lost += stale.filter(queue=queue).update(released_at=None)
    return lost


def capacity(queue: str) -> int:
    """How many jobs of a queue the workers that are there can run at once."""
    return capacities().get(queue, 0)


def capacities() -> dict[str, int]:
    """`capacity` of every queue that a worker takes from."""
    places: Counter[str] = Counter()
    for queues, concurrency in _alive():
        places.update(dict.fromkeys(queues, concurrency))
    return dict(places)


def _alive(queue: str = "") -> list[tuple[list[str], int]]:
    """Queues and concurrency of the workers that are there, of those alone that take from this queue."""
    since = transitions.after(Now(), -MISSED_PULSES * settings.JOINTO_JOBS.pulse)
    workers = Worker.objects.filter(seen_at__gt=since).values_list("queues", "concurrency")
    return [(queues, concurrency) for queues, concurrency in workers if not queue or queue in queues]


def forget() -> None:
    """Forget what this process remembers of workers, limits, quotas and a broker that was away."""
    global _broker_down_until
    _broker_down_until = 0.0
    _room.forget()
    limits.limited.forget()
    quotas.overridden.forget()


@Remembered
def _room() -> dict[str, int]:
    """How many jobs of each queue may be out: those at work, and what keeps the workers busy until more come.

    Long work is released when a place is free, so that what is urgent is next; short work some ahead.
    """
    return {queue: places * (1 + _ahead(queue)) for queue, places in capacities().items()}


def _ahead(queue: str) -> int:
    mean = statistics.mean_seconds(queue)
    return 1 if mean is None else min(MOST_AHEAD, int(_AHEAD_SECONDS / max(mean, 0.001)))


def _put_off(job: Job) -> None:
    """A kind that this process does not know, perhaps as its code is older: others get some minutes to take it.

    Counted in time, from when it was met first: releases are also resends and retries, and a job that had been
    through some would fail at once while a new version is rolled out.
    """
    waits = Job.objects.filter(pk=job.pk, status__in=sorted(WAITING))
    if waits.filter(unknown_since__lte=transitions.after(Now(), -_UNKNOWN_AT_MOST)).exists():
        error = UnknownKind(f"No task is called {job.kind} any more.")
        tell = functools.partial(canvas.failed, error=error)
        transitions.refuse(job, code=error.code, message=error.message, dead=True, then=tell)
        return
    later = {"released_at": None, "hold": Hold.LATER, "turn": None, "run_at": transitions.after(Now(), _UNKNOWN_WAIT)}
    waits.update(**later, unknown_since=Coalesce("unknown_since", Now()))


def _put_back(jobs: Sequence[Job], error: Exception) -> None:
    global _broker_down_until
    _broker_down_until = time.monotonic() + _BROKER_REST_SECONDS
    logger.warning("the broker took no message (%s); %d jobs wait for the sweep", error, len(jobs))
    Job.objects.filter(pk__in=[job.pk for job in jobs], status__in=sorted(WAITING)).update(released_at=None)


def find(key: str, *, owner_id: int) -> Job | None:
    """The job that an idempotency key of an owner stands for: its own, or one that was given it later."""
    of_its_own = Job.objects.filter(owner_id=owner_id, idempotency_key=key).first()
    return of_its_own or Job.objects.filter(further_keys__owner_id=owner_id, further_keys__key=key).first()


def remember(job: Job, key: str) -> None:
    """Have another idempotency key of its owner's stand for a job: who asked with it is given this one.

    For callers that hold a lock under which all ask for the same thing, and that `find` gave nothing. Raises
    IdempotencyKeyReused if the key was given to another job meanwhile.
    """
    if job.owner_id is None:
        return
    further, _ = FurtherKey.objects.get_or_create(owner_id=job.owner_id, key=key, defaults={"job": job})
    if further.job_id != job.pk:
        raise IdempotencyKeyReused


def _known(request: Request) -> Job | None:
    if not request.idempotency_key or request.owner_id is None:
        return None
    job = find(request.idempotency_key, owner_id=request.owner_id)
    if job and _digest(job.kind, job.args, job.kwargs) != _digest(request.kind, request.args, request.kwargs):
        raise IdempotencyKeyReused
    return job


def _digest(kind: str, args: Any, kwargs: Any) -> bytes:
    text = json.dumps([kind, plain(list(args)), plain(dict(kwargs))], sort_keys=True)
    return hashlib.sha256(text.encode()).digest()
