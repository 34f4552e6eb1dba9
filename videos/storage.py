"""Where files lie, and how they come and go. Names are below the media root, with forward slashes.

A file's row and its bytes can't be committed together. So bytes are put in place before the row says so,
and removed after the row has ceased to; what a crash leaves between the two, the nightly clean-up finds.
A user's file name is never part of a path.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from datetime import datetime
from pathlib import Path

import puremagic
from django.conf import settings

from videos.timeline.shelf import Shelf

_HEAD_BYTES = 4096
_TRIES = 1000
_UNKNOWN = ".bin"
_ZIP = b"PK"

# The containers that are accepted, by the type that the first bytes show, and the ending they are stored with.
_ENDINGS = {
    ".mp4", ".m4v", ".m4a", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".flv", ".ts", ".m2ts", ".mpg", ".wmv", ".asf",
    ".ogg", ".ogv", ".oga", ".mp3", ".wav", ".flac", ".aac",
    ".jpg", ".png", ".webp", ".gif", ".avif",
}  # fmt: skip


def path_of(name: str) -> Path:
    """The file behind a stored name. Names come from our own rows alone; one that leaves the root is a bug."""
    root = Path(settings.MEDIA_ROOT)
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"a stored name leaves the media root: {name!r}")
    return path


def name_for_upload(head: bytes, now: datetime) -> str:
    """Where a new file is to be stored; its ending by its content."""
    return f"videos/uploads/{now:%Y/%m/%d}/{uuid.uuid4()}{ending_of(head)}"


def name_for_draft(head: bytes) -> str:
    """Where a draft is to be stored as it was sent: an archive, or its document alone."""
    return f"drafts/sources/{uuid.uuid4()}.{'zip' if head.startswith(_ZIP) else 'json'}"


def ending_of(head: bytes) -> str:
    """The ending that a file with these first bytes gets."""
    try:
        found = puremagic.magic_string(head[:_HEAD_BYTES])
    except (puremagic.PureError, ValueError):
        return _UNKNOWN
    return next((match.extension for match in found if match.extension in _ENDINGS), _UNKNOWN)


def head_of(path: Path) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def adopt(path: Path, name: str) -> None:
    """Give a finished file its place, without copying a byte.

    A second name for the same bytes: the first one goes with `remove_file` once the row is committed, so
    whichever side of the commit a crash falls on, the file that the rows speak of is there.
    """
    target = path_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The clean-up takes an old file that no row names for left over; this one's row is about to be written.
    os.utime(path)
    target.hardlink_to(path)
    sync(target.parent)


def replace(path: Path, name: str) -> None:
    """Give a finished file its place, whatever stood there: at once, so that nobody ever sees half of it.

    As with `adopt` it is a second name for the same bytes. May be done again.
    """
    target, second = path_of(name), path.with_name(f"{path.name}.published")
    second.unlink(missing_ok=True)
    os.utime(path)
    second.hardlink_to(path)
    for _ in range(_TRIES):
        # Somebody may remove the folder, as it is empty, at any moment until the file is in it.
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            target.parent.mkdir(parents=True, exist_ok=True)
            second.rename(target)
            break
    else:
        second.rename(target)
    sync(target.parent)


def holds(name: str, path: Path) -> bool:
    """Whether what stands at the name is this very file."""
    try:
        return path_of(name).samefile(path)
    except FileNotFoundError:
        return False


def publish(folder: Path, name: str) -> None:
    """Move a whole folder into place at once: nobody ever sees half of it."""
    target = path_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        sync(path)
    sync(folder)
    os.utime(folder)  # as with `adopt`
    folder.rename(target)
    sync(target.parent)


def remove(*names: str) -> None:
    """Remove stored files or folders, and the folders that are empty without them; fine if they are gone already."""
    for name in filter(None, names):
        _remove(path_of(name))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    _prune(path.parent)


def remove_file(path: Path) -> None:
    """Remove a file that is not stored, such as an unfinished upload's."""
    path.unlink(missing_ok=True)


def _prune(folder: Path) -> None:
    root = Path(settings.MEDIA_ROOT).resolve()
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except OSError:  # not empty, or gone already
            return
        folder = folder.parent


def parts() -> Shelf | None:
    """Where encoded parts of films are kept for the films to come; None: nowhere."""
    most = settings.JOINTO_VIDEOS.parts_bytes
    return Shelf(Path(settings.PARTS_DIR), most=most) if most else None


def sync(path: Path) -> None:
    """Have what was written survive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
