"""Retry policies: data and pure functions. Plain Python.

An attempt that failed is charged; so is one that crashed, and crashes have a cap of their own, because a
job that kills its worker is worse than one that fails. An attempt that a stopping worker handed back is
not charged.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from jobs.errors import JointoError, Remedy

DEFAULT_RATE_LIMIT_SECONDS = 60.0  # a provider that limits without saying how long


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often a kind of job is tried again, and how long each wait is.

    The wait before retry n (1, 2, …) is `first_seconds * factor ** (n - 1)`, at most `cap_seconds`, and
    then moved at random by up to `jitter` of itself, so that jobs that failed together do not come back
    together. `remedies` are the errors that are worth another try.
    """

    retries: int = 3
    first_seconds: float = 60.0
    factor: float = 1.0
    cap_seconds: float = 600.0
    jitter: float = 0.0
    remedies: frozenset[Remedy] = frozenset({Remedy.RETRY, Remedy.WAIT, Remedy.BACK_OFF})

    def __post_init__(self) -> None:
        if self.retries < 0 or self.first_seconds < 0 or self.factor < 1 or not 0 <= self.jitter <= 1:
            raise ValueError(f"a retry policy that makes no sense: {self}")

    @property
    def max_attempts(self) -> int:
        """The first attempt and its retries."""
        return self.retries + 1

    def wait_seconds(self, retry: int, *, rng: random.Random | None = None) -> float:
        """How long to wait before the given retry, counted from 1."""
        # The exponent is bounded: a large one would overflow long after the cap has been reached.
        wait = min(self.first_seconds * self.factor ** min(retry - 1, 64), self.cap_seconds)
        spread = self.jitter * wait
        return max(0.0, wait + (rng or random).uniform(-spread, spread)) if spread else wait


@dataclass(frozen=True)
class RetryIn:
    """Try again after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class GiveUp:
    """Leave it failed. `exhausted`: because the attempts are used up, not because trying makes no sense."""

    exhausted: bool


def decide(
    policy: RetryPolicy,
    error: BaseException,
    *,
    attempt: int,
    max_attempts: int,
    retry: int,
    rng: random.Random | None = None,
) -> RetryIn | GiveUp:
    """What follows when `attempt` (of `max_attempts`) ended with `error`; `retry` is the next one's number."""
    remedy = error.remedy if isinstance(error, JointoError) else Remedy.RETRY
    if remedy is Remedy.NONE or remedy not in policy.remedies:
        return GiveUp(exhausted=False)
    if attempt >= max_attempts:
        return GiveUp(exhausted=True)
    told = error.retry_after if isinstance(error, JointoError) else None
    if told is not None:
        return RetryIn(max(0.0, told))
    if remedy is Remedy.WAIT:
        return RetryIn(DEFAULT_RATE_LIMIT_SECONDS)
    return RetryIn(policy.wait_seconds(retry, rng=rng))


def crash_wait_seconds(crashes: int) -> float:
    """How long a job waits after its n-th crash: not at all after the first, which mostly was a deploy."""
    return 0.0 if crashes <= 1 else min(30.0 * 2.0 ** min(crashes - 2, 10), 600.0)
