"""The kinds of job about scripts and assets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from assets import batches, deduplication, episodes, extraction, providing, reading
from assets.generation import making, rows, upkeep
from assets.models import GenerationKind
from jobs import dispatch
from jobs.context import JobContext
from jobs.models import Job
from jobs.quotas import Quota
from jobs.retry import RetryPolicy
from jobs.schedule import Daily, Every, periodic
from jobs.status import ACTIVE
from jobs.task import job, minutes

# A provider that is down is asked twice; then the next one of the request, or of the settings, takes over.
EXTRACT = RetryPolicy(retries=3, first_seconds=60, factor=2, cap_seconds=600, jitter=0.2)
DEDUPLICATE = RetryPolicy(retries=3, first_seconds=60)
BATCH = RetryPolicy(retries=3, first_seconds=60)
UPKEEP = RetryPolicy(retries=3, first_seconds=60)
IMAGE = RetryPolicy(retries=3, first_seconds=60)
CLIP = RetryPolicy(retries=3, first_seconds=120)


@job(
    queue="ai",
    retry=EXTRACT,
    fallbacks=extraction.fallbacks_of,
    soft_time_limit=reading.SECONDS,
    time_limit=minutes(6),
    subject="assets.Episode:{episode_id}",
    at_once=4,
    quota=Quota(),  # counted, and without limit until an operator sets one
    owner=extraction.owner_of,
    recorded=extraction.link,
    recorded_each=extraction.link_each,
    may=extraction.owns,
    may_each=extraction.owns_each,
)
def extract_assets(
    ctx: JobContext, episode_id: int, model: str | list[str] = "", force: bool = False
) -> dict[str, Any]:
    """Find the characters, props and scenes of an episode; an empty model is the site's own, several are an order."""
    return extraction.extract(ctx, episode_id, model=model, force=force)


@job(
    queue="assets",
    retry=DEDUPLICATE,
    soft_time_limit=minutes(5),
    time_limit=minutes(6),
    subject="videos.Project:{project_id}",
    owner=deduplication.owner_of,
    may=deduplication.owns,
)
def deduplicate_assets(ctx: JobContext, project_id: int) -> dict[str, Any]:
    """Find the assets of a project that are one and the same: the certain ones are merged, the others listed."""
    return deduplication.deduplicate(ctx, project_id)


@job(queue="assets", retry=BATCH, may=batches.owns, owner=batches.owner_of)
def extract_multiple_episodes(
    ctx: JobContext, episode_ids: list[int], model: str | list[str] = "", force: bool = False
) -> dict[str, Any]:
    """Have several episodes extracted as one batch, with one report at its end."""
    return batches.begin(ctx, episode_ids, model=model, force=force)


@job(queue="assets", retry=BATCH, subject="assets.ExtractionReport:{report_id}", owner=batches.owner_of_report)
def finalize_batch_extraction(ctx: JobContext, report_id: int, batch_id: str = "") -> dict[str, Any]:
    """Compare what a batch of extractions found, and write its report; at each of its ends."""
    return batches.finish(ctx, report_id)


@job(
    queue="ai",
    retry=IMAGE,
    fallbacks=rows.fallbacks_of_image,
    soft_time_limit=minutes(15),
    time_limit=minutes(16),
    at_once=4,
    quota=Quota(),  # counted, and without limit until an operator sets one
    owner=rows.owner_of,
    recorded=rows.record_image,
    may=rows.owns,
)
def generate_image(
    ctx: JobContext,
    prompt: str,
    model: str | list[str] = "",
    *,
    size: str | None = None,
    references: list[str] | None = None,
    reference_assets: list[int] | None = None,
    parameters: dict[str, Any] | None = None,
    project_id: int | None = None,
    asset_id: int | None = None,
    material: str | None = None,
) -> dict[str, Any]:
    """Have a picture made of words; what may be said, `assets.generation.wishes` tells."""
    said: dict[str, Any] = {"prompt": prompt, "model": model, "size": size, "references": references}
    said |= {"reference_assets": reference_assets, "parameters": parameters}
    said |= {"project_id": project_id, "asset_id": asset_id, "material": material}
    return making.make(ctx, GenerationKind.IMAGE, **said)


@job(
    queue="ai",
    retry=CLIP,
    fallbacks=rows.fallbacks_of_clip,
    soft_time_limit=minutes(55),
    time_limit=minutes(60),
    at_once=4,
    quota=Quota(),
    owner=rows.owner_of,
    recorded=rows.record_clip,
    may=rows.owns,
)
def generate_video(
    ctx: JobContext,
    video_type: str,
    prompt: str,
    image_url: str | None = None,
    *,
    model: str | list[str] = "",
    size: str | None = None,
    seconds: float | None = None,
    parameters: dict[str, Any] | None = None,
    project_id: int | None = None,
    asset_id: int | None = None,
    material: str | None = None,
) -> dict[str, Any]:
    """Have a clip made of words (text2video), or of a picture (img2video)."""
    said: dict[str, Any] = {"prompt": prompt, "image_url": image_url, "model": model, "size": size, "seconds": seconds}
    said |= {"parameters": parameters, "project_id": project_id, "asset_id": asset_id, "material": material}
    return making.make(ctx, rows.kind_of(video_type), **said)


@job(queue="maintenance", retry=UPKEEP)
def cancel_at_providers(ctx: JobContext) -> dict[str, int]:
    """Tell AI services of what was cancelled while no worker could."""
    return {"told": upkeep.pass_cancels_on()}


@job(queue="maintenance", retry=UPKEEP)
def cleanup_generated(ctx: JobContext) -> dict[str, int]:
    """Remove generated files that no row names."""
    return {"removed": upkeep.remove_orphans(timezone.now())}


periodic("assets.tasks.cancel_at_providers", "Tell AI services of cancelled work", Every(seconds=300))
periodic("assets.tasks.cleanup_generated", "Remove generated files that nothing names", Daily(hour=3))


def start(episode_id: int, *, model: str | Sequence[str] = "", force: bool = False, **options: Any) -> Job:
    """Have an episode extracted; the row of the job. While one works for it already, that one.

    `options` are those of `submit`: priority, callback_url, idempotency_key. Raises ModelUnknown, and what an
    extraction is refused with.
    """
    providing.order(model)
    with episodes.held(episode_id) as episode:
        now = Job.objects.filter(pk=episode.job_id).first() if episode.job_id else None
        key = options.get("idempotency_key")
        known = dispatch.find(key, owner_id=episode.project.owner_id) if key else None
        if now and now.status in ACTIVE and not known:
            if key:
                dispatch.remember(now, key)
            return now
        if known and known.idempotency_key != key:  # it stands for a job that was there already
            if known.subject != extract_assets.subject_of({"episode_id": episode_id}):
                raise dispatch.IdempotencyKeyReused
            return known
        if not known:
            extraction.check(episode, force=force)
        said = {"model": model} if model else {}
        recorded, _ = extract_assets.submit((episode_id,), said | ({"force": True} if force else {}), **options)
        return Job.objects.get(pk=recorded.pk)
