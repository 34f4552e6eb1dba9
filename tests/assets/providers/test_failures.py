"""What refusals mean, and for how long a service wants to be left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from assets.providers import failures
from assets.providers.failures import LONGEST_WAIT_SECONDS, wait_seconds

NOW = datetime(2026, 11, 26, 20, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "said", "seconds"),
    [
        ({"retry-after": "7"}, "", 7.0),
        ({"retry-after": " 1.5 "}, "", 1.5),
        ({"retry-after": "0"}, "", 0.0),
        ({"retry-after": "Thu, 26 Nov 2026 20:00:42 GMT"}, "", 42.0),
        ({"retry-after": "Thu, 26 Nov 2026 19:00:00 GMT"}, "", 0.0),
        ({"retry-after": "999999999"}, "", LONGEST_WAIT_SECONDS),
        ({"retry-after-ms": "250", "retry-after": "1"}, "", 0.25),
        ({}, "Your rate limit resets in ~30s.", 30.0),
        ({}, "resets in 2m", 120.0),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}, "", 360.0),
        ({"x-ratelimit-reset-tokens": "90ms", "x-ratelimit-remaining-tokens": "0"}, "", 0.09),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "12"}, "", None),
        ({"anthropic-ratelimit-tokens-reset": "2026-11-26T20:00:10Z"}, "", 10.0),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 25)}, "", 25.0),
        ({"ratelimit-reset": "12"}, "", 12.0),
        ({}, "too many", None),
        ({"retry-after": ""}, "", None),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "-5"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "1e9"}, "", None),
        ({"retry-after": "9" * 400}, "", None),
        ({}, f"resets in {'9' * 400}s", None),
        ({}, "resets in 1.2.3s", None),
    ],
)
def test_all_the_ways_to_say_for_how_long(headers: dict[str, str], said: str, seconds: float | None) -> None:
    assert wait_seconds(headers, said, now=NOW) == (None if seconds is None else pytest.approx(seconds, abs=0.001))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "one", "type": "x"}}, "one"),
        ({"error": "two"}, "two"),
        ({"detail": "three"}, "three"),
        ({"detail": [{"loc": ["body", "prompt"], "msg": "four", "type": "x"}]}, "body.prompt: four"),
        ([{"loc": ["body", 0], "msg": "five", "type": "x"}], "body.0: five"),
        ({"title": "six"}, "six"),
        ("seven", "seven"),
        (None, ""),
        (7, ""),
        ({"error": {"message": ["no", "words"]}, "detail": {"x": 1}}, ""),
        ([[[]]], ""),
    ],
)
def test_words_are_found_wherever_services_put_them(body: Any, said: str) -> None:
    assert failures.words(body) == said
