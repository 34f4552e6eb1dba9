"""A file that is uploaded by chunks, against a plain write of the same bytes.

- jointo: `uvicorn jointo.asgi:application` as in production, with SQLite; one client on loopback begins the upload
  and PUTs its chunks, one after the other over one connection. Once with a Content-Digest for each chunk, as
  Jointo's own pages send it, which the ratio goes by; and once without. CPU and peak memory of the server alone.
- plain write: a process that has the bytes in memory already writes each chunk by pwrite and fdatasync.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import multiprocessing
import os
import random
import resource
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks import measure
from benchmarks.measure import MIB, Figures, Side

CHUNK_BYTES = 8 * MIB
SEED = 1
DIGEST, NO_DIGEST, PLAIN = "jointo", "jointo, no digest", "plain write"
_UPLOADS = "/api/videos/uploads/"
_START_SECONDS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=1024, help="of the file, in MiB")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jointo-bench-") as name:
        folder = Path(name)
        file = _random_file(folder / "random.bin", size=wanted.size)
        with Server(folder / "jointo") as server:
            sides = [
                Side(DIGEST, partial(_upload, server, file, with_digest=True)),
                Side(NO_DIGEST, partial(_upload, server, file, with_digest=False)),
                Side(PLAIN, partial(_in_another_process, file, folder / "plain.bin")),
            ]
            found = measure.interleaved(sides, rounds=wanted.rounds)
    ratios = {
        "cpu_vs_plain_write": measure.ratio(found, DIGEST, PLAIN, column="CPU s"),
        "cpu_vs_plain_write_no_digest": measure.ratio(found, NO_DIGEST, PLAIN, column="CPU s"),
        "peak_rss_mib": measure.median(found, DIGEST, "peak RSS MiB"),
    }
    notes = [
        f"{wanted.size} MiB of random bytes (seed {SEED}), in chunks of {CHUNK_BYTES // MIB} MiB",
        "one client on loopback, whose own CPU does not count; the server's chunks are on disk when it answers",
        "SQLite; chunks with Content-Digest (sha-256), which the ratio goes by, and without",
        "plain write: from memory, by pwrite and fdatasync chunk by chunk",
    ]
    measure.report("Server CPU for an upload by chunks", notes, found, ratios)


def _random_file(path: Path, *, size: int) -> Path:
    source = random.Random(SEED)
    with path.open("wb") as file:
        for _ in range(size):
            file.write(source.randbytes(MIB))
    return path


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            yield chunk


def _figures(cpu: float, wall: float, memory_mib: float, size: int) -> Figures:
    return {"CPU s": cpu, "wall s": wall, "MiB/s": size / MIB / wall, "peak RSS MiB": memory_mib}


# -- the plain write -------------------------------------------------------------------------------------


def _in_another_process(file: Path, target: Path) -> Figures:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_plain_write, file, target).result()


def _plain_write(file: Path, target: Path) -> Figures:
    chunks = list(_chunks(file))
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    began, before = time.monotonic(), measure.cpu_of(resource.getrusage(resource.RUSAGE_SELF))
    offset = 0
    for chunk in chunks:
        offset += os.pwrite(handle, chunk, offset)
        os.fdatasync(handle)
    cpu = measure.cpu_of(resource.getrusage(resource.RUSAGE_SELF)) - before
    wall = time.monotonic() - began
    os.close(handle)
    target.unlink()
    assert offset == file.stat().st_size, "the disk is full"
    return _figures(cpu, wall, _peak_mib(os.getpid()), offset)


# -- Jointo ----------------------------------------------------------------------------------------------


class Server:
    """A web server of Jointo with a database of its own, and somebody to sign in as."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._password = secrets.token_urlsafe()
        self.port = _free_port()

    def __enter__(self) -> Server:
        (self._data / "static").mkdir(parents=True)  # where collectstatic puts files; without it there are warnings
        self._manage("migrate", "--verbosity", "0")
        account = ["--username", "bench", "--email", "bench@example.org"]
        self._manage("createsuperuser", "--noinput", "--verbosity", "0", *account)
        argv = [sys.executable, "-m", "uvicorn", "jointo.asgi:application", "--port", str(self.port)]
        argv += ["--log-level", "warning"]
        self._process = subprocess.Popen(argv, cwd=measure.ROOT, env=self._environment())
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def token(self) -> str:
        """What a request is signed with."""
        client = Client(self.port)
        said = client.call("POST", "/api/auth/token/", {"username": "bench", "password": self._password})
        return str(said["access"])

    def cpu(self) -> float:
        """Seconds so far, of the server and of its children."""
        times = psutil.Process(self.pid).cpu_times()
        running = sum(sum(child.cpu_times()[:2]) for child in psutil.Process(self.pid).children(recursive=True))
        return times.user + times.system + times.children_user + times.children_system + running

    def _manage(self, *argv: str) -> None:
        command = [sys.executable, "manage.py", *argv, "--skip-checks"]
        subprocess.run(command, cwd=measure.ROOT, env=self._environment(), check=True)

    def _environment(self) -> dict[str, str]:
        return {**measure.environment(self._data), "DJANGO_SUPERUSER_PASSWORD": self._password}

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                Client(self.port).call("GET", "/health/")
            except ConnectionError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return


class Client:
    """One connection to the server."""

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = headers or {}

    def call(self, method: str, path: str, said: dict[str, Any] | None = None) -> dict[str, Any]:
        body = json.dumps(said).encode() if said is not None else b""
        answer = self.send(method, path, body, {"Content-Type": "application/json"})
        return dict(json.loads(answer or b"{}"))

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, body, {**self._headers, **headers})
        response = self._connection.getresponse()
        answer = response.read()
        assert response.status < 300, f"{method} {path}: {response.status} {answer[:500]!r}"
        return answer


def _upload(server: Server, file: Path, *, with_digest: bool) -> Figures:
    """One upload, from its beginning to its last chunk; then it is given up, for the next one."""
    size = file.stat().st_size
    client = Client(server.port, {"Authorization": f"Bearer {server.token()}"})
    _forget_peak(server.pid)
    began, before = time.monotonic(), server.cpu()
    upload = client.call("POST", _UPLOADS, {"file_name": "random.bin", "file_size": size, "purpose": "video"})
    assert upload["chunk_size"] == CHUNK_BYTES
    for index, chunk in enumerate(_chunks(file)):
        headers = {"Upload-Token": upload["token"], "Content-Type": "application/octet-stream"}
        if with_digest:
            headers["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(chunk).digest()).decode()}:"
        client.send("PUT", f"{_UPLOADS}{upload['id']}/chunks/{index}/", chunk, headers)
    figures = _figures(server.cpu() - before, time.monotonic() - began, _peak_mib(server.pid), size)
    client.call("DELETE", f"{_UPLOADS}{upload['id']}/")
    return figures


def _forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc(5): sets VmHWM back to what is resident now


def _peak_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError("the kernel does not tell the peak of a process's memory")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
