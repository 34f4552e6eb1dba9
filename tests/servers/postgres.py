"""A PostgreSQL of the tests' own."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]

from tests.servers.server import Server


class Postgres(Server):
    """What it answered to a COMMIT survives `kill`: only a loss of power could take it, as nothing is fsynced.

    Started by root, it runs as the user `postgres` that Debian's package makes.
    """

    name = "postgres"
    user = "postgres"
    stop_signal = signal.SIGINT  # the fast shutdown: clients are cut off, their transactions rolled back

    def __init__(self, port: int | None = None) -> None:
        super().__init__(port=port)
        self._data = self.folder / "data"

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, name: str) -> str:
        """The address of one of its databases."""
        return f"postgres://jointo@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, *, template: str = "template1") -> str:
        """Make a database, as a copy of another one that nobody is connected to; its address."""
        with contextlib.closing(psycopg2.connect(self.url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url_of(name)

    def prepare(self) -> None:
        super().prepare()
        if self._data.exists():
            return
        argv = [f"{_binaries()}/initdb", "-D", str(self._data), "-U", "jointo", "-A", "trust", "-N", "-E", "UTF8"]
        argv += ["--no-locale"]
        made = subprocess.run([*self.as_itself(), *argv], check=False, capture_output=True, text=True, cwd="/")
        assert made.returncode == 0, made.stderr

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 200,
            "dynamic_shared_memory_type": "mmap",  # in the data folder, so that `kill` leaves none in /dev/shm
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [f"{_binaries()}/postgres", "-D", str(self._data), *options]

    def answers(self) -> bool:
        with (
            contextlib.suppress(psycopg2.OperationalError),
            contextlib.closing(psycopg2.connect(self.url, connect_timeout=2)),
        ):
            return True
        return False

    def remove(self) -> None:
        if self._process is None:
            self._free_memory()
        super().remove()

    def _free_memory(self) -> None:
        """Free the shared memory that a killed server leaves; one that starts again does it by itself."""
        with contextlib.suppress(FileNotFoundError, IndexError):
            identity = (self._data / "postmaster.pid").read_text().splitlines()[6].split()[1]
            subprocess.run(["ipcrm", "-m", identity], check=False, capture_output=True)


def _binaries() -> Path:
    """Where Debian keeps the server's programs, the newest version's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed: bin/setup --dev installs it.")
    return found[-1].parent
