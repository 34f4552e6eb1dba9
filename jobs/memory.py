"""What a process remembers of the database for a second, so that not every submission asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_SECONDS = 1.0


class Remembered(Generic[T]):
    """The answer of `read`, asked for anew once it is a second old. What it says may be that old."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._answer: tuple[float, T] | None = None

    def __call__(self) -> T:
        now = time.monotonic()
        if self._answer is None or now - self._answer[0] > _SECONDS:
            self._answer = (now, self._read())
        return self._answer[1]

    def forget(self) -> None:
        """Ask the next time."""
        self._answer = None
