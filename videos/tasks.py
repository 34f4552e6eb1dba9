"""The kinds of job about videos, and the upkeep of their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from celery import chain, signature
from celery.exceptions import SoftTimeLimitExceeded
from celery.result import AsyncResult
from django.db import transaction
from django.utils import timezone

from jobs import dispatch
from jobs.context import JobContext
from jobs.errors import Remedy
from jobs.models import Job
from jobs.retry import RetryPolicy
from jobs.schedule import Daily, periodic
from jobs.status import ACTIVE
from jobs.task import job, minutes
from videos import cleanup, errors, exports, preparing, processing, thumbnails
from videos.drafts import rendering
from videos.drafts.errors import DraftTooSlow
from videos.models import Video

MEDIA = RetryPolicy(retries=3, first_seconds=300)
THUMBNAIL = RetryPolicy(retries=3, first_seconds=60)
PREPARE = RetryPolicy(retries=3, first_seconds=60)
EXPORT = RetryPolicy(retries=2, first_seconds=300)
# The network alone: its errors are those that back off, and what goes wrong with a film would again.
DRAFT = RetryPolicy(retries=3, first_seconds=1, factor=2, remedies=frozenset({Remedy.WAIT, Remedy.BACK_OFF}))
UPKEEP = RetryPolicy(retries=3, first_seconds=60)

_LARGEST_ID = 2**63 - 1  # what the column holds


def _owns(user_id: int, video_id: int, **_: Any) -> bool:
    """Whether a user may have batches made about a video."""
    return all(_owns_each(user_id, [{"video_id": video_id}]))


def _owns_each(user_id: int, named: Sequence[Mapping[str, Any]]) -> list[bool]:
    """`_owns` for many. Raises TypeError for what is no id."""
    ids = [arguments["video_id"] for arguments in named]
    for video_id in ids:
        if type(video_id) is not int:  # "07" would be video 7, and not be about it
            raise TypeError(f"video_id has to be a whole number, not {video_id!r:.40}")
    known = {video_id for video_id in ids if 0 < video_id <= _LARGEST_ID}
    own = Video.objects.filter(pk__in=known, owner_id=user_id, deleted_at__isnull=True)
    owned = set(own.values_list("pk", flat=True))
    return [video_id in owned for video_id in ids]


@job(
    queue="media",
    retry=MEDIA,
    soft_time_limit=minutes(55),
    time_limit=minutes(60),
    subject="videos.Video:{video_id}",
    owner=processing.owner_of,
    recorded=processing.link,
    recorded_each=processing.link_each,
    may=_owns,
    may_each=_owns_each,
)
def process_video(ctx: JobContext, video_id: int) -> dict[str, Any]:
    """Probe, ladder and poster of one uploaded video."""
    try:
        return processing.process(video_id, ctx)
    except SoftTimeLimitExceeded as error:
        raise errors.TooSlow from error  # it would take as long again


@job(
    queue="media",
    retry=THUMBNAIL,
    soft_time_limit=minutes(5),
    time_limit=minutes(6),
    subject="videos.Video:{video_id}",
    owner=thumbnails.owner_of,
    may=_owns,
    may_each=_owns_each,
)
def generate_thumbnail(ctx: JobContext, video_id: int, at: float) -> dict[str, Any]:
    """Make the frame at `at` seconds the poster of a processed video."""
    return thumbnails.make(video_id, ctx, at=at)


@job(
    queue="media",
    retry=PREPARE,
    soft_time_limit=minutes(25),
    time_limit=minutes(30),
    subject="videos.Medium:{medium_id}",
    owner=preparing.owner_of,
    recorded=preparing.link,
    may=preparing.owns,
)
def prepare_material(ctx: JobContext, medium_id: int) -> dict[str, Any]:
    """Make an uploaded still a plain picture; see how long an uploaded sound is."""
    try:
        return preparing.prepare(medium_id, ctx)
    except SoftTimeLimitExceeded as error:
        raise errors.TooSlow from error  # it would take as long again


@job(
    queue="export",
    retry=EXPORT,
    soft_time_limit=minutes(55),
    time_limit=minutes(60),
    subject="videos.Project:{project_id}",
    one_a_subject=False,
    owner=exports.owner_of,
    recorded=exports.record,
    may=exports.owns,
)
def export_video(
    ctx: JobContext,
    project_id: int,
    format: str = "mp4",
    quality: str = "medium",
    *,
    crf: int | None = None,
    preset: str | None = None,
    width: int | None = None,
    height: int | None = None,
    rate: str | float | None = None,
    fit: str | None = None,
    source: str | None = None,
    still_seconds: float | None = None,
    loudness: bool | None = None,
    subtitles: str | None = None,
    watermark: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Make one film of a project, as it is when the job is recorded; what may be said, `videos.orders` tells."""
    said = {"format": format, "quality": quality, "crf": crf, "preset": preset, "width": width, "height": height}
    film: dict[str, Any] = {"rate": rate, "fit": fit, "source": source, "still_seconds": still_seconds}
    film |= {"loudness": loudness, "subtitles": subtitles, "watermark": watermark}
    try:
        return exports.make(ctx, project_id, **said, **film)
    except SoftTimeLimitExceeded as error:
        raise errors.ExportTooSlow from error  # it would take as long again


