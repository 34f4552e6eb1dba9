"""How much all workers together ask of one provider: so many calls at once, and so many begun in a minute.

Whoever wants to call locks the provider's row, counts the calls of the last minute and those that run, and writes its
own down, all by the database's clock. A call whose process died counts as running until it expires.
"""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.db.models import Q

from assets import keeping
from assets.conf import Limit
from assets.models import ProviderCall, ProviderLimit
from assets.providers.base import RateLimited
from jobs.now import Now
from jobs.retry import DEFAULT_RATE_LIMIT_SECONDS
from jobs.transitions import after

logger = logging.getLogger(__name__)

_MINUTE = timedelta(minutes=1)
_LOOK_AGAIN_SECONDS = 0.5  # while all places are taken: nobody knows when one is free
_LONGEST_BLOCK = timedelta(hours=1)
_MARGIN = timedelta(minutes=1)  # from an answer to its call's end


class SharedLimiter:
    """The limiter of all processes that use this database.

    `limits` are those of the settings; a row of the operator's goes before them. `call`: how long a call counts as
    running if its end is never told, and it does not say itself for how long it may run. `wait`: so long does one wait
    for its turn; whoever would have to wait longer is told to come back. `look` is called while waiting, and may raise.
    """

    def __init__(
        self,
        limits: Mapping[str, Limit],
        *,
        call: timedelta,
        wait: timedelta,
        look: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = limits
        self._call = call
        self._wait = wait
        self._look = look
        self._sleep = sleep

    @contextlib.contextmanager
    def acquire(self, provider: str, *, seconds: float | None = None) -> Iterator[None]:
        """Held during one call, which may run for so long.

        Raises RateLimited if it is not this one's turn in time, or the provider says so.
        """
        began = self._turn(provider, self._call if seconds is None else timedelta(seconds=seconds) + _MARGIN)
        leave_database()
        try:
            yield
        except RateLimited as error:
            block(provider, seconds=error.retry_after or DEFAULT_RATE_LIMIT_SECONDS)
            raise
        finally:
            if began is not None:
                _end(began)

    def _turn(self, provider: str, lasts: timedelta) -> int | None:
        """Wait for one's turn; the id of the call, None if nobody counts them."""
        patience = time.monotonic() + self._wait.total_seconds()
        while True:
            begun = self._begin(provider, lasts)
            if not isinstance(begun, float):
                return begun
            left = patience - time.monotonic()
            if begun > left:
                raise RateLimited(provider=provider, retry_after=max(1.0, begun))
            # Spread: those who wait together must not all come back together.
            self._pause(min(left, begun) * random.uniform(0.8, 1.0))  # noqa: S311  no secret

    def _pause(self, seconds: float) -> None:
        """In steps: nothing else interrupts it, where an answer that costs must not be interrupted."""
        while seconds > 0:
            self._look()
            self._sleep(min(seconds, _LOOK_AGAIN_SECONDS))
            seconds -= _LOOK_AGAIN_SECONDS

    def _begin(self, provider: str, lasts: timedelta) -> int | float | None:
        """Write a call down; its id. As a float: so many seconds before it may be worth another look."""
        limit = self._limits.get(provider, Limit())
        ProviderLimit.objects.get_or_create(provider=provider)
        with transaction.atomic():
            row = ProviderLimit.objects.select_for_update().annotate(now=Now()).get(provider=provider)
            now: datetime = row.now
            if row.blocked_until and row.blocked_until > now:
                return (row.blocked_until - now).total_seconds()
            at_once = limit.at_once if row.at_once is None else row.at_once
            per_minute = limit.per_minute if row.per_minute is None else row.per_minute
            if at_once is None and per_minute is None:
                return None
            calls = ProviderCall.objects.filter(provider=provider)
            over = Q(ended_at__isnull=False) | Q(expires_at__lte=now)
            calls.filter(over, started_at__lte=now - _MINUTE).delete()
            if per_minute is not None:
                begun = calls.filter(started_at__gt=now - _MINUTE).order_by("-started_at")
                # The one that has to be a minute old before another may begin.
                last = (
                    begun.values_list("started_at", flat=True)[per_minute - 1 : per_minute].first()
                    if per_minute
                    else now
                )
                if last is not None:
                    return max(0.05, (last + _MINUTE - now).total_seconds())
            if at_once is not None and calls.exclude(over).count() >= at_once:
                return _LOOK_AGAIN_SECONDS
            return ProviderCall.objects.create(provider=provider, started_at=now, expires_at=now + lasts).pk


def _end(call: int) -> None:
    """What came of it is worth more than the count: that forgets it by itself."""
    try:
        keeping.surely(lambda: ProviderCall.objects.filter(pk=call).update(ended_at=Now()))
    except DatabaseError:
        logger.exception("call %s counts as running until it expires", call)


def block(provider: str, *, seconds: float) -> None:
    """Have nobody ask a provider for a while, as it wishes; a block that is longer already stays."""
    until = after(Now(), min(_LONGEST_BLOCK, timedelta(seconds=max(0.0, seconds))))
    ProviderLimit.objects.get_or_create(provider=provider)
    longer = Q(blocked_until__isnull=False, blocked_until__gte=until)
    ProviderLimit.objects.filter(~longer, provider=provider).update(blocked_until=until)


def leave_database() -> None:
    """Before a long wait: nothing is asked of it for minutes, in which the connection might break."""
    if not connection.in_atomic_block:
        connection.close()


def running(provider: str) -> int:
    """How many calls run now."""
    return ProviderCall.objects.filter(provider=provider, ended_at=None, expires_at__gt=Now()).count()
