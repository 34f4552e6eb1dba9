"""Signals that wait until it is safe for their handlers to raise."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Self


class HeldSignals:
    """Lets Python's signal handlers run only when `deliver` is called, or at the end.

    Masking signals would not do: the kernel may hand a signal to another thread, and Python would still run
    its handler here; and the child would inherit the mask. So the handlers are swapped for one that takes
    notes. That one passes straight on while nothing is held, which makes `_holding` the single switch: an
    exception amid the swapping finds every signal either held or handled as before.

    Off the main thread there is nothing to hold: Python runs no handlers there.
    """

    def __init__(self) -> None:
        self._holding = False
        self._pending: list[tuple[int, FrameType | None]] = []
        self._before: dict[int, Callable[[int, FrameType | None], object]] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            try:
                self._swap()
                self._holding = True
            except BaseException:
                self._swap_back()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self._holding = False
        self._swap_back()
        self.deliver()

    def deliver(self) -> None:
        """Run the handlers of the signals that came meanwhile. Whatever they raise comes out of here."""
        try:
            while self._pending:
                number, frame = self._pending.pop(0)
                self._before[number](number, frame)
        finally:
            if self._pending:
                self.deliver()  # a handler raised: the others still get theirs

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._holding:
            self._pending.append((number, frame))
        else:
            self._before[number](number, frame)

    def _swap(self) -> None:
        for number in signal.valid_signals():
            handler = signal.getsignal(number)
            if callable(handler):
                self._before[number] = handler
                signal.signal(number, self._note)

    def _swap_back(self) -> None:
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._note:
                signal.signal(number, handler)
