"""Stills and sounds are looked at, and made ready for films: the body of `prepare_material`."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from jobs.context import JobContext
from jobs.models import Job
from videos import errors, originals, storage, workshops
from videos.media import sounds, stills
from videos.models import Medium


def prepare(medium_id: int, ctx: JobContext) -> dict[str, Any]:
    """Check, then develop a still or measure a sound. The result says what it is.

    Raises what videos.errors, videos.media.stills and videos.media.sounds name; a file that can't be used is removed
    once the job has failed for that.
    """
    medium = _load(medium_id)
    ctx.once_failed(lambda error: originals.discard_if_useless(medium, error, made=~Q(file="")))
    originals.path_of(medium)
    found = originals.checksums(medium, ctx)
    ctx.progress(0, 0, "looking at the file")
    measured = _still(medium, ctx) if medium.kind == Medium.Kind.STILL else _sound(medium, ctx)
    replaced: list[str] = []
    ctx.at_completion(lambda: replaced.extend(_record(medium, {**found, **measured})))
    ctx.once_completed(lambda: storage.remove(*replaced))
    said = {name: value for name, value in measured.items() if name in ("width", "height", "duration")}
    return {"medium_id": medium.pk, "kind": medium.kind, **said}


def owner_of(medium_id: int) -> int | None:
    """Whose it is, so that the job is theirs too."""
    return Medium.objects.filter(pk=medium_id).values_list("owner_id", flat=True).first()


def owns(user_id: int, medium_id: int) -> bool:
    """Whether a user may have batches made about a still or a sound."""
    if type(medium_id) is not int:  # "07" would be number 7, and not be about it
        raise TypeError(f"medium_id has to be a whole number, not {medium_id!r:.40}")
    return Medium.objects.filter(pk=medium_id, owner_id=user_id, deleted_at=None).exists()


def link(job: Job, medium_id: int) -> None:
    """Point it at the job that works for it now."""
    Medium.objects.filter(pk=medium_id).update(job=job, updated_at=timezone.now())


def folder_of(medium: Medium) -> str:
    """The folder that a still was published in; empty if there is none."""
    return medium.file.rpartition("/")[0] if medium.kind == Medium.Kind.STILL else ""


def _load(medium_id: int) -> Medium:
    medium = Medium.objects.filter(pk=medium_id).first()
    if medium is None:
        raise errors.SourceGone
    if medium.deleted_at:
        raise errors.MediumDeleted
    return medium


def _still(medium: Medium, ctx: JobContext) -> dict[str, Any]:
    """Publish the plain picture in the attempt's own folder, as videos are; what there is to say of it."""
    made = stills.develop(originals.path_of(medium), workshops.at(ctx.scratch), caps=workshops.caps())
    folder = f"stills/{medium.pk}/{ctx.name}"
    ctx.unless_completed(lambda: storage.remove(folder))
    storage.publish(ctx.scratch, folder)
    return {
        "file": f"{folder}/{stills.FILE}",
        "thumbnail": f"{folder}/{stills.THUMBNAIL}",
        "width": made.width,
        "height": made.height,
        "alpha": made.alpha,
    }


def _sound(medium: Medium, ctx: JobContext) -> dict[str, Any]:
    """What films are made of is the uploaded file itself."""
    seconds = sounds.measure(originals.path_of(medium), workshops.at(ctx.scratch), caps=workshops.caps())
    return {"file": medium.source, "duration": seconds}


def _record(medium: Medium, found: dict[str, Any]) -> list[str]:
    """Have the row say what was found; in the transaction that completes the job.

    The folders that it named before, which may go once it has.
    """
    before = list(Medium.objects.select_for_update().filter(pk=medium.pk))
    Medium.objects.filter(pk=medium.pk).update(**found, updated_at=timezone.now())
    return [folder_of(one) for one in before]
