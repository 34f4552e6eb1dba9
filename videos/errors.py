"""What can be wrong with uploads, videos, projects and exports, each with its code, its sentence and its status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.errors import BadInput, JointoError, Remedy

_SHOWN = 50  # problems at once
_NAMED = 5  # in a sentence


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
    message = "Processing the file took longer than this site allows. Upload a shorter or smaller version."


class VideoDeleted(BadInput):
    code = "video_deleted"
    status = 409
    message = "The video was deleted. Restore it first."


class MediumDeleted(BadInput):
    code = "medium_deleted"
    status = 409
    message = "The still or sound was deleted. Restore it first."


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


class ProjectGone(BadInput):
    code = "project_gone"
    status = 410
    message = "The project is not there any more."


class ProjectDeleted(BadInput):
    code = "project_deleted"
    status = 409
    message = "The project was deleted. Restore it first."


class ProjectEmpty(BadInput):
    code = "project_empty"
    message = "There is nothing in the project to make a film of. Add materials, or clips to its timeline."


class MaterialNameTaken(BadInput):
    code = "material_name_taken"
    status = 409
    message = "Another material of the project has this name."


class TooManyMaterials(BadInput):
    code = "materials_too_many"
    message = "The project has as many materials as one may have."


class MaterialGone(BadInput):
    """A material that was deleted, or has no file any more."""

    code = "material_gone"

    @classmethod
    def of(cls, name: str) -> MaterialGone:
        """Of the material that is called so."""
        sentence = f"What the material {name} stands for is gone. Restore it, or give the material another one."
        return cls(sentence, details={"material": name})


class MaterialNotReady(BadInput):
    """A still or a sound that its job has not prepared yet."""

    code = "material_not_ready"
    status = 409

    @classmethod
    def of(cls, name: str) -> MaterialNotReady:
        """Of the material that is called so."""
        return cls(f"The material {name} is being prepared. Ask again once it is ready.", details={"material": name})


class MaterialUnusable(BadInput):
    """A material whose file can't be read; the reason is that of the file."""

    code = "material_unusable"

    @classmethod
    def of(cls, name: str, reason: JointoError) -> MaterialUnusable:
        """Of the material that is called so."""
        return cls(f"The material {name} can't be used. {reason.message}", details={"material": name})


class PreconditionRequired(BadInput):
    code = "precondition_required"
    status = 428
    message = "Say in If-Match which version of the timeline you have changed: the ETag that came with it."


class TimelineChanged(BadInput):
    code = "timeline_changed"
    status = 412
    message = "Somebody else has changed the timeline since. Get it again, and make your changes to that."


class TimelineMaterialUnknown(BadInput):
    """`details["problems"]`: for each the path of the clip's material, and which one that is."""

    code = "timeline_material_unknown"

    @classmethod
    def of(cls, unknown: Mapping[str, str]) -> TimelineMaterialUnknown:
        """With the name that is unknown at each path."""
        problems = [
            {"path": path, "problem": f"The project has no material called {name}"} for path, name in unknown.items()
        ]
        first = problems[0]
        return cls(f"{first['path']}: {first['problem']}.", details={"problems": problems[:_SHOWN]})


class OtioMediaMissing(BadInput):
    """`details["media"]`: what the file calls each medium, and where it has it."""

    code = "otio_media_missing"

    @classmethod
    def of(cls, media: Sequence[Mapping[str, str]]) -> OtioMediaMissing:
        """With the media that are missing."""
        names = ", ".join(one["name"] for one in media[:_NAMED])
        more = f" and {len(media) - _NAMED} more" if len(media) > _NAMED else ""
        sentence = f"The project has no material for {names}{more}. Add them, or leave them out by missing=skip."
        return cls(sentence, details={"media": list(media[:_SHOWN])})


class SubtitlesMissing(BadInput):
    code = "subtitles_missing"
    message = "There are no subtitles in the file. Send one in SubRip or WebVTT."


class SubtitlesTrackUnknown(BadInput):
    """`details["tracks"]`: the numbers of those that could be meant, counted from 0, the lowest."""

    code = "subtitles_track_unknown"
    message = "The timeline has no track of subtitles with this number. Leave it out to have a new one."


class NothingToUndo(BadInput):
    code = "nothing_to_undo"
    status = 409
    message = "There is no earlier version of the timeline."


class NothingToRedo(BadInput):
    code = "nothing_to_redo"
    status = 409
    message = "There is no later version of the timeline."


class ExportInvalid(BadInput):
    """`details["problems"]`: what is wrong, by the name of the field."""

    code = "export_invalid"
    message = "What is asked of the export can't be."

    @classmethod
    def of(cls, problems: Mapping[str, str]) -> ExportInvalid:
        """With what is wrong of each field."""
        field, problem = next(iter(problems.items()))
        return cls(f"{field or 'export'}: {problem}.", details={"problems": dict(problems)})


class ExportGone(BadInput):
    code = "export_gone"
    status = 410
    message = "The export was deleted while it was made."


class ExportTooLong(BadInput):
    code = "export_too_long"
    message = "The film would be longer than this site makes. Shorten it, or cut it in two."


class ExportTooSlow(BadInput):
    code = "export_too_slow"
    message = (
        "The export took longer than this site allows. Ask for a smaller size or a quicker preset, or cut it in two."
    )
