"""One picture or clip, from a wish to a file in our own storage: the body of `generate_image` and `generate_video`.

    submit ─► poll ─► receive ─► check ─► as the job completes: file in its place, rows name it

Each step is written down before the next one begins, so that another attempt goes on where this one ended. Submitting
is the one step that is never repeated without knowing: it costs, each time (docs/decisions/0024).
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from assets import keeping, limiting, providing, usage
from assets.generation import asking, ending, receiving, results, rows, services
from assets.generation.errors import GenerationEnded, GenerationGone
from assets.generation.wishes import Choice
from assets.models import Generation, GenerationKind, GenerationState
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
)
from jobs.context import JobContext
from jobs.errors import Remedy
from jobs.now import Now
from videos import storage

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds between two looks at a provider
_MOST_TROUBLES = 5  # in a row, of looks, before the attempt ends
_CANCELS = (0.0, 1.0, 4.0)  # seconds before each try to cancel what no row names any more


def make(ctx: JobContext, kind: GenerationKind, **said: Any) -> dict[str, Any]:
    """Have it made, and keep it. The result says where it is.

    Raises what `assets.providers.base` and `assets.generation.errors` name, GenerationInvalid of a call without a job.
    """
    row = rows.of(ctx, kind, said)
    ctx.once_failed(lambda error: ending.note_failure(row, error))
    ctx.unless_completed(lambda: ending.after(row))
    work = _Work(ctx, row)
    if row.state == GenerationState.SUBMITTING:
        work.after_a_lost_submission()
    if row.state == GenerationState.QUEUED:
        work.submit()
    if row.state == GenerationState.SUBMITTED:
        work.wait()
    if row.state != GenerationState.DOWNLOADING:
        raise GenerationEnded
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
        choice = asking.choice_of(self._row, self._ctx)
        key = (self._row.request_key if choice.provider == self._row.provider else "") or str(uuid.uuid4())
        request = asking.request_of(self._row, choice, key, self._ctx)
        provider = services.media(choice.provider, folder=self._ctx.scratch)
        self._ctx.progress(0, 0, "submitting")
        asked: dict[str, Any] = {"provider": choice.provider, "model": choice.model, "request_key": key}
        with self._uninterrupted(choice), self._turn(choice, provider.longest(request)):
            rows.move(self._row, self._ctx, GenerationState.SUBMITTING, submit_started_at=Now(), **asked)
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
                    self._receive(found.results, found.usage)
                    return
                self._tell(found)
            receiving.pause(self._ctx, random.uniform(0.8, 1.2) * pause)  # noqa: S311  spread, no secret
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _turn(self, choice: Choice, seconds: float) -> AbstractContextManager[None]:
        """Within what all workers together may ask of the provider, with a call that takes so long."""
        if choice.provider == services.OFFLINE:
            return contextlib.nullcontext()
        return providing.limiter(self._ctx).acquire(choice.provider, seconds=seconds)

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
        """Where the provider surely has not begun, somebody may be asked again, by a key of its own."""
        try:
            yield
        except AmbiguousSubmit:
            raise
        except ProviderError as error:
            if used := error.usage:
                keeping.surely(lambda: self._record(used))
            keeping.surely(lambda: rows.keep(self._row, self._ctx, GenerationState.QUEUED, request_key=""))
            raise

    def _keep(self, submitted: Submitted) -> None:
        """Write the answer down: from here on another attempt goes on. If nobody wants it any more, it is cancelled."""
        kept: dict[str, Any] = {"provider_id": submitted.provider_id, "submitted_at": Now()}
        try:
            if submitted.results:
                self._receive(submitted.results, submitted.usage, **kept)
            else:
                keeping.surely(lambda: rows.keep(self._row, self._ctx, GenerationState.SUBMITTED, **kept))
        except GenerationGone:
            if not submitted.results:
                keeping.surely(lambda: self._record(submitted.usage, gone=True))
            self._cancel(submitted.provider_id)
            raise

    def _cancel(self, provider_id: str) -> None:
        """Of an order that no row names any more, so that nobody else could."""
        self._row.state, self._row.provider_id = GenerationState.SUBMITTED.value, provider_id
        for seconds in _CANCELS:
            time.sleep(seconds)
            if services.cancel_quietly(self._row):
                return

    def _receive(self, found: Sequence[Result], used: Usage, **kept: Any) -> None:
        """Write down what came, and what it cost: both once, also if the job was cancelled this very moment."""
        used = self._counted(used, found)
        written = receiving.written(self._row, found, self._ctx)

        def spend() -> dict[str, Any]:
            if self._row.usage or self._row.cost is not None:
                return {}  # it was paid for before its address was asked for again
            return {"usage": _plainly(used), "cost": self._record(used).cost}

        kept |= {"results": written}
        try:
            keeping.surely(lambda: rows.keep(self._row, self._ctx, GenerationState.DOWNLOADING, spend=spend, **kept))
        except GenerationGone:
            keeping.surely(lambda: self._record(used, gone=True))
            storage.remove(*(one["file"] for one in written if "file" in one))
            raise

    def _counted(self, used: Usage, found: Sequence[Result]) -> Usage:
        """With what was asked for, where the provider says nothing of how much it made."""
        if self._row.kind == GenerationKind.IMAGE:
            return dataclasses.replace(used, images=used.images or len(found))
        if self._row.provider in services.MACHINE_TIME:
            return used
        return dataclasses.replace(used, seconds=used.seconds or asking.seconds_of(self._row))

    def _record(self, used: Usage, *, gone: bool = False) -> SpentRow:
        """`gone`: the row was removed, and perhaps its project with it."""
        return usage.record(
            used,
            job_id=self._row.job_id,
            provider=self._row.provider,
            model=self._row.model,
            project_id=None if gone else self._row.project_id,
            user_id=self._row.owner_id,
        )

    def _age(self) -> float:
        submitted = self._row.submitted_at
        return max(0.0, time.time() - submitted.timestamp()) if submitted else 0.0

    def _tell(self, found: Pending) -> None:
        percent = found.percent if found.percent is not None else 0
        self._ctx.progress(percent, 100 if found.percent is not None else 0, "generating")


def _plainly(used: Usage) -> dict[str, Any]:
    """For a row: without what is nothing, and without the cost, which has a column of its own."""
    said = dataclasses.asdict(used)
    return {name: value for name, value in said.items() if value and name != "cost"}
