"""An upload from its beginning to its end: begin, write, complete, abort.

Every chunk is written where it belongs in one file, so that completing moves nothing and copies nothing, and
memory stays as flat as one chunk however large the file is. The faces (chunks, later tus and others) are thin
and stand on this.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from jobs.models import Job
from videos import errors, storage
from videos.models import Chunk, Upload
from videos.uploads import digests, outcomes, parts, rolling
from videos.uploads.outcomes import Became

Start = Callable[[int], Job]
Read = TypeVar("Read")
Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a client wants to upload, as it says itself."""

    file_name: str
    file_size: int
    file_hash: str = ""  # normalised, or empty
    last_modified: int | None = None
    purpose: str = Upload.Purpose.VIDEO


@dataclass(frozen=True)
class Begun:
    """An upload to send chunks to, and whether it was there before."""

    upload: Upload
    resumed: bool


def begin(wish: Wish, *, owner_id: int) -> Begun | Became:
    """Begin an upload, or continue the same user's unfinished one of the same file.

    Content that the user already has is there at once: what it became then. Raises UploadTooLarge.
    """
    if wish.file_size > (limit := outcomes.most_bytes(wish.purpose)):
        raise errors.UploadTooLarge(
            f"The file is larger than the {limit} bytes that this site takes.", details={"max_bytes": limit}
        )
    if known := outcomes.known(wish.purpose, owner_id=owner_id, size=wish.file_size, file_hash=wish.file_hash):
        return known
    with transaction.atomic():
        # One at a time for each owner, or two at once would both find nothing to go on with. The owner's row is one
        # that every database can hold, also before there is an upload; SQLite, which knows no locks of rows, has
        # one transaction at a time anyway. No key: what others make for the owner meanwhile need not wait.
        get_user_model().objects.select_for_update(no_key=True).filter(pk=owner_id).values_list("pk").first()
        for upload in _unfinished(wish, owner_id):
            if _take_up(upload, wish):
                return Begun(upload, resumed=True)
        return Begun(_create(wish, owner_id), resumed=False)


def write(upload: Upload, index: int, data: bytes | memoryview, headers: Mapping[str, str]) -> None:
    """Put one chunk where it belongs, for good. The same bytes again are fine.

    Raises ChunkOutOfRange, ChunkTooLarge, ChunkSizeWrong, ChecksumMismatch, ChunkConflict, UploadFinished,
    UploadGone, StorageFull.
    """
    if upload.merged_at:
        raise errors.UploadFinished
    parts.check_place(upload, index, len(data))
    digests.check_chunk(data, headers)
    offset = index * upload.chunk_size
    with _part(upload) as file:
        parts.lock(file, offset, len(data))
        if _is_there(upload, index):
            if os.pread(file, len(data), offset) != data:
                raise errors.ChunkConflict(details={"index": index})
            Upload.objects.filter(pk=upload.pk).update(touched_at=timezone.now())
            return
        parts.write(file, data, offset)
        try:
            with transaction.atomic():
                Chunk.objects.create(upload=upload, index=index)
                Upload.objects.filter(pk=upload.pk).update(touched_at=timezone.now())
        except IntegrityError as error:  # the upload was given up this very moment
            raise errors.UploadGone from error
        # Only what is recorded: another process may take other bytes for a chunk whose record failed here.
        rolling.add(upload.pk, digests.algorithms(upload.declared), index, data)


def received(upload: Upload) -> list[tuple[int, int]]:
    """The chunks that are there, as ranges of indices, both ends included."""
    if upload.merged_at:
        return [(0, upload.chunks_total - 1)]
    ranges: list[tuple[int, int]] = []
    for index in upload.chunks.order_by("index").values_list("index", flat=True).iterator():
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1] = (ranges[-1][0], index)
        else:
            ranges.append((index, index))
    return ranges


@contextlib.contextmanager
def arrived(upload: Upload, hashes: Sequence[str] = ()) -> Iterator[BinaryIO]:
    """The bytes of an upload that has arrived whole, to be looked at before it is completed; they change no more.

    Raises ChunkMissing, ChecksumMismatch, UploadFinished, UploadGone.
    """
    with _part(upload) as file:
        parts.lock(file)
        _is_there(upload, 0)  # raises if somebody has ended it meanwhile
        _check_whole(upload)
        if _is_wrong(upload, hashes):
            abort(upload)
            raise errors.ChecksumMismatch
        with os.fdopen(os.dup(file), "rb") as content:
            yield content


