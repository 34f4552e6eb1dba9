"""Kinds of job for tests: each does one thing that real ones do, or one that goes wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction

from jobs import children
from jobs.context import JobContext
from jobs.errors import BadInput, JointoError, Remedy
from jobs.models import Job
from jobs.quotas import Allowance, Quota
from jobs.retry import RetryPolicy
from jobs.task import JobTask, job

QUICK = RetryPolicy(retries=3, first_seconds=0)


class Refused(BadInput):
    code = "refused"
    message = "This input is refused by the test."


class Busy(JointoError):
    code = "busy"
    status = 429
    remedy = Remedy.WAIT
    message = "Ask again later."


@job(queue="maintenance", retry=QUICK, subject="tests.Sum:{a}")
def add(ctx: JobContext, a: Any, b: Any = 1) -> Any:
    """The sum; a first argument that is the result of an earlier job is added like any other."""
    return a + b


@job(queue="maintenance", retry=QUICK)
def collect(ctx: JobContext, values: list[int]) -> int:
    """The body of a chord."""
    return sum(values)


@job(queue="maintenance", retry=QUICK)
def sleep(ctx: JobContext, seconds: float) -> str:
    """Sleeps in one go: can only be stopped by a signal."""
    time.sleep(seconds)
    return "slept"


@job(queue="maintenance", retry=QUICK)
def end_in_a_transaction(ctx: JobContext, raises: bool = True) -> None:
    """Enters one, writes, and never leaves it."""
    transaction.atomic().__enter__()
    Job.objects.filter(pk=ctx.job_id).update(message="never seen")
    if raises:
        raise Refused


@job(queue="maintenance", retry=QUICK)
def count(ctx: JobContext, path: str) -> int:
    """Adds one line to a file for each time its body runs."""
    with Path(path).open("a") as file:
        file.write(f"{ctx.job_id} {ctx.attempt}\n")
    return ctx.attempt


@job(queue="maintenance", retry=QUICK)
def report_progress(ctx: JobContext, steps: list[list[Any]], pause: float) -> None:
    """Reports each step, with a pause after it."""
    for current, total, message in steps:
        ctx.progress(current, total, message)
        time.sleep(pause)


@job(queue="maintenance", retry=QUICK)
def fail_until(ctx: JobContext, attempt: int) -> int:
    """Raises something unexpected before the given attempt."""
    if ctx.attempt < attempt:
        raise ValueError(f"not yet: {ctx.attempt}")
    return ctx.attempt


@job(queue="maintenance", retry=QUICK)
def refuse(ctx: JobContext) -> None:
    raise Refused


@job(queue="maintenance", retry=QUICK)
def limited(ctx: JobContext, seconds: float) -> int:
    """Is rate limited once, for as long as told."""
    if ctx.attempt == 1:
        raise Busy(retry_after=seconds)
    return ctx.attempt


class Away(JointoError):
    code = "away"
    status = 503
    remedy = Remedy.BACK_OFF
    message = "The provider is away."


@job(queue="maintenance", retry=RetryPolicy(retries=5, first_seconds=0, fallbacks=("second",), fallback_after=2))
def by_a_provider(ctx: JobContext, away: list[str]) -> str:
    """Asks the provider that the engine names; those in `away` do not answer."""
    if ctx.fallback in away:
        raise Away
    return ctx.fallback or "first"


@job(queue="maintenance", retry=QUICK)
def child(ctx: JobContext, seconds: int) -> None:
    """Waits for a child process; has written into its private folder."""
    (ctx.scratch / "half.txt").write_text("half")
    children.run(["sleep", str(seconds)], cwd=ctx.scratch)


@job(queue="maintenance", retry=QUICK)
def grandchild(ctx: JobContext, seconds: int) -> None:
    """Waits for a child process that has one of its own."""
    children.run(["sh", "-c", f"sleep {seconds} & sleep {seconds}; echo done"], cwd=ctx.scratch)


@job(queue="maintenance", retry=QUICK)
def die(ctx: JobContext, until_attempt: int = 10**6) -> int:
    """Kills its own process, as a fault in a library does."""
    if ctx.attempt < until_attempt:
        os.kill(os.getpid(), signal.SIGKILL)
    return ctx.attempt


@job(queue="maintenance", retry=QUICK, soft_time_limit=1, time_limit=30)
def overrun(ctx: JobContext) -> None:
    """Has a child that outlasts the soft limit."""
    children.run(["sleep", "60"], cwd=ctx.scratch)


@job(queue="maintenance", retry=QUICK, soft_time_limit=1, time_limit=2)
def overrun_hard(ctx: JobContext, seconds: int) -> int:
    """Ignores the soft limit, and is killed by the hard one, the first time."""
    while ctx.attempt == 1:
        with contextlib.suppress(SoftTimeLimitExceeded):
            children.run(["sleep", str(seconds)], cwd=ctx.scratch)
    return ctx.attempt


@shared_task
def plain(value: Any) -> Any:
    """No job: an ordinary Celery task."""
    return value


@shared_task
def note(value: str, path: str) -> None:
    """No job: writes what it is given into a file."""
    Path(path).write_text(value)


@shared_task
def plain_failure(request: Any, error: Exception, traceback: Any, path: str = "") -> None:
    """No job: an error callback of Celery's new kind, which is called with the failure itself."""
    Path(path).write_text(f"{request.id} {type(error).__name__}")


