"""Who reads drafts: processors, found by the setting JOINTO_DRAFT_PROCESSORS and asked in its order."""

from __future__ import annotations

import json
from functools import cache
from typing import Protocol, runtime_checkable

from django.conf import settings
from django.utils.module_loading import import_string

from videos.timeline.capcut import reading
from videos.timeline.capcut.reading import Draft, DraftEncrypted, DraftInvalid

_SIGNS = {"tracks", "materials", "canvas_config"}


@runtime_checkable
class Processor(Protocol):
    """Reads one kind of draft. A class of it is called without arguments, once in each process."""

    def can_process(self, data: bytes) -> bool:
        """Whether this is the content of such a draft, as far as can be told quickly. Raises nothing."""

    def process(self, data: bytes) -> Draft:
        """Read it: its timeline, the media that it needs, and what comes out otherwise than in the editor.

        Raises a JointoError, such as DraftInvalid, if it can't be used.
        """


class CapCut:
    """Drafts of CapCut and JianYing: draft_content.json, draft_info.json."""

    def can_process(self, data: bytes) -> bool:
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return _is_encrypted(data)
        return isinstance(document, dict) and not _SIGNS.isdisjoint(document)

    def process(self, data: bytes) -> Draft:
        return reading.load(data)


def can_read(data: bytes) -> bool:
    """Whether any processor reads such a draft."""
    return any(processor.can_process(data) for processor in _every(settings.JOINTO_DRAFTS.processors))


def read(data: bytes) -> Draft:
    """Have the first processor that can read a draft. Raises DraftInvalid if none can, and what that one raises."""
    for processor in _every(settings.JOINTO_DRAFTS.processors):
        if processor.can_process(data):
            return processor.process(data)
    raise DraftInvalid([{"path": "", "problem": "It is no draft of a kind that is read here"}])


def load(path: str) -> Processor:
    """The processor at a dotted path. Raises ImportError, TypeError."""
    made = import_string(path)()
    if not isinstance(made, Processor):
        raise TypeError("it has not both can_process and process")
    return made


@cache
def _every(paths: tuple[str, ...]) -> tuple[Processor, ...]:
    return tuple(load(path) for path in paths)


def _is_encrypted(data: bytes) -> bool:
    try:
        reading.load(data)
    except DraftEncrypted:
        return True
    except DraftInvalid:
        pass
    return False
