"""What Jointo notes for itself in the metadata of OTIO's objects."""

from __future__ import annotations

import json
from typing import Any

from videos.timeline.model import Kind

OURS = "jointo"


def noted(thing: Any) -> dict[str, Any]:
    """What stands there; nothing, if nothing does. The sieve has left it as text."""
    found: dict[str, Any] = json.loads(thing.metadata.get(OURS, "{}"))
    return found


def silenced_by(kind: Kind) -> str:
    """The flag of a track that makes OTIO say that it is disabled."""
    return "muted" if kind is Kind.AUDIO else "hidden"
