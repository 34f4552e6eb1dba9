"""Watchers of live events on one web process: what each costs in memory, what all cost in CPU, what they miss.

300 clients hold a connection each, while 50 jobs move through two attempts in ten seconds; a third of them lose their
lines once or twice and come back. On PostgreSQL and on SQLite.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from benchmarks import jobs_servers, measure

_JOBS = 50
_SECONDS = 10.0
_START_SECONDS = 60


@contextlib.contextmanager
def _web(env: Mapping[str, str], *, log: Path) -> Iterator[tuple[int, int]]:
    """The web server as it runs in production, with one process: its port and its process id."""
    port = jobs_servers.free_port()
    argv = [sys.executable, "-m", "uvicorn", "jointo.asgi:application", "--port", str(port), "--log-level", "warning"]
    with log.open("wb") as out:
        web = subprocess.Popen(argv, env=env, cwd=measure.ROOT, stdout=out, stderr=out)
    try:
        until = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if web.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the web server did not start: {log.read_text()[-4000:]}")
            time.sleep(0.1)
        yield port, web.pid
    finally:
        web.terminate()
        try:
            web.wait(10)
        except subprocess.TimeoutExpired:
            web.kill()
            web.wait()


def _run(url: str, *, watchers: int) -> measure.Figures:
    with tempfile.TemporaryDirectory(prefix="jointo-bench-watchers-") as name:
        folder = Path(name)
        address = url or f"sqlite:///{folder}/watchers.sqlite3"
        env = measure.environment(folder) | {"JOINTO_DATABASE_URL": address, "JOINTO_ALLOWED_HOSTS": "127.0.0.1"}
        for command in (["migrate", "-v", "0"], ["flush", "--no-input", "-v", "0"]):
            subprocess.run([sys.executable, "manage.py", *command], env=env, cwd=measure.ROOT, check=True)
        with _web(env, log=folder / "web.log") as (port, pid):
            side = [sys.executable, "-m", "benchmarks.watchers", "--watchers", str(watchers), "--side", f"{port},{pid}"]
            said = subprocess.run(side, env=env, cwd=measure.ROOT, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(said.stdout.splitlines()[-1]))


def _side(port: int, pid: int, *, watchers: int) -> None:
    """What the process of the clients does; it tells its figures."""
    import django

    django.setup()
    from benchmarks import watchers_side

    print(json.dumps(watchers_side.figures(port, pid, watchers=watchers, jobs=_JOBS, seconds=_SECONDS)))


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=2):
        return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--watchers", type=int, default=300)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        _side(*map(int, options.side.split(",")), watchers=options.watchers)
        return
    with jobs_servers.postgresql() as create:
        urls = {"postgresql": create("watchers"), "sqlite": ""}
        sides = [measure.Side(name, partial(_run, url, watchers=options.watchers)) for name, url in urls.items()]
        found = measure.interleaved(sides, rounds=options.rounds)
    ratios = {}
    for side, suffix in (("postgresql", ""), ("sqlite", "_sqlite")):
        ratios[f"memory_kib_per_watcher{suffix}"] = measure.median(found, side, "KiB/watcher")
        ratios[f"cpu_seconds{suffix}"] = measure.median(found, side, "CPU s")
        ratios[f"events_lost{suffix}"] = sum(figures["lost"] for figures in found[side])
        ratios[f"events_doubled{suffix}"] = sum(figures["doubled"] for figures in found[side])
    notes = [
        f"{options.watchers} watchers, 2 in 3 of one job, the rest of all of a user's or of a batch; {_JOBS} jobs of"
        f" 5 users move through two attempts each, in {_SECONDS:.0f} s if the machine keeps up; seed 1",
        "KiB/watcher: resident memory of the one uvicorn process while all watch, its highest, beyond what it was after"
        " it had served a few, by the number of watchers",
        "CPU s: of that process, from the first connection to the last event; connect s: until the last of them was"
        " shown its job or batch; events: told to all together; breaks: lines that were lost",
        "delay: ms from a move to its event, for watchers of one job; a look every 500 ms",
    ]
    measure.report("Watchers of live events", notes, found, ratios)


if __name__ == "__main__":
    main()
