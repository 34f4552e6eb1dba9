"""What a provider made, on its way into our own storage; downloads have retries of their own, apart from generating."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from assets.models import Generation, GenerationKind
from assets.providers.base import AnswerInvalid, Result
from assets.providers.downloads import ResultMissing, download
from jobs import outbound
from jobs.context import JobContext
from videos import storage

_PICTURE_SECONDS = 60.0


def written(row: Generation, found: Sequence[Result], ctx: JobContext) -> list[dict[str, str]]:
    """The first of the results as the row keeps it: where it lies, or under which name its bytes were put aside.

    Raises AnswerInvalid if there is none.
    """
    for result in found:
        if result.data is not None:
            return [{"file": _put_aside(row, result.data, ctx), "media_type": result.media_type[:100]}]
        if result.url:
            return [{"url": result.url, "media_type": result.media_type[:100]}]
    raise AnswerInvalid(provider=row.provider)


def fetch(row: Generation, ctx: JobContext) -> Path:
    """The file that the provider made. Raises ResultMissing, ResultRefused, and what `jobs.outbound` raises."""
    found = row.results[0]
    if name := found.get("file"):
        path = storage.path_of(name)
        if not path.is_file():
            raise ResultMissing
        return path
    target = ctx.scratch / "received"
    limits = settings.JOINTO_PROVIDERS.downloading
    most = limits.image_bytes if row.kind == GenerationKind.IMAGE else limits.video_bytes
    wait = functools.partial(pause, ctx)
    download(Result(url=found["url"]), into=target, max_bytes=most, settings=limits, wait=wait)
    return target


def picture(url: str, ctx: JobContext) -> bytes:
    """A picture that a user gave the address of. Raises what `jobs.outbound` raises."""
    target = ctx.scratch / "picture"
    most = settings.JOINTO_PROVIDERS.downloading.image_bytes
    allow = settings.JOINTO_JOBS.inner_hosts
    outbound.download(url, to=target, max_bytes=most, timeout_seconds=_PICTURE_SECONDS, allow=allow)
    return target.read_bytes()


def _put_aside(row: Generation, data: bytes, ctx: JobContext) -> str:
    """Bytes that came with the answer, and will not come again: kept until the job has completed."""
    name = f"ai-generated/received/{row.pk}-{ctx.name}"
    path = ctx.scratch / "answer"
    path.write_bytes(data)
    storage.sync(path)
    storage.replace(path, name)
    return name


def pause(ctx: JobContext, seconds: float) -> None:
    """Wait; a cancel ends it."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        ctx.check()
        time.sleep(min(left, 0.5))
