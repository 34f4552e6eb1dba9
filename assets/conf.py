"""What may be set about assets: `settings.JOINTO_ASSETS`. Of the AI services: `settings.JOINTO_PROVIDERS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How much all workers together may ask of one provider; None is without limit."""

    at_once: int | None = None  # calls that run at the same time
    per_minute: int | None = None  # calls begun


@dataclass(frozen=True, kw_only=True)
class AssetSettings:
    """Limits of scripts, and who reads them. Values come from the environment."""

    script_bytes: int  # of one file
    model: str  # who extracts when nobody says otherwise: `offline`, or such as `openai:gpt-5`
    fallbacks: tuple[str, ...]  # models that take over, in this order, while a provider is down
    image_order: tuple[str, ...]  # who makes pictures when nobody says otherwise, and who if that one is down
    video_order: tuple[str, ...]  # the same of clips
    piece_characters: int  # of a script, that a language model is given at once
    limits: Mapping[str, Limit]  # by provider; rows of the operator's go before them
    call: timedelta  # for which a call counts as running, should its end never be told
    wait: timedelta  # for which a call waits for its turn, before its job is put off
