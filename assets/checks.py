"""Mistakes in what is set about assets that would only show when somebody extracts, found at start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from assets import errors, providing
from assets.generation import wishes
from assets.providers import registry


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
def check_makers(**_: Any) -> list[CheckMessage]:
    """E004: one of JOINTO_IMAGE_MODELS makes no pictures here. E005: one of JOINTO_VIDEO_MODELS makes no clips."""
    ours, services = settings.JOINTO_ASSETS, settings.JOINTO_PROVIDERS
    asked = [("JOINTO_IMAGE_MODELS", "assets.E004", ours.image_order)]
    asked += [("JOINTO_VIDEO_MODELS", "assets.E005", ours.video_order)]
    there = [name for name in registry.media_names() if registry.is_set_up(name, services)]
    hint = f"Set up here are {', '.join(there)}: alone, or with one of their models, such as replicate:owner/name."
    found: list[CheckMessage] = []
    for variable, number, names in asked:
        unknown = [name for name in names if name.partition(":")[0].strip() not in there]
        found += [Error(f"{variable}: {name!r} is nobody who is set up.", hint=hint, id=number) for name in unknown]
        if not 1 <= len(names) <= wishes.MOST_CHOICES:
            sentence = f"{variable} wants one name, and may have {wishes.MOST_CHOICES}."
            found.append(Error(sentence, hint=hint, id=number))
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
