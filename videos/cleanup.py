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
from videos import storage
from videos.errors import UploadFinished
from videos.models import Export, Project, Upload, Video
from videos.timeline.shelf import Shelf
from videos.uploads import sessions

_BATCH = 200
_SETTLED = timedelta(hours=2)
"""Longer than any attempt takes from publishing a file to committing the row that names it."""


def clean_up(now: datetime, *, on_step: Callable[[str], None] = lambda message: None) -> dict[str, int]:
    """All of it; how many of each were removed."""
    removed: dict[str, int] = {}
    steps = {
        "projects": _deleted_projects,
        "videos": _deleted_videos,
        "uploads": _expired_uploads,
        "exports": _failed_exports,
        "orphans": _orphans,
        "parts": _parts,
    }
    for name, step in steps.items():
        on_step(f"removing {name}")
        removed[name] = step(now)
    return removed


def purge(video: Video) -> bool:
    """Remove a deleted video's rows, then its files; False if it was restored since it was read."""
    with transaction.atomic():
        now = Video.objects.select_for_update().filter(pk=video.pk, deleted_at=video.deleted_at).first()
        if now is None:
            return False
        now.delete()
    storage.remove(now.source)
    storage.remove(now.folder)
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


def _deleted_videos(now: datetime) -> int:
    long_ago = now - settings.JOINTO_VIDEOS.keep_deleted
    count = 0
    while batch := list(Video.objects.filter(deleted_at__lte=long_ago).order_by("deleted_at")[:_BATCH]):
        count += sum(purge(video) for video in batch)
    return count


def _expired_uploads(now: datetime) -> int:
    long_ago = now - settings.JOINTO_VIDEOS.keep_uploads
    count = 0
    expired = Upload.objects.filter(video__isnull=True, touched_at__lt=long_ago).order_by("touched_at")
    for upload in expired.iterator(_BATCH):
        with contextlib.suppress(UploadFinished):  # it was merged or went on this very moment
            sessions.abort(upload, untouched_since=long_ago)
            count += 1
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
        yield path, Video.objects.filter(source=_name(path)).exists
    for path in sorted((root / "videos").glob("[0-9]*/*")):
        yield path, Video.objects.filter(folder=_name(path)).exists
    for path in sorted((root / "exports").glob("*/*")):
        yield path, functools.partial(_is_export, path)
    for path in sorted(Path(settings.UPLOADS_DIR).glob("*.part")):
        yield path, functools.partial(_is_unfinished, path.stem)


def _name(path: Path) -> str:
    return path.relative_to(settings.MEDIA_ROOT).as_posix()


def _is_export(path: Path) -> bool:
    """Whether a row names the file, or will soon: all attempts at a job publish under the same name."""
    named = Q(file=_name(path))
    with contextlib.suppress(ValueError):
        named |= Q(job_id=uuid.UUID(path.stem), job__status__in=sorted(ACTIVE))
    return Export.objects.filter(named).exists()


def _is_unfinished(key: str) -> bool:
    try:
        upload_id = uuid.UUID(key)
    except ValueError:
        return False
    return Upload.objects.filter(pk=upload_id, video__isnull=True).exists()
