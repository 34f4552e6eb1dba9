"""Starts the processes of a stack, watches them, and leaves none behind.

- Each one leads a session of its own and writes to a log file of its own. It is ended by its number: TERM to
  the process, time to finish, then KILL to its whole group, before it is reaped: the number is still its own.
- Signals that ask this program to stop are noted, and raised as `Stopped` from `wait`: never between the fork
  and the moment the child is known.
- If this program dies without a word (kill -9), the kernel sends TERM to each of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

_TICK = 0.05  # seconds between two looks at the processes
_TAIL = 25  # lines of a log that are shown

# The parent may have died before setpriv asked to be told: then the parent's number has changed by now.
_UNLESS_ORPHANED = 'test "$PPID" = "$0" || exit 125; exec "$@"'


class Stopped(Exception):
    """Somebody asked this program to stop: Ctrl-C, TERM, or a terminal that was closed."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Died(Exception):
    """A process ended that should not have, or as it should not have."""


@dataclass(frozen=True)
class Process:
    """One child: the leader of its session and process group."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path | None

    def ended(self) -> int | None:
        """Its exit status (128 + n: signal n) once it has ended. It stays unreaped: its number is its own."""
        found = os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else 128 + found.si_status

    def account(self, status: int) -> str:
        """How it ended, with the end of its log."""
        how = f"was ended by {signal.Signals(status - 128).name}" if status > 128 else f"ended with status {status}"
        if self.log is None:
            return f"{self.name} {how}."
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL:]
        return "\n".join(
            [f"{self.name} {how}. The end of {os.path.relpath(self.log)}:", *(f"  {line}" for line in lines)]
        )

    def terminate(self) -> None:
        os.kill(self.child.pid, signal.SIGTERM)  # Popen's own way would reap it, if it has ended

    def reap(self) -> None:
        """Kill what is left of its group, and forget it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


class Processes:
    """The children of this program. Start them from the main thread: the death signal follows the thread."""

    def __init__(self, *, cwd: Path, logs: Path, env: Mapping[str, str]) -> None:
        self._cwd, self._logs, self._env = cwd, logs, dict(env)
        self._running: list[Process] = []
        self._signal: int | None = None
        logs.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def start(self, name: str, *argv: str | Path, env: Mapping[str, str] | None = None, logged: bool = True) -> Process:
        """Start a process that is to run until `stop`. Not logged: it writes to where this program writes."""
        log = self._logs / f"{name}.log" if logged else None
        command = [
            "setpriv",
            "--pdeathsig",
            "TERM",
            "--",
            "sh",
            "-c",
            _UNLESS_ORPHANED,
            str(os.getpid()),
            *map(str, argv),
        ]
        with contextlib.ExitStack() as files:
            output = files.enter_context(log.open("wb")) if log else None
            child = subprocess.Popen(
                command,
                cwd=self._cwd,
                env={**self._env, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        process = Process(name, child, log)
        self._running.append(process)
        return process

    def run(self, name: str, *argv: str | Path, env: Mapping[str, str] | None = None) -> None:
        """Run a process to its end. Raises Died if it fails."""
        process = self.start(name, *argv, env=env)
        if status := self.until_ended(process):
            raise Died(process.account(status))

    def until_ended(self, process: Process) -> int:
        """The exit status of a process that is expected to end, while the others go on."""
        self.wait(lambda: process.ended() is not None, ending=process)
        status = process.ended() or 0
        self._running.remove(process)
        process.reap()
        return status

    def wait(self, until: Callable[[], bool] = lambda: False, *, ending: Process | None = None) -> None:
        """Wait for a condition. Raises Stopped on a signal, Died when a process other than `ending` ends."""
        while not until():
            if self._signal is not None:
                raise Stopped(self._signal)
            for process in self._running:
                if process is not ending and (status := process.ended()) is not None:
                    raise Died(process.account(status))
            time.sleep(_TICK)

    def stop(self, *last: Process, seconds: float = 20.0) -> None:
        """End all of them, `last` when the others are gone. A second signal cuts the waiting short."""
        self._signal = None
        self._end([process for process in self._running if process not in last], seconds=seconds)
        self._end(list(last), seconds=seconds)
        self._running.clear()

    def _end(self, processes: list[Process], *, seconds: float) -> None:
        for process in processes:
            process.terminate()
        until = time.monotonic() + seconds
        while any(process.ended() is None for process in processes):
            if time.monotonic() > until or self._signal is not None:
                break
            time.sleep(_TICK)
        for process in processes:
            process.reap()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signal = number
