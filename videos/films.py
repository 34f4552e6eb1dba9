"""Films that jobs make: one is made of a timeline, put in its place as its job completes, taken back if it does not.

All attempts at a job publish under one name. Only the attempt that completes it gets to do so, and holds the row until
its commit: so no attempt overwrites what another has published, and what a lost commit left is written over.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from jobs import control
from jobs.context import JobContext
from jobs.errors import JointoError
from jobs.status import ACTIVE
from videos import errors, storage
from videos.models import Draft, Export
from videos.timeline import film
from videos.timeline.film import Film, Recipe, Source
from videos.timeline.model import Timeline
from videos.timeline.reuse import Cache
from videos.timeline.values import SECOND

logger = logging.getLogger(__name__)

Row = Export | Draft


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A film that stands in the attempt's folder, and where it is to be."""

    film: Film
    name: str
    size: int

    @property
    def url(self) -> str:
        return f"{settings.MEDIA_URL}{self.name}"


def check_length(timeline: Timeline) -> None:
    """Raises ExportTooLong."""
    if timeline.duration > settings.JOINTO_VIDEOS.max_seconds * SECOND:
        raise errors.ExportTooLong


def make(
    ctx: JobContext,
    timeline: Timeline,
    sources: Mapping[str, Source],
    *,
    recipe: Recipe,
    cache: Cache | None = None,
) -> Film:
    """Make the film in the attempt's folder. Raises what `film.make` raises."""
    folder = ctx.scratch / "film"
    folder.mkdir()
    return film.make(
        timeline,
        sources,
        folder,
        recipe=recipe,
        threads=settings.JOINTO_VIDEOS.threads,
        on_progress=ctx.progress,
        on_log=logger.info,
        cache=cache,
    )


def publish(ctx: JobContext, row: Row, made: Film, *, folder: str, gone: type[JointoError], **more: Any) -> Finished:
    """Have the film stand in a folder of the media once the job completes, and the row name it, and say `more`.

    What the row named before goes then. `gone` is raised if the row is no more: nothing is published.
    """
    storage.sync(made.file)
    name = f"{folder}/{ctx.job_id}.{row.format}"
    finished = Finished(film=made, name=name, size=made.file.stat().st_size)
    replaced: list[str] = []
    ctx.unless_completed(lambda: _take_back(row, finished))
    ctx.at_completion(lambda: replaced.extend(_put(row, finished, gone, more)))
    ctx.once_completed(lambda: storage.remove(*replaced))
    return finished


def discard(row: Row, *, by: str) -> None:
    """Remove an export or a draft with its files; while it is made, that is cancelled."""
    if row.job and row.job.status in ACTIVE:
        with contextlib.suppress(control.NotCancellable):  # it ended this very moment
            control.cancel(row.job, by=by)
    with transaction.atomic():
        now = _held(row)
        if now is None:
            return
        now.delete()
    storage.remove(now.file, now.source if isinstance(now, Draft) else "")


def _put(row: Row, finished: Finished, gone: type[JointoError], more: Mapping[str, Any]) -> list[str]:
    """Put the file in its place, and have the row name it; in the transaction that completes the job.

    The files that the row named before.
    """
    if row._state.adding:
        row.save(force_insert=True)
    now = _held(row)
    if now is None:
        raise gone
    storage.replace(finished.film.file, finished.name)
    rows = type(row)._default_manager.filter(pk=row.pk)
    rows.update(file=finished.name, duration=finished.film.duration, size=finished.size, **more)
    return [now.file] if now.file != finished.name else []


def _take_back(row: Row, finished: Finished) -> None:
    """Remove the file if it is this attempt's own, while nobody publishes another in its place."""
    with transaction.atomic():
        _held(row)
        if storage.holds(finished.name, finished.film.file):
            storage.remove(finished.name)


def _held(row: Row) -> Row | None:
    """The row as it is, until the end of the transaction; None: it is gone."""
    held: Row | None = type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
    return held
