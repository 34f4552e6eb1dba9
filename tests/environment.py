"""Where the tests run: an own data folder, own ports, nothing of the developer's environment.

Loaded by pytest before Django's settings are (`-p tests.environment`), once in each process of the run.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_FROM = int(_PORT_RANGE.read_text().split()[0]) if _PORT_RANGE.exists() else 32768
_FIRST_PORT = _EPHEMERAL_FROM // 2


def free_port() -> int:
    """A TCP port on loopback that nobody listens on, and that the system gives to nobody by itself.

    From the range that it gives away, the port of a server that is restarted can be gone in between: to any
    client's end of a connection, even to one that tries to reach that very server and so meets itself.
    """
    while True:
        port = _FIRST_PORT + secrets.randbelow(_EPHEMERAL_FROM - _FIRST_PORT)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


for _name in [name for name in os.environ if name.startswith(("JOINTO_", "CELERY_", "DJANGO_"))]:
    if not _name.startswith("JOINTO_TEST_"):
        del os.environ[_name]

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = Path(tempfile.mkdtemp(prefix="jointo-tests-"))
REDIS_PORT = free_port()

(DATA_DIR / "static").mkdir()

# How long an example takes is the machine's affair: no test goes by the clock.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)

os.environ |= {
    "DJANGO_SETTINGS_MODULE": "jointo.settings",
    "JOINTO_ENV_FILE": "",
    "JOINTO_SECRET_KEY": "a key for tests, and for nothing else at all",
    "JOINTO_DATA_DIR": str(DATA_DIR),
    "JOINTO_BROKER_URL": f"redis://127.0.0.1:{REDIS_PORT}/0",
    "JOINTO_JOB_LEASE_SECONDS": "3",
    "JOINTO_JOB_WATCH_SECONDS": "0.2",
    "JOINTO_JOB_RESEND_SECONDS": "2",
    "JOINTO_JOB_STOP_GRACE_SECONDS": "1",
    "JOINTO_WORKER_PULSE_SECONDS": "0.5",
    "JOINTO_JOB_TICK_SECONDS": "0.2",
    "JOINTO_EVENTS_POLL_SECONDS": "0.1",
    "JOINTO_UPLOAD_CHUNK_BYTES": str(64 * 1024),
    "JOINTO_ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
}
if _database := os.environ.get("JOINTO_TEST_DATABASE_URL"):
    os.environ["JOINTO_DATABASE_URL"] = _database
