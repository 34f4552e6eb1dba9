"""A poster of one's own choice: the frame at a moment, in place of the one that processing took."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from jobs.context import JobContext
from jobs.errors import BadInput, JointoError
from videos import errors, processing, storage, workshops
from videos.media import transcode
from videos.media.plan import plan
from videos.models import Video

_PREFIX = "poster-"


class NotReady(BadInput):
    """Nothing has been published that a poster could stand beside."""

    code = "video_not_ready"
    status = 409
    message = "The video has not been processed yet. Process it first, then choose its poster."


class NoPicture(BadInput):
    """A file with sound alone."""

    code = "video_without_picture"
    message = "The video has sound only, so there is no picture to take from it."


class NotInVideo(BadInput):
    """No frame is shown at that moment."""

    code = "moment_not_in_video"
    message = "The video does not last that long. Choose a moment between 0 and its duration, in seconds."


class ProcessedMeanwhile(JointoError):
    """Another folder has been published since; the next attempt puts the poster there."""

    code = "processed_meanwhile"
    status = 409
    message = "The video was processed again meanwhile. The poster is made once more."


def make(video_id: int, ctx: JobContext, *, at: float) -> dict[str, Any]:
    """Make the frame at `at` seconds the video's poster: from the uploaded file, or the best rendition without it.

    The new file stands in the published folder before the row names it; the old one goes after. Raises the classes
    above, SourceGone, VideoDeleted, and what videos.media.errors names.
    """
    video = _load(video_id, at)
    source = _source(video)
    workshop, caps = workshops.at(ctx.scratch), workshops.caps()
    found = transcode.inspect(source, workshop, caps=caps)
    planned = plan(found)
    if planned.video is None:
        raise NoPicture
    file = f"{_PREFIX}{ctx.name}.jpg"  # no other attempt has it, and it is none that a browser has in its cache
    ctx.progress(0, 1, "poster")
    transcode.thumbnail(planned, source, workshop, target=file, at=at)
    name = f"{video.folder}/{file}"
    ctx.unless_completed(lambda: storage.remove(name))
    _publish(ctx.scratch / file, name)
    replaced: list[str] = []
    ctx.at_completion(lambda: replaced.extend(_record(video, file)))
    ctx.once_completed(lambda: storage.remove(*replaced))
    return {"video_id": video.pk, "image_url": f"{settings.MEDIA_URL}{name}", "at": at}


def owner_of(video_id: int, at: float) -> int | None:
    """Whose video it is, so that the job is theirs too."""
    return processing.owner_of(video_id)


def _load(video_id: int, at: float) -> Video:
    video = Video.objects.filter(pk=video_id).first()
    if video is None:
        raise errors.SourceGone
    if video.deleted_at:
        raise errors.VideoDeleted
    if not video.folder:
        raise NotReady
    if not math.isfinite(at) or not 0 <= at <= (video.duration or math.inf):
        raise NotInVideo
    return video


def _source(video: Video) -> Path:
    uploaded = storage.path_of(video.source) if video.source else None
    if uploaded and uploaded.is_file():
        return uploaded
    best = video.renditions.first()
    rendered = storage.path_of(f"{video.folder}/{best.file}") if best else None
    if rendered and rendered.is_file():
        return rendered
    raise errors.SourceGone


def _publish(made: Path, name: str) -> None:
    with made.open("rb") as file:
        os.fsync(file.fileno())
    storage.adopt(made, name)


def _record(video: Video, file: str) -> list[str]:
    """Have the row name the new poster; in the transaction that completes the job.

    The files that may go once it has: the one before, and what earlier attempts at the same job left.
    """
    now = Video.objects.select_for_update().get(pk=video.pk)
    if now.folder != video.folder:
        raise ProcessedMeanwhile
    Video.objects.filter(pk=video.pk).update(poster=file, updated_at=timezone.now())
    own = file.rpartition("-")[0]
    left = {path.name for path in storage.path_of(video.folder).glob(f"{own}-*.jpg")}
    return [f"{video.folder}/{old}" for old in sorted(left | {now.poster}) if old and old != file]
