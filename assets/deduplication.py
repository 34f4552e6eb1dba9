"""Has a project's assets compared after an extraction, once for all extractions that end about the same time."""

from __future__ import annotations

from typing import Any, cast

from celery import current_app

from assets import duplicates
from jobs.context import JobContext
from jobs.models import Job
from jobs.status import WAITING
from jobs.task import JobTask
from videos import projects
from videos.models import Project

KIND = "assets.tasks.deduplicate_assets"


def subject_of(project_id: int) -> str:
    """What the jobs are about."""
    return f"videos.Project:{project_id}"


def ask(project_id: int) -> None:
    """Have a job compare the assets of a project, unless one waits to do it; inside the lock on the project.

    One that has begun is no use: it may have read already. One that is about to begin waits for the lock first.
    """
    if _waiting(project_id) is None:
        _task().submit((project_id,), {}, promised=True)  # no quota of the operator's costs what was found


def start(project_id: int, **options: Any) -> Job:
    """Have it done because somebody asks for it; the row of the job. While one waits to do it, that one.

    `options` are those of `submit`: priority, callback_url. Raises ProjectGone, ProjectDeleted.
    """
    with projects.held(project_id):
        if waiting := _waiting(project_id):
            return waiting
        recorded, _ = _task().submit((project_id,), {}, **options)
        return Job.objects.get(pk=recorded.pk)


def _task() -> JobTask:
    return cast(JobTask, current_app.tasks[KIND])


def _waiting(project_id: int) -> Job | None:
    return Job.objects.filter(kind=KIND, subject=subject_of(project_id), status__in=sorted(WAITING)).first()


def owner_of(project_id: int, **_: Any) -> int | None:
    """Whose project it is, so that the job is theirs too."""
    return Project.objects.filter(pk=project_id).values_list("owner_id", flat=True).first()


def owns(user_id: int, project_id: int, **_: Any) -> bool:
    """Whether a user may have batches made of a project."""
    return Project.objects.filter(pk=project_id, owner_id=user_id, deleted_at__isnull=True).exists()


def deduplicate(ctx: JobContext, project_id: int) -> dict[str, Any]:
    """The body of `deduplicate_assets`: what was merged, and what is left for people to decide."""
    return {"project_id": project_id, **compare(ctx, project_id)}


def compare(ctx: JobContext, project_id: int) -> dict[str, int]:
    """Compare the assets of a project now; nobody else does meanwhile. Raises ProjectGone, ProjectDeleted."""
    return duplicates.settle(project_id, on_progress=ctx.progress)
