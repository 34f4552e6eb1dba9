"""A million jobs against ten thousand, a tenth of them waiting: what is slower, and by how much.

Two databases of one PostgreSQL (with fsync), and a process for each that asks. They take turns, page by page and
fifty claims by fifty claims.

- A claim is what it takes to have the best job of a queue: released (marked as given to the broker) and claimed by a
  worker. Its job is then completed, and another one like it submitted.
- The API's pages are asked for by the owner of most jobs, statistics and the admin's by an operator, through
  Django's test client, within the process. A group's ratio is that of its worst page.
- At last the larger one's old half is removed by the clean-up in a process beside, which rests now and then; claims
  meanwhile, against those in the rests.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from benchmarks import jobs_servers, measure, scale_side
from benchmarks.measure import Figures, Rounds
from benchmarks.scale_side import Claim

_CHUNK = 50
_RESTS = 5
_SLICE_SECONDS = 10.0
_DURING, _QUIET = "claims during the clean-up", "claims in its rests"


@dataclass(frozen=True)
class Amount:
    """How much of it."""

    small: int
    large: int
    rounds: int
    claims: int  # in each round, of each side
    looks: int  # at each page


@dataclass
class Database:
    """One of the two, and what was found."""

    name: str
    driver: ProcessPoolExecutor
    pages: dict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))  # by page, by round
    rounds: list[Figures] = field(default_factory=list)

    def ask(self, what: Any, *args: Any) -> Any:
        return self.driver.submit(what, *args).result()

    def page(self, name: str) -> float:
        """The median of the rounds' best looks, in ms: what the machine does beside only makes them slower."""
        return statistics.median(min(looks) for looks in self.pages[name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1_000_000, help="in the larger database")
    parser.add_argument("--claims", type=int, default=200, help="a round")
    parser.add_argument("--quick", action="store_true", help="one round, with 50,000 jobs, for trying")
    wanted = parser.parse_args()
    amount = Amount(10_000, wanted.jobs, wanted.rounds, wanted.claims, looks=5)
    if wanted.quick:
        amount = Amount(10_000, 50_000, rounds=1, claims=100, looks=3)
    with contextlib.ExitStack() as stack:
        _measure(amount, stack)


def _measure(amount: Amount, stack: contextlib.ExitStack) -> None:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jointo-bench-")))
    (folder / "static").mkdir()
    create = stack.enter_context(jobs_servers.postgresql())
    spawn = multiprocessing.get_context("spawn")
    go, rests = spawn.Event(), spawn.Event()
    envs = {jobs: _environment(folder, create(f"jobs{jobs}")) for jobs in (amount.small, amount.large)}
    small, large = (
        Database(f"{jobs:,} jobs", stack.enter_context(_driver(env, go, rests))) for jobs, env in envs.items()
    )
    filling = [
        database.driver.submit(scale_side.fill, jobs)
        for database, jobs in ((small, amount.small), (large, amount.large))
    ]
    seconds = [future.result() for future in filling]
    _say(f"filled in {max(seconds):.0f} s")
    _rounds(small, large, amount)
    cleaner = stack.enter_context(_driver(envs[amount.large], go, rests))
    claims, removed, took = _clean_up(large, cleaner, go, rests)
    _tell_pages(small, large)
    _tell(small, large, amount, claims, [f"filled in {max(seconds):.0f} s", _removed(removed, took, claims)])


def _environment(folder: Path, url: str) -> dict[str, str]:
    return measure.environment(folder) | {"JOINTO_DATABASE_URL": url, "JOINTO_ALLOWED_HOSTS": "testserver"}


@contextlib.contextmanager
def _driver(env: Mapping[str, str], go: Event, rests: Event) -> Iterator[ProcessPoolExecutor]:
    """A process with Jointo's settings, for one database."""
    spawn = multiprocessing.get_context("spawn")
    initargs = (env, go, rests)
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=scale_side.begin, initargs=initargs) as driver:
        yield driver


