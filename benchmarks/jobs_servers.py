"""Servers and workers of a benchmark's own: on loopback, on free ports, with their data in temporary folders."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil

from benchmarks import measure

_START_SECONDS = 60
_STOP_SECONDS = 60


class Process:
    """A child with its log in a file; its end is its whole family's end."""

    def __init__(self, argv: list[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | str) -> None:
        self._log = log
        with log.open("ab") as out:
            self._child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def check(self) -> None:
        """RuntimeError, with the end of its log, if it is not there any more."""
        if self._child.poll() is not None:
            raise RuntimeError(f"ended too early: {self.log()[-4000:]}")

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def cpu(self) -> float:
        """Seconds so far, user + system, of the process and of all that it started."""
        top = psutil.Process(self._child.pid)
        times = top.cpu_times()
        running = 0.0
        for child in top.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                running += sum(child.cpu_times()[:4])
        return sum(times[:4]) + running

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        family = psutil.Process(self._child.pid).children(recursive=True) if self._child.poll() is None else []
        self._child.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_STOP_SECONDS)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()


@contextlib.contextmanager
def worker(app: str, *options: str, env: Mapping[str, str], log: Path) -> Iterator[Process]:
    """`celery worker` with a prefork pool of two, its other defaults, and no talk to other workers."""
    argv = [sys.executable, "-m", "celery", "-A", app, "worker", "-c", "2", "--without-gossip", "--without-mingle"]
    process = Process([*argv, *options], log=log, env=env, cwd=measure.ROOT)
    try:
        yield process
    finally:
        process.stop()


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis without persistence; its URL, to which the number of a database is to be added."""
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = Process([*argv, "--dir", str(folder)], log=folder / "redis.log", cwd=folder)
    try:
        _wait(lambda: _listens(port), server)
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.stop()


@contextlib.contextmanager
def postgresql() -> Iterator[Callable[[str], str]]:
    """A PostgreSQL with its own defaults, fsync among them; what makes a database of that name, and gives its URL.

    It does not run as root: started by root, it runs as the user `postgres` that Debian's package makes.
    """
    folder = Path(tempfile.mkdtemp(prefix="jointo-bench-postgresql-"))
    server = None
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        binaries, port = _binaries(), free_port()
        initdb = [f"{binaries}/initdb", "-D", f"{folder}/data", "-U", "jointo", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*_as_itself(), *initdb], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        argv = [*_as_itself(), f"{binaries}/postgres", "-D", f"{folder}/data", *options]
        server = Process(argv, log=folder / "log", cwd=folder)
        at = ["-h", "127.0.0.1", "-p", str(port)]
        ready = [f"{binaries}/pg_isready", "-q", *at]
        _wait(lambda: subprocess.run(ready, check=False).returncode == 0, server)

        def create(name: str) -> str:
            subprocess.run([f"{binaries}/createdb", *at, "-U", "jointo", name], check=True)
            return f"postgres://jointo@127.0.0.1:{port}/{name}"

        yield create
    finally:
        if server:
            server.stop(signal.SIGINT)  # PostgreSQL's fast shutdown
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _wait(condition: Callable[[], bool], server: Process) -> None:
    until = time.monotonic() + _START_SECONDS
    while not condition():
        server.check()
        if time.monotonic() > until:
            raise RuntimeError(f"did not start in {_START_SECONDS} s: {server.log()[-4000:]}")
        time.sleep(0.1)


def _as_itself() -> list[str]:
    # setpriv replaces itself by the server, so that a signal to the child is one to PostgreSQL.
    if os.geteuid():
        return []
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"]


def _binaries() -> Path:
    """Where Debian keeps the server's programs, the newest version's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise SystemExit("PostgreSQL is not installed: bin/setup --dev installs it.")
    return found[-1].parent
