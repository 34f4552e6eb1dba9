"""What an attempt that was killed could not do: cancel at a provider, and remove what no row names."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from assets.generation import ending, rows
from assets.models import Generation, GenerationState
from jobs.status import ACTIVE, JobStatus
from videos import storage

_SETTLED = timedelta(hours=2)
"""Longer than any attempt takes from publishing a file to committing the row that names it."""

_AT_ONCE = 100


def pass_cancels_on() -> int:
    """Tell providers of jobs that were cancelled while nobody worked for them; of how many that is done."""
    left = Generation.objects.filter(
        job__status=JobStatus.CANCELLED,
        state__in=[GenerationState.QUEUED, GenerationState.SUBMITTING, GenerationState.SUBMITTED],
    )
    done, away = 0, set[str]()
    for row in left.order_by("pk").only("pk", "provider", "state"):
        if row.provider in away and row.state == GenerationState.SUBMITTED:
            continue  # whoever did not answer about one would have us wait for each
        if done == _AT_ONCE:
            break
        if ending.pass_cancel_on(row):
            done += 1
        elif row.state == GenerationState.SUBMITTED:
            away.add(row.provider)
    return done


def remove_orphans(now: datetime) -> int:
    """Files that no row names, once they are old enough not to be on their way into one; how many."""
    settled, count = (now - _SETTLED).timestamp(), 0
    for path, known in _candidates():
        with contextlib.suppress(FileNotFoundError):  # somebody was quicker
            if path.lstat().st_mtime < settled and not known():
                storage.remove(path.relative_to(settings.MEDIA_ROOT).as_posix())
                count += 1
    return count


def _candidates() -> Iterator[tuple[Path, Callable[[], bool]]]:
    root = Path(settings.MEDIA_ROOT) / "ai-generated"
    for path in sorted((*root.glob("images/*"), *root.glob("videos/*"))):
        yield path, lambda path=path: _is_named(path)  # type: ignore[misc]
    for path in sorted(root.glob("received/*")):
        yield path, lambda path=path: _is_awaited(path)  # type: ignore[misc]


def _is_named(path: Path) -> bool:
    """Whether a row names the file, or will soon: all attempts at a job publish under the same name."""
    name = path.relative_to(settings.MEDIA_ROOT).as_posix()
    if Generation.objects.filter(result_name=name).exists():
        return True
    with contextlib.suppress(ValueError):
        return Generation.objects.filter(job_id=uuid.UUID(path.stem), job__status__in=sorted(ACTIVE)).exists()
    return False


def _is_awaited(path: Path) -> bool:
    """Whether a row still has to make its result of it."""
    key, _, _ = path.name.partition("-")
    row = Generation.objects.filter(pk=int(key)).first() if key.isdecimal() else None
    name = path.relative_to(settings.MEDIA_ROOT).as_posix()
    return row is not None and row.state == GenerationState.DOWNLOADING and name in rows.received(row)
