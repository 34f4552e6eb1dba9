"""What an upload becomes, by its purpose: a row of the user's own that names the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from videos.models import Medium, Upload, Uploaded, Video


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    upload_field: str  # which names the row
    model: type[Uploaded]
    made: Q  # of rows that something has been made of
    said: Mapping[str, str] = field(default_factory=dict)  # by the purpose, of the row


_VIDEO = _Outcome(upload_field="video", model=Video, made=~Q(folder=""))
_STILL = _Outcome(upload_field="medium", model=Medium, made=~Q(file=""), said={"kind": Medium.Kind.STILL.value})
_SOUND = _Outcome(upload_field="medium", model=Medium, made=~Q(file=""), said={"kind": Medium.Kind.SOUND.value})
_BY_PURPOSE = {
    Upload.Purpose.VIDEO.value: _VIDEO,
    Upload.Purpose.STILL.value: _STILL,
    Upload.Purpose.SOUND.value: _SOUND,
}
_MODELS = list(dict.fromkeys(outcome.model for outcome in _BY_PURPOSE.values()))
FIELDS = sorted({outcome.upload_field for outcome in _BY_PURPOSE.values()})
"""The fields of an upload of which one names what it became."""


def create(upload: Upload, *, source: str, title: str) -> dict[str, Uploaded]:
    """Make the row, and say by which field the upload is to name it."""
    outcome = _BY_PURPOSE[upload.purpose]
    row = outcome.model._default_manager.create(
        owner_id=upload.owner_id, title=title, source=source, source_size=upload.file_size, **outcome.said
    )
    return {outcome.upload_field: row}


def of(upload: Upload) -> Uploaded | None:
    """What an upload became; None: it is unfinished."""
    became: Uploaded | None = getattr(upload, _BY_PURPOSE[upload.purpose].upload_field)
    return became


def known(purpose: str, *, owner_id: int, size: int, file_hash: str) -> Uploaded | None:
    """What the user has made of the same content before."""
    # Only what we computed ourselves counts, and only among the user's own: a checksum is no proof that somebody
    # has the file.
    algorithm, _, value = file_hash.partition(":")
    if not value:
        return None
    outcome = _BY_PURPOSE[purpose]
    same = outcome.model._default_manager.filter(owner_id=owner_id, source_size=size, deleted_at__isnull=True)
    found = same.filter(outcome.made, **outcome.said, **{algorithm: value}).select_related("job").first()
    return found


def names(source: str) -> bool:
    """Whether anything names this uploaded file."""
    return any(model._default_manager.filter(source=source).exists() for model in _MODELS)
