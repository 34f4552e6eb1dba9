"""Starts, watches and kills child processes; the only module that does.

`run` starts a program from a list of arguments, hands on what it says line by line, bounds what it may use,
and never leaves it behind:

- The child leads a session of its own. However `run` ends, the whole group gets SIGKILL and is reaped. (A
  grandchild that starts a session of its own escapes this; the programs used here don't.)
- If this process dies without a word (kill -9), the kernel kills the child: `setpriv --pdeathsig`. That goes by
  the *thread* that spawned, which lives as long as its child, as `run` waits for it.
- While `run` works, Python's signal handlers run between two reads and nowhere else. An exception that a
  handler raises (a soft time limit, a cancel) therefore ends the child and comes out of `run`, but it can
  strike neither between the fork and the moment the child is known, nor in the middle of the clean-up. Python runs
  no handlers off the main thread: there `on_tick` is what ends a child early.

Linux only, by util-linux (setpriv, prlimit), which every Debian has.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from jobs.errors import JointoError
from jobs.held_signals import HeldSignals
from jobs.lines import Lines

TAIL_LINES = 50
TAIL_WIDTH = 500  # characters
LARGEST_OUTPUT = 16 * 1024 * 1024  # bytes of stdout that are collected when nobody reads it line by line
_CHUNK = 64 * 1024
_LARGEST_PIPE = 1024 * 1024  # what a pipe can still hold when its writer has died
_TICK = 0.1  # seconds between two looks at the clocks and at the signals
_LAST_WAIT = 10.0  # seconds for the kernel to end a killed process

PACKAGES = {"ffmpeg": "ffmpeg", "ffprobe": "ffmpeg", "setpriv": "util-linux", "prlimit": "util-linux"}

# The parent may have died before setpriv asked to be told: then the parent's id has changed by now.
_UNLESS_ORPHANED = 'test "$PPID" = "$1" || exit 125; shift; exec "$@"'


class ChildFailed(JointoError):
    """The program ended with an error; `tail` holds the last lines of its log."""

    code: ClassVar[str] = "child_failed"
    message = "A program that was started ended with an error."

    def __init__(self, message: str | None = None, *, returncode: int | None = None, tail: Sequence[str] = ()) -> None:
        super().__init__(message, details={"returncode": returncode})
        self.returncode = returncode  # negative: the signal that ended it; None: it was killed by `run`
        self.tail = list(tail)


class ChildTimedOut(ChildFailed):
    """The program ran longer than `Limits.wall_seconds`."""

    code = "child_timed_out"
    message = "A program that was started took too long and was stopped."


class ChildStalled(ChildFailed):
    """The program made no progress for `Limits.stall_seconds`."""

    code = "child_stalled"
    message = "A program that was started stood still and was stopped."


class ChildTooLoud(ChildFailed):
    """The program wrote more to its standard output than is collected."""

    code = "child_too_loud"
    message = "A program that was started wrote more than expected and was stopped."


class ProgramMissing(JointoError):
    """A program is not installed on this machine."""

    code = "program_missing"
    message = "A program that is needed is not installed on this machine."


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a child may use. None means unlimited."""

    wall_seconds: float | None = 3600.0
    stall_seconds: float | None = 300.0  # without progress, see `run`
    memory_bytes: int | None = 4 * 1024**3  # address space, so more than what is resident
    file_bytes: int | None = 64 * 1024**3  # of each file that it writes
    cpu_seconds: int | None = None  # of all its threads together
    open_files: int = 256


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a program that ended well has said."""

    stdout: str  # empty when `on_line` took it
    tail: list[str]  # the last lines of stderr


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    limits: Limits | None = None,
    on_line: Callable[[str], bool] | None = None,
    on_log: Callable[[str], None] | None = None,
    on_tick: Callable[[], None] | None = None,
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program to its end.

    `on_line` gets each line of stdout and says whether it shows progress, which sets the stall clock back;
    without it stdout is collected, and any output counts as progress. `on_log` gets each line of stderr. `on_tick`
    is called ten times a second or so. What they raise ends the child. `env` is added to a minimal environment: of
    this process's own, PATH alone.

    Raises ChildFailed, ChildTimedOut, ChildStalled, ChildTooLoud, ProgramMissing, and whatever a signal
    handler raises meanwhile. In every case the child and its group are gone.
    """
    limits = limits or Limits()
    environment = _environment(cwd, env)
    command = _wrapped(argv, limits=limits, path=environment["PATH"])
    with HeldSignals() as signals:
        process = _started(command, cwd=cwd, env=environment)
        try:
            watch = _Watch(process, limits=limits, on_line=on_line, on_log=on_log)
            watch.until_exit(signals, on_tick)
        finally:
            _end(process)
    if process.returncode != 0:
        raise ChildFailed(
            f"{Path(argv[0]).name} {_ending(process.returncode)}.",
            returncode=process.returncode,
            tail=watch.tail,
        )
    return Finished(stdout=watch.stdout(), tail=list(watch.tail))