@job(queue="maintenance", retry=QUICK)
def record_failure(ctx: JobContext, failed_id: str) -> str:
    """An error callback that is a job."""
    return failed_id


@job(queue="maintenance", retry=QUICK, at_once=1)
def one_at_a_time(ctx: JobContext, folder: str) -> int:
    """Notes how many of its kind were there when it began; more than one is a fault."""
    place = Path(folder)
    (place / f"{ctx.name}.runs").touch()
    together = len(list(place.glob("*.runs")))
    time.sleep(0.02)
    (place / f"{ctx.name}.runs").unlink()
    return together


EFFECTS = "faults_effect"
"""The table of effects, in databases that are made for faults alone (tests.faults.arena)."""
PLENTY = Quota(free=Allowance(hourly=10**6, monthly=10**6))  # counted, and never used up


def _work(ctx: JobContext, seconds: float, child: bool) -> None:
    """Take so long, by oneself or in a child process; then have one row inserted by the end."""
    if child:
        (ctx.scratch / "half.txt").write_text("half")
        children.run(["sleep", f"{seconds:.3f}"], cwd=ctx.scratch)
    else:
        time.sleep(seconds)

    def insert() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {EFFECTS} (job_id, attempt) VALUES (%s, %s)", (str(ctx.job_id), ctx.attempt))

    ctx.at_completion(insert)


@job(queue="maintenance", retry=QUICK, quota=PLENTY)
def effect(ctx: JobContext, seconds: float = 0.0, child: bool = False) -> int:
    """Has one effect, under a unique key, together with its end."""
    _work(ctx, seconds, child)
    return ctx.attempt


def _three_times(self: JobTask, job: Job) -> None:
    for _ in range(3):
        JobTask.publish(self, job)


@job(queue="maintenance", retry=QUICK, quota=PLENTY, publish=_three_times)
def effect_thrice_told(ctx: JobContext, seconds: float = 0.0, child: bool = False) -> int:
    """As `effect`, but each message that carries it is sent three times, whoever releases it."""
    _work(ctx, seconds, child)
    return ctx.attempt


@job(queue="maintenance", retry=RetryPolicy(retries=20, first_seconds=0.5), quota=PLENTY)
def write(ctx: JobContext, path: str, size: int) -> int:
    """Writes so many bytes under a name of its own, and publishes them by rename."""
    draft = ctx.scratch / "out"
    with draft.open("wb") as file:
        for _ in range(size // 4096):
            file.write(b"x" * 4096)
            file.flush()
    draft.replace(path)
    _work(ctx, 0, False)
    return ctx.attempt
