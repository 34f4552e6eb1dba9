"""The media that an OTIO file speaks of."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import opentimelineio as otio

_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True)
class Medium:
    """Something that clips show. By its `name` the timeline that was read knows it."""

    name: str
    title: str  # what the file calls it; may be empty
    url: str  # where the file has it; empty: it does not say
    kind: str  # external, sequence, missing

    @property
    def file_name(self) -> str:
        """The last part of its address, without its ending."""
        try:
            path = urlsplit(self.url).path
        except ValueError:
            path = self.url
        return PurePosixPath(unquote(path).replace("\\", "/")).stem


class Media:
    """Gives each medium a name, and two of one name two."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Medium] = {}
        self._names: set[str] = set()

    @property
    def found(self) -> tuple[Medium, ...]:
        return tuple(self._found.values())

    def of(self, clip: Any) -> Medium:
        """The medium of a clip."""
        reference = clip.media_reference
        url, kind = "", "missing"
        if isinstance(reference, otio.schema.ExternalReference):
            url, kind = reference.target_url, "external"
        elif isinstance(reference, otio.schema.ImageSequenceReference):
            url, kind = f"{reference.target_url_base}{reference.name_prefix}{reference.name_suffix}", "sequence"
        title = reference.name or ("" if url else clip.name)
        if (title, url) not in self._found:
            self._found[title, url] = self._named(title, url, kind)
        return self._found[title, url]

    def _named(self, title: str, url: str, kind: str) -> Medium:
        plain = Medium(name="", title=title, url=url, kind=kind)
        base = (title or plain.file_name or "medium")[:_LONGEST_NAME]
        names = (f"{base[: _LONGEST_NAME - 8]} {number}" for number in itertools.count(2))
        name = next(one for one in itertools.chain([base], names) if one not in self._names)
        self._names.add(name)
        return Medium(name=name, title=title, url=url, kind=kind)
