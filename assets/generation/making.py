"""One picture or clip, from a wish to a file in our own storage: the body of `generate_image` and `generate_video`.

    submit ─► poll ─► receive ─► check ─► as the job completes: file in its place, rows name it

Each step is written down before the next one begins, so that another attempt goes on where this one ended. Submitting
is the one step that is never repeated without knowing: it costs, each time (docs/decisions/0024).
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings
from django.db import transaction

from assets import limiting, providing, usage
from assets.generation import receiving, results, rows, services, wishes
from assets.generation.errors import GenerationUnusable, PictureMissing, PictureNotReady
from assets.generation.wishes import Choice
from assets.models import Asset, Generation, GenerationKind, GenerationState
from assets.models import Usage as SpentRow
from assets.providers.base import (
    AmbiguousSubmit,
    Done,
    ImageRequest,
    MediaProvider,
    Pending,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    Result,
    Submitted,
    Unavailable,
    Usage,
    VideoRequest,
)
from jobs import outbound
from jobs.context import JobContext
from jobs.errors import Remedy
from jobs.models import Job
from jobs.now import Now
from jobs.status import JobStatus
from videos import projects, storage
from videos.models import VideoStatus

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds between two looks at a provider
_SOON_SECONDS = 5.0  # in which a picture mostly is prepared
_MOST_TROUBLES = 5  # in a row, of looks, before the attempt ends


def make(ctx: JobContext, kind: GenerationKind, **said: Any) -> dict[str, Any]:
    """Have it made, and keep it. The result says where it is.

    Raises what `assets.providers.base` and `assets.generation.errors` name, GenerationInvalid of a call without a job.
    """
    row = rows.of(ctx, kind, said)
    ctx.once_failed(lambda error: _note_failure(row, error))
    ctx.unless_completed(lambda: _pass_cancel_on(row))
    work = _Work(ctx, row)
    if row.state == GenerationState.SUBMITTING:
        work.after_a_lost_submission()
    if row.state == GenerationState.QUEUED:
        work.submit()
    if row.state == GenerationState.SUBMITTED:
        work.wait()
    ctx.progress(0, 0, "downloading")
    file = receiving.fetch(row, ctx)
    ctx.progress(0, 0, "checking")
    finished = results.check(row, file, ctx)
    storage.sync(finished.file)
    ctx.unless_completed(lambda: results.take_back(row, finished))
    ctx.at_completion(lambda: results.publish(row, finished))
    ctx.once_completed(lambda: storage.remove(*rows.received(row)))
    return results.said(row, finished)


class _Work:
    """The steps at the provider."""

    def __init__(self, ctx: JobContext, row: Generation) -> None:
        self._ctx = ctx
        self._row = row

    @property
    def _provider(self) -> MediaProvider:
        return services.media(self._row.provider, folder=self._ctx.scratch)

    def after_a_lost_submission(self) -> None:
        """An attempt ended between asking the provider and writing its answer down. Raises AmbiguousSubmit."""
        if self._row.provider != services.OFFLINE:
            raise AmbiguousSubmit(provider=self._row.provider)
        rows.move(self._row, self._ctx, GenerationState.QUEUED)

    def submit(self) -> None:
        """Ask the provider, once."""
        choice = self._choice()
        request = self._request(choice)
        provider = services.media(choice.provider, folder=self._ctx.scratch)
        self._ctx.progress(0, 0, "submitting")
        asked: dict[str, Any] = {"provider": choice.provider, "model": choice.model, "submit_started_at": Now()}
        with self._turn(choice), self._uninterrupted(choice):
            rows.move(self._row, self._ctx, GenerationState.SUBMITTING, **asked)
            limiting.leave_database()
            with self._back_in_line():
                if isinstance(request, ImageRequest):
                    submitted = provider.submit_image(request)
                else:
                    submitted = provider.submit_video(request)
            self._keep(submitted)
        self._ctx.check()

    def wait(self) -> None:
        """Look at the provider until it has finished."""
        pause, troubles = _FIRST_PAUSE, 0
        while True:
            try:
                found = self._provider.poll(self._row.provider_id, age_seconds=self._age())
            except (Unavailable, RateLimited, ProviderTimeout) as error:
                troubles += 1
                if error.remedy is Remedy.NONE or troubles >= _MOST_TROUBLES:
                    raise
                pause = max(pause, min(error.retry_after or 0.0, 60.0))
            else:
                troubles = 0
                if isinstance(found, Done):
                    self._finished(found)
                    return
                self._tell(found)
            self._sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _choice(self) -> Choice:
        """Who is asked: the first one of the wish, or who takes over."""
        return wishes.choice(self._ctx.fallback or self._row.parameters["order"][0])

    def _request(self, choice: Choice) -> ImageRequest | VideoRequest:
        wish = self._row.parameters
        size = tuple(map(int, wish["size"].split("x"))) if wish["size"] else None
        said: dict[str, Any] = {"prompt": self._row.prompt, "model": choice.model, "size": size}
        said |= {"parameters": wish["parameters"], "request_id": str(self._row.job_id or self._row.pk)}
        if self._row.kind == GenerationKind.IMAGE:
            return ImageRequest(references=self._references(choice), **said)
        image = self._first_picture(choice) if self._row.kind == GenerationKind.IMAGE_TO_VIDEO else None
        return VideoRequest(image=image, seconds=wish["seconds"], **said)

    def _references(self, choice: Choice) -> tuple[str | bytes, ...]:
        wish = self._row.parameters
        known = Asset.objects.select_related("picture").in_bulk(wish["reference_assets"])
        pictures = [_picture_of(known.get(pk)) for pk in wish["reference_assets"]]
        return (*(self._address(url, choice) for url in wish["references"]), *(one for one in pictures if one))

    def _first_picture(self, choice: Choice) -> str | bytes:
        """Raises PictureMissing, PictureNotReady."""
        if url := self._row.parameters["image_url"]:
            return self._address(url, choice)
        picture = _picture_of(self._row.asset)
        if picture is None:
            raise PictureMissing
        return picture

    def _address(self, url: str, choice: Choice) -> str | bytes:
        """A user's address for a provider to fetch; what is made here is fetched here."""
        allow = settings.JOINTO_JOBS.inner_hosts
        if choice.provider == services.OFFLINE:
            return receiving.picture(url, self._ctx)
        outbound.check(url, allow=allow)  # a provider of the operator's own may reach where users may not
        return url

    def _turn(self, choice: Choice) -> AbstractContextManager[None]:
        """Within what all workers together may ask of the provider."""
        if choice.provider == services.OFFLINE:
            return contextlib.nullcontext()
        return providing.limiter(self._ctx).acquire(choice.provider)

    @contextlib.contextmanager
    def _uninterrupted(self, choice: Choice) -> Iterator[None]:
        """A cancel or a stop waits for the provider's answer: without its id nobody could tell it to stop."""
        if choice.provider == services.OFFLINE:  # whose child processes have to end at once
            yield
            return
        with self._ctx.uninterrupted():
            yield

    @contextlib.contextmanager
    def _back_in_line(self) -> Iterator[None]:
        """Where the provider surely has not begun, somebody may be asked again."""
        try:
            yield
        except AmbiguousSubmit:
            raise
        except ProviderError as error:
            if error.usage:
                self._record(error.usage)
            rows.move(self._row, self._ctx, GenerationState.QUEUED)
            raise

    def _keep(self, submitted: Submitted) -> None:
        """Write the answer down: from here on another attempt goes on."""
        kept: dict[str, Any] = {"provider_id": submitted.provider_id, "submitted_at": Now()}
        if submitted.results:
            self._receive(submitted.results, submitted.usage, **kept)
        else:
            rows.move(self._row, self._ctx, GenerationState.SUBMITTED, even_cancelled=True, **kept)

    def _finished(self, done: Done) -> None:
        self._receive(done.results, done.usage)

    def _receive(self, found: Sequence[Result], used: Usage, **kept: Any) -> None:
        """Write down what came, and what it cost: both once, also if the job was cancelled this very moment."""
        written = receiving.written(self._row, found, self._ctx)
        with transaction.atomic():
            spent = self._record(used)
            said = {"results": written, "usage": _plainly(used), "cost": spent.cost, **kept}
            rows.move(self._row, self._ctx, GenerationState.DOWNLOADING, even_cancelled=True, **said)

    def _record(self, used: Usage) -> SpentRow:
        return usage.record(
            used,
            job_id=self._row.job_id,
            provider=self._row.provider,
            model=self._row.model,
            project_id=self._row.project_id,
            user_id=self._row.owner_id,
        )

    def _age(self) -> float:
        submitted = self._row.submitted_at
        return max(0.0, time.time() - submitted.timestamp()) if submitted else 0.0

    def _tell(self, found: Pending) -> None:
        percent = found.percent if found.percent is not None else 0
        self._ctx.progress(percent, 100 if found.percent is not None else 0, "generating")

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + random.uniform(0.8, 1.2) * seconds  # noqa: S311  spread, no secret
        while (left := until - time.monotonic()) > 0:
            self._ctx.check()
            time.sleep(min(left, 0.5))


