"""Several episodes extracted as one batch, and the report of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from assets import deduplication, errors, extraction, providing
from assets.models import Episode, Extracted, ExtractionReport, Kind
from jobs import batches
from jobs.context import JobContext
from jobs.dispatch import IdempotencyKeyReused
from jobs.errors import BadInput
from jobs.models import Batch, Job
from jobs.status import ACTIVE, JobStatus
from videos.errors import ProjectDeleted, ProjectGone

EXTRACT = "assets.tasks.extract_assets"
FINALIZE = "assets.tasks.finalize_batch_extraction"
_KINDS = {Kind.CHARACTER.value: "characters", Kind.PROP.value: "props", Kind.SCENE.value: "scenes"}


class EpisodesUnknown(BadInput):
    """`details["episodes"]`: ids of which the user has no episode."""

    code = "episodes_unknown"
    message = "You have no episodes with these ids."


# -- begun -----------------------------------------------------------------------------------------------


def start(
    episodes: Sequence[Episode],
    *,
    owner_id: int | None,
    model: str | Sequence[str] = "",
    force: bool = False,
    digest: str = "",
    **terms: Any,
) -> ExtractionReport:
    """Have these episodes extracted as one batch; its report, which is written at the end.

    One that can't be extracted fails by itself, and is in the report with the reason. `terms` are those of a batch,
    `digest` the same for what is asked with the same words.
    Raises ModelUnknown.
    """
    providing.order(model)
    said: dict[str, Any] = {"model": model} if model else {}
    if force:
        said["force"] = True
    of_projects = {episode.project_id for episode in episodes}
    with transaction.atomic():
        report = ExtractionReport.objects.create(
            owner_id=owner_id,
            project_id=of_projects.pop() if len(of_projects) == 1 else None,
            model=_written(model),
            digest=digest,
            episodes=[episode.pk for episode in episodes],
        )
        finalize = current_app.tasks[FINALIZE].s(report_id=report.pk)
        report.batch = batches.create(
            current_app.tasks[EXTRACT],
            [((episode.pk,), said) for episode in episodes],
            owner_id=owner_id,
            callback=finalize,
            **{"name": f"extraction {report.pk}", **terms},
        )
        report.owner_id = report.batch.owner_id
        report.save(update_fields=["batch", "owner"])
    return report


def start_once(
    project_id: int,
    ids: Sequence[int] | None,
    *,
    owner_id: int,
    model: str | Sequence[str],
    force: bool,
    key: str | None,
) -> ExtractionReport:
    """`start` for `chosen` episodes; the batch of before for a key that was used before.

    Raises what `chosen` raises, QuotaExceeded, IdempotencyKeyReused.
    """
    asked = [project_id, sorted(set(ids)) if ids is not None else None, model, force]
    digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    if known := _known(owner_id, key, digest):
        return known
    try:
        episodes = chosen(project_id, ids, force=force)
        return start(episodes, owner_id=owner_id, model=model, force=force, digest=digest, idempotency_key=key)
    except (IdempotencyKeyReused, errors.NoEpisodes):
        if known := _known(owner_id, key, digest):  # the same request was quicker
            return known
        raise


def _known(owner_id: int, key: str | None, digest: str) -> ExtractionReport | None:
    batch = Batch.objects.filter(owner_id=owner_id, idempotency_key=key).first() if key else None
    if batch is None:
        return None
    report = ExtractionReport.objects.filter(batch=batch, digest=digest).first()
    if report is None:
        raise IdempotencyKeyReused
    return report


def _written(model: str | Sequence[str]) -> str:
    """As the report has it."""
    return model if isinstance(model, str) else ", ".join(model)


def chosen(project_id: int, ids: Sequence[int] | None, *, force: bool) -> list[Episode]:
    """The episodes of a project with these ids; without any, all that have a script and are not extracted, or being.

    With `force` also those that are extracted. Raises EpisodesUnknown, NoEpisodes.
    """
    of_project = Episode.objects.filter(project_id=project_id).select_related("job").defer("script").order_by("number")
    if ids is not None:
        found = list(of_project.filter(pk__in=ids))
        if unknown := sorted(set(ids) - {episode.pk for episode in found}):
            raise EpisodesUnknown(details={"episodes": unknown})
    else:
        there = of_project.filter(length__gt=0)
        there = there if force else there.filter(extracted_at=None)
        found = [episode for episode in there if not (episode.job and episode.job.status in ACTIVE)]
    if not found:
        raise errors.NoEpisodes
    return found


def owner_of(episode_ids: Sequence[int], **_: Any) -> int | None:
    """Whose episodes they are, if they are one user's."""
    owners = set(Episode.objects.filter(pk__in=episode_ids).values_list("project__owner_id", flat=True))
    return owners.pop() if len(owners) == 1 else None


