"""A timeline out of an OTIO file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import opentimelineio as otio

from videos.timeline import project
from videos.timeline.model import Kind, Timeline
from videos.timeline.otio import bundle, clips, sieve, times
from videos.timeline.otio.errors import OtioInvalid
from videos.timeline.otio.laying import Layer, Layout, Piece
from videos.timeline.otio.media import Media, Medium
from videos.timeline.otio.notes import noted, silenced_by
from videos.timeline.otio.report import Remark, Report

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A timeline, whose clips speak of these media by their names; and what came out otherwise."""

    name: str
    timeline: Timeline
    media: tuple[Medium, ...]
    remarks: tuple[Remark, ...]


def read(data: bytes) -> Reading:
    """Read an .otio or an .otioz. Raises OtioInvalid, whatever the bytes are."""
    report = Report()
    text = sieve.sifted(bundle.content(data, report), report)
    try:
        timeline = otio.core.deserialize_json_from_string(text)
    except (otio.exceptions.OTIOError, ValueError, KeyError, TypeError) as error:
        raise OtioInvalid from error
    media = Media()
    document = _document(timeline, media, report)
    try:
        found = project.parse(document)
    except project.TimelineInvalid as error:
        raise OtioInvalid(f"The timeline can't be used as it is. {error.message}", details=error.details) from error
    return Reading(name=timeline.name, timeline=found, media=media.found, remarks=report.remarks)


def _document(timeline: Any, media: Media, report: Report) -> Json:
    ours = noted(timeline)
    if timeline.global_start_time and times.grains(timeline.global_start_time):
        report.remark("global_start_time", "start_time_left_out", "Its clock does not begin at 0; here it does.")
    laid = [(track, layer) for track, layers in Layout(report).tracks(timeline.tracks) for layer in layers]
    tracks = [_track(track, layer, media, report) for track, layer in laid]
    if "canvas" not in ours:
        _leave_sound_to_its_tracks(tracks, report)
    return {"canvas": ours.get("canvas", {"rate": _rate(laid)}), "tracks": tracks}


def _track(track: Any, layer: Layer, media: Media, report: Report) -> Json:
    is_track = isinstance(track, otio.schema.Track)
    ours = noted(track) if is_track else {}
    found: Json = {name: ours[name] for name in ("muted", "hidden", "ducked") if name in ours}
    if not track.enabled:
        found = {"hidden": True, "muted": True} | found
    found[silenced_by(layer.kind)] = not track.enabled  # another program may have changed it
    if layer.kind.is_written:
        return {**found, "kind": layer.kind.value, "texts": list(_texts(layer.pieces, report))}
    return {**found, "kind": layer.kind.value, "clips": clips.documents(layer, media, report)}


def _texts(pieces: list[Piece], report: Report) -> Iterator[Json]:
    for piece in pieces:
        ours = noted(piece.item)
        start, end = times.moment(piece.at), times.moment(piece.end)
        if "text" in ours and end > start:
            yield {**ours, "start": start, "duration": end - start}
        else:
            report.remark(piece.path, "text_left_out", "What it writes is not said; it is left out.")


def _leave_sound_to_its_tracks(tracks: list[Json], report: Report) -> None:
    """Elsewhere a video track is but pictures, and the sound of the same files lies on tracks of its own."""
    if any(track["kind"] == Kind.AUDIO and track["clips"] for track in tracks):
        said = "The sound is that of the audio tracks; what the files on video tracks sound like is not heard."
        report.remark("tracks", "video_muted", said)
        for track in tracks:
            if track["kind"] == Kind.VIDEO:
                track["muted"] = True


def _rate(laid: list[tuple[Any, Layer]]) -> str:
    """The frame rate that most clips count in."""
    ranges = (piece.item.trimmed_range() for _, layer in laid for piece in layer.pieces if layer.kind is Kind.VIDEO)
    rates = Counter(rate for one in ranges if 1 <= (rate := times.rate_of(one.duration.rate)) <= 120)
    return str(max(rates, key=lambda rate: rates[rate], default=30))
