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

import dotenv
from processes import Died, Process, Processes, Stopped

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "bin"
PYTHON = ROOT / ".venv/bin/python"
SOURCES = ("jointo", "jobs", "videos", "assets")  # what `reload` watches, beside the templates
HOST = "127.0.0.1"
USER = "demo"
_DEFAULT_PORT = 8000
_OF_THE_COMMANDS = {"JOINTO_PORT", "JOINTO_ENV_FILE"}  # say nothing to a process beside the stack


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


def web_port(otherwise: str = "") -> int:
    """JOINTO_PORT, from the environment or as given, which has to be free; else 8000 or the next one that is free."""
    wanted = os.environ.get("JOINTO_PORT") or otherwise
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
    the environment. `beneath` are those of the developer's file, which the processes read by themselves.
    """

    def __init__(
        self,
        *,
        port: int,
        data: Path,
        settings: Mapping[str, str],
        beneath: Mapping[str, str] | None = None,
        reload: bool = False,
    ) -> None:
        self.data = data
        self.port = port
        self.url = f"http://{HOST}:{self.port}"
        self.password_file = data / "password"
        self.env_file = data / "env"
        self._redis_port = free_port()
        self._reload = reload
        self._last: list[Process] = []
        broker = {"JOINTO_BROKER_URL": f"redis://{HOST}:{self._redis_port}/0"}
        env = {**_environment(), **settings, **broker}
        self._variables = {**(beneath or {}), **env}
        self.processes = Processes(cwd=ROOT, logs=data / "log", env=env)

    @property
    def password(self) -> str:
        """The account's password."""
        return self.password_file.read_text().strip()

    @property
    def shell(self) -> str:
        """The command that opens a shell beside this stack: the same database, broker and files."""
        python, manage, file = (os.path.relpath(path) for path in (PYTHON, ROOT / "manage.py", self.env_file))
        return shlex.join([f"JOINTO_ENV_FILE={file}", python, manage, "shell"])

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
            self.env_file.unlink(missing_ok=True)  # a broker of this port is there no more
            self.processes.stop(*self._last)

    def _start(self) -> None:
        self._write_env_file()
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

    def _write_env_file(self) -> None:
        """What makes another process a part of this stack, for JOINTO_ENV_FILE to name."""
        self.env_file.unlink(missing_ok=True)
        self.env_file.touch(mode=0o600)  # there may be keys and passwords among it
        for name, value in sorted(self._variables.items()):
            if name.startswith("JOINTO_") and name not in _OF_THE_COMMANDS:
                dotenv.set_key(self.env_file, name, value)

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
        self._start_watched("worker", worker)
        self._start_watched("beat", [*celery, "beat", "-l", "INFO", "--pidfile="])

    def _start_watched(self, name: str, command: list[str]) -> None:
        if self._reload:
            watch = [sys.executable, "-m", "watchfiles", "--filter", "python", "--sigint-timeout", "15"]
            command = [*watch, shlex.join(command), *SOURCES]
        self.processes.start(name, *command)

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
