"""What a service's refusal means: its status, its codes and its words, made into our errors."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from assets.providers.base import (
    AmbiguousSubmit,
    AuthFailed,
    InvalidRequest,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Unavailable,
)
from assets.providers.wire import Answer, Effect, Wire

LONGEST_WAIT_SECONDS = 3600.0  # a service does not park a job for a year
_REFUSALS: Mapping[int, type[ProviderError]] = {
    401: AuthFailed,
    402: QuotaExceeded,
    403: AuthFailed,
    429: RateLimited,
}
_TURNED_AWAY = frozenset({503, 529})
_RESETS = re.compile(r"resets? in\s*~?\s*([0-9.]+)\s*(ms|s|m|h)?", re.IGNORECASE)
_PARTS = re.compile(r"([0-9.]+)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}
_MOST_WORDS = 5


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What a service's own codes and words mean, where its status does not say it all.

    A code is known by its beginning, up to a dot. `words` are patterns for what is said in sentences alone.
    `turns_away`: it documents that by 503 or 529 it takes no order, and no router before it says so of what runs.
    """

    codes: Mapping[str, type[ProviderError]] = field(default_factory=dict)
    words: Mapping[str, type[ProviderError]] = field(default_factory=dict)
    turns_away: bool = False

    def meaning(self, body: Any) -> type[ProviderError] | None:
        """Which of our errors it is; None if it is nothing out of the ordinary."""
        for code in codes(body):
            if found := self.codes.get(code.partition(".")[0]):
                return found
        said = words(body)
        return next((kind for pattern, kind in self.words.items() if re.search(pattern, said, re.IGNORECASE)), None)


def failure(
    answer: Answer, wire: Wire, *, effect: Effect, dialect: Dialect, now: datetime | None = None
) -> ProviderError:
    """The error that an answer stands for that is no success."""
    try:
        body = answer.json()
    except ValueError:
        body = {"message": answer.body[:2000].decode("utf-8", "replace")} if _is_plain(answer) else None
    said = wire.clean(words(body))
    kind = dialect.meaning(body) or _REFUSALS.get(answer.status)
    if kind is None and dialect.turns_away and answer.status in _TURNED_AWAY:
        kind = Unavailable
    if kind is None:
        kind = InvalidRequest if answer.status < 500 and answer.status != 408 else _broken(effect)
    details = {"status": answer.status}
    if kind is AuthFailed:
        return AuthFailed(provider=wire.provider, details=details)
    waits = kind in (RateLimited, Unavailable)
    seconds = wait_seconds(answer.headers, said, now=now or datetime.now(UTC)) if waits else None
    return kind(provider=wire.provider, said=said, retry_after=seconds, details=details)


def _broken(effect: Effect) -> type[ProviderError]:
    """A failure amid the work, or of a gateway on the way: who was to create something may have done so.

    An answer of a language model that failed is not charged, says the documentation of both services; so that is asked
    again.
    """
    return AmbiguousSubmit if effect is Effect.CREATE else Unavailable


def _is_plain(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").startswith("text/plain")


def codes(body: Any) -> Iterator[str]:
    """All that looks like a code in a refusal, the narrowest first."""
    for place in _places(body):
        details = place.get("details")
        if isinstance(details, Mapping) and isinstance(details.get("error_code"), str):
            yield details["error_code"]
        for name in ("code", "error_code", "error_type", "type"):
            if isinstance(place.get(name), str):
                yield place[name]


def words(body: Any) -> str:
    """The sentences of a refusal, as they are."""
    if isinstance(body, str):
        return body
    found: list[str] = []
    for place in _places(body):
        where = place.get("loc")
        path = ".".join(str(part) for part in where[:8]) if isinstance(where, list) else ""
        for name in ("message", "msg", "detail", "error", "title"):
            said = place.get(name)
            if isinstance(said, str) and said:
                found.append(f"{path}: {said}" if path else said)
                break
    return "; ".join(dict.fromkeys(found[:_MOST_WORDS]))


def _places(body: Any) -> Iterator[Mapping[str, Any]]:
    """Where services put what went wrong: `error`, `detail`, one or several of it, else the body itself."""
    entries = body if isinstance(body, list) else [body]
    for entry in entries[:_MOST_WORDS]:
        if not isinstance(entry, Mapping):
            continue
        for name in ("error", "detail"):
            inner = entry.get(name)
            inners = inner if isinstance(inner, list) else [inner]
            yield from (one for one in inners[:_MOST_WORDS] if isinstance(one, Mapping))
        yield entry


def wait_seconds(headers: Mapping[str, str], said: str, *, now: datetime) -> float | None:
    """For how long the service wants to be left alone, by whichever way it says so; None if it does not.

    Retry-After in seconds or as a date (RFC 9110); retry-after-ms; "resets in ~30s" (Replicate);
    x-ratelimit-reset-…: "6m0s" (OpenAI), anthropic-ratelimit-…-reset: a time (Anthropic), of what is used up.
    """
    found = _seconds(headers.get("retry-after-ms", ""), unit=0.001)
    if found is None:
        found = _moment(headers.get("retry-after", ""), now=now)
    if found is None and (told := _RESETS.search(said)):
        found = _seconds(told[1], unit=_UNITS[(told[2] or "").lower()])
    if found is None:
        resets = [_moment(headers[name], now=now) for name in headers if _is_used_up(name, headers)]
        found = max((reset for reset in resets if reset is not None), default=None)
    return None if found is None else min(max(0.0, found), LONGEST_WAIT_SECONDS)


def _is_used_up(name: str, headers: Mapping[str, str]) -> bool:
    """Whether the header says when something begins anew of which nothing is left."""
    if "ratelimit" not in name or "reset" not in name:
        return False
    return headers.get(name.replace("reset", "remaining"), "0").strip() == "0"


def _moment(text: str, *, now: datetime) -> float | None:
    """Seconds from now: of a number, a duration like 6m0s, or a date in either of the usual forms."""
    text = text.strip()
    number = _seconds(text, unit=1.0)
    if number is not None:
        return number - now.timestamp() if number > 1e9 else number  # so much is a time since 1970
    if text and _PARTS.sub("", text) == "":
        return sum(_seconds(amount, unit=_UNITS[unit]) or 0.0 for amount, unit in _PARTS.findall(text))
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
        except (ValueError, TypeError, IndexError):
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    return None


def _seconds(text: str, *, unit: float) -> float | None:
    try:
        seconds = float(text) * unit if re.fullmatch(r"\s*[0-9]{1,15}(\.[0-9]{1,9})?\s*", text) else math.nan
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None