def _plainly(used: Usage) -> dict[str, Any]:
    """For a row: without what is nothing, and without the cost, which has a column of its own."""
    said = dataclasses.asdict(used)
    return {name: value for name, value in said.items() if value and name != "cost"}


def _picture_of(asset: Asset | None) -> bytes | None:
    """The prepared picture of an asset, None if it has none. Raises PictureNotReady."""
    if asset is None or asset.picture is None:
        return None
    name = projects.file_of(asset.picture)
    if name is None and asset.picture.status == VideoStatus.PROCESSING:
        raise PictureNotReady(retry_after=_SOON_SECONDS)
    return storage.path_of(name).read_bytes() if name else None


def _note_failure(row: Generation, error: BaseException) -> None:
    """How it ended, in the row. What the provider still works for, or has made, stays where a retry finds it."""
    code, message = getattr(error, "code", "unexpected"), getattr(error, "message", "")
    said = {"error_code": code, "error_message": message, "finished_at": Now(), "updated_at": Now()}
    known = Generation.objects.filter(pk=row.pk)
    if isinstance(error, AmbiguousSubmit):
        known.update(state=GenerationState.AMBIGUOUS, **said)
    elif _is_final(error):
        known.update(state=GenerationState.FAILED, **said)
    else:
        known.filter(state=GenerationState.QUEUED).update(state=GenerationState.FAILED)
        known.update(**said)


def _is_final(error: BaseException) -> bool:
    """Whether the provider, or what it made, says that nothing more will come of it."""
    passing = isinstance(error, Unavailable | RateLimited | ProviderTimeout)
    return isinstance(error, GenerationUnusable) or (isinstance(error, ProviderError) and not passing)


def _pass_cancel_on(row: Generation) -> None:
    """Have the provider stop what was cancelled here; not what another attempt goes on with."""
    if row.job_id and Job.objects.filter(pk=row.job_id, status=JobStatus.CANCELLED).exists():
        cancelled(row)


def cancelled(row: Generation) -> None:
    """The job was cancelled: tell the provider, and the row."""
    row.refresh_from_db()
    services.cancel_quietly(row)
    states = [GenerationState.QUEUED, GenerationState.SUBMITTING, GenerationState.SUBMITTED]
    Generation.objects.filter(pk=row.pk, state__in=states).update(
        state=GenerationState.CANCELLED, finished_at=Now(), updated_at=Now()
    )
