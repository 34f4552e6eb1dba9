"""Record a job; release it to Celery after commit, best first, while its queue has room; release it again.

The backlog waits in the database. A released job is a message in the broker, and not more than the
workers will soon take: so order, delay and cancel are decided in SQL, alike on every broker. What the
broker loses is released again by `resend`.
"""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Q
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from jobs import kinds, transitions
from jobs.errors import JointoError, Remedy
from jobs.models import Job, Worker
from jobs.priority import NORMAL, ORDER
from jobs.status import WAITING, JobStatus

logger = logging.getLogger(__name__)

MISSED_PULSES = 3  # a worker that missed so many heartbeats is not counted on any more
_SURELY_LOST = 10  # times the wait after which a message counts as lost, however busy the workers are
_BROKER_REST_SECONDS = 3.0  # after a failure: do not make every request wait for a broker that is away

_broker_down_until = 0.0
_parent: contextvars.ContextVar[Job | None] = contextvars.ContextVar("jobs_parent", default=None)


class UnknownQueue(JointoError):
    """No worker would ever take from it."""

    code = "unknown_queue"
    status = 400
    remedy = Remedy.NONE
    message = "There is no queue of this name."


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
    max_attempts: int = 1
    run_at: datetime | None = None
    wait: timedelta | None = None
    deadline_at: datetime | None = None
    idempotency_key: str | None = None
    canvas: Mapping[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def on_behalf_of(job: Job) -> Iterator[None]:
    """What is submitted inside belongs to the job's owner, and has its priority, unless it says otherwise."""
    token = _parent.set(job)
    try:
        yield
    finally:
        _parent.reset(token)


def submit(request: Request, *, then: Callable[[Job], None] | None = None) -> tuple[Job, bool]:
    """Record a job, to be released once the caller's transaction commits; and whether it is a new one.

    `then` runs in the transaction that records it. Rolled back, the job never existed. The same idempotency
    key of the same owner gives the same job.
    """
    if request.queue not in settings.CELERY_TASK_QUEUES:
        raise UnknownQueue(f"There is no queue called {request.queue!r}.")
    parent = _parent.get()
    owner_id = parent.owner_id if request.owner_id is None and parent else request.owner_id
    known = _known(request, owner_id)
    if known:
        return known, False
    now = Now()
    job = Job(
        id=request.job_id or uuid.uuid4(),
        kind=request.kind,
        queue=request.queue,
        owner_id=owner_id,
        subject=request.subject[:200],
        args=_plain(list(request.args)),
        kwargs=_plain(dict(request.kwargs)),
        canvas=dict(request.canvas),
        idempotency_key=request.idempotency_key,
        priority=_priority(request.priority, parent),
        max_attempts=request.max_attempts,
        run_at=request.run_at or (transitions.after(now, request.wait) if request.wait else now),
        deadline_at=request.deadline_at,
        created_at=now,
        updated_at=now,
    )
    try:
        with transaction.atomic():
            transitions.record(job)
            if then:
                then(job)
    except IntegrityError:
        known = _known(request, owner_id)  # the same key, at the same time, was quicker
        if known is None:
            raise
        return known, False
    transaction.on_commit(lambda: release_quietly(job.queue))
    return job, True


def release_quietly(queue: str) -> None:
    """`release`, for callers whose own work is done and committed: the sweep will do what fails here."""
    if time.monotonic() < _broker_down_until:
        return
    try:
        release(queue)
    except Exception:  # the job is recorded, and whoever submitted it must not hear of the broker's trouble
        logger.exception("release of queue %s failed; the sweep tries again", queue)


def release(queue: str) -> int:
    """Send the best waiting jobs of a queue to Celery, as many as it has room for; how many were sent."""
    free = room(queue)
    if free <= 0:
        return 0
    jobs = _take(queue, free)
    for position, job in enumerate(jobs):
        kind = kinds.find(job.kind)
        if kind is None:
            transitions.refuse(job, code="unknown_kind", message=f"No task is called {job.kind} any more.")
            continue
        try:
            kind.publish(job)
        except (OperationalError, OSError) as error:
            _put_back(jobs[position:], error)
            return position
    return len(jobs)


def release_all() -> int:
    """Send what can be sent, of every queue that has something waiting."""
    queues = Job.objects.filter(_due(), released_at__isnull=True).values_list("queue", flat=True).distinct()
    return sum(release(queue) for queue in queues.order_by("queue"))


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
    return sum(concurrency for _, concurrency in _alive(queue))


def _alive(queue: str) -> list[tuple[list[str], int]]:
    """Queues and concurrency of the workers that are there and take from this queue."""
    since = transitions.after(Now(), -MISSED_PULSES * settings.JOINTO_JOBS.pulse)
    workers = Worker.objects.filter(seen_at__gt=since).values_list("queues", "concurrency")
    return [(queues, concurrency) for queues, concurrency in workers if queue in queues]


def room(queue: str) -> int:
    """How many more messages a queue should hold: what is taken soon, that no worker waits for its next one."""
    places = capacity(queue)
    if not places:
        return 0
    taken = Job.objects.filter(Q(status=JobStatus.PROCESSING) | Q(released_at__isnull=False), queue=queue).aggregate(
        n=Count("id")
    )["n"]
    return 2 * places - int(taken)


def _due() -> Q:
    return Q(status__in=sorted(WAITING), run_at__lte=Now())


def _take(queue: str, limit: int) -> list[Job]:
    """Mark the best rows as released. Two dispatchers at once never take the same row."""
    with transaction.atomic():
        best = Job.objects.filter(_due(), queue=queue, released_at__isnull=True).order_by(*ORDER)
        jobs = list(best.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)[:limit])
        Job.objects.filter(pk__in=[job.pk for job in jobs]).update(released_at=Now(), releases=F("releases") + 1)
    for job in jobs:
        job.releases += 1
    return jobs


def _put_back(jobs: Sequence[Job], error: Exception) -> None:
    global _broker_down_until
    _broker_down_until = time.monotonic() + _BROKER_REST_SECONDS
    logger.warning("the broker took no message (%s); %d jobs wait for the sweep", error, len(jobs))
    Job.objects.filter(pk__in=[job.pk for job in jobs], status__in=sorted(WAITING)).update(released_at=None)


def _known(request: Request, owner_id: int | None) -> Job | None:
    if not request.idempotency_key or owner_id is None:
        return None
    job = Job.objects.filter(owner_id=owner_id, idempotency_key=request.idempotency_key).first()
    if job and _digest(job.kind, job.args, job.kwargs) != _digest(request.kind, request.args, request.kwargs):
        raise IdempotencyKeyReused
    return job


def _digest(kind: str, args: Any, kwargs: Any) -> bytes:
    text = json.dumps([kind, _plain(list(args)), _plain(dict(kwargs))], sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def _plain(value: Any) -> Any:
    """The value as JSON gives it back; a TypeError at the caller, not in a worker, if it is no JSON."""
    return json.loads(json.dumps(value, allow_nan=False))


def _priority(asked: int | None, parent: Job | None) -> int:
    if asked is None:
        return parent.priority if parent else NORMAL
    return min(10, max(0, asked))
