"""What can be wrong with an upload or a video, each with its code, its sentence and its status."""

from __future__ import annotations

from jobs.errors import BadInput, JointoError, Remedy


class UploadTooLarge(BadInput):
    code = "file_too_large"
    status = 413
    message = "The file is larger than this site takes."


class UploadFinished(BadInput):
    code = "upload_finished"
    status = 409
    message = "This upload was merged already; begin a new one."


class UploadGone(BadInput):
    code = "upload_gone"
    status = 410
    message = "What had arrived of this upload is gone. Begin the upload again."


class UploadTokenInvalid(BadInput):
    code = "upload_token_invalid"
    status = 401
    message = "The upload token is wrong. Begin or resume the upload to get one."


class UploadTokenExpired(BadInput):
    code = "upload_token_expired"
    status = 401
    message = "The upload token has expired. Resume the upload to get a new one; what has arrived is kept."


class ChunkOutOfRange(BadInput):
    code = "chunk_out_of_range"
    status = 416
    message = "The upload has no chunk with this index."


class ChunkSizeWrong(BadInput):
    code = "chunk_size_wrong"
    status = 400
    message = "The chunk does not have the number of bytes that this index has to have."


class ChunkTooLarge(BadInput):
    code = "chunk_too_large"
    status = 413
    message = "The chunk has more bytes than a chunk of this upload may have."


class ChunkConflict(BadInput):
    code = "chunk_conflict"
    status = 409
    message = "Other bytes have arrived for this chunk before. Abort the upload and begin again."


class ChunkMissing(BadInput):
    code = "chunk_missing"
    status = 409
    message = "Some chunks have not arrived yet. Send them, then merge again."


class ChecksumMismatch(BadInput):
    code = "checksum_mismatch"
    status = 422
    message = "The bytes that arrived do not have the checksum that was declared. Upload the file again."


class DigestMalformed(BadInput):
    code = "digest_malformed"
    status = 400
    message = "The digest header can't be read. Use Content-Digest: sha-256=:…: or Content-MD5."


class SourceGone(BadInput):
    code = "source_gone"
    status = 410
    message = "The uploaded file is not there any more. Upload it again."


class TooSlow(BadInput):
    code = "processing_too_slow"
    status = 422
    message = "Processing the video took longer than this site allows. Upload a shorter or smaller version."


class VideoDeleted(BadInput):
    code = "video_deleted"
    status = 409
    message = "The video was deleted. Restore it first."


class StorageFull(JointoError):
    code = "storage_full"
    status = 507
    remedy = Remedy.RETRY
    message = "The server has no room left on its disk. Try again later, or tell its operator."


class ChunksTotalWrong(BadInput):
    code = "chunks_total_wrong"
    status = 400
    message = "The upload has a different number of chunks."


class IdempotencyKeyTooLong(BadInput):
    code = "idempotency_key_too_long"
    status = 400
    message = "An Idempotency-Key may have at most 255 characters."
