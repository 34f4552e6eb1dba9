"""The files that a draft is made from: where it says that they are, and the names that the timeline knows them by."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from videos.media.lenient import Json
from videos.timeline.capcut import fields
from videos.timeline.model import Clip

_PLACEHOLDER = re.compile(r"##_\w*placeholder[\w-]*_##[/\\]?")
_LONGEST_PATH = 4096

Sort = Literal["video", "still", "sound"]


@dataclass(frozen=True, kw_only=True)
class Media:
    """A file that the timeline needs. Nobody has looked whether there is one."""

    name: str  # by which the timeline knows it
    kind: Sort
    path: str  # as the draft says it; of any system
    file_name: str  # the last part of it
    placeholder: bool  # the path is relative to the draft's own folder
    address: str = ""  # that programs which write drafts leave beside the path


class Shelf:
    """Gives every file its name. A file that several materials speak of has one."""

    def __init__(self) -> None:
        self._media: dict[tuple[Sort, str], Media] = {}
        self._stills: set[str] = set()

    @property
    def media(self) -> tuple[Media, ...]:
        return tuple(self._media.values())

    def standing(self, clip: Clip) -> Clip:
        """A clip of a still has no time in it, whatever was cut off."""
        return replace(clip, source_start=0) if clip.material in self._stills else clip

    def name(self, material: Json, kind: Sort) -> str | None:
        """The name of a material's file; None if the draft does not say where that is."""
        address = _address(material)
        written = fields.text(material.get("path")) or fields.text(material.get("media_path")) or address
        if not written.strip() or len(written) > _LONGEST_PATH:
            return None
        if (kind, written) not in self._media:
            found = _PLACEHOLDER.match(written)
            path = written[found.end() :] if found else written
            file_name = re.split(r"[/\\]", path.rstrip("/\\"))[-1]
            if not file_name:
                return None
            self._media[kind, written] = Media(
                name=f"m-{len(self._media) + 1}",
                kind=kind,
                path=path,
                file_name=file_name,
                placeholder=found is not None,
                address=address,
            )
            if kind == "still":
                self._stills.add(self._media[kind, written].name)
        return self._media[kind, written].name


def _address(material: Json) -> str:
    written = fields.text(material.get("remote_url")).strip()
    fits = written.lower().startswith(("http://", "https://")) and len(written) <= _LONGEST_PATH
    return written if fits else ""
