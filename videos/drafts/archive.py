"""Zip archives that strangers sent: a draft, and its media.

What is refused is refused before a byte is unpacked: names that lead out of a folder, links, more entries than
allowed, and bombs, by the sizes that the archive states; zipfile gives no more than that of any entry. Nothing is ever
written under a name of the archive's, and only what the draft names is unpacked.
"""

from __future__ import annotations

import contextlib
import functools
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO
from zipfile import ZipInfo

from videos.drafts.errors import DraftArchiveUnsafe, DraftTooLarge

_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_DOCUMENTS = ("draft_content.json", "draft_info.json")
_MOST_DOCUMENTS = 50  # that are opened to find the draft
_MOST_SEARCHED = 2  # of the largest drafts: so many bytes are unpacked to find it
_PIECE = 1 << 20
_SMALL = 10 << 20  # bytes: an entry that is no larger is no bomb, however well it is packed
_UTF8_NAME, _ENCRYPTED = 0x800, 0x1  # flags of an entry
_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # others let the archive say how much memory is used
_DIRECTORY_ENTRY = 512  # bytes in the directory, of each entry that is allowed
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, OverflowError)
_END, _END_64, _WHERE_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_LONGEST_COMMENT = 0xFFFF
_LONGEST_NAME = 255  # characters: no system has files or folders that are called more
_MOST_ALIKE = 16  # parts of a path, from its end, by which a file is found in another folder


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may be."""

    entries: int
    ratio: int  # of an entry's bytes, unpacked and packed
    document_bytes: int
    total_bytes: int  # unpacked, of everything


@dataclass(frozen=True)
class _Entry:
    """A file in the archive, and the parts of its path."""

    info: ZipInfo
    parts: tuple[str, ...]

    @property
    def order(self) -> tuple[int, tuple[str, ...]]:
        """The least deep one first."""
        return len(self.parts), self.parts

    @property
    def name(self) -> str:
        return self.parts[-1].lower()


def is_one(head: bytes) -> bool:
    """Whether a file that begins so is a zip archive."""
    return head.startswith(_MARKS)


@contextlib.contextmanager
def opened(file: Path | BinaryIO, limits: Limits) -> Iterator[Archive]:
    """An archive that may be read. Raises DraftArchiveUnsafe, DraftTooLarge."""
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(file.open("rb")) if isinstance(file, Path) else file
        _check_end(stream, limits)
        try:
            found = stack.enter_context(zipfile.ZipFile(stream))
        except _BROKEN as error:
            raise _damaged() from error
        yield Archive(found, limits)


class Archive:
    """The files in a zip archive, all of them checked."""

    def __init__(self, file: zipfile.ZipFile, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        infos, size = file.infolist(), _length(file.fp)
        _check_places(infos, size=size)
        _check_sizes(infos, limits, size=size)
        self._entries = sorted((entry for info in infos if (entry := _entry(info))), key=lambda entry: entry.order)
        self._by_path: dict[str, ZipInfo] = {}
        self._by_end: dict[tuple[str, ...], ZipInfo] = {}
        for entry in self._entries:
            folded = _folded(entry.parts)
            self._by_path.setdefault("/".join(folded), entry.info)
            for end in _ends(folded):
                self._by_end.setdefault(end, entry.info)

    def documents(self) -> Iterator[tuple[str, bytes]]:
        """What may be the draft, the likeliest first: its folder in the archive, and its content."""
        written = [entry for entry in self._entries if entry.name.endswith(".json")]
        likely = sorted(written, key=lambda entry: entry.name not in _DOCUMENTS)
        left = _MOST_SEARCHED * self._limits.document_bytes
        for entry in likely[:_MOST_DOCUMENTS]:
            if entry.info.file_size <= min(left, self._limits.document_bytes):
                left -= entry.info.file_size
                with self._reading(entry.info) as stream:
                    yield "/".join(entry.parts[:-1]), stream.read()
            elif entry.name in _DOCUMENTS and entry.info.file_size > self._limits.document_bytes:
                raise DraftTooLarge(details={"max_bytes": self._limits.document_bytes})

    def find(self, path: str, *, folder: str | None = None) -> ZipInfo | None:
        """A file by its path, from that folder; else the one of its name whose folders are called most like it."""
        wanted = _folded(_parts(path))
        if folder is not None and (found := self._by_path.get(_folder(folder) + "/".join(wanted))):
            return found
        return next((found for end in _ends(wanted) if (found := self._by_end.get(end))), None)

    def extract(self, info: ZipInfo, target: Path) -> None:
        """Write one file. Raises DraftArchiveUnsafe."""
        with self._reading(info) as stream, target.open("wb") as file:
            while piece := stream.read(_PIECE):
                file.write(piece)

    @contextlib.contextmanager
    def _reading(self, info: ZipInfo) -> Iterator[IO[bytes]]:
        if info.flag_bits & _ENCRYPTED:
            raise _unsafe("password", "A file in the archive has a password. Pack it without one.", info)
        if info.compress_type not in _PACKINGS:
            raise _unsafe("packing", "A file in the archive is packed in an unusual way. Use plain zip.", info)
        try:
            with self._file.open(info) as stream:
                yield stream
        except _BROKEN as error:
            raise _damaged(info) from error


def _entry(info: ZipInfo) -> _Entry | None:
    """A file, its name checked; None for a folder, and for what macOS adds."""
    name = _name(info)
    kind = stat.S_IFMT(info.external_attr >> 16)
    parts = _parts(name)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _unsafe("link", "There is a link in the archive, or something else that is no file.", info)
    if "\0" in info.orig_filename or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or ".." in parts:
        raise _unsafe("name", "A name in the archive leads out of its folder.", info)
    if name.endswith(("/", "\\")) or not parts or parts[0] == "__MACOSX" or parts[-1].startswith("._"):
        return None
    return _Entry(info, parts)


def _name(info: ZipInfo) -> str:
    """As whoever packed it called it. Windows packs in the system's code page, and zipfile takes that for cp437."""
    if info.flag_bits & _UTF8_NAME or info.filename.isascii():
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        with contextlib.suppress(UnicodeError):
            return info.filename.encode("cp437").decode(encoding)
    return info.filename


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[/\\]", path) if part not in ("", "."))


