"""The base of every error that Jointo shows to anybody, and what retrying makes of it.

Plain Python: no Django here. `jointo.errors` renders these as HTTP answers; the runner writes them into
the job's row.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, ClassVar


class Remedy(enum.StrEnum):
    """What helps against an error: the retry policy goes by it."""

    RETRY = "retry"  # transient: network, storage, something nobody expected
    WAIT = "wait"  # rate limited: as long as told
    BACK_OFF = "back_off"  # the other side is down
    NONE = "none"  # bad input, quota, refused content: the same again would end the same


class JointoError(Exception):
    """An error with a stable code, a sentence that says what to do, and an HTTP status.

    Subclasses set the class attributes; `message` may be given when raising, and `details` holds what a
    program wants to know beyond the code (for example which chunks are missing).
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    remedy: ClassVar[Remedy] = Remedy.RETRY
    needs_operator: ClassVar[bool] = False  # a job that fails with it is a dead letter, tried often or not
    message: str = "Something went wrong."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = message or type(self).message
        self.details: dict[str, Any] = dict(details or {})
        self.retry_after = retry_after  # seconds, where the other side told
        super().__init__(self.message)


class BadInput(JointoError):
    """What the user sent can't be used; sending it again changes nothing."""

    code = "bad_input"
    status = 422
    remedy = Remedy.NONE
    message = "The input can't be used as it is."
