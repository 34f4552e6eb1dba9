"""The services by name, as the settings have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from assets.providers.anthropic import Anthropic
from assets.providers.ark import Ark
from assets.providers.base import InvalidRequest, MediaProvider, TextProvider
from assets.providers.fal import Fal
from assets.providers.http import Http
from assets.providers.offline import Offline
from assets.providers.openai import OpenAI
from assets.providers.replicate import Replicate
from assets.providers.service import Service
from assets.providers.settings import Endpoint, ProviderSettings

OFFLINE = Offline.name

_Text = Callable[[Endpoint, ProviderSettings], TextProvider]
_Media = Callable[[Endpoint, ProviderSettings], MediaProvider]
_TEXT: Mapping[str, _Text] = {"anthropic": Anthropic, "openai": OpenAI}
_MEDIA: Mapping[str, _Media] = {"openai": OpenAI, "http": Http, "replicate": Replicate, "fal": Fal, "ark": Ark}
_SERVICES: Mapping[str, type[Service]] = {
    service.name: service for service in (Anthropic, OpenAI, Http, Replicate, Fal, Ark)
}


def text_names() -> tuple[str, ...]:
    """Who answers with text. Offline is not among them: that is the reader of screenplays, which needs no service."""
    return tuple(_TEXT)


def media_names() -> tuple[str, ...]:
    """Who makes pictures and clips."""
    return (*_MEDIA, OFFLINE)


def is_set_up(name: str, settings: ProviderSettings) -> bool:
    """Whether the settings say enough to call it."""
    endpoint, service = settings.endpoints.get(name), _SERVICES.get(name)
    if service is None or endpoint is None or endpoint.problem():
        return name == OFFLINE
    return bool(endpoint.key.get_secret_value()) or not service.needs_key(endpoint)


def text_provider(name: str, settings: ProviderSettings) -> TextProvider:
    """The service of that name; InvalidRequest if there is none, AuthFailed if its settings do not do."""
    make = _TEXT.get(name)
    if make is None:
        raise _unknown(name, text_names())
    return make(_endpoint(name, settings), settings)


def media_provider(name: str, settings: ProviderSettings, *, folder: Path) -> MediaProvider:
    """The service of that name. `folder`: a private one, for what is made offline.

    InvalidRequest if there is no such service, AuthFailed if its settings do not do.
    """
    if name == OFFLINE:
        return Offline(settings, folder=folder)
    make = _MEDIA.get(name)
    if make is None:
        raise _unknown(name, media_names())
    return make(_endpoint(name, settings), settings)


def _endpoint(name: str, settings: ProviderSettings) -> Endpoint:
    return settings.endpoints.get(name) or Endpoint(base_url="")


def _unknown(name: str, names: tuple[str, ...]) -> InvalidRequest:
    sentence = f"There is no such AI service here. Choose one of these: {', '.join(names)}."
    return InvalidRequest(sentence, provider=name[:40])
