"""What is asked of both sides alike, in a process of its own for each: it submits, and reads the rows.

The process has Django set up for its side, by `begin`, and calls the side's module (benchmarks.jobs_jointo or
benchmarks.jobs_bare).
"""

from __future__ import annotations

import importlib
import os
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol, cast

_FRAMES = {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"}


class System(Protocol):
    """One way to have work done; a module is one."""

    def submit(self) -> None:
        """Have nothing done."""

    def submit_at_commit(self, number: int) -> None:
        """Have a task sent with the open transaction's commit that tells, with the number, when its body starts."""

    def completed(self) -> int:
        """How many are done, by their rows."""

    def first_and_last(self) -> tuple[datetime, datetime]:
        """When the first one and the last one were finished, by their rows."""

    def starts(self) -> dict[int, float]:
        """The numbers given to `submit_at_commit`, and when their bodies started, in seconds of the epoch."""

    def statements(self, count: Callable[[], int]) -> tuple[int, int, int]:
        """SQL statements to submit one, for its attempt, and after it; `count` tells how many there were so far."""


_system: System


def begin(module: str, env: Mapping[str, str]) -> None:
    """Make this process one side's, with an empty database."""
    global _system
    os.environ.clear()
    os.environ.update(env)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    _system = cast(System, importlib.import_module(module))
    # Not only imported: the application of Celery is the one that is used here, and a message can be sent.
    _system.submit()


def forget() -> None:
    """Empty the tables and the broker."""
    from celery import current_app
    from django.core.management import call_command

    call_command("flush", interactive=False, verbosity=0)
    with current_app.connection_for_write() as connection:
        cast(Any, connection).default_channel.client.flushdb()


def submit(count: int) -> float:
    """Submit so many, one after the other, each in a transaction of its own; seconds it took."""
    began = time.monotonic()
    for _ in range(count):
        _system.submit()
    return time.monotonic() - began


def completed() -> int:
    return _system.completed()


def seconds_from_first_to_last() -> float:
    """From the first end of a task to the last, by the times in the rows."""
    first, last = _system.first_and_last()
    return (last - first).total_seconds()


def pick_up(count: int, *, each_second: float, limit_seconds: float) -> list[float]:
    """Submit so many at an even pace; milliseconds from the commit of each to the start of its body, sorted.

    The commit: the first thing that is called once it is done, before anything is sent.
    """
    from django.db import transaction

    committed: dict[int, float] = {}
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / each_second - time.monotonic()))
        with transaction.atomic():
            transaction.on_commit(partial(_stamp, committed, number))
            _system.submit_at_commit(number)
    until = time.monotonic() + limit_seconds
    while len(started := _system.starts()) < count:
        if time.monotonic() > until:
            raise RuntimeError(f"{count - len(started)} of {count} did not start in {limit_seconds} s")
        time.sleep(0.2)
    return sorted(1000 * (started[number] - at) for number, at in committed.items())


def _stamp(moments: dict[int, float], number: int) -> None:
    moments[number] = time.time()


def statements(times: int) -> list[float]:
    """Medians of the SQL statements of one: to submit it, for its attempt, after it."""
    from django.db import connection

    counter = _Counter()
    with connection.execute_wrapper(counter):
        found = [_system.statements(lambda: counter.count) for _ in range(times)]
    return [statistics.median(column) for column in zip(*found, strict=True)]


class _Counter:
    """Counts statements, but not those that only frame transactions."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += sql.split(None, 1)[0].upper() not in _FRAMES
        return execute(sql, params, many, context)
