"""What people do to a project: its materials, its timeline with undo and redo, deleting it for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from jobs import control
from jobs.models import Job
from jobs.status import ACTIVE
from videos import errors, storage
from videos.models import Material, Medium, Project, TimelineVersion, Video, VideoStatus
from videos.timeline import project as documents
from videos.timeline.model import Timeline

MOST_MATERIALS = 1000
_KEEP_VERSIONS = 200

Shown = Video | Medium
"""What a material can be."""

Expected = Collection[int] | None
"""The versions that whoever changes a timeline knows it to be one of; None: they do not care."""


@contextlib.contextmanager
def held(project_id: int) -> Iterator[Project]:
    """A project that nobody else changes meanwhile. Raises ProjectGone, ProjectDeleted."""
    with transaction.atomic():
        project = Project.objects.select_for_update().filter(pk=project_id).first()
        if project is None:
            raise errors.ProjectGone
        if project.deleted_at:
            raise errors.ProjectDeleted
        yield project


# -- materials -------------------------------------------------------------------------------------------


def add(project_id: int, shown: Shown, *, name: str = "") -> Material:
    """Make a video, a still or a sound a material, the last one.

    Raises MaterialNameTaken, TooManyMaterials, VideoDeleted, MediumDeleted, SourceGone.
    """
    _check_usable(shown)
    with held(project_id) as project:
        names = set(project.materials.values_list("name", flat=True))
        if len(names) >= MOST_MATERIALS:
            raise errors.TooManyMaterials
        name = name or _free_name(f"{_kind(shown)}-{shown.pk}", names)
        if name in names:
            raise errors.MaterialNameTaken
        place = project.materials.aggregate(next=Coalesce(Max("place") + 1, Value(0)))["next"]
        _touch(project)
        return Material.objects.create(project=project, name=name, place=place, **_named(shown))


def replace(material: Material, shown: Shown) -> None:
    """Have a material be something else under the same name. Raises VideoDeleted, MediumDeleted, SourceGone."""
    _check_usable(shown)
    with held(material.project_id) as project:
        Material.objects.filter(pk=material.pk).update(**_named(shown))
        _touch(project)


def move(material: Material, place: int) -> None:
    """Give a material another place among the others, from 0; beyond their number it is the last."""
    with held(material.project_id) as project:
        others = list(project.materials.exclude(pk=material.pk))
        order = [*others[:place], material, *others[place:]]
        for number, one in enumerate(order):
            one.place = number
        Material.objects.bulk_update(order, ["place"])
        _touch(project)


def remove(material: Material) -> None:
    """Take a material out of its project; what it shows stays. A timeline that names it can't be exported then."""
    with held(material.project_id) as project:
        Material.objects.filter(pk=material.pk).delete()
        _touch(project)


def file_of(shown: Shown | None) -> str | None:
    """The best file that films are made of, by its stored name; None: there is none.

    Of a video the uploaded one, else its best rendition; of a still or a sound the prepared one.
    """
    if shown is None or shown.deleted_at:
        return None
    names = (shown.file,) if isinstance(shown, Medium) else _files_of_video(shown)
    return next((name for name in names if name and storage.path_of(name).is_file()), None)


def check_there(material: Material) -> None:
    """Raise MaterialGone, MaterialNotReady if no film can be made of a material now."""
    if file_of(material.shown) is not None:
        return
    medium = material.medium
    if medium and not medium.deleted_at and medium.status == VideoStatus.PROCESSING:
        raise errors.MaterialNotReady.of(material.name)
    raise errors.MaterialGone.of(material.name)


def _files_of_video(video: Video) -> tuple[str, str]:
    best = video.renditions.first()
    return video.source, f"{video.folder}/{best.file}" if video.folder and best else ""


def _check_usable(shown: Shown) -> None:
    if shown.deleted_at:
        raise errors.MediumDeleted if isinstance(shown, Medium) else errors.VideoDeleted
    under_way = isinstance(shown, Medium) and shown.status == VideoStatus.PROCESSING
    if file_of(shown) is None and not under_way:
        raise errors.SourceGone