def _rounds(small: Database, large: Database, amount: Amount) -> None:
    sides = [small, large]
    names: list[str] = small.ask(scale_side.pages)
    assert large.ask(scale_side.pages) == names
    for number in range(amount.rounds):
        _say(f"round {number + 1} of {amount.rounds}")
        for side in sides:
            for name in names:
                side.pages[name].append([])
        turn = 0
        for name in names:
            for _ in range(amount.looks):
                turn += 1
                for side in sides[:: 1 if turn % 2 else -1]:
                    side.pages[name][-1].append(side.ask(scale_side.look, name))
        claims: dict[str, list[Claim]] = {side.name: [] for side in sides}
        for part in range(-(-amount.claims // _CHUNK)):
            for side in sides[:: 1 if part % 2 else -1]:
                claims[side.name] += side.ask(scale_side.claim, _CHUNK)
        for side in sides:
            side.rounds.append({**_figures(claims[side.name]), "sweep ms": side.ask(scale_side.sweep)})


def _figures(claims: Sequence[Claim]) -> Figures:
    both = sorted(claim.taken + claim.claimed for claim in claims)
    hundredths = statistics.quantiles(both, n=100, method="inclusive")
    return {
        "claims": len(claims),
        "release p50 ms": statistics.median(claim.taken for claim in claims),
        "claim p50 ms": statistics.median(claim.claimed for claim in claims),
        "both p50 ms": hundredths[49],
        "both p95 ms": hundredths[94],
        "both max ms": both[-1],
        "submit p50 ms": statistics.median(claim.submitted for claim in claims),
    }


def _clean_up(
    large: Database, cleaner: ProcessPoolExecutor, go: Event, rests: Event
) -> tuple[Rounds, dict[str, int], float]:
    """Claims while the clean-up runs, and while it rests."""
    _say("clean-up")
    found: Rounds = {_QUIET: [], _DURING: []}
    go.set()
    future: Future[tuple[dict[str, int], float]] = cleaner.submit(scale_side.clean_up)
    while not future.done():
        during: list[Claim] = []
        until = time.monotonic() + _SLICE_SECONDS
        while not future.done() and (len(during) < 200 or time.monotonic() < until):
            during += large.ask(scale_side.claim, _CHUNK)
        if len(during) >= 2 * _CHUNK:
            found[_DURING].append(_figures(during))
        if len(found[_QUIET]) < _RESTS and not future.done():
            go.clear()
            while not future.done() and not rests.wait(0.1):
                pass
            if rests.is_set():
                found[_QUIET].append(_figures(large.ask(scale_side.claim, 4 * _CHUNK)))
            go.set()
    removed, took = future.result()
    return found, removed, took


def _tell_pages(small: Database, large: Database) -> None:
    width = max(map(len, small.pages))
    print(f"{'page, ms'.ljust(width)}  {small.name:>14}  {large.name:>14}  ratio")
    for name in small.pages:
        few, many = small.page(name), large.page(name)
        print(f"{name.ljust(width)}  {few:14.1f}  {many:14.1f}  {many / few:5.2f}")
    print()


def _tell(small: Database, large: Database, amount: Amount, claims: Rounds, notes: Sequence[str]) -> None:
    found: Rounds = {small.name: small.rounds, large.name: large.rounds}
    ratios = {"claim_1m_vs_10k": measure.ratio(found, large.name, small.name, column="both p95 ms")}
    for group in ("list", "detail", "stats", "admin"):
        ratios[f"{group}_1m_vs_10k"] = max(
            large.page(name) / small.page(name) for name in small.pages if name.split()[0].rstrip(",") == group
        )
    if all(claims.values()):
        ratios["claim_during_retention_vs_quiet"] = measure.ratio(claims, _DURING, _QUIET, column="both p95 ms")
        found |= {side: [{**figures, "sweep ms": 0.0} for figures in rounds] for side, rounds in claims.items()}
    notes = [
        f"{amount.large:,} jobs with {amount.large // 10:,} waiting, against {amount.small:,} with "
        f"{amount.small // 10:,}; a page's time is the best of {amount.looks} looks, and of the rounds the median",
        *notes,
    ]
    measure.report("A million jobs", notes, found, ratios)


def _removed(removed: Mapping[str, int], took: float, claims: Rounds) -> str:
    slowest = max((figures["both max ms"] for figures in claims[_DURING]), default=0.0)
    return (
        f"the clean-up removed {removed['jobs']:,} jobs in {took:.0f} s, {removed['jobs'] / took:.0f}/s, "
        f"beside claims; the slowest of them took {slowest:.0f} ms"
    )


def _say(what: str) -> None:
    """To whoever waits, and not into the report."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
