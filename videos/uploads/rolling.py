"""Checksums of files whose chunks come in order, known as the last byte is.

In this process, for as long as it lives: a file whose chunks come in another order, or by several processes, is
checked by its job's first step instead.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from typing import TYPE_CHECKING

from videos.uploads import digests

if TYPE_CHECKING:
    from hashlib import _Hash

_AT_MOST = 256  # uploads at once; the one that began first is let go

_lock = threading.Lock()
_rolling: OrderedDict[uuid.UUID, _Rolling] = OrderedDict()


def add(upload_id: uuid.UUID, algorithms: set[str], index: int, data: bytes | memoryview) -> None:
    """Take in one chunk of an upload, for the checksums that are declared by now; under the chunk's lock."""
    with _lock:
        if index == 0 and algorithms:
            _rolling[upload_id] = _Rolling(algorithms)
            while len(_rolling) > _AT_MOST:
                _rolling.popitem(last=False)
        rolling = _rolling.get(upload_id)
    # Outside our lock: hashing takes a while, and the chunk's own lock keeps others of this index away.
    if rolling and not rolling.add(index, data):
        forget(upload_id)


def known(upload_id: uuid.UUID, chunks: int) -> dict[str, str]:
    """The whole file's checksums in hex, by algorithm; none if not all of it came this way."""
    with _lock:
        rolling = _rolling.get(upload_id)
    return rolling.known(chunks) if rolling else {}


def forget(upload_id: uuid.UUID) -> None:
    """Let go of what is known of an upload."""
    with _lock:
        _rolling.pop(upload_id, None)


class _Rolling:
    def __init__(self, algorithms: set[str]) -> None:
        self._hashers: dict[str, _Hash] = {name: digests.hasher(name) for name in algorithms}
        self._next = 0

    def add(self, index: int, data: bytes | memoryview) -> bool:
        """Take the next chunk in; False if it is not the next, and this is of no use any more."""
        if index != self._next:
            return False
        for hasher in self._hashers.values():
            hasher.update(data)
        self._next += 1
        return True

    def known(self, chunks: int) -> dict[str, str]:
        if self._next != chunks:
            return {}
        return {name: hasher.hexdigest() for name, hasher in self._hashers.items()}
