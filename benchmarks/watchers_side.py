"""Watchers of live events on the wire, and jobs that move before their eyes.

Used by the benchmark, in a process of its own that has Django set up, and by a test: `watched` makes the jobs, moves
them and has them watched; `Outcome` says what the watchers were told that they should not, and the other way round.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import close_old_connections, connection
from django.db.models import F
from django.db.models.functions import Now
from rest_framework_simplejwt.tokens import AccessToken

from jobs import dispatch, journal, transitions
from jobs.models import Batch, Job, Transition

_OWNERS = 5
_LEASE = timedelta(minutes=5)
_LIMIT_SECONDS = 120


@dataclass(frozen=True)
class Told:
    """One event as a client read it, and when."""

    name: str
    data: dict[str, Any]
    id: int | None
    at: float


@dataclass
class Watcher:
    """A client as a browser is one: it names the last event that it knows when it comes back."""

    path: str
    token: str
    is_last: Callable[[Told], bool]
    scope: dict[str, Any]  # which transitions are its business; none for a batch's
    told: list[Told] = field(default_factory=list)
    visits: int = 0
    there: asyncio.Event = field(default_factory=asyncio.Event)
    _last_id: int | None = None
    _broken: bool = False
    _writer: asyncio.StreamWriter | None = None

    async def follow(self, port: int) -> None:
        """Watch until the server ends it, or the last event was told; come back whenever the line broke."""
        while True:
            self._broken = False
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                async for told in self._visit(port):
                    self.told.append(told)
                    self._last_id = told.id if told.id is not None else self._last_id
                    if self.is_last(told):
                        self.close()
                        return
            if not self._broken:
                return

    async def break_off(self, moments: list[float]) -> None:
        """Lose the line after so many seconds each."""
        began = time.monotonic()
        for moment in sorted(moments):
            await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
            if self._writer:
                self._broken = True
                self._writer.transport.abort()

    def close(self) -> None:
        if self._writer:
            self._writer.close()

    async def _visit(self, port: int) -> AsyncIterator[Told]:
        self.visits += 1
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        known = "" if self._last_id is None else f"Last-Event-ID: {self._last_id}\r\n"
        self._writer.write(
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
            f"Authorization: Bearer {self.token}\r\n{known}\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 204"):
            self.close()
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode(errors="replace"))
        buffer = b""
        async for piece in _chunks(reader):
            self.there.set()
            *blocks, buffer = (buffer + piece).split(b"\n\n")
            for block in blocks:
                told = _parsed(block.decode())
                if told:
                    yield told
                elif block.startswith(b"id: "):
                    self._last_id = int(block[4:])
        self.close()


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield (await reader.readexactly(size + 2))[:-2]


def _parsed(block: str) -> Told | None:
    fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
    if "data" not in fields:
        return None
    number = int(fields["id"]) if "id" in fields else None
    return Told(fields["event"], json.loads(fields["data"]), number, time.time())


@dataclass
class Stage:
    """Owners, each with a batch, and jobs that belong to both in turn."""

    owners: list[Any]
    batches: list[Batch]
    jobs: list[Job]

    @staticmethod
    def made(jobs: int) -> Stage:
        owners = [get_user_model().objects.create(username=f"watcher{number}") for number in range(_OWNERS)]
        batches = []
        for number, owner in enumerate(owners):
            total = len(range(number, jobs, _OWNERS))
            batch = Batch(name="watched", owner_id=owner.pk, total=total, created_at=Now(), updated_at=Now())
            batch.save(force_insert=True)
            batches.append(batch)
        requests = [
            _request(owners[number % _OWNERS].pk, batch_id=batches[number % _OWNERS].pk) for number in range(jobs)
        ]
        return Stage(owners, batches, dispatch.submit_many(requests))

    def watchers(self, count: int) -> list[Watcher]:
        """Of 15 watchers, 10 watch one job each, 4 all of a user's, and one a batch."""
        tokens = {owner.pk: str(AccessToken.for_user(owner)) for owner in self.owners}
        found = []
        for number in range(count):
            round_, place = divmod(number, 15)
            owner, batch = self.owners[round_ % _OWNERS], self.batches[round_ % _OWNERS]
            job = self.jobs[(round_ * 10 + place) % len(self.jobs)]
            if place < 10:
                found.append(_of_job(job, tokens[job.owner_id]))
            elif place < 14:
                found.append(_of_owner(owner, tokens[owner.pk]))
            else:
                found.append(_of_batch(batch, tokens[owner.pk]))
        return found

    def play(self, chance: random.Random, *, seconds: float) -> None:
        """Move all jobs through two attempts each, in an order of chance; then a last one of each owner."""
        lines = [_life(job) for job in self.jobs]
        order = [place for place in range(len(lines)) for _ in range(_STEPS)]
        chance.shuffle(order)
        began = time.monotonic()
        for number, place in enumerate(order):
            time.sleep(max(0.0, began + number * seconds / len(order) - time.monotonic()))
            next(lines[place])()
            if number % 10 == 0:
                journal.book_all()
        journal.book_all()
        for job in dispatch.submit_many([_request(owner.pk, subject=_LAST) for owner in self.owners]):
            transitions.complete(_claimed(job), None)
        connection.close()


