"""What can be wrong with a wish for a picture or a clip, and with what came back."""

from __future__ import annotations

from collections.abc import Mapping

from jobs.errors import BadInput, JointoError, Remedy


class GenerationInvalid(BadInput):
    """`details["fields"]` says of each field what is wrong with it."""

    code = "generation_invalid"
    message = "This can't be made as it is asked for."

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> GenerationInvalid:
        said = " ".join(f"{name}: {sentence}" for name, sentence in fields.items())
        return cls(f"{cls.message} {said}", details={"fields": dict(fields)})


class GenerationGone(JointoError):
    code = "generation_gone"
    status = 404
    remedy = Remedy.NONE
    message = "This picture or clip was deleted."


class GenerationTaken(JointoError):
    """Another attempt works for it meanwhile; this one's end is not heard of."""

    code = "generation_taken"
    status = 409
    remedy = Remedy.NONE
    message = "Another attempt works for this already."


class GenerationEnded(JointoError):
    """It came to its end while its job was being started again."""

    code = "generation_ended"
    status = 409
    remedy = Remedy.NONE
    message = "This has come to its end already: start the job again if it is still wanted."


class GenerationUnusable(JointoError):
    """What a provider sent is not what it was asked for."""

    code = "generation_unusable"
    status = 502
    remedy = Remedy.NONE
    message = "What the AI service made can't be used: start the job again, or choose another model."

    @classmethod
    def of(cls, error: JointoError) -> GenerationUnusable:
        return cls(f"{cls.message} {error.message}", details={"code": error.code})


class PictureMissing(BadInput):
    code = "picture_missing"
    message = "There is no picture to begin with: give image_url, or an asset that has a picture."


class PictureNotReady(JointoError):
    code = "picture_not_ready"
    status = 409
    remedy = Remedy.WAIT
    message = "The picture to begin with is still being prepared. The job goes on by itself once it is."
