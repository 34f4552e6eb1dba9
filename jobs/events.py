"""Live events of jobs, for any number of watchers at the cost of one query round a process.

A hub polls for what has changed and hands it to those who watch. Two kinds of event:

- `transition`: a job went from one status to another. Its id is the transition's; a client that comes back
  with it (Last-Event-ID) is told every later one.
- `job`: the job as it is now, whenever anything about it has changed, progress too. It is the whole truth each
  time, so an old one is never missed; only the first one to a watcher of one job carries an id.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Q, QuerySet

from jobs.models import Job, Transition
from jobs.status import ACTIVE

logger = logging.getLogger(__name__)

Render = Callable[[Job], dict[str, Any]]

_QUEUE_LENGTH = 1000  # a watcher that is so far behind is let go; it comes back with its Last-Event-ID
_PING_SECONDS = 15.0
_OVERLAP = timedelta(seconds=5)  # a transaction may commit later than it says that it changed the row
_REPLAY_AT_MOST = 1000


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    data: dict[str, Any]
    job_id: uuid.UUID
    id: int | None = None
    last: bool = False

    def encode(self) -> bytes:
        """As it goes over the line."""
        number = f"id: {self.id}\n" if self.id is not None else ""
        data = json.dumps(self.data, cls=DjangoJSONEncoder)
        return f"{number}event: {self.name}\ndata: {data}\n\n".encode()


@dataclass(frozen=True)
class Scope:
    """What somebody watches: one job, or all of one user's."""

    owner_id: int
    job_id: uuid.UUID | None = None

    def covers(self, job: Job) -> bool:
        return job.pk == self.job_id if self.job_id else job.owner_id == self.owner_id

    @property
    def jobs(self) -> Q:
        return Q(pk=self.job_id) if self.job_id else Q(owner_id=self.owner_id)

    @property
    def transitions(self) -> Q:
        return Q(job_id=self.job_id) if self.job_id else Q(job__owner_id=self.owner_id)


@dataclass(eq=False)
class _Watcher:
    scope: Scope
    queue: asyncio.Queue[Event | None] = field(default_factory=lambda: asyncio.Queue(_QUEUE_LENGTH))

    def offer(self, event: Event) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self.queue.put_nowait(event)
            return
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Hub:
    """The watchers of one process, and the poll that serves them; belongs to one event loop."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self._watchers: set[_Watcher] = set()
        self._poller: asyncio.Task[None] | None = None
        self._changes = _Changes()
        # One thread, so one connection to the database, however many watch.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobs-events")

    async def watch(self, scope: Scope, *, after: int | None) -> AsyncIterator[bytes]:
        """What happens to the jobs of a scope from now on, encoded; `after`: and since that transition."""
        watcher = _Watcher(scope)
        self._watchers.add(watcher)  # first, so that nothing falls between the past and the future
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            yield b"retry: 2000\n\n"
            seen = after or 0
            for event in await self._in_thread(functools.partial(_past_at_last, scope, after, self._render)):
                seen = max(seen, event.id or 0)
                yield event.encode()
                if event.last:
                    return
            async for event in _following(watcher):
                if event is None:
                    yield b": still there\n\n"
                elif event.id is None or event.id > seen:
                    yield event.encode()
                    if event.last:
                        return
        finally:
            self._watchers.discard(watcher)

    async def _poll(self) -> None:
        while self._watchers:
            scopes = {watcher.scope for watcher in self._watchers}
            try:
                found = await self._in_thread(functools.partial(self._changes.since_last, scopes))
            except Exception:  # the database may be away for a while; the watchers stay
                logger.exception("a poll for events failed")
                await self._in_thread(_disconnect)
                found = []
            for job, event in _in_order(found, self._render):
                for watcher in list(self._watchers):
                    if watcher.scope.covers(job):
                        watcher.offer(_closing(event, watcher.scope, job))
            await asyncio.sleep(settings.JOINTO_JOBS.events_poll.total_seconds())
        # Whoever comes while the connection is being closed gets a poller of their own.
        self._poller, self._changes = None, _Changes()
        await self._in_thread(_disconnect)

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


class _Changes:
    """Remembers what was seen, to find what is new; used from the hub's thread alone."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._seen: dict[uuid.UUID, tuple[Any, ...]] = {}
        self._told: dict[int, datetime] = {}

    def since_last(self, scopes: Collection[Scope]) -> list[tuple[Job, list[Transition]]]:
        """The jobs in the scopes that changed since the last call, with their new transitions."""
        of_jobs = [scope.job_id for scope in scopes if scope.job_id]
        of_owners = [scope.owner_id for scope in scopes if not scope.job_id]
        jobs = Job.objects.filter(Q(pk__in=of_jobs) | Q(owner_id__in=of_owners))
        newest = jobs.order_by("-updated_at").values_list("updated_at", flat=True).first()
        if newest is None:
            return []
        since, self._since = self._since or newest - _OVERLAP, newest - _OVERLAP
        changed = [job for job in jobs.filter(updated_at__gte=since) if self._is_new(job)]
        moves = self._new_transitions(changed, since)
        self._forget(since)
        return [(job, moves.get(job.pk, [])) for job in changed]

    def _is_new(self, job: Job) -> bool:
        now = (job.updated_at, job.status, job.attempt, job.current, job.total, job.message)
        before, self._seen[job.pk] = self._seen.get(job.pk), now
        return before != now

    def _new_transitions(self, jobs: list[Job], since: datetime) -> dict[uuid.UUID, list[Transition]]:
        found: dict[uuid.UUID, list[Transition]] = {}
        rows = Transition.objects.filter(job_id__in=[job.pk for job in jobs], at__gte=since).order_by("id")
        for row in rows:
            if row.pk not in self._told:
                self._told[row.pk] = row.at
                found.setdefault(row.job_id, []).append(row)
        return found

    def _forget(self, since: datetime) -> None:
        self._told = {key: at for key, at in self._told.items() if at >= since}
        self._seen = {key: seen for key, seen in self._seen.items() if seen[0] >= since}


