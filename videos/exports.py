"""From a project to one finished file: the body of `export_video`, and what it leaves in the rows.

What is exported is written down when the job is recorded; later edits change nothing of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.context import JobContext
from jobs.models import Job
from videos import errors, films, orders, projects, reel, storage, watermarks, workshops
from videos.media import sounds, transcode
from videos.media.errors import MediaError
from videos.models import Export, Material, Medium, Project, Video
from videos.orders import Order, Origin
from videos.timeline import project as documents
from videos.timeline.film import Source
from videos.timeline.model import Timeline
from videos.timeline.sources import still
from videos.timeline.values import SECOND

# -- asked for -------------------------------------------------------------------------------------------


def record(job: Job, project_id: int, **said: Any) -> None:
    """Write down what a job is to export, as it is now; a job that is retried exports the same once more.

    Raises ExportInvalid, ProjectGone, ProjectDeleted, ProjectEmpty, TimelineMaterialUnknown, MaterialGone,
    MaterialNotReady.
    """
    known = Export.objects.select_related("project").filter(job=job).first()
    if known is None:
        export = _asked(project_id, said)
        export.job = job
        export.save(force_insert=True)
    elif known.project.deleted_at:
        raise errors.ProjectDeleted


def owner_of(project_id: int, **_: Any) -> int | None:
    """Whose project it is, so that the job is theirs too."""
    return Project.objects.filter(pk=project_id).values_list("owner_id", flat=True).first()


def owns(user_id: int, project_id: int, **_: Any) -> bool:
    """Whether a user may have batches made of a project."""
    return Project.objects.filter(pk=project_id, owner_id=user_id, deleted_at__isnull=True).exists()


def _asked(project_id: int, said: Mapping[str, Any]) -> Export:
    """The row of an export, not saved yet."""
    given = {name: value for name, value in said.items() if value is not None}
    order = orders.read(given)
    with projects.held(project_id) as project:
        document = projects.document(project)
        timeline = documents.parse(document)
        materials = list(project.materials.select_related("video", "medium__job"))
        cut = any(track.items for track in timeline.tracks)
        origin = order.source or (Origin.TIMELINE if cut else Origin.MATERIALS)
        mark = order.watermark.material if order.watermark else None
        if not (cut if origin is Origin.TIMELINE else [one for one in materials if one.name != mark]):
            raise errors.ProjectEmpty
        if mark and mark not in {material.name for material in materials}:
            raise errors.TimelineMaterialUnknown.of({"watermark.material": mark})
        if origin is Origin.TIMELINE:
            films.check_length(timeline)
            projects.check_materials(timeline, {material.name: material for material in materials})
            used = {*timeline.materials(), mark}
            materials = [material for material in materials if material.name in used]
        for material in materials:
            projects.check_there(material)
        of_timeline = {"version": project.version, "timeline": document}
        return Export(
            project=project,
            format=order.format.value,
            quality=order.quality.value,
            options={name: given[name] for name in sorted(given) if name not in ("format", "quality", "source")},
            source=origin.value,
            materials=[_written(material) for material in materials],
            **(of_timeline if origin is Origin.TIMELINE else {"version": 0, "timeline": None}),
        )


def _written(material: Material) -> dict[str, Any]:
    """Name, and id by kind: `{"name": "a", "still": 3}`."""
    assert material.shown is not None and material.kind is not None
    return {"name": material.name, material.kind: material.shown.pk}


# -- made ------------------------------------------------------------------------------------------------


def make(ctx: JobContext, project_id: int, **said: Any) -> dict[str, Any]:
    """Look at the materials, make the film, publish it. The result says where it is.

    Raises what videos.errors names of projects and exports, and what `film.make` raises.
    """
    export = Export.objects.select_related("project").filter(job_id=ctx.job_id).first() or _asked(project_id, said)
    if export.project.deleted_at:
        raise errors.ProjectDeleted
    order = orders.read({"format": export.format, "quality": export.quality, **export.options})
    ctx.progress(0, 0, "looking at the materials")
    sources = _sources(export, ctx)
    timeline = _timeline(export, sources, order)
    films.check_length(timeline)
    made = films.make(ctx, _as_ordered(timeline, order, sources), sources, recipe=order.recipe, cache=storage.parts())
    finished = films.publish(
        ctx,
        export,
        made,
        folder=f"exports/{export.project_id}",
        gone=errors.ExportGone,
        copied=made.copied,
        reason=made.reason,
    )
    return {
        "output_url": finished.url,
        "duration": made.duration,
        "file_size": finished.size,
        "copied": made.copied,
        "encoded": not made.copied,
        "reason": made.reason,
        "frames": {"copied": made.frames_copied, "encoded": made.frames - made.frames_copied},
        "segments": {"encoded": made.encoded, "reused": made.reused},
    }


def _sources(export: Export, ctx: JobContext) -> dict[str, Source]:
    """The file of each material, looked at; each file once. Raises MaterialGone, MaterialUnusable."""
    workshop = workshops.at(ctx.scratch)
    videos = Video.objects.in_bulk([one["video"] for one in export.materials if "video" in one])
    media = Medium.objects.in_bulk([_medium_id(one) for one in export.materials if "video" not in one])
    looked: dict[str, Source] = {}
    sources = {}
    for one in export.materials:
        ctx.check()
        shown = videos.get(one["video"]) if "video" in one else media.get(_medium_id(one))
        file = projects.file_of(shown)
        if shown is None or file is None:
            raise errors.MaterialGone.of(one["name"])
        try:
            found = looked.get(file) or _source(shown, storage.path_of(file), workshop)
        except MediaError as error:
            raise errors.MaterialUnusable.of(one["name"], error) from error
        looked[file] = sources[one["name"]] = found
    return sources


def _medium_id(material: Mapping[str, Any]) -> int:
    return int(material["still"] if "still" in material else material["sound"])


def _source(shown: projects.Shown, path: Path, workshop: transcode.Workshop) -> Source:
    """A still was measured when it was prepared. Of a sound's file, which may hold a film, the picture is not used."""
    if isinstance(shown, Video):
        known = shown.sha256 if shown.source and path == storage.path_of(shown.source) else ""
        return Source(path=path, probe=transcode.inspect(path, workshop, caps=workshops.caps()), sha256=known)
    if shown.kind == Medium.Kind.STILL:
        return still(path, width=shown.width or 0, height=shown.height or 0, alpha=bool(shown.alpha))
    return Source(path=path, probe=dataclasses.replace(sounds.probe(path, workshop), duration=shown.duration))


