"""Where the media of a draft are: in its archive, among the owner's videos, at an address. The rest is missing.

A path in a draft is of somebody's own computer, and never one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zipfile import ZipInfo

from videos import projects, storage
from videos.drafts import naming
from videos.drafts.archive import Archive
from videos.drafts.errors import DraftTooLarge
from videos.models import Video
from videos.timeline.capcut.media import Media

MOST = 1000  # media of one draft


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where one medium is: one of these is said."""

    entry: ZipInfo | None = None
    path: Path | None = None  # of a video of the owner's
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A medium that can't be had, and why, in a word."""

    media: Media
    reason: str

    def said(self) -> dict[str, str]:
        """As rows and answers have it."""
        media = self.media
        return {"path": media.path, "file_name": file_name(media), "kind": media.kind, "reason": self.reason}


@dataclass(kw_only=True)
class Located:
    """Where the media of a draft are, by their names in the timeline; and which are missing."""

    found: dict[str, Found] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)


def locate(
    media: Sequence[Media],
    *,
    archive: Archive | None,
    folder: str,
    mapping: Mapping[str, int],
    owner_id: int,
) -> Located:
    """Look for all media, without touching one. `folder`: of the draft, in its archive. Raises DraftTooLarge."""
    if len(media) > MOST:
        raise DraftTooLarge(f"The draft has more than {MOST} media.", details={"most": MOST})
    videos = Video.objects.filter(owner_id=owner_id, deleted_at=None).in_bulk(set(mapping.values()))
    located = Located()
    for one in media:
        entry = archive.find(_path(one), folder=folder if one.placeholder else None) if archive else None
        video = videos.get(_mapped(one, mapping)) if one.kind != "still" else None
        stored = projects.file_of(video)
        if entry:
            located.found[one.name] = Found(entry=entry)
        elif stored:
            located.found[one.name] = Found(path=storage.path_of(stored))
        elif naming.is_url(one.path) or one.address:
            located.found[one.name] = Found(url=one.path if naming.is_url(one.path) else one.address)
        else:
            located.missing.append(Missing(media=one, reason="not_found"))
    return located


def file_name(media: Media) -> str:
    """What a medium is called, without the folders, and without what an address has behind it."""
    return re.split(r"[/\\]", _path(media).rstrip("/\\"))[-1] or media.file_name


def keys(media: Media) -> tuple[str, str]:
    """What a mapping may call it."""
    return media.path, file_name(media)


def _mapped(media: Media, mapping: Mapping[str, Any]) -> int:
    return next((int(mapping[key]) for key in keys(media) if key in mapping), 0)


def _path(media: Media) -> str:
    if not naming.is_url(media.path):
        return media.path
    try:
        return unquote(urlsplit(media.path).path)
    except ValueError:
        return media.path
