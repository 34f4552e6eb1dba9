"""Who makes pictures and clips: the providers that the settings name, and what is known of each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from assets.models import Generation, GenerationKind, GenerationState
from assets.providers import registry
from assets.providers.base import (
    AuthFailed,
    MediaProvider,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    Unavailable,
)

logger = logging.getLogger(__name__)

OFFLINE = registry.OFFLINE  # made here: it costs nothing, so it may be asked again
MACHINE_TIME = frozenset({"replicate"})  # whose seconds are those of its machines, and not of film


def names() -> Sequence[str]:
    """Of all providers that make pictures or clips."""
    return registry.media_names()


def default_order(kind: GenerationKind) -> Sequence[str]:
    """Who is asked if a wish names nobody."""
    said = settings.JOINTO_ASSETS
    return said.image_order if kind == GenerationKind.IMAGE else said.video_order


def media(name: str, *, folder: Path) -> MediaProvider:
    """The provider of that name, with the operator's keys; whoever submits takes their turn (`assets.providing`).

    `folder`: a private one, for what is made offline. Raises InvalidRequest, AuthFailed.
    """
    return registry.media_provider(name, settings.JOINTO_PROVIDERS, folder=folder)


def model_of(name: str, model: str, kind: GenerationKind) -> str:
    """Which of its models a provider is asked for, if a wish says only `model`; empty where it has but one."""
    endpoint = settings.JOINTO_PROVIDERS.endpoints.get(name)
    if model or endpoint is None:
        return model
    return endpoint.image_model if kind == GenerationKind.IMAGE else endpoint.video_model


def cancel_quietly(row: Generation) -> bool:
    """Tell the provider that nobody wants it any more, if it works for it; what goes wrong with that is logged.

    False: it may hear of it another time.
    """
    if row.state != GenerationState.SUBMITTED.value or not row.provider_id:
        return True
    try:
        media(row.provider, folder=Path(settings.SCRATCH_DIR)).cancel(row.provider_id)
    except ProviderError as error:
        logger.warning("%s could not be told to cancel %s: %s", row.provider, row.provider_id, error.message)
        return not isinstance(error, Unavailable | RateLimited | ProviderTimeout | AuthFailed)
    return True
