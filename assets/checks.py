"""Mistakes in what is set about assets that would only show when somebody extracts, found at start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from assets import errors, providing


@register()
def check_models(**_: Any) -> list[CheckMessage]:
    """E001: JOINTO_TEXT_MODEL is nobody who reads scripts here. E002: one of JOINTO_TEXT_FALLBACKS is not."""
    ours = settings.JOINTO_ASSETS
    hint = "offline, or a service whose key is set, alone or with one of its models: openai:gpt-5"
    found: list[CheckMessage] = []
    asked = [("JOINTO_TEXT_MODEL", ours.model, "assets.E001")]
    asked += [("JOINTO_TEXT_FALLBACKS", name, "assets.E002") for name in ours.fallbacks]
    for variable, name, number in asked:
        try:
            providing.check(name)
        except errors.ModelUnknown as error:
            found.append(Error(f"{variable} can't be used. {error.message}", hint=hint, id=number))
    return found


@register()
def check_endpoints(**_: Any) -> list[CheckMessage]:
    """E003: a service has a key, but its address or its key can't be used."""
    found: list[CheckMessage] = []
    for name, endpoint in settings.JOINTO_PROVIDERS.endpoints.items():
        wanted = bool(endpoint.key.get_secret_value()) or (name == "http" and endpoint.base_url)
        if wanted and (problem := endpoint.problem()):
            hint = f"Look at the variables of {name} in .env.example."
            found.append(Error(f"The AI service {name} can't be used: {problem}.", hint=hint, id="assets.E003"))
    return found
