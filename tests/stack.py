"""Real servers and workers for tests: started on ports of their own, ended by their process id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import redis
from django.db import connection

from tests import environment

T = TypeVar("T")

_CELERY = (sys.executable, "-m", "celery", "-A", "tests.celery")


def wait_for(condition: Callable[[], T], *, seconds: float = 30.0, what: str = "") -> T:
    """What the condition gives once it gives something true; AssertionError if it does not in time."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited {seconds} s in vain for {what or condition}")
        time.sleep(0.05)


class Process:
    """A child in a session of its own, with its log in a file."""

    def __init__(self, name: str, argv: list[str], env: dict[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                argv,
                env=env,
                cwd=environment.ROOT,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.pid = self._child.pid

    def family(self) -> list[psutil.Process]:
        """The process and all that descend from it."""
        try:
            top = psutil.Process(self.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def children(self, name: str = "") -> list[psutil.Process]:
        """The living descendants, those with that program name alone if one is given."""
        found = []
        for process in self.family()[1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.status() != psutil.STATUS_ZOMBIE and name in process.name():
                    found.append(process)
        return found

    def signal(self, number: int) -> None:
        self._child.send_signal(number)

    def kill(self) -> None:
        """-9, to the process alone."""
        self._child.kill()
        self._child.wait()

    def stop(self, *, seconds: float = 15.0) -> int:
        """TERM, then KILL for whatever of the family is left."""
        family = self.family()
        if self._child.poll() is None:
            self._child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return self._child.wait()

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def alive(self) -> bool:
        return self._child.poll() is None


class Redis:
    """A Redis of the test's own, without persistence, that can be stopped and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self.port = port
        self._process: Process | None = None
        self.client = redis.Redis(port=port, socket_connect_timeout=1)

    def start(self) -> None:
        argv = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        argv += ["--dir", str(self._folder)]
        self._process = Process("redis", argv, dict(os.environ), self._folder)
        wait_for(self._answers, what="Redis")

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        self.client.close()
        if self._process:
            self._process.stop()
            self._process = None

    def pause(self) -> None:
        assert self._process
        self._process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.signal(signal.SIGCONT)


def database_url() -> str:
    """The database that the tests use, for processes that are to use the same."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings)


class Stack:
    """Starts workers, beat and web beside the tests, and ends them all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[Process] = []
        self._count = 0

    def env(self, **more: str) -> dict[str, str]:
        return {**os.environ, "JOINTO_DATABASE_URL": database_url(), "PYTHONUNBUFFERED": "1", **more}

    def start(self, name: str, argv: list[str], **env: str) -> Process:
        process = Process(name, argv, self.env(**env), self.folder)
        self._processes.append(process)
        return process

    def worker(
        self,
        *,
        queues: str = "ai,media,export,assets,maintenance",
        concurrency: int = 2,
        pool: str = "prefork",
        **env: str,
    ) -> Process:
        """A Celery worker that knows the kinds of tests.kinds too; there once its heartbeat is."""
        from jobs.models import Worker

        self._count += 1
        name = f"w{self._count}-{os.getpid()}@test"
        process = self.start(
            f"worker{self._count}",
            [
                *_CELERY,
                *("worker", "-n", name, "-Q", queues, "-c", str(concurrency), "-P", pool, "-l", "INFO"),
                *("--without-gossip", "--without-mingle"),
            ],
            **env,
        )

        def there() -> bool:
            assert process.alive, process.text()[-4000:]
            return "ready." in process.text() and Worker.objects.filter(name=name).exists()

        wait_for(there, what=f"worker {name}: {process.text()[-2000:]}")
        return process

    def beat(self) -> Process:
        return self.start("beat", [*_CELERY, "beat", "-l", "INFO"])

    def web(self, **env: str) -> tuple[Process, str]:
        """A web server; and its address."""
        port = environment.free_port()
        process = self.start(
            "web",
            [
                *(sys.executable, "-m", "uvicorn", "jointo.asgi:application", "--port", str(port)),
                *("--timeout-graceful-shutdown", "2"),
            ],
            **env,
        )
        address = f"http://127.0.0.1:{port}"
        import httpx

        def answers() -> bool:
            assert process.alive, process.text()[-4000:]
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{address}/health/").status_code == 200
            return False

        wait_for(answers, what="the web server")
        return process, address

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.stop()
        self._processes.clear()


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Stack]:
    stack = Stack(folder)
    try:
        yield stack
    finally:
        stack.stop()
