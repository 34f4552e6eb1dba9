"""Reads drafts of CapCut and JianYing: what they write as draft_content.json or draft_info.json.

Nothing about the format is published: what it means is known from real drafts, of versions 1.5 to 9.1. Programs write
them too, and leave out much; so every field may be missing, but for the few without which there is nothing to make a
film of. Whatever can't be had outside the application is named in the report, and the rest goes on.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from videos.timeline.capcut import canvas, fields, tracks
from videos.timeline.capcut.errors import DraftEncrypted, DraftInvalid
from videos.timeline.capcut.media import Media, Shelf
from videos.timeline.capcut.report import Remark, Report
from videos.timeline.capcut.tracks import Desk
from videos.timeline.model import Timeline

__all__ = ["Draft", "DraftEncrypted", "DraftInvalid", "Media", "Remark", "load", "read"]

_ENCRYPTED = re.compile(rb"[A-Za-z0-9+/=_\s-]{32,}")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What was read from a draft."""

    id: str
    name: str
    timeline: Timeline
    media: tuple[Media, ...]  # every one that the timeline needs
    report: tuple[Remark, ...]  # what comes out otherwise than in the editor: the first of it
    more_remarks: int = 0  # that are not in the report, because there are too many


def load(data: bytes) -> Draft:
    """Read the content of a file. Raises DraftEncrypted, DraftInvalid."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        if _ENCRYPTED.fullmatch(data.strip()):
            raise DraftEncrypted from error
        raise DraftInvalid([{"path": "", "problem": "It is no JSON"}]) from error
    return read(document)


def read(document: Any) -> Draft:
    """Read a draft, parsed from JSON. Raises DraftInvalid, which names every field that is wrong."""
    if not isinstance(document, dict):
        raise DraftInvalid([{"path": "", "problem": "A draft is an object with tracks and materials"}])
    report, shelf = Report(), Shelf()
    whole = canvas.read(document, "", report)
    found = tracks.read(document, "", whole, Desk(shelf=shelf, report=report))
    report.check()
    return Draft(
        id=fields.name(document.get("id")),
        name=fields.name(document.get("name")),
        timeline=Timeline(canvas=whole, tracks=tuple(found)),
        media=shelf.media,
        report=report.remarks,
        more_remarks=report.more,
    )