def _timeline(export: Export, sources: Mapping[str, Source], order: Order) -> Timeline:
    if export.source == Origin.TIMELINE:
        return documents.parse(export.timeline)
    mark = order.watermark.material if order.watermark else None  # which is not one of the film's parts
    parts = [one for one in export.materials if one["name"] != mark]
    seconds = order.still_seconds or orders.STILL_SECONDS
    lengths = {one["name"]: round(seconds * SECOND) for one in parts if "still" in one}
    return reel.of({one["name"]: sources[one["name"]].probe for one in parts}, lengths=lengths)


def _as_ordered(timeline: Timeline, order: Order, sources: Mapping[str, Source]) -> Timeline:
    """The timeline on the canvas, with the fit and under the watermark that were asked for."""
    said = {name: value for name in ("width", "height", "rate") if (value := getattr(order, name)) is not None}
    tracks = timeline.tracks
    if order.fit:
        tracks = tuple(
            dataclasses.replace(track, clips=tuple(dataclasses.replace(clip, fit=order.fit) for clip in track.clips))
            for track in tracks
        )
    asked = dataclasses.replace(timeline, canvas=dataclasses.replace(timeline.canvas, **said), tracks=tracks)
    return watermarks.over(asked, order.watermark, sources) if order.watermark else asked
