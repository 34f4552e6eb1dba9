"""From an episode's script to its assets: the body of `extract_assets`.

What is found is saved by the end of the job, with it or not at all (`assets.saving`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from assets import deduplication, episodes, errors, providing, reading, saving
from assets.findings import Findings
from assets.models import Episode, PieceAnswer
from jobs.context import JobContext
from jobs.errors import JointoError
from jobs.models import Job
from jobs.status import ACTIVE
from videos.errors import ProjectDeleted
from videos.models import Project

logger = logging.getLogger(__name__)

STEPS = 5
_LARGEST_ID = 2**63 - 1


# -- asked for -------------------------------------------------------------------------------------------


def link(job: Job, episode_id: int, **said: Any) -> None:
    """Have the episode say that this job works for it, unless it will be refused for what is there already."""
    link_each([(job, {"episode_id": episode_id, **said})])


def link_each(recorded: Sequence[tuple[Job, Mapping[str, Any]]]) -> None:
    """`link` for many. Raises EpisodeGone, ProjectDeleted."""
    wanted = {named["episode_id"]: (job, bool(named.get("force"))) for job, named in recorded}
    of_projects = set(Episode.objects.filter(pk__in=wanted).values_list("project_id", flat=True))
    projects = Project.objects.select_for_update().filter(pk__in=of_projects).order_by("pk")
    if any(project.deleted_at for project in projects):
        raise ProjectDeleted
    found = list(Episode.objects.filter(pk__in=wanted, project__in=of_projects).select_related("job").defer("script"))
    if len(found) < len(wanted):
        raise errors.EpisodeGone
    linked = []
    for episode in found:
        job, force = wanted[episode.pk]
        busy = episode.job and episode.job.status in ACTIVE and episode.job_id != job.pk
        if not busy and (force or not episode.extracted_at):
            episode.job = job
            linked.append(episode)
    Episode.objects.bulk_update(linked, ["job"], batch_size=500)
    if again := [job.pk for job, _ in recorded if job.attempt]:  # by hand: what was lost may be asked once more
        PieceAnswer.objects.filter(job__in=again, data__isnull=True).delete()


def owner_of(episode_id: int, **_: Any) -> int | None:
    """Whose episode it is, so that the job is theirs too."""
    return Episode.objects.filter(pk=episode_id).values_list("project__owner_id", flat=True).first()


def owns(user_id: int, episode_id: int, **_: Any) -> bool:
    """Whether a user may have batches made about an episode."""
    return all(owns_each(user_id, [{"episode_id": episode_id}]))


def owns_each(user_id: int, named: Sequence[Mapping[str, Any]]) -> list[bool]:
    """`owns` for many. Raises TypeError for what is no id."""
    ids = [arguments["episode_id"] for arguments in named]
    for episode_id in ids:
        if type(episode_id) is not int:
            raise TypeError(f"episode_id has to be a whole number, not {episode_id!r:.40}")
    known = {episode_id for episode_id in ids if 0 < episode_id <= _LARGEST_ID}
    own = Episode.objects.filter(pk__in=known, project__owner_id=user_id, project__deleted_at=None)
    owned = set(own.values_list("pk", flat=True))
    return [episode_id in owned for episode_id in ids]


def check(episode: Episode, *, force: bool, job_id: Any = None) -> None:
    """Raise what an extraction is refused with: ScriptEmpty, AlreadyExtracted, EpisodeAnalysing."""
    if not episode.script.strip():
        raise errors.ScriptEmpty
    other = episode.job if episode.job_id != job_id else None
    if other and other.status in ACTIVE:
        raise errors.EpisodeAnalysing
    if episode.extracted_at and not force:
        raise errors.AlreadyExtracted


def fallbacks_of(*, model: str | Sequence[str], **_: Any) -> Sequence[str]:
    """Who takes over while the one that is asked first is down."""
    try:
        return providing.order(model)[1:]
    except errors.ModelUnknown:  # of which the job has failed
        return ()


# -- done ------------------------------------------------------------------------------------------------


def extract(ctx: JobContext, episode_id: int, *, model: str | Sequence[str], force: bool) -> dict[str, Any]:
    """Read the script, and have what is found saved by the end of the job. The result says what it became.

    Raises EpisodeGone, ProjectDeleted, ModelUnknown, what `check` raises, and what `assets.reading` does.
    """
    _step(ctx, 0, "load")
    job_id = Job.objects.filter(pk=ctx.job_id).values_list("pk", flat=True).first()
    with episodes.held(episode_id) as episode:
        check(episode, force=force, job_id=ctx.job_id)
        if job_id and episode.job_id != job_id:  # another one was at it when this one was asked for
            Episode.objects.filter(pk=episode_id).update(job=job_id)
    who = ctx.fallback or providing.order(model)[0]
    record = saving.Record(job_id=job_id, attempt=ctx.attempt, model=who)
    _step(ctx, 1, "call")
    try:
        read = reading.read(ctx, episode, who, job_id=job_id)
    except SoftTimeLimitExceeded as error:
        if who == providing.OFFLINE:
            raise errors.ExtractionTooSlow from error  # it would take as long again
        raise
    except JointoError as error:
        _note(episode_id, record, error)
        raise
    record = replace(record, model=read.model, prompt_version=read.prompt_version)
    _step(ctx, 2, "save")
    result: dict[str, Any] = {"episode_id": episode.pk}
    ctx.at_completion(lambda: _save(episode_id, read.findings, record, result, force=force))
    found = Counter(thing.kind for thing in read.findings.things)
    _step(ctx, 3, "compare")
    logger.info("found in episode %s: %s", episode_id, dict(found))
    _step(ctx, STEPS, "done")
    return result


def _step(ctx: JobContext, number: int, message: str) -> None:
    ctx.progress(number, STEPS, message)


def _save(episode_id: int, findings: Findings, record: saving.Record, result: dict[str, Any], *, force: bool) -> None:
    """In the transaction that completes the job; the result, which is in its row already, is filled in."""
    with episodes.held(episode_id) as episode:
        if episode.extracted_at and not force:  # by another job, meanwhile
            raise errors.AlreadyExtracted
        result |= saving.save(episode, findings, record)
        if record.job_id:
            PieceAnswer.objects.filter(job_id=record.job_id).delete()
            Job.objects.filter(pk=record.job_id).update(result=result)
        deduplication.ask(episode.project_id)


def _note(episode_id: int, record: saving.Record, error: JointoError) -> None:
    """Keep what a model answered that can't be used; of other failures the job's attempts tell."""
    if isinstance(error, reading.Unusable):
        record = replace(record, model=error.model, prompt_version=error.prompt_version)
        saving.fail(episode_id, record, code=error.code, message=error.message, answers=error.answers)
