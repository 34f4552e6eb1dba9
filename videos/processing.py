"""From an uploaded file to something that plays: the body of `process_video`, and what it leaves in the rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from jobs.context import JobContext
from jobs.models import Job
from videos import errors, originals, storage, workshops
from videos.media import transcode
from videos.models import Rendition, Video

logger = logging.getLogger(__name__)


def process(video_id: int, ctx: JobContext, *, poster: bool = True) -> dict[str, Any]:
    """Check, probe, encode, publish. The result says where it plays. `poster`: whether to make one.

    Raises what videos.errors and videos.media.errors name; a file that can't be used is removed once the job
    has failed for that.
    """
    video = _load(video_id)
    ctx.once_failed(lambda error: originals.discard_if_useless(video, error, made=~Q(folder="")))
    source = originals.path_of(video)
    checksums = originals.checksums(video, ctx)
    ctx.check()
    outcome = transcode.transcode(
        source,
        ctx.scratch,
        on_progress=ctx.progress,
        on_log=logger.info,
        caps=workshops.caps(),
        threads=settings.JOINTO_VIDEOS.threads,
        poster=poster,
    )
    # The attempt's own folder: a worker that comes back from the dead overwrites nobody.
    folder = f"videos/{video.pk}/{ctx.name}"
    ctx.unless_completed(lambda: storage.remove(folder))
    storage.publish(ctx.scratch, folder)
    replaced: list[str] = []
    ctx.at_completion(lambda: replaced.extend(_record(video.pk, folder, outcome, checksums)))
    ctx.once_completed(lambda: storage.remove(*replaced))
    return _result(video.pk, folder, outcome)


def owner_of(video_id: int) -> int | None:
    """Whose video it is, so that the job is theirs too."""
    return Video.objects.filter(pk=video_id).values_list("owner_id", flat=True).first()


def link(job: Job, video_id: int) -> None:
    """Point the video at the job that works for it now."""
    Video.objects.filter(pk=video_id).update(job=job, updated_at=timezone.now())


def link_each(jobs: Sequence[tuple[Job, Mapping[str, Any]]]) -> None:
    """`link` for many: of several jobs about one video the last."""
    by_video = {named["video_id"]: job for job, named in jobs}
    # In the order of ids, so that two who do it at once wait in a line, and not in a circle.
    locked = Video.objects.select_for_update(of=("self",)).order_by("pk").only("pk")
    videos = list(locked.filter(pk__in=by_video))
    for video in videos:
        video.job = by_video[video.pk]
    Video.objects.bulk_update(videos, ["job"], batch_size=500)
    Video.objects.filter(pk__in=by_video).update(updated_at=timezone.now())


def _load(video_id: int) -> Video:
    video = Video.objects.filter(pk=video_id).first()
    if video is None or not video.source:
        raise errors.SourceGone
    if video.deleted_at:
        raise errors.VideoDeleted
    return video


def _record(video_id: int, folder: str, outcome: transcode.Outcome, checksums: dict[str, str]) -> list[str]:
    """Have the rows say what has been published; in the transaction that completes the job.

    The folders that they named before, which may go once it has.
    """
    before = list(Video.objects.select_for_update().filter(pk=video_id).values_list("folder", flat=True))
    Video.objects.filter(pk=video_id).update(
        folder=folder,
        playlist=outcome.playlist,
        poster=outcome.poster or "",
        duration=outcome.duration,
        width=outcome.width,
        height=outcome.height,
        updated_at=timezone.now(),
        **checksums,
    )
    Rendition.objects.filter(video_id=video_id).delete()
    Rendition.objects.bulk_create(
        Rendition(
            video_id=video_id,
            name=made.name,
            width=made.width,
            height=made.height,
            file=made.file,
            bytes=made.bytes,
            bandwidth=made.bandwidth,
            codecs=made.codecs,
        )
        for made in outcome.renditions
    )
    return before


def _result(video_id: int, folder: str, outcome: transcode.Outcome) -> dict[str, Any]:
    base = f"{settings.MEDIA_URL}{folder}/"
    return {
        "video_id": video_id,
        "duration": outcome.duration,
        "playlist_url": base + outcome.playlist,
        "poster_url": base + outcome.poster if outcome.poster else None,
        "renditions": [
            {
                "name": made.name,
                "width": made.width,
                "height": made.height,
                "url": base + made.file,
                "bytes": made.bytes,
            }
            for made in outcome.renditions
        ],
    }
