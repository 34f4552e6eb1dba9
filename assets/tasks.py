"""The kinds of job about scripts and assets."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from assets import batches, deduplication, episodes, extraction, providing
from jobs import dispatch
from jobs.context import JobContext
from jobs.models import Job
from jobs.quotas import Quota
from jobs.retry import RetryPolicy
from jobs.status import ACTIVE
from jobs.task import job, minutes

# A provider that is down is asked twice; then the next of the settings' models takes over.
EXTRACT = RetryPolicy(
    retries=3, first_seconds=60, factor=2, cap_seconds=600, jitter=0.2, fallbacks=settings.JOINTO_ASSETS.fallbacks
)
DEDUPLICATE = RetryPolicy(retries=3, first_seconds=60)
BATCH = RetryPolicy(retries=3, first_seconds=60)


@job(
    queue="ai",
    retry=EXTRACT,
    soft_time_limit=minutes(5),
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
def extract_assets(ctx: JobContext, episode_id: int, model: str = "", force: bool = False) -> dict[str, Any]:
    """Find the characters, props and scenes of an episode; an empty model is the site's own."""
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
    ctx: JobContext, episode_ids: list[int], model: str = "", force: bool = False
) -> dict[str, Any]:
    """Have several episodes extracted as one batch, with one report at its end."""
    return batches.begin(ctx, episode_ids, model=model, force=force)


@job(queue="assets", retry=BATCH, subject="assets.ExtractionReport:{report_id}", owner=batches.owner_of_report)
def finalize_batch_extraction(ctx: JobContext, report_id: int, batch_id: str = "") -> dict[str, Any]:
    """Compare what a batch of extractions found, and write its report; at each of its ends."""
    return batches.finish(ctx, report_id)


def start(episode_id: int, *, model: str = "", force: bool = False, **options: Any) -> Job:
    """Have an episode extracted; the row of the job. While one works for it already, that one.

    `options` are those of `submit`: priority, callback_url, idempotency_key. Raises ModelUnknown, and what an
    extraction is refused with.
    """
    if model:
        providing.check(model)
    with episodes.held(episode_id) as episode:
        now = Job.objects.filter(pk=episode.job_id).first() if episode.job_id else None
        key = options.get("idempotency_key")
        known = dispatch.find(key, owner_id=episode.project.owner_id) if key else None
        if now and now.status in ACTIVE and not known:
            if key:
                dispatch.remember(now, key)
            return now
        if not known:
            extraction.check(episode, force=force)
        said = {"model": model} if model else {}
        recorded, _ = extract_assets.submit((episode_id,), said | ({"force": True} if force else {}), **options)
        return Job.objects.get(pk=recorded.pk)
