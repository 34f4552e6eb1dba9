"""What the body of a job is given: how to report progress, where to write, what to do when it ends."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from django.conf import settings

from jobs.progress import Progress


class Lookout(Protocol):
    """Tells a body that it has to stop, by raising."""

    def check(self) -> None:
        """Raise `jobs.watch.Stopped` if the attempt has to stop."""

    def uninterrupted(self) -> AbstractContextManager[None]:
        """Inside, nothing is raised by itself; the end checks."""


class JobContext:
    """One attempt, as its body sees it.

    A body called directly, outside a worker, gets one that is tied to no job: progress goes nowhere.
    """

    def __init__(
        self,
        *,
        job_id: uuid.UUID | None = None,
        attempt: int = 1,
        owner_id: int | None = None,
        fallback: str = "",
        progress: Progress | None = None,
        lookout: Lookout | None = None,
    ) -> None:
        self.job_id = job_id or uuid.uuid4()
        self.attempt = attempt
        self.owner_id = owner_id
        self.fallback = fallback  # which of the kind's fallbacks is to do it; empty: the usual way
        self._progress = progress or Progress()
        self._lookout = lookout
        self.effects: list[Callable[[], None]] = []
        self.after_success: list[Callable[[], None]] = []
        self.after_failure: list[Callable[[BaseException], None]] = []
        self.when_not_published: list[Callable[[], None]] = []

    @property
    def name(self) -> str:
        """A name for what this attempt writes; no other attempt has it."""
        return f"{self.job_id}-{self.attempt}"

    @property
    def scratch(self) -> Path:
        """A private folder for this attempt, made at first use and gone when the attempt ends.

        On the file system of MEDIA_ROOT, so that a finished file is published by rename.
        """
        folder = Path(settings.SCRATCH_DIR) / self.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def progress(self, current: float, total: float, message: str = "") -> None:
        """Say how far the body is. Cheap: written about once a second, never going backwards."""
        self.check()
        self._progress.report(current, total, message)

    def check(self) -> None:
        """Raise if the job was cancelled meanwhile, or this attempt lost it; for loops that report nothing."""
        if self._lookout:
            self._lookout.check()

    @contextlib.contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Inside, neither a cancel nor a stop interrupts; at its end they do.

        For the seconds in which an answer must not be lost that somebody pays for. What is inside has to end by itself.
        """
        if self._lookout is None:
            yield
            return
        with self._lookout.uninterrupted():
            yield

    def at_completion(self, effect: Callable[[], None]) -> None:
        """Have `effect` run in the transaction that completes the job: both happen, or neither."""
        self.effects.append(effect)

    def once_completed(self, action: Callable[[], None]) -> None:
        """Have `action` run after that transaction; for clean-up that may be lost and is found again."""
        self.after_success.append(action)

    def once_failed(self, action: Callable[[BaseException], None]) -> None:
        """Have `action` run once the job has failed for good, by this attempt's error."""
        self.after_failure.append(action)

    def unless_completed(self, action: Callable[[], None]) -> None:
        """Have `action` run if this attempt ends in any way but completing the job: takes back what it wrote."""
        self.when_not_published.append(action)

    def clean_up(self) -> None:
        """Remove the attempt's private folder."""
        shutil.rmtree(Path(settings.SCRATCH_DIR) / self.name, ignore_errors=True)