def _started(command: list[str], *, cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _environment(cwd: Path, env: Mapping[str, str] | None) -> dict[str, str]:
    """All that the child finds there. It handles strangers' files: no secret of ours may be within reach."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(cwd),
        "TMPDIR": str(cwd),
        **(env or {}),
    }


def _wrapped(argv: Sequence[str], *, limits: Limits, path: str) -> list[str]:
    """`argv` behind the programs that set the death signal and the limits; each turns into the next."""
    bounds = {
        "as": limits.memory_bytes,
        "fsize": limits.file_bytes,
        "cpu": limits.cpu_seconds,
        "nofile": limits.open_files,
        "core": 0,
    }
    options = [f"--{name}={bound}" for name, bound in bounds.items() if bound is not None]
    parent = str(os.getpid())
    return [
        *(_program("setpriv", path), "--no-new-privs", "--pdeathsig", "KILL", "--"),
        *("/bin/sh", "-c", _UNLESS_ORPHANED, "sh", parent),
        *(_program("prlimit", path), *options, "--"),
        *(_program(argv[0], path), *argv[1:]),
    ]


def _program(name: str, path: str) -> str:
    found = shutil.which(name, path=path)
    if found is None:
        package = PACKAGES.get(name)
        hint = f" On Debian it comes with the package {package}." if package else ""
        raise ProgramMissing(f"The program {name} is not installed on this machine.{hint}")
    return found


def _ending(returncode: int) -> str:
    if returncode == -signal.SIGXFSZ:
        return "was stopped because it wrote a larger file than it may"
    if returncode == -signal.SIGXCPU:
        return "was stopped because it used more processor time than it may"
    if returncode < 0:
        return f"was ended by signal {-returncode}"
    return f"ended with exit status {returncode}"


def _shortened(line: str) -> str:
    """A long line without its middle: what went wrong stands at its end."""
    if len(line) <= TAIL_WIDTH:
        return line
    half = TAIL_WIDTH // 2
    return f"{line[: half - 1]}…{line[-half:]}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the child's whole group and reap the child.

    The group is killed first: as long as the child is not reaped, its number can't belong to anybody else.
    """
    _kill_group(process)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    # Only a process that hangs in the kernel outlives SIGKILL; it is then nobody's use to wait for it.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_LAST_WAIT)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class _Watch:
    """One running child: reads what it says, and looks at its clocks."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        limits: Limits,
        on_line: Callable[[str], bool] | None,
        on_log: Callable[[str], None] | None,
    ) -> None:
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._process = process
        self._limits = limits
        self._on_line = on_line
        self._on_log = on_log
        self._started = self._moved = time.monotonic()
        self._stdout = bytearray()
        self._out_lines = Lines(self._line)
        self._log_lines = Lines(self._log)

    def stdout(self) -> str:
        return self._stdout.decode("utf-8", "replace")

    def until_exit(self, signals: HeldSignals, on_tick: Callable[[], None] | None) -> None:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        exited = os.pidfd_open(self._process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(exited, selectors.EVENT_READ)
                selector.register(self._process.stdout, selectors.EVENT_READ, self._out)
                selector.register(self._process.stderr, selectors.EVENT_READ, self._err)
                while self._read(selector):
                    signals.deliver()
                    self._look_at_clocks()
                    if on_tick is not None:
                        on_tick()
        finally:
            os.close(exited)
        _kill_group(self._process)  # what the child left running must not hold the pipes open
        self._drain(self._process.stdout.fileno(), self._out)
        self._drain(self._process.stderr.fileno(), self._err)
        self._out_lines.end()
        self._log_lines.end()

    def _read(self, selector: selectors.BaseSelector) -> bool:
        """Take what is there, or wait a tick for it; False once the child has exited."""
        running = True
        for key, _ in selector.select(_TICK):
            if key.data is None:
                running = False
            elif data := os.read(key.fd, _CHUNK):
                key.data(data)
            else:
                selector.unregister(key.fileobj)
        return running

    def _drain(self, fd: int, take: Callable[[bytes], None]) -> None:
        os.set_blocking(fd, False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(_LARGEST_PIPE // _CHUNK):
                take(os.read(fd, _CHUNK))  # nothing is taken at the end of the pipe, which does no harm

    def _out(self, data: bytes) -> None:
        if self._on_line is not None:
            self._out_lines.feed(data)
            return
        self._moved = time.monotonic()
        self._stdout += data
        if len(self._stdout) > LARGEST_OUTPUT:
            raise ChildTooLoud(tail=self.tail)

    def _err(self, data: bytes) -> None:
        if self._on_line is None:
            self._moved = time.monotonic()
        self._log_lines.feed(data)

    def _line(self, line: str) -> None:
        if self._on_line is not None and self._on_line(line):
            self._moved = time.monotonic()

    def _log(self, line: str) -> None:
        self.tail.append(_shortened(line))
        if self._on_log is not None:
            self._on_log(line)

    def _look_at_clocks(self) -> None:
        now = time.monotonic()
        wall, stall = self._limits.wall_seconds, self._limits.stall_seconds
        if wall is not None and now - self._started > wall:
            raise ChildTimedOut(tail=self.tail)
        if stall is not None and now - self._moved > stall:
            raise ChildStalled(tail=self.tail)
