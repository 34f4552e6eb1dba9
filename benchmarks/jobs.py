"""Jobs that do nothing: Jointo's engine against bare Celery with django-celery-results.

Each on PostgreSQL (with fsync) and on SQLite (WAL, with Jointo's settings), over Redis, with one worker of two
processes. In each round, a side

- submits all jobs by `.delay()` from one process, while no worker runs;
- gets a worker, which does them all. The rate goes from the first job's end to the last one's, by the times in
  the rows, so that the start of the worker does not count; CPU is the worker's, with its processes;
- gets, the worker idle again, jobs at an even pace: from the commit of each request to the start of its body;
- counts its SQL statements without BEGIN, COMMIT, SAVEPOINT and the like: to submit a job that is released at
  once; from the claim until it is settled, with the result's row and without lease renewals; and after that, to
  send the next ones.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import jobs_servers, jobs_side, measure
from benchmarks.jobs_servers import Process
from benchmarks.measure import Figures, Rounds, Side

EACH_SECOND = 20.0
TIMES_COUNTED = 50
POSTGRESQL, SQLITE = "PostgreSQL", "SQLite"
_DRAIN_SECONDS = 900
_PICKUP_SECONDS = 120


@dataclass(frozen=True)
class Program:
    """What a side is made of: its module, and its worker's application and options."""

    name: str
    module: str
    app: str
    options: tuple[str, ...] = ()

    def on(self, database: str) -> str:
        """The name of its side."""
        return f"{self.name}, {database}"


JOINTO = Program("jointo", "benchmarks.jobs_jointo", "jointo", ("-Q", "maintenance", "-I", "benchmarks.jobs_jointo"))
BARE = Program("bare Celery", "benchmarks.jobs_bare", "benchmarks.jobs_bare")


@dataclass(frozen=True)
class Amount:
    """How much of it."""

    jobs: int
    pickups: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=5000, help="that wait for the worker")
    parser.add_argument("--pickups", type=int, default=300, help=f"at {EACH_SECOND:.0f} a second")
    parser.add_argument("--quick", action="store_true", help="one round of 300 jobs and 40 pickups, for trying")
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.rounds, wanted.jobs, wanted.pickups = 1, 300, 40
    # A TERM unwinds as Ctrl-C does, so that no server, worker or folder outlives the benchmark.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found = _measure(Amount(wanted.jobs, wanted.pickups), rounds=wanted.rounds)
    notes = [
        f"{wanted.jobs} jobs that do nothing wait for a worker of 2 processes; then {wanted.pickups} at "
        f"{EACH_SECOND:.0f}/s for the idle worker; medians of {TIMES_COUNTED} for the statements",
        "rates by the rows: from the first end to the last; pickup from the commit of the request to the body's start",
        "PostgreSQL with its defaults (fsync), SQLite with Jointo's settings on both sides, Redis without persistence",
        "bare Celery: django-db results and every other default (prefetch 4, no events, a row only at the end)",
        "workers log warnings, do not gossip, and are as `celery worker -c 2` makes them otherwise",
    ]
    measure.report("Jobs that do nothing", notes, found, _ratios(found))


def _measure(amount: Amount, *, rounds: int) -> Rounds:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jointo-bench-")))
        broker = stack.enter_context(jobs_servers.redis(folder))
        create = stack.enter_context(jobs_servers.postgresql())
        sides = []
        for number, (database, program) in enumerate((d, p) for d in (POSTGRESQL, SQLITE) for p in (JOINTO, BARE)):
            data = folder / str(number)
            (data / "static").mkdir(parents=True)
            url = create(f"bench{number}") if database == POSTGRESQL else f"sqlite:///{data / 'bench.sqlite3'}"
            env = _environment(program, data, database_url=url, broker_url=f"{broker}/{number}")
            driver = stack.enter_context(_driver(program, env))
            worker = partial(jobs_servers.worker, program.app, *program.options, env=env, log=data / "worker.log")
            sides.append(Side(program.on(database), partial(_run, driver, worker, amount)))
        return measure.interleaved(sides, rounds=rounds)


def _environment(program: Program, data: Path, *, database_url: str, broker_url: str) -> dict[str, str]:
    env = measure.environment(data) | {"JOINTO_DATABASE_URL": database_url, "JOINTO_BROKER_URL": broker_url}
    if program is BARE:
        env |= {"BENCH_DATABASE_URL": database_url, "BENCH_BROKER_URL": broker_url}
        env["DJANGO_SETTINGS_MODULE"] = "benchmarks.jobs_bare_settings"
    return env


@contextlib.contextmanager
def _driver(program: Program, env: Mapping[str, str]) -> Iterator[ProcessPoolExecutor]:
    """The process of a side that submits and reads: a fresh interpreter, with the side's settings."""
    spawn = multiprocessing.get_context("spawn")
    begin = (program.module, env)
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=jobs_side.begin, initargs=begin) as driver:
        yield driver


Worker = Callable[[], contextlib.AbstractContextManager[Process]]


def _run(driver: ProcessPoolExecutor, start_worker: Worker, amount: Amount) -> Figures:
    """One round of one side."""
    began = time.monotonic()
    driver.submit(jobs_side.forget).result()
    submitting = driver.submit(jobs_side.submit, amount.jobs).result()
    with start_worker() as worker:
        cpu = _drain(driver, worker, amount.jobs)
        seconds = driver.submit(jobs_side.seconds_from_first_to_last).result()
        pickups = driver.submit(
            jobs_side.pick_up, amount.pickups, each_second=EACH_SECOND, limit_seconds=_PICKUP_SECONDS
        ).result()
    submit, attempt, after = driver.submit(jobs_side.statements, TIMES_COUNTED).result()
    hundredths = statistics.quantiles(pickups, n=100, method="inclusive")
    return {
        "submitted/s": amount.jobs / submitting,
        "completed/s": (amount.jobs - 1) / seconds,
        "CPU ms/job": 1000 * cpu,
        "pickup p50 ms": hundredths[49],
        "pickup p95 ms": hundredths[94],
        "SQL submit": submit,
        "SQL attempt": attempt,
        "SQL after": after,
        "seconds": time.monotonic() - began,
    }


def _drain(driver: ProcessPoolExecutor, worker: Process, jobs: int) -> float:
    """Wait until all are done; CPU seconds of the worker for each of them, from when the first ones were."""
    until = time.monotonic() + _DRAIN_SECONDS
    begun: tuple[int, float] | None = None
    while (done := driver.submit(jobs_side.completed).result()) < jobs:
        worker.check()
        if done and begun is None:
            begun = done, worker.cpu()
        if time.monotonic() > until:
            raise RuntimeError(f"{jobs - done} of {jobs} were not done in {_DRAIN_SECONDS} s: {worker.log()[-4000:]}")
        time.sleep(0.2)
    before, cpu = begun or (0, 0.0)
    return (worker.cpu() - cpu) / (jobs - before)


def _ratios(found: Rounds) -> dict[str, float]:
    ratios: dict[str, float] = {}
    for database, ending in ((POSTGRESQL, ""), (SQLITE, "_sqlite")):
        ours = JOINTO.on(database)
        ratios |= {
            f"completed_vs_bare_celery{ending}": measure.ratio(found, ours, BARE.on(database), column="completed/s"),
            f"pickup_p95_ms{ending}": measure.median(found, ours, "pickup p95 ms"),
            f"queries_submit{ending}": measure.median(found, ours, "SQL submit"),
            f"queries_attempt{ending}": measure.median(found, ours, "SQL attempt"),
        }
    return ratios


if __name__ == "__main__":
    main()
