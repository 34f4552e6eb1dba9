"""Limits of AI services, shared by all who use the database."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.db.models import F

from assets import limiting
from assets.conf import Limit
from assets.limiting import SharedLimiter
from assets.models import ProviderCall, ProviderLimit
from assets.providers.base import RateLimited
from jobs.now import Now
from jobs.transitions import after


def limiter(wait: float = 0, look: Callable[[], None] = lambda: None, **limit: Any) -> SharedLimiter:
    return SharedLimiter(
        {"here": Limit(**limit)},
        call=timedelta(minutes=5),
        wait=timedelta(seconds=wait),
        look=look,
        sleep=lambda _: None,
    )


def pass_time(seconds: float) -> None:
    """Have all that was written down be so much older."""
    by = timedelta(seconds=seconds)
    ProviderCall.objects.update(
        started_at=F("started_at") - by, expires_at=F("expires_at") - by, ended_at=F("ended_at") - by
    )
    ProviderLimit.objects.exclude(blocked_until=None).update(blocked_until=F("blocked_until") - by)


@pytest.mark.django_db
def test_so_many_calls_run_at_once_and_no_more() -> None:
    ours = limiter(at_once=2)
    with ours.acquire("here"), limiter(at_once=2).acquire("here"):
        assert limiting.running("here") == 2
        with pytest.raises(RateLimited), ours.acquire("here"):
            raise AssertionError("a third one ran")
        with ours.acquire("there"):
            pass
    with ours.acquire("here"):
        assert limiting.running("here") == 1


@pytest.mark.django_db
def test_so_many_calls_begin_in_a_minute_and_the_next_is_told_when() -> None:
    ours = limiter(per_minute=3)
    for _ in range(3):
        with ours.acquire("here"):
            pass
    pass_time(20)
    with pytest.raises(RateLimited) as refused, ours.acquire("here"):
        raise AssertionError
    assert refused.value.retry_after is not None
    assert 35 < refused.value.retry_after <= 40
    pass_time(41)
    with ours.acquire("here"):
        pass
    assert ProviderCall.objects.count() == 1  # those of before are forgotten


@pytest.mark.django_db
def test_a_call_whose_process_died_counts_no_longer_than_it_may_last() -> None:
    ours = limiter(at_once=1)
    held = ours.acquire("here")
    held.__enter__()  # and never left
    with pytest.raises(RateLimited), ours.acquire("here"):
        raise AssertionError
    pass_time(301)
    with ours.acquire("here"):
        pass


@pytest.mark.django_db
def test_whoever_waits_gets_the_place_that_becomes_free_and_looks_about_meanwhile() -> None:
    looks = []

    def look() -> None:
        looks.append(1)
        if len(looks) == 3:
            ProviderCall.objects.update(ended_at=Now())

    with limiter(at_once=1).acquire("here"), limiter(wait=600, look=look, at_once=1).acquire("here"):
        assert len(looks) == 3


@pytest.mark.django_db
def test_a_job_that_is_cancelled_while_it_waits_waits_no_longer() -> None:
    class Cancelled(Exception):
        pass

    def look() -> None:
        raise Cancelled

    ours = limiter(wait=600, look=look, at_once=1)
    with ours.acquire("here"), pytest.raises(Cancelled), ours.acquire("here"):
        raise AssertionError
    assert ProviderCall.objects.count() == 1


@pytest.mark.django_db
def test_a_long_wait_looks_about_all_the_while() -> None:
    class Cancelled(Exception):
        pass

    slept: list[float] = []

    def look() -> None:
        if sum(slept) > 2:
            raise Cancelled

    limiting.block("here", seconds=50)
    ours = SharedLimiter(
        {"here": Limit()}, call=timedelta(0), wait=timedelta(seconds=60), look=look, sleep=slept.append
    )
    with pytest.raises(Cancelled), ours.acquire("here"):
        raise AssertionError
    assert max(slept) <= 1


@pytest.mark.django_db
def test_a_call_that_may_take_long_counts_for_long() -> None:
    ours = limiter(at_once=1)
    with ours.acquire("here", seconds=1800):
        pass_time(1700)
        with pytest.raises(RateLimited), ours.acquire("here"):
            raise AssertionError


@pytest.mark.django_db(transaction=True)
def test_a_call_whose_end_can_t_be_written_down_has_its_answer_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.keeping.time.sleep", lambda _: None)

    def gone(**_: Any) -> None:
        raise OperationalError("gone")

    with limiter(at_once=1).acquire("here"):
        monkeypatch.setattr(ProviderCall.objects.filter().__class__, "update", lambda self, **said: gone(**said))
        answer = 7
    monkeypatch.undo()
    assert (answer, limiting.running("here")) == (7, 1)


@pytest.mark.django_db
def test_a_provider_that_wants_to_be_left_alone_is_by_all() -> None:
    with pytest.raises(RateLimited), limiter().acquire("here"):
        raise RateLimited(provider="here", retry_after=45)
    with pytest.raises(RateLimited) as refused, limiter(wait=10).acquire("here"):
        raise AssertionError
    assert refused.value.retry_after is not None
    assert 40 < refused.value.retry_after <= 45
    limiting.block("here", seconds=5)  # a shorter one changes nothing
    pass_time(30)
    with pytest.raises(RateLimited), limiter().acquire("here"):
        raise AssertionError
    pass_time(16)
    with limiter().acquire("here"):
        pass


@pytest.mark.django_db
def test_the_operators_limit_goes_before_the_settings() -> None:
    ProviderLimit.objects.create(provider="here", at_once=1)
    ours = limiter(at_once=5)
    with ours.acquire("here"):
        with pytest.raises(RateLimited), ours.acquire("here"):
            raise AssertionError
        ProviderLimit.objects.update(at_once=None)
        with ours.acquire("here"):
            pass
    ProviderLimit.objects.update(per_minute=0)
    with pytest.raises(RateLimited), ours.acquire("here"):
        raise AssertionError


@pytest.mark.django_db
def test_what_goes_wrong_in_a_call_ends_it_all_the_same() -> None:
    ours = limiter(at_once=1)
    with pytest.raises(ValueError, match="x"), ours.acquire("here"):
        raise ValueError("x")
    assert limiting.running("here") == 0
    assert ProviderCall.objects.filter(expires_at__gt=after(Now(), timedelta(0))).count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_come_at_once_keep_to_the_limit() -> None:
    """Eight threads with connections of their own, three places."""
    most, running, lock, begin = 0, 0, threading.Lock(), threading.Barrier(8)

    def call(_: int) -> bool:
        nonlocal most, running
        begin.wait(60)
        try:
            with contextlib.suppress(RateLimited), limiter(at_once=3).acquire("here"):
                with lock:
                    running += 1
                    most = max(most, running)
                held.wait(60)
                with lock:
                    running -= 1
                return True
            with lock:
                refused.append(1)
                if len(refused) == 5:
                    held.set()
            return False
        finally:
            connections.close_all()

    held, refused = threading.Event(), list[int]()
    with ThreadPoolExecutor(8) as pool:
        had = list(pool.map(call, range(8)))
    assert (sum(had), most) == (3, 3)
    assert connection.vendor  # the row of the provider was made once, whoever was first
    assert ProviderLimit.objects.count() == 1
