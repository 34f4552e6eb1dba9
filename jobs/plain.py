"""Values that are plain JSON all the way: through a message, a worker's pipe, and any database. Plain Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jobs.errors import BadInput

DEEPEST = 64
"""Levels of lists and objects. Python pickles and prints such values by recursion, and gives up at a few hundred."""


class BadArguments(BadInput):
    """Arguments of a job that are JSON, and can't be kept or passed on all the same."""

    code = "bad_arguments"
    message = "The arguments of the job can't be used."


def plain(value: Any) -> Any:
    """The value as JSON gives it back. Raises TypeError, ValueError if it is no JSON; BadArguments."""
    if depth(value) > DEEPEST:
        raise BadArguments(f"The arguments of the job are nested deeper than {DEEPEST} levels.")
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    if not text.isascii() and not _is_whole(text):
        raise BadArguments("The arguments of the job hold half a character (a lone surrogate).")
    found = json.loads(text)
    if "\\u0000" in text and any("\0" in word for word in _texts(found)):
        raise BadArguments("The arguments of the job hold a NUL character.")
    return found


def depth(value: Any) -> int:
    """How many levels of lists and objects there are, up to one more than the deepest that is allowed."""
    level, count = [value], 0
    while (level := [inner for outer in level for inner in _inside(outer)]) and count <= DEEPEST:
        count += 1
    return count


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values()) or [None]
    return (list(value) or [None]) if isinstance(value, list | tuple) else []


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
