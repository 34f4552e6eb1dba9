"""What was made, fetched to our own disk: apart from making it, so that trying again costs nothing but time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from assets.providers.base import Result
from assets.providers.settings import Downloading
from jobs import outbound
from jobs.errors import JointoError, Remedy

_NOT_YET = frozenset({403, 404, 410, 425})  # stores answer so, for a while, for what has only just been put there


class ResultMissing(JointoError):
    """The service names a file that is not there, though it was waited for. The order itself is not to be repeated."""

    code: ClassVar[str] = "result_missing"
    status: ClassVar[int] = 502
    remedy: ClassVar[Remedy] = Remedy.RETRY
    message = "What the AI service made is not at the address that it gave. Fetching it is tried again."


class ResultRefused(JointoError):
    """The file is too large, or lies where nothing is fetched from; asking for it again changes nothing."""

    code: ClassVar[str] = "result_refused"
    status: ClassVar[int] = 502
    remedy: ClassVar[Remedy] = Remedy.NONE
    needs_operator: ClassVar[bool] = True
    message = "What the AI service made can't be fetched."


def download(
    result: Result,
    *,
    into: Path,
    max_bytes: int,
    settings: Downloading,
    wait: Callable[[float], None] = time.sleep,
    resolve: outbound.Resolver | None = None,
) -> int:
    """Write the result to the file `into`, and give its size in bytes; after a failure there is no such file.

    `wait` is called between two tries; what it raises (a cancel) ends it all. Raises ResultMissing, ResultRefused, or
    what `jobs.outbound` raises and time may heal; each may be called again, for no other price than time.
    """
    if result.data is not None:
        if len(result.data) > max_bytes:
            raise _refused(outbound.OutboundTooLarge(details={"max_bytes": max_bytes}))
        into.write_bytes(result.data)
        return len(result.data)
    if result.url is None:
        raise ResultMissing
    for seconds in (*settings.waits, None):
        try:
            return _fetched(result.url, into=into, max_bytes=max_bytes, settings=settings, resolve=resolve)
        except JointoError as error:
            missing = isinstance(error, outbound.OutboundRejected) and error.details.get("status") in _NOT_YET
            if not missing and error.remedy is Remedy.NONE:
                raise _refused(error) from error
            if seconds is None:
                raise (ResultMissing(details=error.details) if missing else error) from error
            wait(max(seconds, error.retry_after or 0.0))
    raise AssertionError("the last try either gives or raises")


def _fetched(url: str, *, into: Path, max_bytes: int, settings: Downloading, resolve: outbound.Resolver | None) -> int:
    return outbound.download(
        url,
        to=into,
        max_bytes=max_bytes,
        timeout_seconds=settings.seconds,
        allow=settings.inner_hosts,
        resolve=resolve,
    ).size


def _refused(error: JointoError) -> ResultRefused:
    """Says why; the words of `jobs.outbound` speak to somebody who gave the URL, which here nobody did."""
    details = {**error.details, "reason": error.details.get("reason", error.code)}
    reasons = {
        "outbound_too_large": "The file is larger than is allowed here: the operator can raise the limit.",
        "inner_address": "The address leads into the inner network: the operator can allow it (JOINTO_INNER_HOSTS).",
    }
    reason = reasons.get(error.code) or reasons.get(str(details["reason"])) or f"The reason: {details['reason']}."
    return ResultRefused(f"{ResultRefused.message} {reason}", details=details)
