"""Brings the media of a draft into an attempt's folder, and looks at each as at an upload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from django.conf import settings

from jobs.context import JobContext
from jobs.errors import BadInput
from videos import workshops
from videos.drafts import fetching
from videos.drafts.archive import Archive
from videos.drafts.errors import DraftTooLarge, DraftUnreachable
from videos.drafts.media import Found, Located, Missing
from videos.media import stills, transcode
from videos.timeline.capcut.media import Media
from videos.timeline.sources import Source, still

_UNKNOWN_HOST = "host_unknown"  # of a file in a draft it is no passing trouble


class Gatherer:
    """Fetches or unpacks the media of one draft, as much as is allowed of all together."""

    def __init__(self, ctx: JobContext, archive: Archive | None) -> None:
        self.folder = ctx.scratch / "media"
        self.folder.mkdir()
        self.workshop = workshops.at(self.folder)
        self._ctx = ctx
        self._archive = archive
        self._left = settings.JOINTO_DRAFTS.media_bytes

    def gather(self, media: Sequence[Media], located: Located) -> tuple[dict[str, Source], list[Missing]]:
        """What could be had, by names in the timeline, and what is missing.

        Raises DraftTooLarge, DraftUnreachable.
        """
        sources: dict[str, Source] = {}
        missing = list(located.missing)
        for number, one in enumerate(media, start=1):
            found = located.found.get(one.name)
            if found is None:
                continue
            self._ctx.progress(0, 0, f"getting the media: {number} of {len(media)}")
            try:
                sources[one.name] = self._look(one, self._bring(found, self.folder / f"medium-{number:05d}"))
            except (DraftTooLarge, DraftUnreachable) as error:
                if error.details.get("code") != _UNKNOWN_HOST:
                    raise
                missing.append(Missing(media=one, reason=_UNKNOWN_HOST))
            except BadInput as error:  # of this file alone: it is none of use, or its address does not give it
                missing.append(Missing(media=one, reason=error.code))
        return sources, missing

    def _bring(self, found: Found, target: Path) -> Path:
        if found.path:
            return found.path
        if found.entry and self._archive:
            self._left -= found.entry.file_size
            self._check_left()
            self._archive.extract(found.entry, target)
        else:
            self._check_left()
            self._left -= fetching.fetch(found.url, target, max_bytes=self._left)
        return target

    def _check_left(self) -> None:
        if self._left < 0:
            raise DraftTooLarge(details={"max_bytes": settings.JOINTO_DRAFTS.media_bytes})

    def _look(self, media: Media, path: Path) -> Source:
        if media.kind == "still":
            return self._still(path)
        return Source(path=path, probe=transcode.inspect(path, self.workshop, caps=workshops.caps()))

    def _still(self, path: Path) -> Source:
        folder = path.with_name(f"{path.name}-still")
        folder.mkdir()
        made = stills.develop(path, replace(self.workshop, folder=folder), caps=workshops.caps())
        return still(folder / stills.FILE, width=made.width, height=made.height, alpha=made.alpha)
