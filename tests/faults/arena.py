"""Where faults are made: real servers, a database of the row's own, work to break into, chance from a seed.

    JOINTO_TEST_FAULTS=full   the whole of each row; otherwise a short form of it
    JOINTO_TEST_SEED=…        chance as it was in a run before; the seed is in the report of what failed

A row is one test with the fixture `arena`: on PostgreSQL and Redis, or `@EVERYWHERE`. It ends with `arena.check()`.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from jobs import dispatch
from jobs.models import Attempt, Job
from jobs.status import FINISHED
from jobs.task import JobTask
from tests import kinds
from tests.builders import make_user
from tests.faults import invariants
from tests.servers import attached
from tests.servers.postgres import Postgres
from tests.servers.process import lives
from tests.servers.rabbitmq import RabbitMQ
from tests.servers.redis import Redis
from tests.stack import Process, Stack, wait_for

FULL = os.environ.get("JOINTO_TEST_FAULTS") == "full"
# The short form is the same each time; the full one looks for what nobody has seen yet.
SEED = os.environ.get("JOINTO_TEST_SEED") or (str(secrets.randbelow(10**6)) if FULL else "1")

EVERYWHERE = pytest.mark.parametrize("arena", ["pg_redis", "sqlite_redis", "pg_rabbitmq"], indirect=True)
ON_RABBITMQ = pytest.mark.parametrize("arena", ["pg_rabbitmq"], indirect=True)

_NEXT_END_SECONDS = 60.0  # far more than any fault costs
_MARK = "JOINTO_TEST_ARENA"


def size(*, full: int, short: int) -> int:
    """How much of something there is in the form of this run."""
    return full if FULL else short


class ArenaStack(Stack):
    """A stack that can say what it has started, and put something before the programs that it starts."""

    prefix: tuple[str, ...] = ()

    def start(self, name: str, argv: list[str], **env: str) -> Process:
        return super().start(name, [*self.prefix, *argv], **env)

    def processes(self) -> list[Process]:
        return list(self._processes)


class Arena:
    """One row's databases, servers and processes."""

    def __init__(self, *, stack: ArenaStack, broker: Redis | RabbitMQ, postgres: Postgres | None, seed: str) -> None:
        self.stack = stack
        self.broker = broker
        self.random = random.Random(seed)
        self.owner_id = make_user().pk
        self._postgres = postgres
        self._workers: list[Process] = []

    @property
    def postgres(self) -> Postgres:
        assert self._postgres, "this row is on SQLite"
        return self._postgres

    @property
    def redis(self) -> Redis:
        assert isinstance(self.broker, Redis), "this row is on RabbitMQ"
        return self.broker

    @property
    def folder(self) -> Path:
        return self.stack.folder

    def worker(self, **options: Any) -> Process:
        """One more worker, that runs."""
        worker = self.stack.worker(**options)
        self._workers.append(worker)
        return worker

    def submit(
        self, count: int, *, task: JobTask = kinds.effect, seconds: float = 0.0, children: float = 0.0
    ) -> list[uuid.UUID]:
        """Record so many jobs that take up to so many seconds each, a share of them in a child process."""
        requests = [
            task.request_for(
                [round(self.random.uniform(0, seconds), 4), self.random.random() < children],
                {},
                owner_id=self.owner_id,
            )
            for _ in range(count)
        ]
        return [job.pk for job in dispatch.submit_many(requests)]

    def submit_one(
        self, *, task: JobTask = kinds.effect, seconds: float = 0.0, child: bool = False, **options: Any
    ) -> uuid.UUID:
        """Record one job that takes exactly so long."""
        job, _ = task.submit((seconds, child), {}, owner_id=self.owner_id, **options)
        return job.pk

    @contextlib.contextmanager
    def holding(self, job_id: uuid.UUID) -> Iterator[None]:
        """Let nobody write a job's row meanwhile; on SQLite nobody anything."""
        with transaction.atomic():
            Job.objects.filter(pk=job_id).update(updated_at=F("updated_at"))
            yield

    def ended(self) -> int:
        return Job.objects.filter(status__in=sorted(FINISHED)).count()

    def wait_until_ended(self, count: int, *, seconds: float = 60.0) -> None:
        """Wait until so many jobs have ended."""
        wait_for(lambda: self.ended() >= count, seconds=seconds, what=f"{count} ends: {self.statuses()}")

    def _wait_for_all(self) -> None:
        """Wait until every job has ended, as long as that takes; but not for ever for the next one's end."""
        while not invariants.all_have_ended():
            seen = self.ended()
            wait_for(
                lambda seen=seen: self.ended() > seen or invariants.all_have_ended(),  # type: ignore[misc]
                seconds=_NEXT_END_SECONDS,
                what=f"the next end: {self.statuses()}",
            )

    def moments(self, count: int, *, jobs: int) -> Iterator[int]:
        """Come back at so many moments, spread by chance over the time in which so many jobs are done."""
        for moment, after in enumerate(sorted(self.random.sample(range(1, max(count + 1, jobs * 4 // 5)), count))):
            self.wait_until_ended(after, seconds=120)
            wait_for(pause(self.random.uniform(0, 0.1)), what="the moment")
            yield moment

    def statuses(self) -> dict[str, int]:
        return dict(Counter(Job.objects.values_list("status", flat=True)))

    def outcomes(self) -> Counter[str]:
        """How attempts ended."""
        return Counter(Attempt.objects.values_list("outcome", flat=True))

    def running(self, job_id: uuid.UUID, *, attempt: int = 1) -> Attempt:
        """The attempt at a job, once it runs."""
        rows = Attempt.objects.filter(job_id=job_id, number=attempt)
        return wait_for(lambda: list(rows.all()), what=f"attempt {attempt}: {self.statuses()}")[0]

    def strays(self) -> list[psutil.Process]:
        """Processes of this row that no living worker, beat or server answers for; and children of jobs."""
        tops = [process.pid for process in self.stack.processes() if process.alive]
        tops += [server.pid for server in (self.broker, self._postgres) if server]
        ours = {process.pid for top in tops for process in family(top)}
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                marked = process.environ().get(_MARK) == os.environ[_MARK] and process.pid != os.getpid()
                working = process.cwd().startswith(str(settings.SCRATCH_DIR))
                if (working or (marked and process.pid not in ours)) and lives(process):
                    found.append(process)
        return found

    def check(self, **statuses: int) -> None:
        """All that has to hold after a row: every job has ended (so, if it is said), nothing twice, nothing left."""
        self._wait_for_all()
        if statuses:
            assert self.statuses() == statuses
        wait_for(lambda: not self.strays(), what=f"the end of {self.strays()}")
        invariants.check()


def family(pid: int) -> list[psutil.Process]:
    """A process and all that descend from it."""
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def pause(seconds: float) -> Callable[[], bool]:
    """A condition that comes true after so long; for moments that chance chooses."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until


def fill(url: str) -> None:
    """Make a database ready: its tables, and the one of effects."""
    with attached.database(url), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {kinds.EFFECTS} (job_id varchar(36) PRIMARY KEY, attempt integer NOT NULL)")


def empty(broker: Redis | RabbitMQ) -> None:
    """Have nothing wait in the broker."""
    if isinstance(broker, Redis):
        broker.client.flushall()
        return
    with broker.connect() as link:
        for queue in settings.CELERY_TASK_QUEUES:
            link.default_channel.queue_delete(queue)


@contextlib.contextmanager
def opened(
    folder: Path, *, url: str, broker: Redis | RabbitMQ, postgres: Postgres | None, seed: str
) -> Iterator[Arena]:
    """An arena on a database that is filled, and a broker that is emptied."""
    empty(broker)
    shutil.rmtree(settings.SCRATCH_DIR, ignore_errors=True)
    os.environ[_MARK] = uuid.uuid4().hex
    stack = ArenaStack(folder)
    with attached.database(url, migrate=False), attached.broker(broker.url):
        try:
            yield Arena(stack=stack, broker=broker, postgres=postgres, seed=seed)
        finally:
            stack.stop()
            del os.environ[_MARK]
