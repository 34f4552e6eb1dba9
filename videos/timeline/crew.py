"""Several programs at once: each has a thread that waits for it, and the caller's own thread waits for them all.

Only that one hears of signals, and tells anybody how far it is. What it raises, or what the first of the others raises,
stops all programs within a moment, and none is left when it comes out of here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event

from jobs.held_signals import HeldSignals

_TICK = 0.1  # seconds between two looks at the signals

Task = Callable[["Call"], None]


class Abandoned(Exception):
    """Raised in a task that nobody waits for any more."""


class Call:
    """Whether a task is still wanted."""

    def __init__(self) -> None:
        self._over = Event()

    def check(self) -> None:
        """Raise Abandoned if it is not."""
        if self._over.is_set():
            raise Abandoned

    def off(self) -> None:
        self._over.set()


def work(tasks: Sequence[Task], *, most: int, on_tick: Callable[[], None]) -> None:
    """Do all tasks, at most so many at once. A task has to call `check` several times a second.

    `on_tick` is called meanwhile, and what it raises ends the work. Raises what the first task that fails raises.
    """
    call = Call()
    with HeldSignals() as signals:
        pool = ThreadPoolExecutor(most, thread_name_prefix="film")
        try:
            pending = {pool.submit(_wanted, task, call) for task in tasks}
            while pending:
                done, pending = wait(pending, timeout=_TICK, return_when=FIRST_EXCEPTION)
                for one in done:
                    if (error := one.exception()) and not isinstance(error, Abandoned):
                        raise error
                signals.deliver()
                on_tick()
        finally:
            call.off()
            pool.shutdown(cancel_futures=True)


def _wanted(task: Task, call: Call) -> None:
    """A task that begins only while none has failed."""
    call.check()
    try:
        task(call)
    except BaseException:
        call.off()
        raise