def _folded(parts: tuple[str, ...]) -> tuple[str, ...]:
    """As systems compare names: without case, and with accents as macOS keeps them or as all others do."""
    # A long row of marks is put in order mark by mark, each past all that belong behind it: it would take minutes.
    short = (part if len(part) > _LONGEST_NAME else unicodedata.normalize("NFC", part) for part in parts)
    return tuple(part.casefold() for part in short)


@functools.lru_cache(maxsize=1)
def _folder(path: str) -> str:
    """The draft's, with a slash: the same for all of its media. It may be as deep as a name is long."""
    return "".join(f"{part}/" for part in _folded(_parts(path)))


def _ends(parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The last parts of a path, the most of them first."""
    return (parts[-count:] for count in range(min(len(parts), _MOST_ALIKE), 0, -1))


def _length(stream: IO[bytes] | None) -> int:
    return stream.seek(0, 2) if stream else 0


def _check_places(infos: list[ZipInfo], *, size: int) -> None:
    """Refuse what does not begin in the archive: zipfile would look there, and the system say that it can't."""
    for info in infos:
        if not 0 <= info.header_offset < size:
            raise _damaged(info)


def _check_sizes(infos: list[ZipInfo], limits: Limits, *, size: int) -> None:
    """`size`: of the archive. What its entries say of theirs counts the same bytes twice where they overlap."""
    if len(infos) > limits.entries:
        raise _too_many(limits)
    total = sum(info.file_size for info in infos)
    if total > limits.total_bytes:
        raise DraftTooLarge(details={"max_bytes": limits.total_bytes})
    if total > _SMALL and total > limits.ratio * size:
        raise DraftArchiveUnsafe.of("ratio", "The archive would unpack to many times its size.")
    for info in infos:
        if info.file_size > _SMALL and info.file_size > limits.ratio * max(1, info.compress_size):
            raise _unsafe("ratio", "A file in the archive would unpack to many times its size.", info)


def _check_end(stream: BinaryIO, limits: Limits) -> None:
    """Refuse by what the archive's last record says, before zipfile reads a directory of any length into memory."""
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(max(0, size - _LONGEST_COMMENT - 22 - 76))
    tail = stream.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise _damaged()
    entries, length = struct.unpack_from("<HL", tail, at + 10)
    if at >= 20 and tail[at - 20 : at - 16] == _WHERE_64:
        stream.seek(min(size, *struct.unpack_from("<Q", tail, at - 12)))
        # Older versions of zipfile look right before the locator, whatever that says.
        for record in (stream.read(56), tail[max(0, at - 76) : at - 20]):
            if len(record) == 56 and record.startswith(_END_64):
                said = struct.unpack_from("<QQ", record, 32)
                entries, length = max(entries, said[0]), max(length, said[1])
    stream.seek(0)
    if entries > limits.entries or length > limits.entries * _DIRECTORY_ENTRY:
        raise _too_many(limits)


def _too_many(limits: Limits) -> DraftArchiveUnsafe:
    return DraftArchiveUnsafe.of("entries", f"There are more than {limits.entries} files in the archive.")


def _damaged(info: ZipInfo | None = None) -> DraftArchiveUnsafe:
    sentence = "The archive is damaged. Pack it again."
    return DraftArchiveUnsafe.of("damaged", sentence, name=info.filename if info else "")


def _unsafe(reason: str, sentence: str, info: ZipInfo) -> DraftArchiveUnsafe:
    return DraftArchiveUnsafe.of(reason, sentence, name=info.filename)
