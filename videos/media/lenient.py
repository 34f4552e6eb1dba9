"""Takes values out of JSON that may hold anything: a value of the kind that is asked for, or None."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

Json = Mapping[str, Any]

_LONGEST_NUMBER = 100  # characters; a longer text takes long to be no number, each time it is looked at


def seconds(value: object) -> float | None:
    found = number(value)
    return found if found is not None and 0 < found < 1e9 else None


def number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def integer(value: object) -> int | None:
    found = number(value)
    return int(found) if found is not None and abs(found) < 2**53 else None


def fraction(value: object) -> Fraction | None:
    """`30000/1001` or `4:3`; None for anything else, nought included."""
    above, _, below = (text(value) or "").replace(":", "/").partition("/")
    numerator, denominator = integer(above), integer(below)
    return Fraction(numerator, denominator) if numerator and denominator else None


def text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
