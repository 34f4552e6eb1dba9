"""A PostgreSQL of the tests' own, for as long as one command runs.

    python -m tests.postgres python -m pytest tests/jobs

Its data is in a temporary folder, it listens on loopback alone, on a free port, and is gone afterwards. It does
not run as root: started by root, it runs as the user `postgres` that Debian's package makes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.environment import free_port


def main(command: list[str]) -> int:
    """Run the command with JOINTO_TEST_DATABASE_URL set; its exit status."""
    folder = Path(tempfile.mkdtemp(prefix="jointo-postgres-"))
    server = None
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        port = free_port()
        server = _start(folder / "data", port)
        env = {**os.environ, "JOINTO_TEST_DATABASE_URL": f"postgres://jointo@127.0.0.1:{port}/postgres"}
        return subprocess.run(command, env=env, check=False).returncode
    finally:
        if server:
            server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _start(data: Path, port: int) -> subprocess.Popen[bytes]:
    binaries = _binaries()
    log = data.parent / "log"
    with log.open("wb") as out:
        initdb = [f"{binaries}/initdb", "-D", str(data), "-U", "jointo", "-A", "trust", "-N", "-E", "UTF8"]
        subprocess.run([*_as_itself(), *initdb], check=True, stdout=out, stderr=out, cwd="/")
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        server = subprocess.Popen(
            [*_as_itself(), f"{binaries}/postgres", "-D", str(data), *options], stdout=out, stderr=out, cwd="/"
        )
    until = time.monotonic() + 30
    while subprocess.run([f"{binaries}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False).returncode:
        if time.monotonic() > until or server.poll() is not None:
            raise SystemExit(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
    return server


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
