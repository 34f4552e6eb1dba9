"""What may be set about videos: `settings.JOINTO_VIDEOS`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """Limits and times of uploads and processing. Values come from the environment."""

    chunk_bytes: int
    max_bytes: int  # of one file
    token: timedelta  # how long an upload's token is good
    keep_uploads: timedelta  # unfinished ones, after their last byte
    keep_deleted: timedelta
    keep_parts: timedelta  # of films, as they were encoded, after they were last used
    parts_bytes: int  # of all of those; 0: none are kept
    max_seconds: int  # of one video
    max_pixels: int  # of one picture
    threads: int  # of one ffmpeg


@dataclass(frozen=True, kw_only=True)
class DraftSettings:
    """What drafts of desktop editors may be, and who reads them."""

    processors: tuple[str, ...]  # dotted paths of classes, asked in this order
    url: str  # where a draft is fetched of which the id alone is known, with {id} in it; empty: nowhere
    max_bytes: int  # of what an address gives: a draft, or an archive
    document_bytes: int  # of the draft itself
    media_bytes: int  # of all media of a draft together, unpacked
    entries: int  # of an archive
    ratio: int  # of an entry's bytes, unpacked and packed
    fetch: timedelta  # for one address to give all that it has
