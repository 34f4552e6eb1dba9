"""Subtitles that were written elsewhere, laid into a project's timeline."""

from __future__ import annotations

import dataclasses

from videos import errors, projects
from videos.models import Project
from videos.timeline import project as documents
from videos.timeline import subtitles
from videos.timeline.model import Kind, Timeline, Track
from videos.timeline.motion import Motion


def lay(project: Project, document: str, *, number: int | None, expected: projects.Expected) -> Project:
    """Have a file of subtitles be a new track, over all others; or what the track of this number says.

    That one goes on looking as its first text did. Raises SubtitlesInvalid, SubtitlesMissing, SubtitlesTrackUnknown,
    and what saving raises; TimelineChanged, if somebody was quicker.
    """
    timeline = documents.parse(projects.document(project))
    if number is None:
        tracks = (*timeline.tracks, _saying(document, Track(kind=Kind.SUBTITLES)))
    else:
        tracks = tuple(
            _saying(document, track) if place == number else track
            for place, track in enumerate(_with_subtitles(timeline, number))
        )
    laid = documents.dump(dataclasses.replace(timeline, tracks=tracks))
    seen = {project.version}
    return projects.save(project.pk, laid, expected=seen if expected is None else seen.intersection(expected))


def _with_subtitles(timeline: Timeline, number: int) -> tuple[Track, ...]:
    """The tracks, of which this one holds subtitles. Raises SubtitlesTrackUnknown."""
    those = [place for place, track in enumerate(timeline.tracks) if track.kind is Kind.SUBTITLES]
    if number not in those:
        raise errors.SubtitlesTrackUnknown(details={"tracks": those})
    return timeline.tracks


def _saying(document: str, track: Track) -> Track:
    """The track with these texts."""
    first = next(iter(track.texts), subtitles.USUAL)
    texts = subtitles.read(document, like=dataclasses.replace(first, motion=Motion()))
    if not texts:
        raise errors.SubtitlesMissing
    return dataclasses.replace(track, texts=texts)
