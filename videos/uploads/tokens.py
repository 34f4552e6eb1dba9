"""An upload's own token: authorises its chunks, so that a sign-in that expires half way ends nothing.

Signed, not stored: it names the upload and when it was given.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core import signing

from videos.errors import UploadTokenExpired, UploadTokenInvalid
from videos.models import Upload

_signer = signing.TimestampSigner(salt="videos.upload")


def give(upload: Upload) -> str:
    """A token for this upload, from now on."""
    return _signer.sign(upload.pk.hex)


def read(token: str) -> uuid.UUID:
    """The upload that a token is for. Raises UploadTokenExpired, UploadTokenInvalid."""
    try:
        return uuid.UUID(_signer.unsign(token, max_age=settings.JOINTO_VIDEOS.token))
    except signing.SignatureExpired as error:
        raise UploadTokenExpired from error
    except (signing.BadSignature, ValueError) as error:
        raise UploadTokenInvalid from error
