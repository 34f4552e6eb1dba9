"""Retry policies: what follows an error, and when."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import BadInput, JointoError, Remedy
from jobs.retry import (
    DEFAULT_RATE_LIMIT_SECONDS,
    GiveUp,
    RetryIn,
    RetryPolicy,
    crash_wait_seconds,
    decide,
)

seconds = st.floats(0, 1e6)
policies = st.builds(
    RetryPolicy,
    retries=st.integers(0, 20),
    first_seconds=seconds,
    factor=st.floats(1, 100),
    cap_seconds=seconds,
    jitter=st.floats(0, 1),
)
retries = st.integers(1, 10**6)


class Transient(JointoError):
    code = "transient"
    message = "Try again."


class Limited(JointoError):
    code = "limited"
    remedy = Remedy.WAIT
    message = "Too many."


class Down(JointoError):
    code = "down"
    remedy = Remedy.BACK_OFF
    message = "Away."


def verdict(policy: RetryPolicy, error: BaseException, *, attempt: int = 1, of: int = 4) -> RetryIn | GiveUp:
    return decide(policy, error, attempt=attempt, max_attempts=of, retry=attempt)


@given(policies, retries, st.integers())
def test_a_wait_stays_within_its_jitter_of_what_was_planned(policy: RetryPolicy, retry: int, seed: int) -> None:
    planned = min(policy.first_seconds * policy.factor ** min(retry - 1, 64), policy.cap_seconds)
    wait = policy.wait_seconds(retry, rng=random.Random(seed))
    spread = policy.jitter * planned * (1 + 1e-9)
    assert max(0.0, planned - spread) <= wait <= planned + spread


@given(st.integers(0, 10), seconds, st.floats(1, 100), seconds, st.lists(retries, min_size=2, max_size=20))
def test_without_jitter_waits_never_get_shorter_nor_longer_than_the_cap(
    count: int, first: float, factor: float, cap: float, asked: list[int]
) -> None:
    policy = RetryPolicy(retries=count, first_seconds=first, factor=factor, cap_seconds=cap)
    waits = [policy.wait_seconds(retry) for retry in sorted(asked)]
    assert waits == sorted(waits)
    assert waits[-1] <= cap
    assert policy.wait_seconds(1) == min(first, cap)


def test_a_doubling_policy_doubles_until_its_cap() -> None:
    policy = RetryPolicy(first_seconds=60, factor=2, cap_seconds=600)
    assert [policy.wait_seconds(retry) for retry in range(1, 7)] == [60, 120, 240, 480, 600, 600]


def test_jitter_moves_jobs_that_failed_together_apart() -> None:
    policy = RetryPolicy(first_seconds=60, jitter=0.5)
    waits = {policy.wait_seconds(1, rng=random.Random(seed)) for seed in range(50)}
    assert len(waits) == 50
    assert max(waits) - min(waits) > 30


@given(policies, st.integers(1, 30), st.integers(1, 30))
def test_what_the_user_has_to_mend_is_never_tried_again(policy: RetryPolicy, attempt: int, of: int) -> None:
    assert verdict(policy, BadInput(retry_after=1), attempt=attempt, of=of) == GiveUp(exhausted=False)


@given(
    policies, st.sampled_from([Transient(), Limited(), Down(), ValueError()]), st.integers(1, 30), st.integers(1, 30)
)
def test_other_errors_are_tried_again_until_the_attempts_are_used_up(
    policy: RetryPolicy, error: Exception, attempt: int, of: int
) -> None:
    decided = verdict(policy, error, attempt=attempt, of=of)
    if attempt >= of:
        assert decided == GiveUp(exhausted=True)
    else:
        assert isinstance(decided, RetryIn)
        assert decided.seconds >= 0


@given(policies, st.floats(-1e6, 1e6), st.sampled_from([Transient, Limited, Down]))
def test_who_was_told_how_long_waits_as_long_as_told(policy: RetryPolicy, told: float, kind: type[JointoError]) -> None:
    decided = verdict(policy, kind(retry_after=told))
    assert isinstance(decided, RetryIn)
    assert decided.seconds == max(0.0, told)


@given(policies, st.integers(1, 100), st.integers())
def test_who_is_unavailable_is_left_alone_longer_each_time_but_no_longer_than_ten_minutes(
    policy: RetryPolicy, setbacks: int, seed: int
) -> None:
    wait = policy.back_off_seconds(setbacks, rng=random.Random(seed))
    assert 0 <= wait <= min(600, policy.cap_seconds)
    decided = decide(policy, Down(), attempt=1, max_attempts=4, retry=1, setbacks=setbacks)
    assert isinstance(decided, RetryIn)
    assert decided.setbacks == setbacks + 1


def test_back_off_doubles_whatever_the_factor_and_is_spread() -> None:
    policy = RetryPolicy(first_seconds=10)
    for setbacks, planned in enumerate([10, 20, 40, 80, 160, 320, 600, 600], 1):
        waits = {policy.back_off_seconds(setbacks, rng=random.Random(seed)) for seed in range(30)}
        assert len(waits) > 5
        assert all(abs(wait - planned) <= planned / 10 for wait in waits)


def test_after_so_many_failures_in_a_row_the_fallbacks_take_over_one_after_the_other() -> None:
    policy = RetryPolicy(retries=20, fallbacks=("second", "third"), fallback_after=2)
    fallback, setbacks, seen = "", 0, []
    for attempt in range(1, 8):
        decided = decide(
            policy, Down(), attempt=attempt, max_attempts=21, retry=attempt, setbacks=setbacks, fallback=fallback
        )
        assert isinstance(decided, RetryIn)
        setbacks = decided.setbacks
        if decided.fallback is not None:
            assert (decided.seconds, setbacks) == (0, 0)
            fallback = decided.fallback
        seen.append(fallback)
    assert seen == ["", "second", "second", "third", "third", "third", "third"]


def test_another_error_in_between_begins_the_count_anew() -> None:
    policy = RetryPolicy(fallbacks=("second",), fallback_after=2)
    decided = decide(policy, Transient(), attempt=1, max_attempts=4, retry=1, setbacks=1)
    assert isinstance(decided, RetryIn)
    assert (decided.setbacks, decided.fallback) == (0, None)


def test_who_is_limited_without_being_told_waits_a_minute_whatever_the_policy() -> None:
    assert verdict(RetryPolicy(first_seconds=1), Limited()) == RetryIn(DEFAULT_RATE_LIMIT_SECONDS)
    assert DEFAULT_RATE_LIMIT_SECONDS == 60


def test_a_policy_may_name_the_errors_that_are_worth_a_retry() -> None:
    network_only = RetryPolicy(remedies=frozenset({Remedy.BACK_OFF}))
    assert isinstance(verdict(network_only, Down()), RetryIn)
    assert verdict(network_only, Transient()) == GiveUp(exhausted=False)
    assert verdict(network_only, ValueError("a surprise")) == GiveUp(exhausted=False)


def test_the_attempts_are_the_first_one_and_its_retries() -> None:
    assert RetryPolicy(retries=3).max_attempts == 4
    assert RetryPolicy(retries=0).max_attempts == 1


@pytest.mark.parametrize(
    "wrong", [{"retries": -1}, {"first_seconds": -1}, {"factor": 0.5}, {"jitter": 1.5}, {"jitter": -0.1}]
)
def test_a_policy_that_makes_no_sense_is_refused_where_it_is_written(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no sense"):
        RetryPolicy(**wrong)  # type: ignore[arg-type]


def test_the_first_crash_is_forgiven_at_once_and_later_ones_wait_longer_and_longer() -> None:
    assert [crash_wait_seconds(count) for count in range(1, 8)] == [0, 30, 60, 120, 240, 480, 600]
    assert crash_wait_seconds(10**9) == 600
