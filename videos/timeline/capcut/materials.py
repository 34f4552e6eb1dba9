"""The materials of a draft: about fifty lists, from which segments take what they need by its id."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields

_MOST_REFS = 50  # of one segment; real ones have up to twenty
_MOST_NAMESAKES = 4  # a mask stands in two lists under one id
_MOST_ATTACHED = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """One entry of one of the lists."""

    list: str
    place: int
    says: Json
    within: str  # the path of all lists

    @property
    def path(self) -> str:
        # Put together when it is asked for: a list may be called what it likes, at any length.
        return f"{self.within}.{self.list}[{self.place}]"

    @property
    def type(self) -> str:
        return fields.name(self.says.get("type"))


class Materials:
    """Finds materials by their ids."""

    def __init__(self, document: Json, path: str) -> None:
        self._found: dict[str, dict[str, Material]] = {}
        self._attached: tuple[Json, list[Material]] = {}, []  # to the segment that was asked about last
        path = fields.joined(path, "materials")
        for name, value in lenient.mapping(document.get("materials")).items():
            for place, one in enumerate(lenient.items(value)):
                key = one.get("id") if isinstance(one, dict) else None
                if isinstance(key, str) and key:
                    found = Material(list=name, place=place, says=one, within=path)
                    self._found.setdefault(key, {}).setdefault(name, found)

    def find(self, key: object, *lists: str) -> Material | None:
        """The material with an id, from these lists, the first one first."""
        found = self._found.get(key, {}) if isinstance(key, str) else {}
        return next((found[name] for name in lists if name in found), None)

    def attached(self, segment: Json) -> list[Material]:
        """What hangs on a segment besides its own material, each once. It is asked for again and again."""
        if self._attached[0] is not segment:
            refs = lenient.items(segment.get("extra_material_refs"))[:_MOST_REFS]
            keys = dict.fromkeys(key for key in refs if isinstance(key, str))
            found = (one for key in keys for one in islice(self._found.get(key, {}).values(), _MOST_NAMESAKES))
            self._attached = segment, list(islice(found, _MOST_ATTACHED))
        return self._attached[1]

    def first(self, segment: Json, name: str) -> Material | None:
        """The first that hangs on a segment from one list."""
        return next((material for material in self.attached(segment) if material.list == name), None)
