"""The tracks of a draft, from the bottom to the top."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields, segments
from videos.timeline.capcut.materials import Materials
from videos.timeline.capcut.media import Shelf
from videos.timeline.capcut.report import Report
from videos.timeline.capcut.segments import Segment
from videos.timeline.model import Clip, Kind, Track

_KINDS = {"video": Kind.VIDEO, "audio": Kind.AUDIO}
_MUTED = 1  # the bit of a track's attribute


def read(document: Json, path: str, shelf: Shelf, report: Report) -> list[Track]:
    """The tracks that are seen or heard."""
    fields.mapping(document, "materials", path, report)
    materials = Materials(document, path)
    found = []
    for place, says in enumerate(fields.items(document, "tracks", path, report, required=True)):
        here = fields.joined(path, f"tracks[{place}]")
        if not isinstance(says, dict) or not isinstance(says.get("type"), str):
            report.problem(here if not isinstance(says, dict) else f"{here}.type", "A track has a type")
        elif kind := _KINDS.get(says["type"]):
            clips = tuple(
                clip
                for segment in _segments(says, here, report)
                if (clip := _clip(segment, kind, materials, shelf, report))
            )
            muted = bool((lenient.integer(says.get("attribute")) or 0) & _MUTED)
            found.append(Track(kind=kind, clips=clips, muted=muted))
    return [track for track in found if track.items]


def _segments(says: Json, path: str, report: Report) -> Iterator[Segment]:
    for place, one in enumerate(fields.items(says, "segments", path, report)):
        if segment := segments.read(one, f"{path}.segments[{place}]", report):
            yield segment


def _clip(segment: Segment, kind: Kind, materials: Materials, shelf: Shelf, report: Report) -> Clip | None:
    lists = ("videos", "audios") if kind is Kind.VIDEO else ("audios", "videos")
    material = materials.find(segment.says.get("material_id"), *lists)
    still = material is not None and material.type == "photo"
    name = material and shelf.name(
        material.says, "sound" if material.list == "audios" else "still" if still else "video"
    )
    if not name:
        segment.remark(report, "media_missing", "The draft does not say where its file is; it is left out.")
        return None
    speeds = materials.first(segment.says, "speeds")
    return Clip(
        start=segment.target.start,
        duration=segment.target.duration,
        material=name,
        source_start=0 if still or segment.source is None else segment.source.start,
        speed=Fraction(1) if still else segments.speed(segment, speeds.says if speeds else {}, report),
    )
