"""The bytes of an unfinished upload: one file, written to at several places at once, under locks of its own."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from videos import errors
from videos.models import Upload

_TO_THE_END = 0  # as fcntl(2) has it


def check_place(upload: Upload, index: int, length: int) -> None:
    """See that the file has a place for a chunk like this. Raises ChunkOutOfRange, ChunkTooLarge, ChunkSizeWrong."""
    if not 0 <= index < upload.chunks_total:
        raise errors.ChunkOutOfRange(
            f"The upload has the chunks 0 to {upload.chunks_total - 1}.",
            details={"chunks_total": upload.chunks_total},
        )
    expected = upload.chunk_length(index)
    if length == expected:
        return
    wrong = errors.ChunkTooLarge if length > expected else errors.ChunkSizeWrong
    raise wrong(
        f"Chunk {index} has to have {expected} bytes, and {length} came.",
        details={"index": index, "expected": expected, "received": length},
    )


def lock(file: int, offset: int = 0, length: int = _TO_THE_END) -> None:
    """Wait until nobody else works on these bytes, over all threads and processes; until the file is closed.

    The lock belongs to this opening of the file (fcntl(2), open file description locks), goes with it whatever
    happens, and leaves the other chunks alone.
    """
    wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, offset, length, 0)
    fcntl.fcntl(file, fcntl.F_OFD_SETLKW, wanted)


def write(file: int, data: bytes | memoryview, offset: int) -> None:
    """Put bytes in their place, for good. Raises StorageFull."""
    view = memoryview(data)
    try:
        while view:
            written = os.pwrite(file, view, offset)
            view, offset = view[written:], offset + written
        os.fdatasync(file)  # what is answered as received survives a loss of power
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise errors.StorageFull from error
        raise
