"""What was sent or fetched, opened: a draft alone, or an archive with one and its media."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from videos.drafts import archive, processors
from videos.drafts.archive import Archive, Limits
from videos.drafts.errors import DraftTooLarge
from videos.timeline.capcut.reading import Draft, DraftInvalid

_HEAD_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A draft that was read, and the archive that it came in."""

    draft: Draft
    archive: Archive | None = None
    folder: str = ""  # of the draft, in the archive


@contextlib.contextmanager
def opened(file: Path | BinaryIO) -> Iterator[Contents]:
    """Read the draft. Raises DraftInvalid, DraftEncrypted, DraftTooLarge, DraftArchiveUnsafe."""
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(file.open("rb")) if isinstance(file, Path) else file
        if archive.is_one(head_of(stream)):
            found = stack.enter_context(archive.opened(stream, _limits()))
            folder, data = _document(found)
            yield Contents(draft=processors.read(data), archive=found, folder=folder)
        else:
            yield Contents(draft=processors.read(_whole(stream)))


def head_of(stream: BinaryIO) -> bytes:
    """The first bytes; the next that are read are these again."""
    stream.seek(0)
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    return head


def _document(found: Archive) -> tuple[str, bytes]:
    """The draft in an archive, and its folder there."""
    for folder, data in found.documents():
        if processors.can_read(data):
            return folder, data
    raise DraftInvalid([{"path": "", "problem": "There is no draft in the archive"}])


def _whole(stream: BinaryIO) -> bytes:
    most = settings.JOINTO_DRAFTS.document_bytes
    data = stream.read(most + 1)
    if len(data) > most:
        raise DraftTooLarge(details={"max_bytes": most})
    return data


def _limits() -> Limits:
    said = settings.JOINTO_DRAFTS
    return Limits(
        entries=said.entries, ratio=said.ratio, document_bytes=said.document_bytes, total_bytes=said.media_bytes
    )
