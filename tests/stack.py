"""Real servers and workers for tests: started on ports of their own, ended by their process id."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.db import connection

from tests import environment
from tests.servers.process import Process, wait_for
from tests.servers.redis import Redis

__all__ = ["Process", "Redis", "Stack", "database_url", "running", "wait_for"]

_CELERY = (sys.executable, "-m", "celery", "-A", "tests.celery")


def database_url() -> str:
    """The database that the tests use, for processes that are to use the same."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings)


class Stack:
    """Starts workers, beat and web beside the tests, and ends them all.

    They use the database and the broker of the tests; or others, such as a proxy in front of the same ones.
    """

    def __init__(self, folder: Path, *, database_url: str = "", broker_url: str = "") -> None:
        self.folder = folder
        self._database_url = database_url
        self._broker_url = broker_url
        self._processes: list[Process] = []
        self._count = 0

    def env(self, **more: str) -> dict[str, str]:
        servers = {"JOINTO_DATABASE_URL": self._database_url or database_url()}
        if self._broker_url:
            servers["JOINTO_BROKER_URL"] = self._broker_url
        return {**os.environ, **servers, "PYTHONUNBUFFERED": "1", **more}

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
        options: Sequence[str] = (),
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
                *options,
            ],
            **env,
        )

        def there() -> bool:
            assert process.alive, process.text()[-4000:]
            return "ready." in process.text() and Worker.objects.filter(name=name).exists()

        wait_for(there, what=f"worker {name}: {process.text()[-2000:]}")
        return process

    def beat(self, **env: str) -> Process:
        return self.start("beat", [*_CELERY, "beat", "-l", "INFO"], **env)

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
def running(folder: Path, *, database_url: str = "", broker_url: str = "") -> Iterator[Stack]:
    """A stack, all of which is ended at the end."""
    stack = Stack(folder, database_url=database_url, broker_url=broker_url)
    try:
        yield stack
    finally:
        stack.stop()
