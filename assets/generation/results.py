"""What was made becomes a file of its own, and a picture of an asset or a material of a project."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from assets.generation.errors import GenerationGone, GenerationUnusable
from assets.models import Asset, Generation, GenerationKind, GenerationState
from jobs.context import JobContext
from jobs.errors import JointoError
from jobs.now import Now
from videos import orders, projects, reel, storage, tasks
from videos.errors import ProjectDeleted, ProjectGone, SourceGone, TooManyMaterials
from videos.media import stills, transcode
from videos.media.errors import MediaError
from videos.media.probe import Caps
from videos.models import Medium, Video
from videos.timeline import film
from videos.timeline.film import Source

logger = logging.getLogger(__name__)

_TITLE = 120  # characters of a prompt
_MP4 = "mp4"  # as ffprobe's list of names for the family has it


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A file that stands in the attempt's folder, and where it is to be."""

    file: Path
    name: str


def check(row: Generation, file: Path, ctx: JobContext) -> Finished:
    """Look whether it is what was wished, and make it a PNG or an MP4 if it is not. Raises GenerationUnusable."""
    name = f"ai-generated/{'images' if row.kind == GenerationKind.IMAGE else 'videos'}/{row.job_id or ctx.job_id}"
    workshop = transcode.Workshop(folder=ctx.scratch, threads=settings.JOINTO_VIDEOS.threads, on_log=logger.info)
    caps = Caps(pixels=settings.JOINTO_VIDEOS.max_pixels, seconds=settings.JOINTO_VIDEOS.max_seconds)
    try:
        if row.kind == GenerationKind.IMAGE:
            stills.develop(file, workshop, caps=caps)
            return Finished(file=ctx.scratch / stills.FILE, name=f"{name}.png")
        return Finished(file=_film(file, workshop, caps, ctx), name=f"{name}.mp4")
    except MediaError as error:
        raise GenerationUnusable.of(error) from error


def said(row: Generation, finished: Finished) -> dict[str, Any]:
    """The job's result."""
    url = f"{settings.MEDIA_URL}{finished.name}"
    about = {"generation_id": row.pk, "provider": row.provider, "model": row.model}
    return {("image_url" if row.kind == GenerationKind.IMAGE else "video_url"): url, **about}


def publish(row: Generation, finished: Finished) -> None:
    """Put the file in its place, and have the rows name it; in the transaction that completes the job."""
    now = Generation.objects.select_for_update(of=("self",)).filter(pk=row.pk).first()
    if now is None:
        raise GenerationGone
    storage.replace(finished.file, finished.name)
    made = _still(now, finished) if now.kind == GenerationKind.IMAGE else _video(now, finished)
    Generation.objects.filter(pk=now.pk).update(
        state=GenerationState.COMPLETED,
        result_name=finished.name,
        error_code="",
        error_message="",
        finished_at=Now(),
        updated_at=Now(),
        **({"medium": made} if isinstance(made, Medium) else {"video": made}),
    )
    # The project is locked before its assets: so do edits and merges.
    if now.project_id and (isinstance(made, Video) or now.parameters.get("material")):
        _add_material(now, made)
    if isinstance(made, Medium) and now.asset_id:
        _show(now.asset_id, made)


def take_back(row: Generation, finished: Finished) -> None:
    """Remove the file if it is this attempt's own, while nobody publishes another in its place."""
    with transaction.atomic():
        Generation.objects.select_for_update(of=("self",)).filter(pk=row.pk).first()
        if storage.holds(finished.name, finished.file):
            storage.remove(finished.name)


def _film(file: Path, workshop: transcode.Workshop, caps: Caps, ctx: JobContext) -> Path:
    """The clip as MP4: as it came, or made anew."""
    probe = transcode.inspect(file, workshop, caps=caps)
    if probe.video is None:
        raise GenerationUnusable
    if _MP4 in probe.container.split(","):
        target = ctx.scratch / "clip.mp4"
        if not target.exists():
            target.hardlink_to(file)
        return target
    folder = ctx.scratch / "film"
    folder.mkdir(exist_ok=True)
    source = {"clip": Source(path=file, probe=probe)}
    timeline = reel.of({"clip": probe})
    recipe = orders.read({"format": "mp4", "quality": "high"}).recipe
    threads = settings.JOINTO_VIDEOS.threads
    return film.make(timeline, source, folder, recipe=recipe, threads=threads, on_progress=ctx.progress).file


def _still(row: Generation, finished: Finished) -> Medium:
    source = _adopted(finished)
    made = Medium.objects.create(kind=Medium.Kind.STILL, **_uploaded(row, finished, source))
    _quietly(lambda: tasks.prepare(made.pk))
    made.refresh_from_db()  # it is being prepared now: so it may be a material already
    return made


def _video(row: Generation, finished: Finished) -> Video:
    source = _adopted(finished)
    made = Video.objects.create(**_uploaded(row, finished, source))
    _quietly(lambda: tasks.start(made.pk))
    return made


def _adopted(finished: Finished) -> str:
    """A second name for the same bytes: what it has become may be deleted, and the result stays, and the other way."""
    source = storage.name_for_upload(storage.head_of(finished.file), timezone.now())
    storage.adopt(finished.file, source)
    return source


def _uploaded(row: Generation, finished: Finished, source: str) -> dict[str, Any]:
    title = " ".join(row.prompt.split())[:_TITLE] or str(row.pk)
    size = finished.file.stat().st_size
    return {"owner_id": row.owner_id, "title": title, "source": source, "source_size": size}


def _show(asset_id: int, made: Medium) -> None:
    """Have the asset show it; or the one that it is part of, if it was merged meanwhile."""
    asset = Asset.objects.select_for_update(of=("self",)).get(pk=asset_id)
    shown = Asset.objects.filter(pk=asset.merged_into_id or asset.pk)
    shown.update(picture=made, updated_at=timezone.now())


def _add_material(row: Generation, made: Medium | Video) -> None:
    """It is there even if its project is not, or has no more room: it was paid for."""
    project_id, name = row.project_id, row.parameters.get("material") or ""
    assert project_id
    lost = (ProjectGone, ProjectDeleted, TooManyMaterials, SourceGone)  # the last if a quota refused to prepare it
    with contextlib.suppress(*lost), transaction.atomic():
        taken = name and row.project and row.project.materials.filter(name=name).exists()
        projects.add(project_id, made, name="" if taken else name)


def _quietly(start: Any) -> None:
    """A quota may refuse the job that prepares it: it can be started later, and it was paid for."""
    try:
        with transaction.atomic():
            start()
    except JointoError:
        logger.warning("what was made is not processed yet", exc_info=True)
