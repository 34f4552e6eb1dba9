"""What was sent becomes a row with its source file, and a job; what can be told to be wrong is told at once."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction

from jobs import dispatch
from jobs.dispatch import IdempotencyKeyReused
from jobs.models import Job
from videos import films, storage
from videos.drafts import contents, fetching, media, naming, rendering
from videos.drafts.contents import Contents
from videos.drafts.errors import DraftIdMissing, DraftMediaMissing, DraftUrlMissing
from videos.errors import UploadFinished, UploadGone
from videos.models import Draft, OnMissing, Upload
from videos.uploads import outcomes, sessions

_PIECE = 1 << 20

Start = Callable[[int], Job]
"""Records the job that renders the draft with this id."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A draft that is to be rendered, as it was asked for. Content goes before an address, and that before an id."""

    owner_id: int
    content: BinaryIO | None = None  # of a draft, or of an archive with one
    file_name: str = ""
    url: str = ""
    draft_id: str = ""
    format: str
    quality: str
    on_missing: str
    mapping: Mapping[str, int] = field(default_factory=dict)


def take(wish: Wish, *, start: Start, key: str | None) -> Draft:
    """Record a draft, and its job; the one of before for a key that was used before.

    Raises what `videos.drafts.errors` and `videos.timeline.capcut.errors` name, what URLs are refused with, and
    IdempotencyKeyReused.
    """
    digest = _digest(wish)
    if known := _known(wish.owner_id, key, digest):
        return known
    draft = _draft(wish)
    draft.digest = digest
    try:
        with _stored(wish.content) as draft.source, transaction.atomic():
            draft.save(force_insert=True)
            draft.job = start(draft.pk)
    except IdempotencyKeyReused:
        if known := _known(wish.owner_id, key, digest):  # the same request was quicker
            return known
        raise
    return draft


def take_upload(upload: Upload, wish: Wish, *, start: Start, hashes: Sequence[str] = ()) -> Draft:
    """Make an upload that has arrived whole a draft, with its job; the same one when asked again.

    What is refused stays an upload, and may be asked for otherwise: with a mapping of what is missing. Raises what
    `take` and `sessions.arrived` raise; UploadFinished, if it has become a draft of which something else was asked.
    """
    digest = _digest(wish)
    try:
        with sessions.arrived(upload, hashes) as content:
            draft = _draft(replace(wish, content=content))
        draft.digest = digest
        became = sessions.complete(upload, row=draft, start=start, hashes=hashes)
    except (UploadFinished, UploadGone):
        if (known := outcomes.of(upload, hashes)) is None:
            raise
        became = known
    assert isinstance(became, Draft)
    if became.digest != digest:
        raise UploadFinished(details={"draft": became.pk})
    return became


def _known(owner_id: int, key: str | None, digest: str) -> Draft | None:
    job = dispatch.find(key, owner_id=owner_id) if key else None
    if job is None:
        return None
    draft = Draft.objects.select_related("job").filter(job=job, digest=digest).first()
    if draft is None:
        raise IdempotencyKeyReused
    return draft


def _draft(wish: Wish) -> Draft:
    """The row, not saved yet."""
    draft = Draft(
        owner_id=wish.owner_id,
        draft_id=wish.draft_id or naming.id_of(wish.url) or naming.id_of(wish.file_name),
        format=wish.format,
        quality=wish.quality,
        on_missing=wish.on_missing,
        mapping=dict(wish.mapping),
    )
    if wish.content is None:
        draft.url = _url(wish.url, draft.draft_id)
        fetching.check(draft.url)
        return draft
    with contents.opened(wish.content) as found:
        _examine(found, draft)
    return draft


def _url(said: str, draft_id: str) -> str:
    """Where the draft is to be fetched."""
    if naming.is_url(said):
        return said
    if not draft_id:
        raise DraftIdMissing
    if not settings.JOINTO_DRAFTS.url:
        raise DraftUrlMissing
    return naming.url_of(draft_id, settings.JOINTO_DRAFTS.url)


def _examine(found: Contents, draft: Draft) -> None:
    """Look at a draft that is here. Media at addresses count as there, until they are fetched."""
    draft.draft_id = draft.draft_id or rendering.plain(found.draft.id)[:200]
    draft.name = rendering.plain(found.draft.name)[:200]
    films.check_length(found.draft.timeline)
    located = media.locate(
        found.draft.media,
        archive=found.archive,
        folder=found.folder,
        mapping=draft.mapping,
        owner_id=draft.owner_id,
    )
    draft.report = rendering.reported(found.draft)
    draft.missing = rendering.named(located.missing)
    if draft.missing and draft.on_missing == OnMissing.REFUSE:
        raise DraftMediaMissing.of(draft.missing)


def _digest(wish: Wish) -> str:
    """The same for the same request, and for no other."""
    said = [wish.url, wish.draft_id, wish.format, wish.quality, wish.on_missing, sorted(wish.mapping.items())]
    digest = hashlib.sha256(json.dumps(said).encode())
    for piece in _pieces(wish.content):
        digest.update(piece)
    return digest.hexdigest()


@contextmanager
def _stored(content: BinaryIO | None) -> Iterator[str]:
    """The stored name of what was sent, put in place before the row says so, and gone if that never does."""
    if content is None:
        yield ""
        return
    name = storage.name_for_draft(contents.head_of(content))
    part = Path(settings.UPLOADS_DIR) / f"{uuid.uuid4()}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as file:
            for piece in _pieces(content):
                file.write(piece)
        storage.sync(part)
        storage.adopt(part, name)
        yield name
    except BaseException:
        storage.remove(name)
        raise
    finally:
        storage.remove_file(part)


def _pieces(content: BinaryIO | None) -> Iterator[Any]:
    if content:
        content.seek(0)
        while piece := content.read(_PIECE):
            yield piece
