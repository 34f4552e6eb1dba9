"""Jointo on one machine for one person: Redis, web, worker and beat. What bin/demo and bin/dev start."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shlex
import socket
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from processes import Died, Process, Processes, Stopped

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "bin"
SOURCES = ("jointo", "jobs", "videos", "assets")  # what `reload` watches, beside the templates
HOST = "127.0.0.1"
USER = "demo"
_DEFAULT_PORT = 8000


def say(text: str) -> None:
    """Print at once. A terminal that was closed is no reason to fail."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def free_port(first: int = 0) -> int:
    """A port of this machine that nobody listens on: the first one from `first` on, or any."""
    for port in range(first, 65536) if first else [0]:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise SystemExit(f"There is no free port from {first} on.")


def web_port() -> int:
    """JOINTO_PORT, which has to be free; else 8000 or the next one that is free."""
    wanted = os.environ.get("JOINTO_PORT", "")
    if not wanted:
        return free_port(_DEFAULT_PORT)
    if not wanted.isdigit() or not 0 < int(wanted) < 65536:
        raise SystemExit(f"JOINTO_PORT is {wanted!r}, which is no port.")
    with contextlib.suppress(SystemExit):
        if free_port(int(wanted)) == int(wanted):
            return int(wanted)
    raise SystemExit(f"Port {wanted} is taken: free it, or set JOINTO_PORT to another one.")


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else uses this folder at the same time. The kernel gives it back, however this program ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"It is running already, with its data in {os.path.relpath(folder)}.") from None
        yield


class Stack:
    """The parts, their ports, and the account to sign in with.

    `data` holds the logs, Redis and the password. `settings` are JOINTO_ variables; they win over those of
    the environment.
    """

    def __init__(self, *, port: int, data: Path, settings: Mapping[str, str], reload: bool = False) -> None:
        self.data = data
        self.port = port
        self.url = f"http://{HOST}:{self.port}"
        self.password_file = data / "password"
        self._redis_port = free_port()
        self._reload = reload
        self._last: list[Process] = []
        broker = {"JOINTO_BROKER_URL": f"redis://{HOST}:{self._redis_port}/0"}
        env = {**_environment(), **settings, **broker}
        self.processes = Processes(cwd=ROOT, logs=data / "log", env=env)

    @property
    def password(self) -> str:
        """The account's password."""
        return self.password_file.read_text().strip()

    def run(self, work: Callable[[], int]) -> int:
        """Start everything, do the work, end everything. An exit status."""
        try:
            self._start()
            return work()
        except Died as death:
            print(death, file=sys.stderr)
            return 1
        except Stopped as stopped:
            say("\nStopping")
            return 128 + stopped.number
        finally:
            self.processes.stop(*self._last)

    def _start(self) -> None:
        self._start_redis()
        self._prepare()
        self._start_web()
        self._start_workers()
        self.processes.wait(self._answers)

    def _start_redis(self) -> None:
        folder = self.data / "redis"
        folder.mkdir(exist_ok=True)
        redis = self.processes.start(
            *("redis", "redis-server", "--bind", HOST, "--port", str(self._redis_port)),
            *(
                "--dir",
                folder,
                "--save",
                "",
                "--appendonly",
                "no",
            ),  # what is lost is sent again from the database
        )
        self._last = [redis]  # the others have something to tell it when they end

    def _prepare(self) -> None:
        if not self.password_file.exists():  # made once, then the same for ever
            self.password_file.touch(mode=0o600)
            self.password_file.write_text(secrets.token_urlsafe(9))
        self.processes.run(
            *("prepare", sys.executable, BIN / "prepare.py"),
            *("--account", USER, "--password-file", self.password_file),
            *([] if self._reload else ["--collect-static"]),  # with DEBUG they are served from where they are
        )

    def _start_web(self) -> None:
        watch = [word for name in [*SOURCES, "templates"] if (ROOT / name).is_dir() for word in ("--reload-dir", name)]
        self.processes.start(
            *("web", sys.executable, "-m", "uvicorn", "jointo.asgi:application"),
            *("--host", HOST, "--port", str(self.port), "--timeout-graceful-shutdown", "2"),
            *(["--reload", "--reload-include", "*.html", *watch] if self._reload else []),
        )

    def _start_workers(self) -> None:
        celery = [sys.executable, "-m", "celery", "-A", "jointo"]
        # Without -Q a worker takes all queues.
        worker = [*celery, "worker", "-c", "2", "-l", "INFO", "--without-gossip", "--without-mingle"]
        if self._reload:
            watch = [sys.executable, "-m", "watchfiles", "--filter", "python", "--sigint-timeout", "15"]
            worker = [*watch, shlex.join(worker), *SOURCES]
        self.processes.start("worker", *worker)
        self.processes.start("beat", *celery, "beat", "-l", "INFO", "--pidfile=")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _environment() -> dict[str, str]:
    """The caller's environment, less what would point Django or Celery elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "CELERY_"))}
    programs = str(Path(sys.executable).parent)
    return {
        **kept,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
    }
