"""Uploaded files as jobs find them: whether they are there, and what was declared, and of any use."""

from __future__ import annotations

from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from jobs.context import JobContext
from videos import errors, storage
from videos.media.errors import MediaError
from videos.models import Draft, Uploaded
from videos.uploads import digests


def path_of(row: Uploaded | Draft) -> Path:
    """The uploaded file. Raises SourceGone."""
    path = storage.path_of(row.source) if row.source else None
    if path is None or not path.is_file():
        raise errors.SourceGone
    return path


def checksums(row: Uploaded, ctx: JobContext) -> dict[str, str]:
    """The file's, compared with all that its uploader declared; nothing is hashed twice. Raises ChecksumMismatch."""
    if row.sha256:
        return {"sha256": row.sha256, "md5": row.md5}
    found = _checked(row, {"sha256"}, ctx)
    return {"sha256": found["sha256"], "md5": found.get("md5", "")}


def check(draft: Draft, ctx: JobContext) -> None:
    """Compare the file with all that its uploader declared. Raises ChecksumMismatch."""
    _checked(draft, set(), ctx)


def discard_if_useless(row: Uploaded, error: BaseException, *, made: Q) -> None:
    """Remove a file that nothing can be made of, unless something was made of it before (`made`, of its row)."""
    if not isinstance(error, MediaError | errors.ChecksumMismatch):
        return
    rows = type(row)._default_manager
    with transaction.atomic():
        now = rows.select_for_update().filter(~made, pk=row.pk).first()
        if now is None or not now.source:
            return
        name = now.source
        rows.filter(pk=row.pk).update(source="", updated_at=timezone.now())
    storage.remove(name)


def _checked(row: Uploaded | Draft, algorithms: set[str], ctx: JobContext) -> dict[str, str]:
    """The file's checksums, by these and by those that were declared. Raises ChecksumMismatch."""
    upload = getattr(row, "upload", None)
    declared = upload.declared if upload else []
    wanted = algorithms | digests.algorithms(declared)
    if not wanted:
        return {}
    path = storage.path_of(row.source)
    size = path.stat().st_size
    found = digests.of_file(path, wanted, on_bytes=lambda done: ctx.progress(0, 0, f"checking {done * 100 // size} %"))
    if digests.contradict(declared, found):
        raise errors.ChecksumMismatch
    return found
