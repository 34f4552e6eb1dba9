"""Writing down what was paid for, also where the database goes away for a moment."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

T = TypeVar("T")
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)  # seconds; a database that restarts is away for about so long


def surely(write: Callable[[], T]) -> T:
    """What `write` gives: once more by a new connection, several times, where the one it had has broken.

    `write` is one transaction, or several; it has to bear that one whose COMMIT was not answered has taken effect.
    """
    for pause in _PAUSES:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:  # somebody else's transaction: it is theirs to begin anew
                raise
            logger.warning("the database went away: written once more in %s s", pause, exc_info=True)
            connection.close()
            time.sleep(pause)
    return write()
