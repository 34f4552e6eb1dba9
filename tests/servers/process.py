"""Child processes of tests, and waiting for what they do."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from signal import SIGSTOP, SIGTERM
from typing import TypeVar

import psutil

from tests import environment

T = TypeVar("T")


def wait_for(condition: Callable[[], T], *, seconds: float = 90.0, what: str = "") -> T:
    """What the condition gives once it gives something true; AssertionError if it does not in time."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited {seconds} s in vain for {what or condition}")
        time.sleep(0.05)


def lives(process: psutil.Process) -> bool:
    """Whether it still can do anything; a dead one that nobody has reaped can't."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Process:
    """A child in a session of its own, with its log in a file."""

    def __init__(
        self, name: str, argv: list[str], env: dict[str, str], folder: Path, *, cwd: Path = environment.ROOT
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                argv,
                env=env,
                cwd=cwd,
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

    def suspend_family(self) -> None:
        """STOP, to the process and then to all that descend from it."""
        self.signal(SIGSTOP)  # first: from here on it starts no more
        for process in self.family()[1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume_family(self) -> None:
        """CONT, to all that descend from the process and then to itself."""
        for process in reversed(self.family()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def kill_family(self) -> None:
        """-9, to the process and all that descend from it; none of them lives when this returns."""
        self.suspend_family()
        family = self.family()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._child.wait()
        wait_for(lambda: not any(map(lives, family)), what=f"the end of {self.name}")

    def stop(self, *, seconds: float = 60.0, number: int = SIGTERM) -> int:
        """TERM, or another signal, then KILL for whatever of the family is left."""
        family = self.family()
        if self._child.poll() is None:
            self._child.send_signal(number)
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