def consume(
    upload: Upload, read: Callable[[bytes], Read], make: Callable[[Read], Made], *, hashes: Sequence[str] = ()
) -> Made:
    """Have an upload that has arrived whole be read, make something of it, and end it: its bytes are not kept.

    `read` is called before the transaction that ends it, `make` in that. What they raise leaves the upload as it is.
    Raises ChunkMissing, ChecksumMismatch, UploadFinished, UploadGone.
    """
    declared = [*upload.declared, *hashes]
    with arrived(upload, hashes) as content:
        data = content.read()
        if digests.contradict(declared, digests.of_bytes(data, digests.algorithms(declared))):
            abort(upload)
            raise errors.ChecksumMismatch
        found = read(data)
        with transaction.atomic():
            held = Upload.objects.select_for_update().filter(pk=upload.pk, merged_at=None).first()
            if held is None:
                raise errors.UploadGone
            made = make(found)
            _end(held, hashes)
    storage.remove_file(path_of(upload.pk))
    rolling.forget(upload.pk)
    return made


def complete(
    upload: Upload, *, start: Start, title: str = "", row: Became | None = None, hashes: Sequence[str] = ()
) -> Became:
    """Make a row of an upload that has arrived whole, and have a job work for it; the same one when asked again.

    `row` is what it becomes, not saved yet; else a new one of that title. `start` is called with its id, in the
    transaction that makes it, and gives the job. `hashes` are the file's as they are declared now, beside what was
    declared before. Raises ChunkMissing, ChecksumMismatch, UploadGone.
    """
    # Asked before we wait for others: one of them may take the upload away, and with it what is known.
    wrong = _is_wrong(upload, hashes)
    try:
        with _part(upload) as file:
            parts.lock(file)  # no chunk is being written now, and none will be once the upload is complete
            return _complete(upload, row, title=title, start=start, hashes=hashes)
    except (errors.UploadFinished, errors.UploadGone):
        if became := outcomes.of(upload, hashes):
            return became
        raise errors.ChecksumMismatch if wrong else errors.UploadGone from None


def _complete(upload: Upload, row: Became | None, *, title: str, start: Start, hashes: Sequence[str]) -> Became:
    part, name = path_of(upload.pk), ""
    try:
        with transaction.atomic():
            # Held until the new row is committed: an abort waits, and so does who goes on with it and tells a hash.
            held = Upload.objects.select_for_update().filter(pk=upload.pk, merged_at=None).first()
            if held is None:
                raise errors.UploadGone
            _check_whole(held)
            if _is_wrong(held, hashes):
                raise errors.ChecksumMismatch
            name = outcomes.place(held, storage.head_of(part), timezone.now())
            storage.adopt(part, name)
            named = outcomes.create(held, row, source=name, title=title)
            became = _hand_over(held, named, hashes=hashes, start=start)
    except errors.ChecksumMismatch:
        abort(upload)
        raise
    except BaseException:
        # A COMMIT whose answer was lost may have taken effect: take the file back only if no row names it.
        if name and not outcomes.names(name):
            storage.remove(name)
        raise
    storage.remove_file(part)
    rolling.forget(upload.pk)
    return became


def abort(upload: Upload, *, untouched_since: datetime | None = None) -> None:
    """End an unfinished upload, and remove what had arrived of it; fine if somebody else has.

    Raises UploadFinished if it is complete, or was touched after `untouched_since`.
    """
    with transaction.atomic():
        # Held until it is deleted: Django reads what it deletes first, and deletes by key alone.
        held = Upload.objects.select_for_update().filter(pk=upload.pk).first()
        if held and (held.merged_at or (untouched_since and held.touched_at >= untouched_since)):
            raise errors.UploadFinished
        if held:
            held.delete()
    storage.remove_file(path_of(upload.pk))
    rolling.forget(upload.pk)


def path_of(upload_id: uuid.UUID) -> Path:
    """The file that an upload's chunks are written to."""
    return Path(settings.UPLOADS_DIR) / f"{upload_id}.part"


