"""Gets drafts and media from the addresses that people gave, by `jobs.outbound`."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from jobs import outbound
from jobs.errors import JointoError, Remedy
from videos.drafts.errors import DraftTooLarge, DraftUnreachable


def check(url: str) -> None:
    """Whether the address may be fetched, without doing so. Raises what `outbound.check` raises."""
    outbound.check(url, allow=settings.JOINTO_JOBS.inner_hosts)


def fetch(url: str, to: Path, *, max_bytes: int) -> int:
    """Write what the address gives to a file; how many bytes. Raises DraftTooLarge, DraftUnreachable if it is worth
    another try, and what `outbound.download` raises if it is not."""
    try:
        done = outbound.download(
            url,
            to=to,
            max_bytes=max_bytes,
            timeout_seconds=settings.JOINTO_DRAFTS.fetch.total_seconds(),
            allow=settings.JOINTO_JOBS.inner_hosts,
        )
    except outbound.OutboundTooLarge as error:
        raise DraftTooLarge(details=error.details) from error
    except JointoError as error:
        if error.remedy is Remedy.NONE:
            raise
        said = {"code": error.code, **error.details}
        raise DraftUnreachable(error.message, details=said, retry_after=error.retry_after) from error
    return done.size
