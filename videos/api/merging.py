"""How an upload is merged, by its purpose: what may be said with it, what is done, and what is answered.

Floors above add the purposes that are theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer

from videos.models import Upload


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is said at every merge."""

    name: str  # of the file, as the user calls it
    hashes: Sequence[str]  # of the whole of it, as they are declared now
    callback_url: str


@dataclass(frozen=True, kw_only=True)
class Merge:
    """One purpose."""

    asked: type[Serializer]  # what may be said, with what is said at every merge
    told: type[Serializer]  # the answer
    make: Callable[[Request, Upload, Said], Mapping[str, Any]]  # gives the answer but for its `detail`
    detail: str = "The upload is complete and is being processed."


_BY_PURPOSE: dict[str, Merge] = {}


def add(purpose: str, merge: Merge) -> None:
    """Have uploads with this purpose be merged so."""
    _BY_PURPOSE[purpose] = merge


def merge(request: Request, upload: Upload, said: Said) -> Any:
    """Merge an upload; the answer."""
    how = _BY_PURPOSE[upload.purpose]
    return how.told({"detail": how.detail, **how.make(request, upload, said)}).data


def asked() -> Sequence[type[Serializer]]:
    """What may be asked, for the schema."""
    return list(dict.fromkeys(how.asked for how in _BY_PURPOSE.values()))


def told() -> Sequence[type[Serializer]]:
    """What may be answered."""
    return list(dict.fromkeys(how.told for how in _BY_PURPOSE.values()))
