"""What Jointo adds to a Celery worker: a pulse that says it is there, and does the upkeep meanwhile.

So a beat that is away stops nothing: each worker rescues by itself every few seconds, and every second releases
what has become due and draws the consequences of what has ended (jobs.journal).
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

from celery import bootsteps
from celery.signals import beat_embedded_init, task_prerun, worker_process_init, worker_shutting_down
from celery.worker import consumer
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections, connection, connections

from jobs import dead_letters, dispatch, journal, rescue, watch
from jobs.models import Worker
from jobs.now import Now

logger = logging.getLogger(__name__)

_POOLS = ("prefork", "solo")  # a body is interrupted by a signal to its process's main thread


class QuietForks:
    """Lets this process fork only while none of its threads has a connection to SQLite.

    SQLite notes in the process's memory which of its connections holds which lock (https://sqlite.org/howtocorrupt.html,
    2.6). A child of the pool that is forked amid a write takes the note along, and waits for ever for a thread
    that it does not have. Servers know better: there nobody waits for anybody.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
        os.register_at_fork(before=self._before, after_in_parent=self._after)

    @contextlib.contextmanager
    def at_the_database(self) -> Iterator[None]:
        """For a thread other than the main one: nothing is forked inside, and no connection is left open after it."""
        if connection.vendor != "sqlite":
            yield
            return
        with self._lock:
            try:
                yield
            finally:
                connection.close()

    def _before(self) -> None:
        if os.getpid() == self._pid:  # a child inherits this, and has no pulse
            self._lock.acquire()
            if connection.vendor == "sqlite" and not connection.in_atomic_block:
                connection.close()

    def _after(self) -> None:
        if os.getpid() == self._pid:
            self._lock.release()


class Consumer(consumer.Consumer):
    """Celery's consumer, that outlives its broker also when that goes while messages wait to be acknowledged.

    Celery 5.7.0 closes a lost connection twice. What kombu 5.7.0 could not give back to a Redis that is away it tries
    to give back again, then over a transport that has been taken apart, and fails in a way that Celery takes for
    the end of the worker. Nothing is lost with such messages: the sweep sends again what nobody picked up.
    """

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        try:
            super().on_connection_error_after_connected(exc)
        except Exception:  # whatever taking the connection apart runs into: it is lost anyhow, and a new one is made
            if self.connection:  # not let go yet: something else
                raise
            logger.warning("the lost connection to the broker could not be closed in order", exc_info=True)


class Pulse(bootsteps.StartStopStep):
    """A thread of the worker's main process: heartbeat and sweep, until the worker stops."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        pool = parent.pool_cls.__module__.rpartition(".")[2]
        if pool not in _POOLS:
            raise ImproperlyConfigured(f"Jobs run in the pools {' and '.join(_POOLS)}, not in {pool}.")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._forks = QuietForks()

    def start(self, parent: Any) -> None:
        self._thread = threading.Thread(target=self._beat, args=(parent,), name="jobs-pulse", daemon=True)
        self._thread.start()

    def stop(self, parent: Any) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=5)
        # Gone on purpose: the dispatcher must not count on it for another three pulses.
        Worker.objects.filter(name=parent.hostname).delete()
        connection.close()

    terminate = stop

    def _beat(self, parent: Any) -> None:
        pulse = settings.JOINTO_JOBS.pulse.total_seconds()
        tick = min(pulse, settings.JOINTO_JOBS.tick.total_seconds())
        due = 0.0
        while not self._stop.is_set():
            is_due = time.monotonic() >= due
            if is_due:
                due = time.monotonic() + pulse
            try:
                with self._forks.at_the_database():
                    self._tick(parent, is_due)
            except Exception:  # the database or the broker may be away; the next tick finds out
                logger.exception("a tick was missed")
                connections.close_all()
            close_old_connections()
            self._stop.wait(tick)
        connection.close()

    def _tick(self, parent: Any, is_due: bool) -> None:
        if is_due:
            queues = sorted(parent.app.amqp.queues.consume_from)
            heartbeat(parent.hostname, queues=queues, concurrency=parent.concurrency or 1)
            rescue.sweep()
        dispatch.promote()
        journal.book_all()
        dead_letters.alert()


def heartbeat(name: str, *, queues: list[str], concurrency: int) -> None:
    """Write down that a worker is there, by the database's clock."""
    now = Now()
    seen = {"queues": queues, "concurrency": concurrency, "pid": os.getpid(), "seen_at": now}
    Worker.objects.update_or_create(name=name, defaults=seen, create_defaults={**seen, "started_at": now})


@worker_shutting_down.connect
def _hand_back_soon(**_: Any) -> None:
    watch.stop_soon(settings.JOINTO_JOBS.stop_grace.total_seconds())


@worker_process_init.connect
@beat_embedded_init.connect
def _forget_inherited_connections(**_: Any) -> None:
    # A child of the pool, or the beat of `worker -B`, was forked from a process whose threads hold connections; they
    # are not ours to close.
    for alias in connections:
        connections[alias].connection = None


@task_prerun.connect
def _begin_with_a_new_connection(task: Any, **_: Any) -> None:
    # Jobs keep theirs from one to the next (CELERY_DB_REUSE_MAX) and know what to do if it broke meanwhile; others
    # may not.
    if not getattr(task, "is_job", False) and not task.request.is_eager:
        connections.close_all()