_LAST = "the last one"


def _request(owner_id: int, **fields: Any) -> dispatch.Request:
    return dispatch.Request(kind="watched", queue="maintenance", owner_id=owner_id, max_attempts=3, **fields)


def _claimed(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(released_at=Now(), releases=F("releases") + 1)
    claimed = transitions.claim(job.pk, worker="w", pid=1, lease=_LEASE)
    assert claimed, "nobody else moves these jobs"
    return claimed


_STEPS = 6


def _life(job: Job) -> Any:
    """What happens to a job, step by step."""
    state = {"job": job}

    def claim() -> None:
        state["job"] = _claimed(job)

    def renew() -> None:
        transitions.renew(state["job"], lease=_LEASE, current=1, total=2, message="half")

    def fail() -> None:
        transitions.retry_later(state["job"], wait=timedelta(0), code="network", message="The line was lost.")

    def complete() -> None:
        transitions.complete(state["job"], {"done": True})

    yield from (claim, renew, fail, claim, renew, complete)


def _of_job(job: Job, token: str) -> Watcher:
    return Watcher(f"/api/jobs/{job.pk}/events/", token, lambda told: False, {"job_id": job.pk})


def _of_owner(owner: Any, token: str) -> Watcher:
    def is_last(told: Told) -> bool:
        return told.name == "job" and told.data["subject"] == _LAST and told.data["status"] == "completed"

    return Watcher("/api/jobs/events/", token, is_last, {"job__owner_id": owner.pk})


def _of_batch(batch: Batch, token: str) -> Watcher:
    return Watcher(f"/api/batches/{batch.pk}/events/", token, lambda told: False, {})


@dataclass
class Outcome:
    """What came of it. All counts are sums over all watchers."""

    watchers: list[Watcher]
    lost: int = 0
    doubled: int = 0
    misplaced: int = 0
    told: int = 0
    broken: int = 0
    delays: list[float] = field(default_factory=list)  # seconds from a move to its event, for watchers of one job


async def watched(
    port: int, *, watchers: int, jobs: int, seconds: float, seed: int, all_there: Callable[[], None] = lambda: None
) -> Outcome:
    """Have jobs watched while they move; a third of the watchers lose their lines, once or twice.

    `all_there` is called when every watcher is, before the first job moves.
    """
    chance = random.Random(seed)
    stage = await asyncio.to_thread(_alone, lambda: Stage.made(jobs))
    there = await asyncio.to_thread(_alone, lambda: stage.watchers(watchers))
    before = await asyncio.to_thread(_alone, lambda: Transition.objects.latest("id").pk)
    following = [asyncio.create_task(watcher.follow(port)) for watcher in there]
    async with asyncio.timeout(_LIMIT_SECONDS):
        await asyncio.gather(*(watcher.there.wait() for watcher in there))
    all_there()
    breaking = []
    for watcher in chance.sample(there, len(there) // 3):
        moments = [chance.uniform(0, seconds) for _ in range(chance.randint(1, 2))]
        breaking.append(asyncio.create_task(watcher.break_off(moments)))
    await asyncio.to_thread(stage.play, chance, seconds=seconds)
    await asyncio.wait([*following, *breaking], timeout=_LIMIT_SECONDS)
    for task in [*following, *breaking]:
        if not task.cancel():
            task.result()
    return await asyncio.to_thread(_alone, lambda: _outcome(there, before))


def _alone(call: Callable[[], Any]) -> Any:
    """Call it in this thread, which keeps no connection to the database."""
    close_old_connections()
    try:
        return call()
    finally:
        connection.close()


def _outcome(watchers: list[Watcher], before: int) -> Outcome:
    outcome = Outcome(watchers)
    for watcher in watchers:
        outcome.told += len(watcher.told)
        outcome.broken += watcher.visits - 1
        if watcher.scope:
            _add_transitions(outcome, watcher, before)
        else:
            _add_batch(outcome, watcher)
    return outcome


def _add_transitions(outcome: Outcome, watcher: Watcher, before: int) -> None:
    """Every move since the first job moved is told once, in order."""
    rows = Transition.objects.filter(pk__gt=before, **watcher.scope)
    moves = [told for told in watcher.told if told.name == "transition"]
    numbers = [told.id for told in moves if told.id is not None]
    outcome.lost += len(set(rows.values_list("pk", flat=True)) - set(numbers))
    outcome.doubled += len(numbers) - len(set(numbers))
    outcome.misplaced += sum(later < sooner for sooner, later in zip(numbers, numbers[1:], strict=False))
    if "job_id" in watcher.scope and watcher.visits == 1:
        outcome.delays += [told.at - datetime.fromisoformat(told.data["at"]).timestamp() for told in moves]


def _add_batch(outcome: Outcome, watcher: Watcher) -> None:
    """No state is told twice, none after a later one, and the last one is the batch's end."""
    numbers = [told.id for told in watcher.told]
    ended = [told.data["ended"] for told in watcher.told]
    outcome.doubled += len(numbers) - len(set(numbers))
    outcome.misplaced += ended != sorted(ended)
    last = watcher.told[-1].data if watcher.told else {}
    outcome.lost += not last.get("ended_at") or last["completed"] != last["total"]