def _kind(shown: Shown) -> str:
    return shown.kind if isinstance(shown, Medium) else "video"


def _named(shown: Shown) -> dict[str, Shown | None]:
    """The fields of a material that say what it is."""
    if isinstance(shown, Medium):
        return {"video": None, "medium": shown}
    return {"video": shown, "medium": None}


def _free_name(name: str, taken: Collection[str]) -> str:
    """`video-12`, or `video-12-2` if that is taken, and so on."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


# -- the timeline ----------------------------------------------------------------------------------------


def document(project: Project) -> Any:
    """The current timeline, as it was saved; the empty one if none was."""
    if not project.version:
        return documents.dump(Timeline())
    return TimelineVersion.objects.get(project=project, number=project.version).document


def save(project_id: int, document: Any, *, expected: Expected) -> Project:
    """Make a document the current timeline, as a new version made from the one before.

    Raises TimelineChanged, TimelineInvalid, TimelineMaterialUnknown.
    """
    timeline = documents.parse(document)
    with held(project_id) as project:
        _check_expected(project, expected)
        check_materials(timeline, dict(project.materials.values_list("name", "pk")))
        newest = project.versions.aggregate(newest=Coalesce(Max("number"), Value(0)))["newest"]
        saved = TimelineVersion(project=project, number=newest + 1, before=project.version, document=document)
        saved.save(force_insert=True)
        old = project.versions.filter(number__lte=saved.number - _KEEP_VERSIONS)
        old.exclude(number=saved.before).delete()  # which an undo goes back to, however old it is
        return _set_version(project, saved.number)


def undo(project_id: int, *, expected: Expected = None) -> Project:
    """Go back to the version from which the current one was made. Raises NothingToUndo, TimelineChanged."""
    with held(project_id) as project:
        _check_expected(project, expected)
        current = project.versions.filter(number=project.version).first()
        if current is None or (current.before and not project.versions.filter(number=current.before).exists()):
            raise errors.NothingToUndo
        return _set_version(project, current.before)


def redo(project_id: int, *, expected: Expected = None) -> Project:
    """Go on to what was last made from the current version. Raises NothingToRedo, TimelineChanged."""
    with held(project_id) as project:
        _check_expected(project, expected)
        following = project.versions.filter(before=project.version).order_by("-number").first()
        if following is None:
            raise errors.NothingToRedo
        return _set_version(project, following.number)


def check_materials(timeline: Timeline, names: Mapping[str, Any]) -> None:
    """Raise TimelineMaterialUnknown if the timeline speaks of a material that is not there."""
    unknown = {
        f"tracks[{number}].clips[{place}].material": clip.material
        for number, track in enumerate(timeline.tracks)
        for place, clip in enumerate(track.clips)
        if clip.material not in names
    }
    if unknown:
        raise errors.TimelineMaterialUnknown.of(unknown)


def _check_expected(project: Project, expected: Expected) -> None:
    if expected is not None and project.version not in expected:
        raise errors.TimelineChanged


def _set_version(project: Project, number: int) -> Project:
    project.version = number
    project.save(update_fields=["version", "updated_at"])
    return project


def _touch(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(updated_at=timezone.now())


# -- deleting for a while --------------------------------------------------------------------------------


def delete(project: Project, *, by: str) -> None:
    """Delete a project until it is restored, or until the clean-up comes; its exports that are made are cancelled."""
    Project.objects.filter(pk=project.pk, deleted_at__isnull=True).update(deleted_at=timezone.now())
    for job in Job.objects.filter(pk__in=project.exports.values("job"), status__in=sorted(ACTIVE)):
        with contextlib.suppress(control.NotCancellable):  # it ended this very moment
            control.cancel(job, by=by)


def restore(project: Project) -> None:
    """Take a deletion back; fine if there was none."""
    Project.objects.filter(pk=project.pk).update(deleted_at=None)
