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
LONGEST_BACK_OFF_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often a kind of job is tried again, and how long each wait is.

    The wait before retry n (1, 2, …) is `first_seconds * factor ** (n - 1)`, at most `cap_seconds`, and
    then moved at random by up to `jitter` of itself, so that jobs that failed together do not come back
    together. `remedies` are the errors that are worth another try.

    While the other side is unavailable (`Remedy.BACK_OFF`) the wait doubles each time, whatever `factor` says,
    up to ten minutes, and is spread. After `fallback_after` such failures in a row the next one of `fallbacks`
    takes over at once; the body finds its name in `JobContext.fallback`. Where they differ from job to job, the kind
    says who they are (`jobs.task.job`).
    """

    retries: int = 3
    first_seconds: float = 60.0
    factor: float = 1.0
    cap_seconds: float = 600.0
    jitter: float = 0.0
    remedies: frozenset[Remedy] = frozenset({Remedy.RETRY, Remedy.WAIT, Remedy.BACK_OFF})
    fallbacks: tuple[str, ...] = ()
    fallback_after: int = 2

    def __post_init__(self) -> None:
        sane = self.retries >= 0 and self.first_seconds >= 0 and self.factor >= 1 and self.fallback_after >= 1
        if not sane or not 0 <= self.jitter <= 1:
            raise ValueError(f"a retry policy that makes no sense: {self}")

    @property
    def max_attempts(self) -> int:
        """The first attempt and its retries."""
        return self.retries + 1

    def wait_seconds(self, retry: int, *, rng: random.Random | None = None) -> float:
        """How long to wait before the given retry, counted from 1."""
        return _spread(self._grown(self.first_seconds, self.factor, retry, self.cap_seconds), self.jitter, rng)

    def back_off_seconds(self, setbacks: int, *, rng: random.Random | None = None) -> float:
        """How long to leave the other side alone after so many failures in a row, counted from 1."""
        cap = min(self.cap_seconds, LONGEST_BACK_OFF_SECONDS)
        wait = self._grown(self.first_seconds, max(self.factor, 2.0), setbacks, cap)
        return min(cap, _spread(wait, max(self.jitter, 0.1), rng))

    def following(self, fallback: str) -> str | None:
        """The fallback after the given one (empty: after the usual way), or None if there is no other."""
        rest = self.fallbacks[self.fallbacks.index(fallback) + 1 :] if fallback in self.fallbacks else self.fallbacks
        return rest[0] if rest else None

    @staticmethod
    def _grown(first: float, factor: float, times: int, cap: float) -> float:
        # The exponent is bounded: a large one would overflow long after the cap has been reached.
        return min(first * factor ** min(times - 1, 64), cap)


def _spread(wait: float, jitter: float, rng: random.Random | None) -> float:
    spread = jitter * wait
    return max(0.0, wait + (rng or random).uniform(-spread, spread)) if spread else wait


@dataclass(frozen=True)
class RetryIn:
    """Try again after so many seconds; `setbacks` is the new count, `fallback` who is to do it, if that changes."""

    seconds: float
    setbacks: int = 0
    fallback: str | None = None


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
    setbacks: int = 0,
    fallback: str = "",
    rng: random.Random | None = None,
) -> RetryIn | GiveUp:
    """What follows when `attempt` (of `max_attempts`) ended with `error`.

    `retry` is the next one's number; `setbacks` says how often in a row the other side was unavailable before,
    `fallback` who did it this time (empty: the usual way).
    """
    remedy = error.remedy if isinstance(error, JointoError) else Remedy.RETRY
    if remedy is Remedy.NONE or remedy not in policy.remedies:
        return GiveUp(exhausted=False)
    if attempt >= max_attempts:
        return GiveUp(exhausted=True)
    told = error.retry_after if isinstance(error, JointoError) else None
    if remedy is Remedy.BACK_OFF:
        return _back_off(policy, told, setbacks=setbacks + 1, fallback=fallback, rng=rng)
    if told is not None:
        return RetryIn(max(0.0, told))
    if remedy is Remedy.WAIT:
        return RetryIn(DEFAULT_RATE_LIMIT_SECONDS)
    return RetryIn(policy.wait_seconds(retry, rng=rng))


def _back_off(
    policy: RetryPolicy, told: float | None, *, setbacks: int, fallback: str, rng: random.Random | None
) -> RetryIn:
    following = policy.following(fallback)
    if setbacks >= policy.fallback_after and following is not None:
        return RetryIn(0.0, fallback=following)
    wait = policy.back_off_seconds(setbacks, rng=rng) if told is None else max(0.0, told)
    return RetryIn(wait, setbacks=setbacks)


def crash_wait_seconds(crashes: int) -> float:
    """How long a job waits after its n-th crash: not at all after the first, which mostly was a deploy."""
    return 0.0 if crashes <= 1 else min(30.0 * 2.0 ** min(crashes - 2, 10), 600.0)
