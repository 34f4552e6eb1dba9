"""The arguments of a job: which parameter of its kind's body each is for, and whether it is of that type."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_type_hints

_IS_A: dict[Any, Callable[[Any], bool]] = {
    bool: lambda value: isinstance(value, bool),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value),
    str: lambda value: isinstance(value, str),
}


def named(kind: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments by name, as the body gets them, without the context. Raises TypeError if they do not fit."""
    bound = inspect.signature(kind.run).bind(None, *args, **kwargs)
    bound.apply_defaults()
    return dict(list(bound.arguments.items())[1:])


def check(kind: Any, given: Mapping[str, Any]) -> None:
    """Hold arguments against the body's annotations, where these are plain types. Raises TypeError."""
    hints = get_type_hints(kind.run)
    for name, value in given.items():
        is_a = _IS_A.get(hints.get(name))
        if is_a and not is_a(value):
            raise TypeError(f"{name} has to be {hints[name].__name__}, not {str(value)[:50]!r}")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond what a float can be
        return False
