"""What all servers have in common."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests import environment
from tests.servers.process import Process, wait_for


class Server(ABC):
    """One server: its port and its data stay the same however often it is stopped and started.

    As a context it is started, and removed at the end. Its process is ended with this one at the latest.
    """

    name: ClassVar[str]
    user: ClassVar[str] = ""  # whom it runs as when root starts it; nobody else if empty
    stop_signal: ClassVar[int] = signal.SIGTERM
    start_seconds: ClassVar[float] = 30.0

    def __init__(self, folder: Path | None = None, port: int | None = None) -> None:
        # A folder of pytest's can be entered by its owner alone; a server that runs as its own user needs another.
        self.folder = folder or Path(tempfile.mkdtemp(prefix=f"jointo-{self.name}-"))
        self.port = port or environment.free_port()
        self._is_own_folder = folder is None
        self._process: Process | None = None
        atexit.register(self.remove)

    @property
    @abstractmethod
    def url(self) -> str:
        """Its address, as Jointo's settings take it."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves."""

    @abstractmethod
    def command(self) -> list[str]:
        """The server's program and arguments; it must not put itself into the background."""

    def env(self) -> dict[str, str]:
        return dict(os.environ)

    def prepare(self) -> None:
        """Make what has to be there before each start."""
        if self.user and os.geteuid() == 0:
            shutil.chown(self.folder, self.user, self.user)

    def start(self) -> None:
        """Start it with the data it has; returns once it answers."""
        assert self._process is None, f"{self.name} runs already"
        self.prepare()
        process = Process(self.name, [*self.as_itself(), *self.command()], self.env(), self.folder, cwd=Path("/"))
        self._process = process

        def there() -> bool:
            assert process.alive, f"{self.name} did not start:\n{process.text()[-3000:]}"
            return self.answers()

        wait_for(there, seconds=self.start_seconds, what=self.name)

    def stop(self) -> None:
        """Let it end in good order; what it keeps is kept."""
        if self._process:
            self._process.resume_family()
            self._process.stop(number=self.stop_signal)
            self._process = None

    def kill(self) -> None:
        """-9, to all its processes at once, as when the machine fails."""
        if self._process:
            self._process.kill_family()
            self._process = None

    def restart(self) -> None:
        """Stop and start, on the same port, with the same data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """It keeps its connections, takes new ones, and answers nothing."""
        assert self._process
        self._process.suspend_family()

    def resume(self) -> None:
        """Undo `pause`."""
        assert self._process
        self._process.resume_family()

    def remove(self) -> None:
        """Stop it for good, and remove what it wrote, unless the folder was given."""
        self.stop()
        if self._is_own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.remove)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def as_itself(self) -> list[str]:
        """How a command begins that runs as the server's own user."""
        if not self.user or os.geteuid():
            return []
        # setpriv replaces itself by the command, so that a signal to the child is one to the server.
        return ["setpriv", "--reuid", self.user, "--regid", self.user, "--init-groups", "--"]

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()
