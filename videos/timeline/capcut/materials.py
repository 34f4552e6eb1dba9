"""The materials of a draft: about fifty lists, from which segments take what they need by its id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields

_MOST_REFS = 50  # of one segment; real ones have up to twenty
_MOST_NAMESAKES = 4  # a mask stands in two lists under one id


@dataclass(frozen=True, kw_only=True)
class Material:
    """One entry of one of the lists."""

    list: str
    path: str
    says: Json

    @property
    def type(self) -> str:
        return fields.name(self.says.get("type"))


class Materials:
    """Finds materials by their ids."""

    def __init__(self, document: Json, path: str) -> None:
        self._found: dict[str, dict[str, Material]] = {}
        path = fields.joined(path, "materials")
        for name, value in lenient.mapping(document.get("materials")).items():
            for place, one in enumerate(lenient.items(value)):
                key = one.get("id") if isinstance(one, dict) else None
                if isinstance(key, str) and key:
                    found = Material(list=name, path=f"{path}.{name}[{place}]", says=one)
                    self._found.setdefault(key, {}).setdefault(name, found)

    def find(self, key: object, *lists: str) -> Material | None:
        """The material with an id, from these lists, the first one first."""
        found = self._found.get(key, {}) if isinstance(key, str) else {}
        return next((found[name] for name in lists if name in found), None)

    def attached(self, segment: Json) -> Iterator[Material]:
        """What hangs on a segment besides its own material."""
        for key in lenient.items(segment.get("extra_material_refs"))[:_MOST_REFS]:
            found = self._found.get(key, {}) if isinstance(key, str) else {}
            yield from islice(found.values(), _MOST_NAMESAKES)

    def first(self, segment: Json, name: str) -> Material | None:
        """The first that hangs on a segment from one list."""
        return next((material for material in self.attached(segment) if material.list == name), None)
