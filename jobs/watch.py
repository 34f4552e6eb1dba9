"""One thread a worker process that watches over the attempt which runs in it.

Twice a second or so it looks at the row: it renews the lease, writes progress and log, and sees whether the
attempt still is the one that may write. If not, or if the worker is stopping, it interrupts the body: a
signal to the main thread whose handler raises `Stopped` there. That reaches a body wherever it is, in a
sleep as well as in a read from a child process, and the child is killed on the way out (jobs.children).
"""

from __future__ import annotations

import contextlib
import enum
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from jobs import transitions
from jobs.models import Attempt, Job
from jobs.progress import Progress

logger = logging.getLogger(__name__)

_SIGNAL = signal.SIGUSR2  # SIGUSR1 is Celery's soft time limit
_REMIND_SECONDS = 10.0  # a body that swallowed the interruption hears of it again
_PROGRESS_SECONDS = 1.0  # J3: at most about one write a second


class Reason(enum.StrEnum):
    """Why an attempt has to stop."""

    TAKEN = "taken"  # cancelled, or rescued away from us: the row is not ours any more
    STOPPING = "stopping"  # the worker shuts down: hand the job back


class Stopped(BaseException):
    """Raised in a body that has to stop. Not an Exception: a body that catches those must not catch this."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


# Shared with the pool's children, which are forked after this: when they have to give their jobs back, by
# the monotonic clock, which is one for the whole machine; 0 for not at all.
_stop_at = multiprocessing.RawValue("d", 0.0)


def stop_soon(grace_seconds: float) -> None:
    """Tell every process of this worker to hand its job back after a grace; called where the stop is noticed."""
    if not _stop_at.value:
        _stop_at.value = time.monotonic() + grace_seconds


def is_stopping() -> bool:
    """Whether this worker has been told to stop."""
    return bool(_stop_at.value)


class Watched:
    """One attempt under watch."""

    def __init__(self, job: Job, progress: Progress, log_tail: Callable[[], str]) -> None:
        self.job = job
        self.progress = progress
        self.log_tail = log_tail
        self.reason: Reason | None = None
        self.armed = False
        self._thread = threading.get_ident()
        self._lease = settings.JOINTO_JOBS.lease
        self._renewed_at = self._written_at = self._reminded_at = time.monotonic()
        self._tail = ""

    def check(self) -> None:
        """Raise `Stopped` in the caller's thread if the attempt has to stop."""
        if self.reason:
            raise Stopped(self.reason)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside, and only inside, the attempt may be interrupted at any point."""
        self.armed = True
        try:
            self.check()
            yield
        finally:
            self.armed = False

    @contextlib.contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Inside, an interruption waits; at the end of it, unless that is an error, it is raised."""
        armed, self.armed = self.armed, False
        try:
            yield
        finally:
            self.armed = armed
        self.check()

    def look(self) -> None:
        """Once round: is it still ours, is the lease due, is there something to write."""
        now = time.monotonic()
        if self.reason:
            if now - self._reminded_at > _REMIND_SECONDS:
                self._interrupt(self.reason)
        elif 0 < _stop_at.value < now:
            self._interrupt(Reason.STOPPING)
        elif not self._still_ours(now):
            self._interrupt(Reason.TAKEN)

    def _still_ours(self, now: float) -> bool:
        lease = self._lease.total_seconds()
        due = now - self._renewed_at > lease / 3
        seen = self.progress.take() if due or now - self._written_at >= _PROGRESS_SECONDS else {}
        try:
            if not (due or seen):
                return transitions.is_mine(self.job)
            ours = transitions.renew(self.job, lease=self._lease, **seen)
            self._renewed_at = self._written_at = now
            if due:
                self._keep_log()
            return ours
        except (DatabaseError, InterfaceError):
            # Away for a moment: nothing is known. But once our lease must have run out, somebody else may
            # hold the job, and we go by that.
            logger.warning("the database did not answer the watch over job %s", self.job.pk)
            connection.close()
            return now - self._renewed_at < lease

    def _keep_log(self) -> None:
        # So that an attempt which gets killed leaves more than silence behind.
        tail = self.log_tail()
        if tail != self._tail:
            self._tail = tail
            Attempt.objects.filter(job_id=self.job.pk, number=self.job.attempt).update(log_tail=tail)

    def _interrupt(self, reason: Reason) -> None:
        self.reason = reason
        self._reminded_at = time.monotonic()
        if self.armed and self._thread == threading.main_thread().ident:
            signal.pthread_kill(self._thread, _SIGNAL)


class _Watcher:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.watched: Watched | None = None
        if threading.current_thread() is threading.main_thread():
            signal.signal(_SIGNAL, self._on_signal)
        threading.Thread(target=self._run, name="jobs-watch", daemon=True).start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        watched = self.watched
        if watched and watched.armed and watched.reason:
            raise Stopped(watched.reason)

    def _run(self) -> None:
        while True:
            time.sleep(settings.JOINTO_JOBS.watch.total_seconds())
            watched = self.watched
            if watched:
                try:
                    watched.look()
                except Exception:  # the watch must outlive whatever one look ran into
                    logger.exception("the watch over job %s stumbled", watched.job.pk)
            else:
                connection.close()  # an idle process holds no connection


_watcher: _Watcher | None = None


@contextlib.contextmanager
def over(job: Job, progress: Progress, log_tail: Callable[[], str]) -> Iterator[Watched]:
    """Watch over the attempt while the block runs."""
    global _watcher
    if _watcher is None or _watcher.pid != os.getpid():  # threads do not survive a fork
        _watcher = _Watcher()
    watched = Watched(job, progress, log_tail)
    _watcher.watched = watched
    try:
        yield watched
    finally:
        _watcher.watched = None
