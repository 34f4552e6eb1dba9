"""The labelled pairs, as profiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.likeness import Profile

_SAID = re.compile(r"^(.*?)\s*(?:\{(.*)\})?$")
_FILE = Path(__file__).with_name("pairs.txt")


@dataclass(frozen=True)
class Labelled:
    """Two that are the same, or are not."""

    one: Profile
    other: Profile
    same: bool

    def __str__(self) -> str:
        return f"{self.one.name} ~ {self.other.name} ({self.one.kind}, {'same' if self.same else 'different'})"


def pairs() -> Iterator[Labelled]:
    same, kind = False, ""
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\[(same|different) (\w+)\]", line):
            same, kind = found[1] == "same", found[2]
        elif line.strip() and not line.startswith("#"):
            one, other = line.split(" ~ ")
            yield Labelled(profile(1, kind, one), profile(2, kind, other), same)


def profile(number: int, kind: str, said: str) -> Profile:
    found = _SAID.match(said.strip())
    assert found
    return Profile(id=number, kind=kind, name=found[1], **_more(found[2] or ""))


def _more(said: str) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if said.startswith("@"):
        more["time"], _, more["place"] = said[1:].partition("/")
    elif said.startswith("aka "):
        more["aliases"] = tuple(said.removeprefix("aka ").split(", "))
    elif said.startswith("says "):
        more["description"] = said.removeprefix("says ").strip('"')
    else:
        for word in filter(None, said.split(", ")):
            more["gender" if word.endswith("male") else "age"] = word
    return more
