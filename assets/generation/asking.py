"""What a provider is sent for a wish: its words, and the pictures that it begins with."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from assets.generation import receiving, services, wishes
from assets.generation.errors import GenerationInvalid, PictureMissing, PictureNotReady
from assets.generation.wishes import Choice
from assets.models import Asset, Generation, GenerationKind
from assets.providers.base import ImageRequest, VideoRequest
from jobs import outbound
from jobs.context import JobContext
from videos import projects, storage
from videos.models import VideoStatus

_PREPARED_SECONDS = 180.0  # for which an attempt waits for a picture that is being prepared
_LATER_SECONDS = 60.0  # and after which it comes back
_MOST_BYTES = 48 * 1024 * 1024  # of all pictures of one request: they stand in memory several times


def choice_of(row: Generation, ctx: JobContext) -> Choice:
    """Who is asked: the first one of the wish, or who takes over; with the model that is meant where none is named."""
    choice = wishes.choice(ctx.fallback or row.parameters["order"][0])
    model = services.model_of(choice.provider, choice.model, GenerationKind(row.kind))
    return Choice(provider=choice.provider, model=model)


def request_of(row: Generation, choice: Choice, key: str, ctx: JobContext) -> ImageRequest | VideoRequest:
    """Raises PictureMissing, PictureNotReady, GenerationInvalid, and what `jobs.outbound` says of addresses."""
    wish = row.parameters
    size = tuple(map(int, wish["size"].split("x"))) if wish["size"] else None
    said: dict[str, Any] = {"prompt": row.prompt, "model": choice.model, "size": size}
    said |= {"parameters": wish["parameters"], "request_id": key}
    if choice.provider != services.OFFLINE:
        for url in wishes.addresses(wish["parameters"]):
            _check(url)
    if row.kind == GenerationKind.IMAGE:
        return ImageRequest(references=_references(row, choice, ctx), **said)
    image = _first_picture(row, choice, ctx) if row.kind == GenerationKind.IMAGE_TO_VIDEO else None
    return VideoRequest(image=image, seconds=wish["seconds"], **said)


def seconds_of(row: Generation) -> float:
    """How long a clip is to be, as far as the wish says."""
    parameters: Mapping[str, Any] = row.parameters["parameters"]
    for said in (row.parameters["seconds"], parameters.get("duration"), parameters.get("seconds")):
        try:
            seconds = float(str(said).removesuffix("s"))
        except ValueError:
            continue
        if 0 < seconds <= 3600:
            return seconds
    return 0.0


def _references(row: Generation, choice: Choice, ctx: JobContext) -> tuple[str | bytes, ...]:
    """The pictures that it is to resemble; what is drawn here resembles none."""
    if choice.provider == services.OFFLINE:
        return ()
    wish = row.parameters
    for url in wish["references"]:
        _check(url)
    found: list[str | bytes] = [*wish["references"]]
    left = _MOST_BYTES
    for pk in wish["reference_assets"]:
        picture = _picture_of(pk, ctx, most=left)
        if picture is not None:
            found.append(picture)
            left -= len(picture)
    return tuple(found)


def _first_picture(row: Generation, choice: Choice, ctx: JobContext) -> str | bytes:
    if url := row.parameters["image_url"]:
        if choice.provider == services.OFFLINE:
            return receiving.picture(url, ctx)
        _check(url)
        return str(url)
    picture = _picture_of(row.asset_id, ctx, most=_MOST_BYTES)
    if picture is None:
        raise PictureMissing
    return picture


def _check(url: str) -> None:
    """A provider of the operator's own may reach where users may not."""
    outbound.check(url, allow=settings.JOINTO_JOBS.inner_hosts)


def _picture_of(asset_id: int | None, ctx: JobContext, *, most: int) -> bytes | None:
    """The prepared picture of an asset, None if it has none. Raises PictureNotReady, GenerationInvalid."""
    until = time.monotonic() + _PREPARED_SECONDS
    while True:
        asset = Asset.objects.select_related("picture").filter(pk=asset_id or 0).first()
        if asset is None or asset.picture is None:
            return None
        name = projects.file_of(asset.picture)
        if name is not None:
            path = storage.path_of(name)
            if path.stat().st_size > most:
                sentence = f"They may have at most {_MOST_BYTES // 1024**2} MB altogether."
                raise GenerationInvalid.of({"reference_assets": sentence})
            return path.read_bytes()
        if asset.picture.status != VideoStatus.PROCESSING:
            return None
        if time.monotonic() >= until:
            raise PictureNotReady(retry_after=_LATER_SECONDS)
        receiving.pause(ctx, 1.5)
