"""What an upload becomes, by its purpose: a row of the user's own that names the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from videos import storage
from videos.errors import ChecksumMismatch
from videos.models import Draft, Medium, Upload, Uploaded, Video
from videos.uploads import digests

Became = Uploaded | Draft


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    upload_field: str = ""  # which names the row; empty: it is read, and what comes of that names the upload
    # None: its rows are made elsewhere, and the same content is something new each time.
    model: type[Uploaded] | None = None
    made: Q = field(default_factory=Q)  # of rows that something has been made of
    said: Mapping[str, str] = field(default_factory=dict)  # by the purpose, of the row
    place: Callable[[bytes, datetime], str] = storage.name_for_upload  # by the first bytes
    most_bytes: Callable[[], int] = lambda: int(settings.JOINTO_VIDEOS.max_bytes)


_VIDEO = _Outcome(upload_field="video", model=Video, made=~Q(folder=""))
_STILL = _Outcome(upload_field="medium", model=Medium, made=~Q(file=""), said={"kind": Medium.Kind.STILL.value})
_SOUND = _Outcome(upload_field="medium", model=Medium, made=~Q(file=""), said={"kind": Medium.Kind.SOUND.value})
# What is made of a draft depends on more than its bytes: on what was asked for, and on media that are elsewhere.
_DRAFT = _Outcome(
    upload_field="draft",
    place=lambda head, now: storage.name_for_draft(head),
    most_bytes=lambda: int(settings.JOINTO_DRAFTS.max_bytes),
)
_BY_PURPOSE = {
    Upload.Purpose.VIDEO.value: _VIDEO,
    Upload.Purpose.STILL.value: _STILL,
    Upload.Purpose.SOUND.value: _SOUND,
    Upload.Purpose.DRAFT.value: _DRAFT,
}
_FIELDS = sorted({outcome.upload_field for outcome in _BY_PURPOSE.values()})


def add(purpose: str, *, most_bytes: Callable[[], int]) -> None:
    """A purpose of a floor above, which reads what has arrived (`sessions.consume`). `most_bytes`: of a file."""
    _BY_PURPOSE[purpose] = _Outcome(most_bytes=most_bytes)


def most_bytes(purpose: str) -> int:
    """How large a file may be that is to become this."""
    return _BY_PURPOSE[purpose].most_bytes()


def place(upload: Upload, head: bytes, now: datetime) -> str:
    """Where the file is to be stored that begins with these bytes."""
    return _BY_PURPOSE[upload.purpose].place(head, now)


def create(upload: Upload, row: Became | None, *, source: str, title: str) -> dict[str, Became]:
    """Make the row, and say by which field the upload is to name it. `row`: not saved yet; None: a new one."""
    outcome = _BY_PURPOSE[upload.purpose]
    if row is None:
        assert outcome.model
        row = outcome.model(owner_id=upload.owner_id, title=title, source_size=upload.file_size, **outcome.said)
    row.source = source
    row.save(force_insert=True)
    return {outcome.upload_field: row}


def of(upload: Upload, hashes: Sequence[str]) -> Became | None:
    """What an upload became, by whoever completed it; None: nothing. Raises ChecksumMismatch if it has other hashes."""
    with_jobs = Upload.objects.select_related(*(f"{name}__job" for name in _FIELDS))
    now = with_jobs.filter(pk=upload.pk, merged_at__isnull=False).first()
    became: Became | None = getattr(now, _BY_PURPOSE[upload.purpose].upload_field) if now else None
    if now is None or became is None:
        return None
    if digests.contradict([*now.declared, *hashes], _computed(became)):
        raise ChecksumMismatch
    return became


def known(purpose: str, *, owner_id: int, size: int, file_hash: str) -> Became | None:
    """What the user has made of the same content before."""
    # Only what we computed ourselves counts, and only among the user's own: a checksum is no proof that somebody
    # has the file.
    algorithm, _, value = file_hash.partition(":")
    outcome = _BY_PURPOSE[purpose]
    if not value or outcome.model is None:
        return None
    same = outcome.model._default_manager.filter(owner_id=owner_id, source_size=size, deleted_at__isnull=True)
    found = same.filter(outcome.made, **outcome.said, **{algorithm: value}).select_related("job").first()
    return found


def names(source: str) -> bool:
    """Whether anything names this uploaded file."""
    return any(model._default_manager.filter(source=source).exists() for model in (Video, Medium, Draft))


def _computed(became: Became) -> dict[str, str]:
    if isinstance(became, Draft):
        return {}
    return {name: text for name, text in (("sha256", became.sha256), ("md5", became.md5)) if text}
