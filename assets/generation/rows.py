"""The row of a picture or clip: written when its job is recorded, moved by the attempt that works for it alone.

queued → submitting → submitted → downloading → completed
              └ nobody knows whether the provider has begun: ambiguous, until a person says so by a retry

Whoever locks both locks the job's row first, and then this one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from assets.generation import services, wishes
from assets.generation.errors import GenerationGone, GenerationInvalid, GenerationTaken
from assets.generation.wishes import Wish
from assets.models import Asset, Generation, GenerationKind, GenerationState
from jobs import control
from jobs.context import JobContext
from jobs.models import Job
from jobs.now import Now
from jobs.status import ACTIVE, JobStatus
from videos import storage
from videos.errors import ProjectDeleted
from videos.models import Project

_VIDEO_KINDS = (GenerationKind.TEXT_TO_VIDEO.value, GenerationKind.IMAGE_TO_VIDEO.value)
_ANEW = (
    *(GenerationState.QUEUED.value, GenerationState.FAILED.value),
    *(GenerationState.CANCELLED.value, GenerationState.AMBIGUOUS.value),
)
_BEGUN_ANEW: dict[str, Any] = {
    **{"provider_id": "", "results": [], "submit_started_at": None, "submitted_at": None},
    **{"usage": {}, "cost": None},
}
_OPEN = (GenerationState.SUBMITTING.value, GenerationState.AMBIGUOUS.value)
"""Where the answer to a submission still has its place."""


def kind_of(video_type: Any) -> GenerationKind:
    """What a clip is made of. Raises GenerationInvalid."""
    if video_type not in _VIDEO_KINDS:
        raise GenerationInvalid.of({"video_type": f"One of {' and '.join(_VIDEO_KINDS)} is wanted."})
    return GenerationKind(video_type)


def record_image(job: Job, **said: Any) -> None:
    """Write down which picture a job is to make. Raises what `record` raises."""
    record(job, GenerationKind.IMAGE, said)


def record_clip(job: Job, video_type: Any, **said: Any) -> None:
    """The same of a clip."""
    record(job, kind_of(video_type), said)


def record(job: Job, kind: GenerationKind, said: dict[str, Any]) -> None:
    """Write down what a job is to make. One that is retried by hand goes on where money was spent already.

    Raises GenerationInvalid, ProjectDeleted.
    """
    Job.objects.select_for_update(of=("self",)).filter(pk=job.pk).first()  # always before the row: as `move` does
    known = Generation.objects.select_related("project").filter(job=job).first()
    if known is None:
        create(kind, said, owner_id=job.owner_id, job=job)
        return
    if known.project and known.project.deleted_at:
        raise ProjectDeleted
    fields = _asked_for_again(known)
    if known.state in _ANEW:
        # A person decided that it is to be asked for once more. Only where nobody knows, the provider may know it.
        kept = known.request_key if known.state == GenerationState.AMBIGUOUS else ""
        fields = {"state": GenerationState.QUEUED, "request_key": kept, **_BEGUN_ANEW}
    if fields:
        said_before: dict[str, Any] = {"error_code": "", "error_message": "", "finished_at": None}
        Generation.objects.filter(pk=known.pk).update(updated_at=Now(), **said_before, **fields)


def _asked_for_again(row: Generation) -> dict[str, Any]:
    """The provider may give a new address of what it has made, instead of one at which nothing is any more."""
    lies_there = bool(row.results) and not received(row)
    if row.state == GenerationState.DOWNLOADING and row.provider_id and lies_there:
        return {"state": GenerationState.SUBMITTED, "results": []}
    return {}


def create(kind: GenerationKind, said: dict[str, Any], *, owner_id: int | None, job: Job | None) -> Generation:
    """The row of a wish. Raises what `record` raises."""
    given = {name: value for name, value in said.items() if value is not None}
    wish = wishes.read(kind, given, known=services.names(), default=services.default_order(kind))
    asset = _asset(given.get("asset_id"), owner_id)
    project = _project(given.get("project_id"), asset, owner_id)
    if owner_id is None:
        if project is None:
            raise GenerationInvalid.of(
                {"project_id": "A project or an asset is wanted, so that it belongs to somebody."}
            )
        owner_id = project.owner_id
    _check_references(wish, owner_id)
    first = wish.order[0]
    return Generation.objects.create(
        owner_id=owner_id,
        project=project,
        asset=asset,
        kind=kind,
        prompt=wish.prompt,
        provider=first.provider,
        model=first.model,
        parameters=wish.written(),
        job=job,
    )


def fallbacks_of_image(*, model: str | Sequence[str], **_: Any) -> Sequence[str]:
    """Who takes over while the one that is asked first is down."""
    return _fallbacks(GenerationKind.IMAGE, model)


def fallbacks_of_clip(*, model: str | Sequence[str], **_: Any) -> Sequence[str]:
    """The same of a clip."""
    return _fallbacks(GenerationKind.TEXT_TO_VIDEO, model)


def _fallbacks(kind: GenerationKind, model: str | Sequence[str]) -> Sequence[str]:
    _, *others = wishes.ordered(model, services.default_order(kind))
    return list(map(str, others))


def owner_of(*, project_id: Any = None, asset_id: Any = None, **_: Any) -> int | None:
    """Whose it will be, so that the job is theirs too."""
    if _is_id(project_id):
        return Project.objects.filter(pk=project_id).values_list("owner_id", flat=True).first()
    if _is_id(asset_id):
        return Asset.objects.filter(pk=asset_id).values_list("project__owner_id", flat=True).first()
    return None


def owns(user_id: int, *, project_id: Any = None, asset_id: Any = None, **_: Any) -> bool:
    """Whether a user may have batches made with these arguments: into projects of their own alone."""
    named = {"project_id": project_id, "asset_id": asset_id}
    owners = [owner_of(**{name: value}) for name, value in named.items() if value is not None]
    return bool(owners) and set(owners) == {user_id}


def of(ctx: JobContext, kind: GenerationKind, said: dict[str, Any]) -> Generation:
    """The row that an attempt works for. Raises GenerationGone; of a call without a job, what `record` raises."""
    row = Generation.objects.select_related("project", "asset__picture").filter(job_id=ctx.job_id).first()
    if row is not None:
        return row
    if Job.objects.filter(pk=ctx.job_id).exists():
        raise GenerationGone
    return create(kind, said, owner_id=ctx.owner_id, job=None)


def move(row: Generation, ctx: JobContext, to: GenerationState, **values: Any) -> None:
    """Say how far it is, if this attempt still is the one that works for it.

    Raises GenerationTaken, or what `ctx.check` raises.
    """
    with transaction.atomic():
        moved = _is_mine(row, ctx, [JobStatus.PROCESSING]) and _set(row, to, values)
    if not moved:
        ctx.check()
        raise GenerationTaken
    row.refresh_from_db()


def keep(
    row: Generation, ctx: JobContext, to: GenerationState, *, spend: Callable[[], dict[str, Any]] = dict, **values: Any
) -> None:
    """Write down what a provider answered, and what `spend` says that it cost: both once, however often it is called.

    The answer to a submission is written down whoever has the job by now, as long as nobody began anew: so an order is
    never forgotten that its provider has taken. What a look found is this attempt's, even if the job was cancelled
    meanwhile. Raises GenerationGone, GenerationTaken, or what `ctx.check` raises.
    """
    with transaction.atomic():
        mine = _is_mine(row, ctx, [JobStatus.PROCESSING, JobStatus.CANCELLED])
        now = Generation.objects.select_for_update(of=("self",)).filter(pk=row.pk).first()
        if now is None:
            raise GenerationGone
        same = now.submit_started_at == row.submit_started_at
        told = all(getattr(now, name) == values.get(name, getattr(row, name)) for name in ("provider_id", "results"))
        written = same and now.state == to and told  # a COMMIT whose answer was lost
        if row.state == GenerationState.SUBMITTING:
            fits = same and now.state in _OPEN and not now.provider_id
        else:
            fits = mine and now.state == row.state
        if fits and not written:
            Generation.objects.filter(pk=row.pk).update(state=to, updated_at=Now(), **values, **spend())
    if not (fits or written):
        ctx.check()
        raise GenerationTaken
    row.refresh_from_db()


def _is_mine(row: Generation, ctx: JobContext, statuses: Sequence[JobStatus]) -> bool:
    """Whether the job is this attempt's. Its row is locked: nobody takes it away until the commit."""
    if row.job_id is None:
        return True
    mine = Job.objects.select_for_update(of=("self",)).filter(pk=row.job_id, attempt=ctx.attempt, status__in=statuses)
    return bool(mine.values_list("pk"))


