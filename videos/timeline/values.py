"""The bounds of what a timeline may say: of times, places, sizes, colours."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, with_config

SECOND = 1_000_000
LONGEST = 12 * 3600 * SECOND

_WRITTEN = re.compile(r"\d{1,10}(?:[./]\d{1,10})?")


def _read(value: object) -> object:
    """A float as it is written: 1.1, and not the fraction that the machine holds. No text that takes long to read."""
    if isinstance(value, bool) or (isinstance(value, str) and not _WRITTEN.fullmatch(value)):
        raise ValueError("Input is not a valid fraction")
    if isinstance(value, float) and math.isfinite(value):
        return Fraction(str(value))
    return value


def _simple(rate: Fraction) -> Fraction:
    """Programs count in whole numbers of 32 bits, and 29.97003 means 30000/1001."""
    return rate.limit_denominator(1001)


def _kept(text: str) -> str:
    """What every database keeps."""
    if "\0" in text:
        raise ValueError("It holds a NUL character")
    return text


Moment = Annotated[int, Field(strict=True, ge=0, le=LONGEST)]
Length = Annotated[int, Field(strict=True, gt=0, le=LONGEST)]
Side = Annotated[int, Field(strict=True, ge=16, le=4096, multiple_of=2)]
Rate = Annotated[Fraction, BeforeValidator(_read), Field(ge=1, le=120), AfterValidator(_simple)]
Speed = Annotated[Fraction, BeforeValidator(_read), Field(ge=Fraction(1, 100), le=100)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Part = Annotated[float, Field(ge=0, le=1)]
Place = Annotated[float, Field(ge=-10, le=10)]
Scale = Annotated[float, Field(gt=0, le=100)]
Angle = Annotated[float, Field(ge=-36_000, le=36_000)]
Volume = Annotated[float, Field(ge=0, le=10)]
Offset = Annotated[float, Field(ge=-1, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_kept)]
Words = Annotated[str, Field(min_length=1, max_length=5000), AfterValidator(_kept)]

exact = with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
"""Of what is checked: nothing that is not named here, no number that is none."""
