"""A PostgreSQL of the tests' own, for as long as one command runs.

    python -m tests.postgres python -m pytest tests/jobs

Its data is in a temporary folder, it listens on loopback alone, on a free port, and is gone afterwards. It does
not run as root: started by root, it runs as the user `postgres` that Debian's package makes.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.servers.postgres import Postgres


def main(command: list[str]) -> int:
    """Run the command with JOINTO_TEST_DATABASE_URL set; its exit status."""
    with Postgres() as server:
        return subprocess.run(
            command, env={**os.environ, "JOINTO_TEST_DATABASE_URL": server.url}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