def _disconnect() -> None:
    """Close the connection of the thread that this runs in; the next query opens a new one."""
    connection.close()


def _in_order(found: list[tuple[Job, list[Transition]]], render: Render) -> Iterator[tuple[Job, Event]]:
    """All moves of one round by their number, so that the last id told covers those before; then the jobs."""
    moves = [(job, row) for job, rows in found for row in rows]
    for job, row in sorted(moves, key=lambda move: move[1].pk):
        yield job, _moved(row)
    for job, _ in found:
        yield job, _as_it_is(job, render)


async def _following(watcher: _Watcher) -> AsyncIterator[Event | None]:
    """The watcher's events as they come; None when it is time for a sign of life."""
    while True:
        try:
            event = await asyncio.wait_for(watcher.queue.get(), _PING_SECONDS)
        except TimeoutError:
            yield None
            continue
        if event is None:
            return
        yield event


def _past_at_last(scope: Scope, after: int | None, render: Render) -> list[Event]:
    """`_past`, by a new connection if the one at hand has broken meanwhile."""
    try:
        return list(_past(scope, after, render))
    except (DatabaseError, InterfaceError):
        _disconnect()
        return list(_past(scope, after, render))


def _past(scope: Scope, after: int | None, render: Render) -> Iterable[Event]:
    """What a watcher has to know first: the transitions it missed, and the jobs as they are.

    Three reads, and jobs move in between; so the order matters. The number that the picture of a job carries is
    read before the picture: what happens in between is told once more, rather than never. The missed transitions
    are read after it: a job that is shown at its end has its end among them.
    """
    newest = _newest(scope) if scope.job_id else None  # several jobs' numbers may commit out of order: no use
    jobs: QuerySet[Job] = Job.objects.filter(scope.jobs)
    if scope.job_id is None:
        jobs = jobs.filter(status__in=sorted(ACTIVE)).order_by("created_at")[:_REPLAY_AT_MOST]
    pictures = list(jobs)
    if after is not None:
        for row in Transition.objects.filter(scope.transitions, pk__gt=after).order_by("id")[:_REPLAY_AT_MOST]:
            newest = newest and max(newest, row.pk)
            yield _moved(row)
    for job in pictures:
        yield _closing(replace(_as_it_is(job, render), id=newest), scope, job)


def _newest(scope: Scope) -> int | None:
    moves = Transition.objects.filter(scope.transitions).order_by("-id")
    return moves.values_list("pk", flat=True).first()


def is_over(job: Job, *, after: int | None) -> bool:
    """Whether a client that knows all transitions up to `after` has nothing more to expect."""
    return job.is_finished and after is not None and not Transition.objects.filter(job_id=job.pk, pk__gt=after).exists()


def _moved(row: Transition) -> Event:
    data = {
        "id": row.job_id,
        "from": row.before,
        "to": row.after,
        "attempt": row.attempt,
        "reason": row.reason,
        "at": row.at,
    }
    return Event("transition", data, row.job_id, id=row.pk)


def _as_it_is(job: Job, render: Render) -> Event:
    return Event("job", render(job), job.pk)


def _closing(event: Event, scope: Scope, job: Job) -> Event:
    """The event, marked as the last one if it tells the watcher of one job that it has ended."""
    last = event.name == "job" and scope.job_id is not None and job.is_finished
    return replace(event, last=True) if last else event