def owns(user_id: int, episode_ids: Sequence[int], **_: Any) -> bool:
    """Whether a user may have batches made of these episodes."""
    return all(extraction.owns_each(user_id, [{"episode_id": episode_id} for episode_id in episode_ids]))


def owner_of_report(report_id: int, **_: Any) -> int | None:
    """Whose report it is."""
    return ExtractionReport.objects.filter(pk=report_id).values_list("owner_id", flat=True).first()


def begin(ctx: JobContext, episode_ids: Sequence[int], *, model: str | Sequence[str], force: bool) -> dict[str, Any]:
    """The body of `extract_multiple_episodes`: the batch is there once the job is completed, and once."""
    ids = list(dict.fromkeys(episode_ids))
    episodes = list(Episode.objects.filter(pk__in=ids).select_related("job").defer("script"))
    if unknown := sorted(set(ids) - {episode.pk for episode in episodes}):
        raise EpisodesUnknown(details={"episodes": unknown})
    if not episodes:
        raise errors.NoEpisodes
    result: dict[str, Any] = {"batch_id": None, "total_tasks": len(episodes)}

    def record() -> None:
        report = start(episodes, owner_id=ctx.owner_id, model=model, force=force)
        result.update(batch_id=str(report.batch_id), report_id=report.pk)
        Job.objects.filter(pk=ctx.job_id).update(result=result)

    ctx.at_completion(record)
    return result


# -- ended -----------------------------------------------------------------------------------------------


def finish(ctx: JobContext, report_id: int) -> dict[str, Any]:
    """The body of `finalize_batch_extraction`: compare, count, write down."""
    report = ExtractionReport.objects.filter(pk=report_id).first()
    if report is None:  # its project is gone
        return {"report_id": None}
    ids = Episode.objects.filter(pk__in=report.episodes).values_list("project_id", flat=True)
    of_projects = sorted(set(ids))
    for done, project_id in enumerate(of_projects):
        ctx.progress(done, len(of_projects) + 1, "compare")
        with contextlib.suppress(ProjectDeleted, ProjectGone):  # the others are to be reported all the same
            deduplication.compare(ctx, project_id)
    ctx.progress(len(of_projects), len(of_projects) + 1, "count")
    jobs = list(Job.objects.filter(batch_id=report.batch_id)) if report.batch_id else []
    counts = {**_found(jobs), "episodes": _ended(jobs)}
    failures = _failures(jobs)
    written = {"counts": counts, "failures": failures, "finished_at": timezone.now(), "rounds": F("rounds") + 1}
    ctx.at_completion(lambda: _write(report_id, written))
    return {"report_id": report_id, "batch_id": str(report.batch_id), "counts": counts, "failures": failures}


def _write(report_id: int, written: dict[str, Any]) -> None:
    ExtractionReport.objects.filter(pk=report_id).update(**written)


def _ended(jobs: Sequence[Job]) -> dict[str, int]:
    states = [job.status for job in jobs]
    ends = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)
    return {"total": len(states), **{end.value: states.count(end) for end in ends}}


def _found(jobs: Sequence[Job]) -> dict[str, dict[str, int]]:
    """By kind: assets that were found, each once; those of them that are new; new ones that proved to be another."""
    completed = [job.pk for job in jobs if job.status == JobStatus.COMPLETED]
    rows = Extracted.objects.filter(extraction__job__in=completed, asset__isnull=False)
    found: dict[str, set[int]] = defaultdict(set)
    new: dict[str, set[int]] = defaultdict(set)
    merged: dict[str, set[int]] = defaultdict(set)
    columns = ("asset__kind", "asset_id", "asset__merged_into", "new")
    for kind, asset_id, root_id, is_new in rows.values_list(*columns).iterator():
        found[kind].add(root_id or asset_id)
        if is_new:
            new[kind].add(asset_id)
            if root_id:
                merged[kind].add(asset_id)
    return {
        plural: {"found": len(found[kind]), "new": len(new[kind]), "merged": len(merged[kind])}
        for kind, plural in _KINDS.items()
    }


def _failures(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """The episodes of which nothing came, with the reasons, in the order of their numbers."""
    bad = {_episode_of(job): job for job in jobs if job.status in (JobStatus.FAILED, JobStatus.CANCELLED)}
    known = Episode.objects.only("number", "title").in_bulk(list(bad))
    told = []
    for episode_id, job in bad.items():
        episode = known.get(episode_id)
        error = job.error or {"code": "cancelled", "message": "The job was cancelled."}
        named = {"number": episode.number, "title": episode.title} if episode else {"number": None, "title": ""}
        told.append({"episode": episode_id, **named, "job": str(job.pk), "status": job.status, **error})
    return sorted(told, key=lambda one: (one["number"] or 0, one["episode"]))


def _episode_of(job: Job) -> int:
    return int(job.args[0] if job.args else job.kwargs["episode_id"])
