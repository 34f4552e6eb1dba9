"""Removes what nobody wants any more: rows with their files, and files without rows.

Rows first, files after: broken off half way, the files are orphans, and the next night finds them.
"""

from __future__ import annotations

import contextlib
import functools
import math
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from jobs.status import ACTIVE
from videos import preparing, storage
from videos.errors import UploadFinished
from videos.media import stills
from videos.models import Draft, Export, Medium, Project, Upload, Uploaded, Video
from videos.timeline.shelf import Shelf
from videos.uploads import outcomes, sessions

_BATCH = 200
_SETTLED = timedelta(hours=2)
"""Longer than any attempt takes from publishing a file to committing the row that names it."""


def clean_up(now: datetime, *, on_step: Callable[[str], None] = lambda message: None) -> dict[str, int]:
    """All of it; how many of each were removed."""
    removed: dict[str, int] = {}
    steps: dict[str, Callable[[datetime], int]] = {
        "projects": _deleted_projects,
        "videos": functools.partial(_deleted, Video),
        "media": functools.partial(_deleted, Medium),
        "uploads": _expired_uploads,
        "exports": _failed_exports,
        "drafts": _failed_drafts,
        "orphans": _orphans,
        "parts": _parts,
    }
    for name, step in steps.items():
        on_step(f"removing {name}")
        removed[name] = step(now)
    return removed


def purge(row: Uploaded) -> bool:
    """Remove the rows of something deleted, then its files; False if it was restored since it was read."""
    rows = type(row)._default_manager
    with transaction.atomic():
        now = rows.select_for_update().filter(pk=row.pk, deleted_at=row.deleted_at).first()
        if now is None:
            return False
        published = _published(now)
        now.delete()
    storage.remove(now.source, published)
    return True


def purge_project(project: Project) -> bool:
    """Remove a deleted project's rows, then its exports; False if it was restored since it was read."""
    with transaction.atomic():
        now = Project.objects.select_for_update().filter(pk=project.pk, deleted_at=project.deleted_at).first()
        if now is None:
            return False
        now.delete()
    storage.remove(f"exports/{project.pk}")
    return True


def _deleted_projects(now: datetime) -> int:
    long_ago = now - settings.JOINTO_VIDEOS.keep_deleted
    count = 0
    while batch := list(Project.objects.filter(deleted_at__lte=long_ago).order_by("deleted_at")[:_BATCH]):
        count += sum(purge_project(project) for project in batch)
    return count


def _failed_exports(now: datetime) -> int:
    """Rows that nothing came of, once their job is forgotten."""
    left = Export.objects.filter(file="", job__isnull=True, created_at__lt=now - _SETTLED)
    count = 0
    while batch := list(left.values_list("pk", flat=True)[:_BATCH]):
        left.filter(pk__in=batch).delete()
        count += len(batch)
    return count


def _failed_drafts(now: datetime) -> int:
    """The same of drafts; the files that were sent are orphans then."""
    left = Draft.objects.filter(file="", job__isnull=True, created_at__lt=now - _SETTLED)
    count = 0
    while batch := list(left.values_list("pk", flat=True)[:_BATCH]):
        left.filter(pk__in=batch).delete()
        count += len(batch)
    return count


def _deleted(model: type[Uploaded], now: datetime) -> int:
    rows = model._default_manager.filter(deleted_at__lte=now - settings.JOINTO_VIDEOS.keep_deleted)
    count = 0
    while batch := list(rows.order_by("deleted_at")[:_BATCH]):
        count += sum(purge(row) for row in batch)
    return count


def _published(row: Uploaded) -> str:
    """The folder of what was made of an uploaded file; empty if there is none."""
    if isinstance(row, Medium):
        return preparing.folder_of(row)
    return row.folder if isinstance(row, Video) else ""


def _expired_uploads(now: datetime) -> int:
    long_ago = now - settings.JOINTO_VIDEOS.keep_uploads
    count = 0
    expired = Upload.objects.filter(merged_at=None, touched_at__lt=long_ago).order_by("touched_at")
    for upload in expired.iterator(_BATCH):
        with contextlib.suppress(UploadFinished):  # it was merged or went on this very moment
            sessions.abort(upload, untouched_since=long_ago)
            count += 1
    # What was read and became nothing here is remembered as long, for who asks again.
    read = Upload.objects.filter(purpose=Upload.Purpose.SCRIPT, merged_at__lt=long_ago)
    while batch := list(read.values_list("pk", flat=True)[:_BATCH]):
        read.filter(pk__in=batch).delete()
        count += len(batch)
    return count


def _orphans(now: datetime) -> int:
    """Files that no row names, once they are old enough not to be on their way into one."""
    settled = (now - _SETTLED).timestamp()
    count = 0
    for path, known in _candidates():
        if _changed_at(path) < settled and not known():
            if path.is_relative_to(settings.MEDIA_ROOT):
                storage.remove(path.relative_to(settings.MEDIA_ROOT).as_posix())
            else:
                storage.remove_file(path)
            count += 1
    return count


def _parts(now: datetime) -> int:
    """Parts of films that no film has used for long, and those that there is no room for."""
    unused_since = (now - settings.JOINTO_VIDEOS.keep_parts).timestamp()
    return Shelf(Path(settings.PARTS_DIR), most=settings.JOINTO_VIDEOS.parts_bytes).tidy(unused_since=unused_since)


def _changed_at(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:  # somebody was quicker
        return math.inf


def _candidates() -> Iterator[tuple[Path, Callable[[], bool]]]:
    """Everything that a row should name, with the question whether one does."""
    root = Path(settings.MEDIA_ROOT)
    for path in sorted((root / "videos/uploads").glob("*/*/*/*")):
        yield path, functools.partial(outcomes.names, _name(path))
    for path in sorted((root / "videos").glob("[0-9]*/*")):
        yield path, Video.objects.filter(folder=_name(path)).exists
    for path in sorted((root / "stills").glob("*/*")):
        yield path, Medium.objects.filter(file=f"{_name(path)}/{stills.FILE}").exists
    for path in sorted((root / "exports").glob("*/*")):
        yield path, functools.partial(_is_film, path, Export)
    for path in sorted((root / "drafts/sources").glob("*")):
        yield path, Draft.objects.filter(source=_name(path)).exists
    for path in sorted((root / "drafts").glob("[0-9]*/*")):
        yield path, functools.partial(_is_film, path, Draft)
    for path in sorted(Path(settings.UPLOADS_DIR).glob("*.part")):
        yield path, functools.partial(_is_unfinished, path.stem)


def _name(path: Path) -> str:
    return path.relative_to(settings.MEDIA_ROOT).as_posix()


def _is_film(path: Path, model: type[Export | Draft]) -> bool:
    """Whether a row names the file, or will soon: all attempts at a job publish under the same name."""
    named = Q(file=_name(path))
    with contextlib.suppress(ValueError):
        named |= Q(job_id=uuid.UUID(path.stem), job__status__in=sorted(ACTIVE))
    return model._default_manager.filter(named).exists()


def _is_unfinished(key: str) -> bool:
    try:
        upload_id = uuid.UUID(key)
    except ValueError:
        return False
    return Upload.objects.filter(pk=upload_id, merged_at=None).exists()