def _set(row: Generation, to: GenerationState, values: dict[str, Any]) -> bool:
    rows = Generation.objects.filter(pk=row.pk, state=row.state)
    return bool(rows.update(state=to, updated_at=Now(), **values))


def is_cancelled(row: Generation) -> bool:
    """Whether its job is, this very moment."""
    return row.job_id is not None and Job.objects.filter(pk=row.job_id, status=JobStatus.CANCELLED).exists()


def end_cancelled(row: Generation, state: GenerationState, to: GenerationState, **values: Any) -> bool:
    """Say how far it got, if its job still is cancelled and nobody has moved it; whether that was so."""
    assert row.job_id
    cancelled = Job.objects.select_for_update(of=("self",)).filter(pk=row.job_id, status=JobStatus.CANCELLED)
    with transaction.atomic():
        still = cancelled.values_list("pk").first()  # locked: nobody retries it until the commit
        rows = Generation.objects.filter(pk=row.pk, state=state, submit_started_at=row.submit_started_at)
        return bool(still and rows.update(state=to, finished_at=Now(), updated_at=Now(), **values))


def discard(row: Generation, *, by: str) -> None:
    """Remove it with its file; one that is being made is cancelled, here and at its provider.

    What it has become, a picture of an asset or a material, stays.
    """
    if row.job and row.job.status in ACTIVE:
        with contextlib.suppress(control.NotCancellable):  # it ended this very moment
            control.cancel(row.job, by=by)
    with transaction.atomic():
        now = Generation.objects.select_for_update(of=("self",)).filter(pk=row.pk).first()
        if now is None:
            return
        now.delete()
    services.cancel_quietly(now)  # of an order that is on its way, `making` hears that its row is gone
    storage.remove(now.result_name, *received(now))


