"""Subtitles beside the picture: which are left to players to show, and their files, which the film takes in."""

from __future__ import annotations

from dataclasses import replace

from videos.timeline import subtitles
from videos.timeline.formats import Format, Recipe, Subtitles
from videos.timeline.model import Kind, Timeline, Track
from videos.timeline.studio import Studio


def burnt(timeline: Timeline, recipe: Recipe) -> Timeline:
    """The timeline with those subtitles alone that are drawn into the picture."""
    if recipe.subtitles is Subtitles.BURN:
        return timeline
    tracks = tuple(replace(track, hidden=True) if track.kind is Kind.SUBTITLES else track for track in timeline.tracks)
    return replace(timeline, tracks=tracks)


def write(timeline: Timeline, recipe: Recipe, studio: Studio) -> list[str]:
    """Write a file for each track of subtitles that is to be one of the film; their names, in the studio's folder."""
    names: list[str] = []
    for track in timeline.tracks if recipe.subtitles is Subtitles.TRACK and recipe.format.is_captioned else ():
        if _is_said(track):
            names.append(f"captions-{len(names)}.txt")
            said = subtitles.written(track.texts, timeline.canvas.rate, web=recipe.format is Format.WEBM)
            (studio.folder / names[-1]).write_text(said, encoding="utf-8")
    return names


def _is_said(track: Track) -> bool:
    return track.kind is Kind.SUBTITLES and bool(track.texts) and not track.hidden
