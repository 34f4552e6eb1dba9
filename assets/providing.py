"""Language models by name, with everything that is Jointo's about a call: its turn, what it used, what it cost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings

from assets import errors, keeping, usage
from assets.limiting import SharedLimiter, leave_database
from assets.providers import registry
from assets.providers.base import ProviderError, TextAnswer, TextProvider, TextRequest, Usage
from jobs.context import JobContext

OFFLINE = "offline"
"""The built-in reader, which is no provider: it needs no network and no key."""
MOST_CHOICES = 5
"""So many may be named in one request."""
LONGEST_NAME = 100
"""Characters, of a provider and one of its models."""


class Model:
    """One model of one provider: `openai:gpt-5`."""

    def __init__(
        self, service: TextProvider, model: str, turns: SharedLimiter, *, job_id: uuid.UUID | None, project_id: int
    ) -> None:
        self._service = service
        self._model = model
        self._turns = turns
        self._job_id = job_id
        self._project_id = project_id

    @property
    def provider(self) -> str:
        return self._service.name

    def complete(self, request: TextRequest, *, begun: Callable[[], None]) -> TextAnswer:
        """Ask once, when it is this call's turn; `begun` is called right before.

        What it used is recorded, also of an answer that can't be used. Raises what providers raise.
        """
        try:
            with self._turns.acquire(self.provider):
                begun()
                leave_database()
                answer = self._service.complete(replace(request, model=self._model))
        except ProviderError as error:
            if error.usage:
                self._record(error.usage)
            raise
        self._record(answer.usage)
        return answer

    def _record(self, used: Usage) -> None:
        """By the name that prices know; a service may answer with that of a snapshot."""
        said: dict[str, Any] = {"job_id": self._job_id, "project_id": self._project_id}
        keeping.surely(lambda: usage.record(used, provider=self.provider, model=self._model, **said))


def text_model(name: str, ctx: JobContext, *, job_id: uuid.UUID | None, project_id: int) -> Model:
    """The model of this name: `provider:model`, or the one that is set for it. Raises ModelUnknown, AuthFailed."""
    check(name)
    provider, _, model = name.partition(":")
    service = registry.text_provider(provider, settings.JOINTO_PROVIDERS)
    model = model or settings.JOINTO_PROVIDERS.endpoints[provider].text_model
    return Model(service, model, limiter(ctx), job_id=job_id, project_id=project_id)


def order(said: str | Sequence[str] = "") -> tuple[str, ...]:
    """Who is asked first, and who if that one is down.

    Several are asked as they are named; after one alone, or none, come the settings' fallbacks. Raises ModelUnknown.
    """
    ours = settings.JOINTO_ASSETS
    one = said if isinstance(said, str) else ""
    names: Sequence[str] = [one or ours.model, *ours.fallbacks] if one or not said else said
    if not isinstance(names, list | tuple) or len(names) > MOST_CHOICES:
        raise errors.ModelUnknown(f"The name of a model is wanted, or a list of at most {MOST_CHOICES} such names.")
    for name in names:
        check(name)
    return tuple(dict.fromkeys(names))


def check(name: str) -> None:
    """Raise ModelUnknown if there is no such model here; whether a provider has it, that one says."""
    known = available()
    fits = isinstance(name, str) and len(name) <= LONGEST_NAME and not name.startswith(f"{OFFLINE}:")
    if not fits or name.partition(":")[0] not in known:
        raise errors.ModelUnknown.of(name, known)


def available() -> list[str]:
    """Who reads scripts here: the built-in reader, and the providers that are set up."""
    services = [name for name in registry.text_names() if registry.is_set_up(name, settings.JOINTO_PROVIDERS)]
    return [OFFLINE, *services]


def limiter(ctx: JobContext) -> SharedLimiter:
    """The limiter of all workers; a job that is cancelled waits no longer."""
    ours = settings.JOINTO_ASSETS
    return SharedLimiter(ours.limits, call=ours.call, wait=ours.wait, look=ctx.check)