def received(row: Generation) -> list[str]:
    """Files that a provider sent, and that have not become the result yet: names below the media root."""
    return [one["file"] for one in row.results if isinstance(one, dict) and one.get("file")]


def _asset(asset_id: Any, owner_id: int | None) -> Asset | None:
    if asset_id is None:
        return None
    found = Asset.objects.select_related("project").filter(deleted_at=None, merged_into=None)
    found = found.filter(project__owner_id=owner_id) if owner_id is not None else found
    asset = found.filter(pk=asset_id).first() if _is_id(asset_id) else None
    if asset is None:
        raise GenerationInvalid.of({"asset_id": "There is no such asset."})
    return asset


def _project(project_id: Any, asset: Asset | None, owner_id: int | None) -> Project | None:
    if project_id is None:
        return asset.project if asset else None
    found = Project.objects.filter(owner_id=owner_id) if owner_id is not None else Project.objects.all()
    project = found.filter(pk=project_id).first() if _is_id(project_id) else None
    if project is None:
        raise GenerationInvalid.of({"project_id": "There is no such project."})
    if project.deleted_at:
        raise ProjectDeleted
    if asset and asset.project_id != project.pk:
        raise GenerationInvalid.of({"asset_id": "It belongs to another project."})
    return project


def _check_references(wish: Wish, owner_id: int) -> None:
    wanted = set(wish.reference_assets)
    there = Asset.objects.filter(pk__in=wanted, project__owner_id=owner_id, picture__isnull=False)
    if there.count() != len(wanted):
        raise GenerationInvalid.of({"reference_assets": "Each has to be an asset of yours that has a picture."})


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 < value < 2**63