def _unfinished(wish: Wish, owner_id: int) -> Iterator[Upload]:
    """The uploads to go on with, the best first: by hash, else by name, size and time of change."""
    mine = Upload.objects.filter(
        owner_id=owner_id,
        merged_at=None,
        file_size=wish.file_size,
        purpose=wish.purpose,
        chunk_size=settings.JOINTO_VIDEOS.chunk_bytes,
    ).order_by("-created_at")
    looks_alike = Q(file_name=wish.file_name, last_modified=wish.last_modified)
    if wish.file_hash:
        candidates = mine.filter(Q(file_hash=wish.file_hash) | (looks_alike & Q(file_hash="")))
    else:
        candidates = mine.filter(looks_alike)
    return (upload for upload in candidates[:10] if path_of(upload.pk).exists())


def _take_up(upload: Upload, wish: Wish) -> bool:
    """Go on with an unfinished upload, which learns its hash if it had none; under its owner's lock.

    False if it was merged or given up this very moment: then nothing is written.
    """
    upload.file_hash = upload.file_hash or wish.file_hash
    upload.touched_at = timezone.now()  # from now on the clean-up lets it be
    unfinished = Upload.objects.filter(pk=upload.pk, merged_at=None)
    return bool(unfinished.update(file_hash=upload.file_hash, touched_at=upload.touched_at))


def _create(wish: Wish, owner_id: int) -> Upload:
    upload = Upload.objects.create(
        owner_id=owner_id,
        purpose=wish.purpose,
        file_name=wish.file_name,
        file_size=wish.file_size,
        file_hash=wish.file_hash,
        last_modified=wish.last_modified,
        chunk_size=settings.JOINTO_VIDEOS.chunk_bytes,
        touched_at=timezone.now(),
    )
    # Before the row is committed: who finds a row without its file takes the upload for gone.
    path = path_of(upload.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(exist_ok=True)
    return upload


def _check_whole(upload: Upload) -> None:
    there = received(upload)
    missing, following = [], 0
    for first, last in [*there, (upload.chunks_total, upload.chunks_total)]:
        if first > following:
            missing.append([following, first - 1])
        following = last + 1
    if missing:
        raise errors.ChunkMissing(details={"missing": missing})


@contextlib.contextmanager
def _part(upload: Upload) -> Iterator[int]:
    """The file that its chunks are written to. Raises UploadFinished if it was merged meanwhile, UploadGone."""
    try:
        file = os.open(path_of(upload.pk), os.O_RDWR)
    except FileNotFoundError as error:
        merged = Upload.objects.filter(pk=upload.pk, merged_at__isnull=False).exists()
        raise errors.UploadFinished if merged else errors.UploadGone from error
    try:
        yield file
    finally:
        os.close(file)


def _is_there(upload: Upload, index: int) -> bool:
    """Whether the chunk has arrived, asked under its lock. Raises UploadFinished, UploadGone."""
    chunk = Chunk.objects.filter(upload=OuterRef("pk"), index=index)
    now = Upload.objects.filter(pk=upload.pk).annotate(there=Exists(chunk)).values_list("merged_at", "there").first()
    if now is None:
        raise errors.UploadGone
    merged_at, there = now
    if merged_at:
        raise errors.UploadFinished
    return bool(there)


def _is_wrong(upload: Upload, hashes: Sequence[str]) -> bool:
    """Whether one of the hashes, declared before or now, is known to be wrong already."""
    return digests.contradict([*upload.declared, *hashes], rolling.known(upload.pk, upload.chunks_total))


def _hand_over(upload: Upload, named: dict[str, Became], *, hashes: Sequence[str], start: Start) -> Became:
    """In the transaction that holds the upload: it is complete, what it became exists, the job is recorded."""
    _end(upload, hashes, **named)
    (became,) = named.values()
    became.job = start(became.pk)
    return became


def _end(upload: Upload, hashes: Sequence[str], **named: Became) -> None:
    """It takes no more chunks. `named`: what it became."""
    # None contradicts another: there are two at most, one of each algorithm.
    first, second, *_ = [*dict.fromkeys([*upload.declared, *hashes]), "", ""]
    Upload.objects.filter(pk=upload.pk).update(**named, merged_at=timezone.now(), file_hash=first, second_hash=second)
    Chunk.objects.filter(upload=upload).delete()
