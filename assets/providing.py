"""Language models by name, with everything that is Jointo's about a call: its turn, what it used, what it cost."""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.conf import settings

from assets import errors, usage
from assets.limiting import SharedLimiter
from assets.providers import registry
from assets.providers.base import ProviderError, TextAnswer, TextProvider, TextRequest, Usage
from jobs.context import JobContext

OFFLINE = "offline"
"""The built-in reader, which is no provider: it needs no network and no key."""


class Model:
    """One model of one provider: `openai:gpt-5`. Without a model it is the one that is set for the provider."""

    def __init__(self, service: TextProvider, model: str, *, job_id: uuid.UUID | None, project_id: int) -> None:
        self._service = service
        self._model = model
        self._job_id = job_id
        self._project_id = project_id

    def complete(self, request: TextRequest) -> TextAnswer:
        """Ask once, when it is this call's turn; what it used is recorded, also of an answer that can't be used."""
        try:
            answer = self._service.complete(replace(request, model=self._model))
        except ProviderError as error:
            if error.usage:
                self._record(error.usage, self._model)
            raise
        self._record(answer.usage, self._model or answer.model)
        return answer

    def _record(self, used: Usage, model: str) -> None:
        provider = self._service.name
        usage.record(used, job_id=self._job_id, provider=provider, model=model, project_id=self._project_id)


def text_model(name: str, ctx: JobContext, *, job_id: uuid.UUID | None, project_id: int) -> Model:
    """The model of this name: `provider:model`, or a provider alone. Raises ModelUnknown, AuthFailed."""
    check(name)
    provider, _, model = name.partition(":")
    service = registry.text_provider(provider, settings.JOINTO_PROVIDERS, limiter=limiter(ctx))
    return Model(service, model, job_id=job_id, project_id=project_id)


def check(name: str) -> None:
    """Raise ModelUnknown if there is no such model here; whether a provider has it, that one says."""
    known = available()
    if name.partition(":")[0] not in known or name.startswith(f"{OFFLINE}:"):
        raise errors.ModelUnknown.of(name, known)


def available() -> list[str]:
    """Who reads scripts here: the built-in reader, and the providers that are set up."""
    services = [name for name in registry.text_names() if registry.is_set_up(name, settings.JOINTO_PROVIDERS)]
    return [OFFLINE, *services]


def limiter(ctx: JobContext) -> SharedLimiter:
    """The limiter of all workers; a job that is cancelled waits no longer."""
    ours = settings.JOINTO_ASSETS
    return SharedLimiter(ours.limits, call=ours.call, wait=ours.wait, look=ctx.check)
