"""Mistakes in the configuration of drafts that would only show when somebody sends one, found at start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from videos.drafts import naming, processors


@register()
def check_draft_processors(**_: Any) -> list[CheckMessage]:
    """E001: what JOINTO_DRAFT_PROCESSORS names is no processor. E002: it names none."""
    found: list[CheckMessage] = []
    for path in settings.JOINTO_DRAFTS.processors:
        try:
            processors.load(path)
        except Exception as error:  # noqa: BLE001  somebody's own class may raise anything
            hint = "A dotted path of a class with can_process and process: docs/recipes/read-drafts-of-your-own.md."
            found.append(Error(f"JOINTO_DRAFT_PROCESSORS can't use {path}: {error}", hint=hint, id="videos.E001"))
    if not settings.JOINTO_DRAFTS.processors:
        hint = "Leave it out to have drafts of CapCut and JianYing read."
        found.append(Error("JOINTO_DRAFT_PROCESSORS names nobody who reads drafts.", hint=hint, id="videos.E002"))
    return found


@register()
def check_draft_url(**_: Any) -> list[CheckMessage]:
    """E003: JOINTO_DRAFT_URL is no address that can be fetched, or has no place for the id."""
    template = settings.JOINTO_DRAFTS.url
    if not template:
        return []
    hint = "Such as https://drafts.example.org/{id}.zip"
    if "{id}" not in template:
        return [Error("JOINTO_DRAFT_URL has no {id} in it.", hint=hint, id="videos.E003")]
    if not naming.is_url(template):
        return [Error("JOINTO_DRAFT_URL has to begin with http:// or https://.", hint=hint, id="videos.E003")]
    return []
