"""The bytes of a file: the timeline itself, or a bundle (.otioz) of it and its media, of which nothing else is read.

Nothing is ever unpacked to a disk, so that names and links in a bundle lead nowhere.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from videos.timeline.otio.errors import OtioInvalid
from videos.timeline.otio.report import Report

MOST_BYTES = 20 * 1024 * 1024
_MOST_ENTRIES = 10_000
_CONTENT = "content.otio"
_KNOWN = frozenset({_CONTENT, "version.txt"})


def content(data: bytes, report: Report) -> bytes:
    """The timeline's JSON. Raises OtioInvalid."""
    if len(data) > MOST_BYTES:
        raise OtioInvalid("The file is too large. Send the content.otio of a bundle alone, without its media.")
    if not data.startswith(b"PK"):
        return data
    if data.count(b"PK\1\2") > _MOST_ENTRIES:  # each entry has such a mark; counted before anything is made of them
        raise OtioInvalid("The bundle has too many entries.")
    try:
        return _unpacked(data, report)
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, RuntimeError) as error:
        # zipfile says damage, encryption and versions that it does not know in as many ways
        raise OtioInvalid("The bundle can't be opened: it is damaged, encrypted, or no .otioz.") from error


def _unpacked(data: bytes, report: Report) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        entry = bundle.getinfo(_CONTENT)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile
        with bundle.open(entry) as stream:
            found = stream.read(MOST_BYTES + 1)  # whatever size is declared
        media = [one for one in bundle.infolist() if one.filename not in _KNOWN and not one.is_dir()]
    if len(found) > MOST_BYTES:
        raise OtioInvalid("The timeline in the bundle is too large.")
    if media:
        said = f"The bundle holds {len(media)} other files; they are not taken over. Upload the media by themselves."
        report.remark("", "media_not_taken", said)
    return found
