"""How far an attempt is: told as often as the body likes, read by the watcher that writes it down."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

_MESSAGE_LENGTH = 500  # as wide as the column
_LARGEST = 2**63 - 1


class Progress:
    """The last report of one attempt; never goes backwards.

    The body's thread reports, the watcher's thread takes: each exchange is one assignment or one read of a
    tuple, so no lock is needed.
    """

    def __init__(self) -> None:
        self._now: tuple[int, int, str] = (0, 0, "")
        self._taken = self._now

    def report(self, current: float, total: float, message: str = "") -> None:
        """Set the progress; a smaller share than before changes the message alone."""
        ahead = (_whole(current), _whole(total))
        before = self._now[:2]
        if _share(*ahead) < _share(*before):
            ahead = before
        self._now = (*ahead, message[:_MESSAGE_LENGTH])

    def take(self) -> dict[str, Any]:
        """The columns to write, or nothing if nothing has changed since they were last taken."""
        now = self._now
        if now == self._taken:
            return {}
        self._taken = now
        return {"current": now[0], "total": now[1], "message": now[2]}


def _whole(number: float) -> int:
    """As the column takes it; what is no number counts as none."""
    return min(max(0, int(number)), _LARGEST) if math.isfinite(number) else 0


def _share(current: int, total: int) -> Fraction:
    return Fraction(min(current, total), total) if total else Fraction(0)