@job(
    queue="export",
    retry=DRAFT,
    soft_time_limit=minutes(55),
    time_limit=minutes(60),
    subject="videos.Draft:{draft_id}",
    at_once=5,
    owner=rendering.owner_of,
    recorded=rendering.link,
    may=rendering.owns,
)
def render_draft(ctx: JobContext, draft_id: int) -> dict[str, Any]:
    """Make one film of a draft of CapCut, JianYing, or whatever else there is a processor for."""
    try:
        return rendering.make(ctx, draft_id)
    except SoftTimeLimitExceeded as error:
        raise DraftTooSlow from error  # it would take as long again


def process_and_tell(video_id: int, *, at: float) -> AsyncResult:
    """Have a video processed, then the frame at `at` seconds made its poster, then its owner told: a chain.

    The parts are immutable signatures: each has its own arguments, and takes nothing from the result before.
    """
    video = Video.objects.get(pk=video_id)
    told = signature(
        "jobs.tasks.send_notification",
        (video.owner_id, "Your video is ready", f"{video.title} can be watched now."),
        immutable=True,
    )
    return chain(process_video.si(video_id), generate_thumbnail.si(video_id, at=at), told).apply_async()


def start(video_id: int, *, idempotency_key: str | None = None, **options: Any) -> Job:
    """Have a video processed; the row of the job. While one works for it already, that one.

    The key then stands for that job too: the same key gives the same job later. `options` are those of
    `submit`: priority, callback_url.
    """
    with transaction.atomic():
        # Its job is read afterwards: together with it, who has waited for the lock would see the one before.
        video = Video.objects.select_for_update().get(pk=video_id)
        known = dispatch.find(idempotency_key, owner_id=video.owner_id) if idempotency_key else None
        if video.job and video.job.status in ACTIVE and not known:
            if idempotency_key:
                dispatch.remember(video.job, idempotency_key)
            return video.job
        recorded, _ = process_video.submit((video_id,), {}, idempotency_key=idempotency_key, **options)
        return Job.objects.get(pk=recorded.pk)


def prepare(medium_id: int, **options: Any) -> Job:
    """Have a still or a sound prepared; the row of the job. `options` are those of `submit`."""
    recorded, _ = prepare_material.submit((medium_id,), {}, **options)
    return Job.objects.get(pk=recorded.pk)


def render(draft_id: int, **options: Any) -> Job:
    """Have a draft rendered; the row of the job. `options` are those of `submit`."""
    recorded, _ = render_draft.submit((draft_id,), {}, **options)
    return Job.objects.get(pk=recorded.pk)


@job(queue="maintenance", retry=UPKEEP, soft_time_limit=minutes(55))
def cleanup_deleted_videos(ctx: JobContext) -> dict[str, int]:
    """Remove the files of videos deleted long enough ago, of uploads given up, and what crashes left over."""
    return cleanup.clean_up(timezone.now(), on_step=lambda message: ctx.progress(0, 0, message))


periodic("videos.tasks.cleanup_deleted_videos", "Remove deleted videos", Daily(hour=3))
