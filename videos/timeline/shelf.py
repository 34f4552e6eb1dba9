"""Parts of films on a disk, shared by all workers that reach it; those that nobody used for long go first.

A part is one file, named by its key and by the digest of its bytes: it comes and goes at once, whoever else is there
and whoever dies, and what became of it on the disk is seen when it is taken. Where the disk can, the part that a film
is made of and the one on the shelf are the same bytes under two names.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from videos.timeline.reuse import digest

logger = logging.getLogger(__name__)

_ROOM = 0.9  # of the whole is left filled when there was no more room: or it would be made anew for each part


class Shelf:
    """A `videos.timeline.reuse.Cache` in a folder."""

    def __init__(self, folder: Path, *, most: int) -> None:
        """`most`: bytes that all parts may take. Others may keep parts meanwhile, so it may be more for a while."""
        self._folder = folder
        self._most = most
        self._filled = math.inf  # bytes; not known before they are counted

    def take(self, key: str, target: Path) -> bool:
        for path in (self._folder / key[:2]).glob(f"{key}.*"):
            try:
                _give(path, target)
                if digest(target) == path.suffix[1:]:
                    os.utime(path)
                    return True
                logger.warning("a part of a film was damaged on the shelf: %s", path)
                path.unlink()
            except FileNotFoundError:  # somebody has just removed it
                pass
            except OSError as error:
                logger.warning("a part of a film can't be taken from the shelf: %s", error)
            target.unlink(missing_ok=True)
        return False

    def keep(self, key: str, part: Path) -> None:
        try:
            self._keep(part, self._folder / key[:2] / f"{key}.{digest(part)}", size=part.stat().st_size)
        except OSError as error:
            logger.warning("a part of a film can't be kept: %s", error)

    def tidy(self, *, unused_since: float = 0.0, most: int | None = None) -> int:
        """Remove what was last used before a moment, and then the eldest until there is room; how many were removed."""
        found = sorted(self._parts())
        self._filled = sum(size for _, size, _ in found)
        count = 0
        for used_at, size, path in found:
            if used_at >= unused_since and self._filled <= (self._most if most is None else most):
                break
            path.unlink(missing_ok=True)
            self._filled -= size
            count += 1
        return count

    def _keep(self, part: Path, target: Path, *, size: int) -> None:
        if size > self._most:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # somebody has made the very same
            _give(part, target)
        self._filled += size
        if self._filled > self._most:
            self.tidy(most=int(self._most * _ROOM))

    def _parts(self) -> Iterator[tuple[float, int, Path]]:
        """All of them, and what was left half written."""
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                yield stat.st_mtime, stat.st_size, path


def _give(path: Path, target: Path) -> None:
    """A second name for the same bytes; on another file system, a copy that is never seen half written."""
    try:
        target.hardlink_to(path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        draft = target.with_name(f".{uuid.uuid4()}")
        shutil.copyfile(path, draft)
        draft.rename(target)
