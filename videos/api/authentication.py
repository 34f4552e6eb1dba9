"""Authentication by an upload's own token."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from videos.errors import UploadTokenInvalid
from videos.models import Upload
from videos.uploads import tokens

HEADER = "Upload-Token"


@dataclass(frozen=True)
class UploadGrant:
    """What `request.auth` is when the token of an upload authorised the request: good for that one alone."""

    upload_id: uuid.UUID


class UploadTokenAuthentication(BaseAuthentication):
    """The token that beginning an upload gave, in the header `Upload-Token`."""

    def authenticate(self, request: Request) -> tuple[User, UploadGrant] | None:
        token = request.headers.get(HEADER)
        if not token:
            return None
        upload_id = tokens.read(token)
        upload = Upload.objects.select_related("owner").filter(pk=upload_id, owner__is_active=True).first()
        if upload is None:
            raise UploadTokenInvalid
        return upload.owner, UploadGrant(upload_id)

    def authenticate_header(self, request: Request) -> str:
        return HEADER


class UploadTokenScheme(OpenApiAuthenticationExtension):
    """The token, in the schema."""

    target_class = "videos.api.authentication.UploadTokenAuthentication"
    name = "uploadToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": HEADER}
