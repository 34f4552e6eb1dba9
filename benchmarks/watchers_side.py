"""Watchers of live events on the wire, and jobs that move before their eyes.

Used by the benchmark, in a process of its own, and by a test: `watched` makes jobs and has them watched as they move;
`Outcome` says what the watchers were not told, or told once too often.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import psutil
from django.contrib.auth import get_user_model
from django.db import close_old_connections, connection
from django.db.models import F
from rest_framework_simplejwt.tokens import AccessToken

from benchmarks.watchers_line import Told, Watcher
from jobs import dispatch, journal, transitions
from jobs.models import Batch, Job, Transition
from jobs.now import Now

_OWNERS = 5
_LEASE = timedelta(minutes=5)
_LIMIT_SECONDS = 60
_AT_ONCE = 30  # requests that begin at once


@dataclass
class Stage:
    """Owners, each with a batch, and jobs that belong to both in turn."""

    owners: list[Any]
    batches: list[Batch]
    jobs: list[Job]
    last_ids: dict[Any, uuid.UUID]  # of the job that is an owner's last to move

    @staticmethod
    def made(jobs: int) -> Stage:
        owners = [get_user_model().objects.create(username=f"watcher{uuid.uuid4().hex}") for number in range(_OWNERS)]
        batches = []
        for number, owner in enumerate(owners):
            total = len(range(number, jobs, _OWNERS))
            batch = Batch(name="watched", owner_id=owner.pk, total=total, created_at=Now(), updated_at=Now())
            batch.save(force_insert=True)
            batches.append(batch)
        requests = [
            _request(owners[number % _OWNERS].pk, batch_id=batches[number % _OWNERS].pk) for number in range(jobs)
        ]
        last_ids = {owner.pk: uuid.uuid4() for owner in owners}
        return Stage(owners, batches, dispatch.submit_many(requests), last_ids)

    def watchers(self, count: int) -> list[Watcher]:
        """Of 15 watchers, 10 watch one job each, 4 all of a user's, and one a batch."""
        tokens = {owner.pk: token_of(owner) for owner in self.owners}
        found = []
        for number in range(count):
            round_, place = divmod(number, 15)
            owner, batch = self.owners[round_ % _OWNERS], self.batches[round_ % _OWNERS]
            job = self.jobs[(round_ * 10 + place) % len(self.jobs)]
            if place < 10:
                found.append(_of_job(job, tokens[job.owner_id]))
            elif place < 14:
                found.append(_of_owner(owner, tokens[owner.pk], self.last_ids[owner.pk]))
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
        for job in dispatch.submit_many([_request(pk, job_id=job_id) for pk, job_id in self.last_ids.items()]):
            transitions.complete(_claimed(job), None)
        connection.close()


def token_of(user: Any) -> str:
    return str(AccessToken.for_user(user))


def _request(owner_id: int, **fields: Any) -> dispatch.Request:
    return dispatch.Request(kind="watched", queue="maintenance", owner_id=owner_id, max_attempts=3, **fields)


def _claimed(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(released_at=Now(), releases=F("releases") + 1)
    claimed = transitions.claim(job.pk, worker="w", pid=1, lease=_LEASE)
    assert claimed, "nobody else moves these jobs"
    return claimed


_STEPS = 6


def _life(job: Job) -> Iterator[Callable[[], None]]:
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


def _of_owner(owner: Any, token: str, last_id: uuid.UUID) -> Watcher:
    def is_last(told: Told) -> bool:
        move = told.data if told.name == "transition" else {}
        return move.get("id") == str(last_id) and move.get("to") == "completed"

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
    door = asyncio.Semaphore(_AT_ONCE)
    following = [asyncio.create_task(watcher.follow(port, door=door)) for watcher in there]
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
    outcome.misplaced += sum(later < sooner for sooner, later in pairwise(numbers))
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


def figures(port: int, pid: int, *, watchers: int, jobs: int, seconds: float) -> dict[str, float]:
    """One run against the web server that is this process; a few watchers have been there before it is measured."""
    asyncio.run(watched(port, watchers=15, jobs=_OWNERS, seconds=1, seed=0))
    web = psutil.Process(pid)
    before, cpu, began = web.memory_info().rss, sum(web.cpu_times()[:2]), time.monotonic()
    highest, connected = [before], [0.0]

    def all_there() -> None:
        connected[0] = time.monotonic() - began

    async def measured() -> Outcome:
        looking = asyncio.create_task(_look(web, highest))
        try:
            return await watched(port, watchers=watchers, jobs=jobs, seconds=seconds, seed=1, all_there=all_there)
        finally:
            looking.cancel()

    outcome = asyncio.run(measured())
    delays = statistics.quantiles(outcome.delays, n=20)
    return {
        "KiB/watcher": (max(highest) - before) / 1024 / watchers,
        "CPU s": sum(web.cpu_times()[:2]) - cpu,
        "connect s": connected[0],
        "events": outcome.told,
        "breaks": outcome.broken,
        "lost": outcome.lost,
        "doubled": outcome.doubled + outcome.misplaced,
        "delay p50": 1000 * delays[9],
        "delay p95": 1000 * delays[18],
    }


async def _look(web: psutil.Process, highest: list[int]) -> None:
    while True:
        highest.append(web.memory_info().rss)
        await asyncio.sleep(0.2)
