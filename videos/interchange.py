"""A project's timeline to and from other programs, as OpenTimelineIO: which material is which of their media."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from urllib.parse import quote

from videos import errors, projects
from videos.models import Material, Project, Video
from videos.timeline import otio
from videos.timeline import project as documents
from videos.timeline.model import Clip, Timeline, Track
from videos.timeline.otio import Footage, Medium, Remark
from videos.timeline.values import SECOND


def write(project: Project) -> bytes:
    """The current timeline as an .otio, with the materials as their videos are called."""
    materials = project.materials.select_related("video")
    footage = {one.name: _footage(one.video) for one in materials if one.video}
    return otio.write(documents.parse(projects.document(project)), footage, name=project.name)


def save(
    project: Project, data: bytes, *, skip_missing: bool, expected: projects.Expected
) -> tuple[Project, tuple[Remark, ...]]:
    """Make an .otio or .otioz the current timeline. What came out otherwise is told.

    Raises OtioInvalid; OtioMediaMissing, unless what shows these media is to be left out; and what saving raises.
    """
    reading = otio.read(data)
    names = _matched(reading.media, project.materials.select_related("video"))
    missing = [medium for medium in reading.media if medium.name not in names]
    if missing and not skip_missing:
        raise errors.OtioMediaMissing.of([{"name": one.name, "url": one.url, "kind": one.kind} for one in missing])
    timeline = _with_materials(reading.timeline, names)
    saved = projects.save(project.pk, documents.dump(timeline), expected=expected)
    return saved, (*reading.remarks, *map(_left_out, missing))


def _footage(video: Video) -> Footage:
    """By the name that the file had when it was uploaded, as near as we know it."""
    duration = round(video.duration * SECOND) if video.duration else None
    return Footage(url=quote(video.title + PurePath(video.source).suffix), duration=duration)


def _matched(media: Iterable[Medium], materials: Iterable[Material]) -> dict[str, str]:
    """For each medium the name of its material: that of this name, else the first whose video is called as its file."""
    names = set()
    titles: dict[str, str] = {}
    for material in materials:
        names.add(material.name)
        if material.video:
            titles.setdefault(_folded(material.video.title), material.name)
    found = {}
    for medium in media:
        if medium.title in names:
            found[medium.name] = medium.title
            continue
        spoken = (medium.file_name, medium.title, PurePath(medium.title).stem)
        title = next((titles[word] for word in map(_folded, spoken) if word and word in titles), None)
        if title or medium.file_name in names:
            found[medium.name] = title or medium.file_name
    return found


def _folded(title: str) -> str:
    return title.strip().casefold()


def _with_materials(timeline: Timeline, names: Mapping[str, str]) -> Timeline:
    """The timeline in the words of the project. Clips whose medium has no material are left out."""
    tracks = tuple(
        dataclasses.replace(
            track,
            clips=tuple(
                dataclasses.replace(clip, material=names[clip.material]) for clip in _kept(track, names.keys())
            ),
        )
        for track in timeline.tracks
    )
    return dataclasses.replace(timeline, tracks=tracks)


def _kept(track: Track, names: Iterable[str]) -> list[Clip]:
    known = set(names)
    gone = {clip.start for clip in track.clips if clip.material not in known}
    return [
        dataclasses.replace(clip, transition=None) if clip.end in gone else clip
        for clip in track.clips
        if clip.start not in gone
    ]


def _left_out(medium: Medium) -> Remark:
    said = f"The project has no material for {medium.name}; what shows it is left out."
    return Remark(path=medium.url, code="media_left_out", message=said)
