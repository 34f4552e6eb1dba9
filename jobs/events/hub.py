"""The watchers of one process, and the poll that serves them all."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from jobs.events import states
from jobs.events.changes import Changes, Found, state_of
from jobs.events.scopes import Event, Scope
from jobs.models import Job
from jobs.status import FINISHED

logger = logging.getLogger(__name__)

_QUEUE_LENGTH = 1000  # a watcher that is so far behind is let go; it comes back with its Last-Event-ID
_PING_SECONDS = 15.0
_RENDERED_SECONDS = 1.0


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

    def forget(self, ids: Collection[Any]) -> None:
        """Drop what was offered so far of how these things are; their moves stay."""
        for event in [self.queue.get_nowait() for _ in range(self.queue.qsize())]:
            if event is None or event.name == "transition" or event.data["id"] not in ids:
                self.queue.put_nowait(event)


class Hub:
    """The watchers of one process, and the poll that serves them; belongs to one event loop."""

    def __init__(self, render: states.Renderers) -> None:
        self._render = replace(render, job=_Remembering(render.job))
        self._watchers: set[_Watcher] = set()
        self._poller: asyncio.Task[None] | None = None
        self._changes = Changes()
        # One thread, so one connection to the database, however many watch.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobs-events")

    async def watch(self, scope: Scope, *, after: int | None) -> AsyncIterator[bytes]:
        """What happens in a scope from now on, encoded; `after`: and since that event."""
        watcher = _Watcher(scope)
        self._watchers.add(watcher)  # first, so that nothing falls between the past and the future
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            yield b"retry: 2000\n\n"
            # Else each watcher would hold a connection to the database for as long as it watches.
            await sync_to_async(_let_go)()
            nameless = after is None and scope.of_owner
            if nameless:
                after = await self._in_thread(_at_last, states.newest)
            # The pictures are read before the missed moves: a job that is shown at its end has its end among them.
            pictures = await self._in_thread(_at_last, states.pictures, scope, self._render)
            # What was offered so far was read by the same thread before them: it would show the past once more.
            watcher.forget({event.data["id"] for event in pictures})
            seen, ended = after or 0, set()
            while after is not None and (page := await self._in_thread(_at_last, states.missed, scope, after=seen)):
                for event in page:
                    seen = max(seen, event.id)
                    ended |= {event.data["id"]} if event.data["to"] in FINISHED else set()
                    yield event.encode()
            if scope.of_owner and ended:
                pictures += await self._in_thread(_at_last, states.ends, scope, ended, self._render)
            for event in pictures:
                if event.name == "batch":
                    if event.id == after:  # this client knows it
                        continue
                    after = event.id
                elif event.id is not None or nameless:
                    seen = max(seen, event.id or 0)
                    event = replace(event, id=seen)
                yield event.encode()
                if event.last:
                    return
            async for event in _following(watcher):
                if event is None:
                    yield b": still there\n\n"
                elif event.name == "batch" and event.id == after:
                    continue
                elif event.id is None or event.id > seen or event.name == "batch":
                    after = event.id
                    yield event.encode()
                    if event.last:
                        return
        finally:
            self._watchers.discard(watcher)

    async def _poll(self) -> None:
        while self._watchers:
            scopes = {watcher.scope for watcher in self._watchers}
            try:
                found = await self._in_thread(self._look, scopes)
            except Exception:  # the database may be away for a while; the watchers stay
                logger.exception("a poll for events failed")
                await self._in_thread(_disconnect)
            else:
                self._tell(found)
            await asyncio.sleep(settings.JOINTO_JOBS.events_poll.total_seconds())
        # Whoever comes while the connection is being closed gets a poller of their own.
        self._poller, self._changes = None, Changes()
        await self._in_thread(_disconnect)

    def _look(self, scopes: set[Scope]) -> list[tuple[Scope, list[Event]]]:
        """What is new for each scope; in the thread, as rendering may look things up."""
        changes = self._changes.copy()
        rendered = _Rendered(changes.since_last(scopes, now=time.monotonic()), self._render)
        told = [(scope, events) for scope in scopes if (events := rendered.events(scope))]
        self._changes = changes  # only now: what a failure kept from being told is found again
        return told

    def _tell(self, told: list[tuple[Scope, list[Event]]]) -> None:
        by_scope = dict(told)
        for watcher in self._watchers:
            for event in by_scope.get(watcher.scope, ()):
                watcher.offer(event)

    async def _in_thread(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, functools.partial(call, *args, **kwargs))


class _Rendered:
    """What was found, as events."""

    def __init__(self, found: Found, render: states.Renderers) -> None:
        self._found = found
        self._render = render

    def events(self, scope: Scope) -> list[Event]:
        """Moves first, by their number; then the things as they are."""
        found = self._found
        if scope.batch_id:
            return [states.of_batch(batch, self._render) for batch in found.batches if batch.pk == scope.batch_id]
        if scope.of_owner:
            moves = [row for owner_id, row in found.settled if owner_id == scope.owner_id]
        else:
            moves = [row for row in found.moves if row.job_id == scope.job_id]
        jobs = [states.of_job(job, scope, self._render) for job in found.jobs if scope.covers(job)]
        return [*states.in_order(moves), *jobs]


class _Remembering:
    """Renders each job once for all who are to see it as it is now; its place in line may be a moment old."""

    def __init__(self, render: Callable[[Job], dict[str, Any]]) -> None:
        self._render = render
        self._done: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._since = 0.0

    def __call__(self, job: Job) -> dict[str, Any]:
        if time.monotonic() - self._since > _RENDERED_SECONDS:
            self._since, self._done = time.monotonic(), {}
        state = (job.pk, *state_of(job))
        if state not in self._done:
            self._done[state] = self._render(job)
        return self._done[state]


def _at_last(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The call, by a new connection if the one at hand has broken meanwhile."""
    try:
        return call(*args, **kwargs)
    except (DatabaseError, InterfaceError):
        _disconnect()
        return call(*args, **kwargs)


def _disconnect() -> None:
    """Close the connection of the thread that this runs in; the next query opens a new one."""
    connection.close()


def _let_go() -> None:
    """Close the connection of the request's own thread, unless somebody has a transaction there."""
    if not connection.in_atomic_block:
        connection.close()


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
