"""Reads screenplays: what comes in as a file goes out as scenes, characters and props.

    script = read(data, name="pilot.fdx")
    for episode in episodes(script): ...
    breakdown = break_down(script)

Plain Python: no Django, no Celery. See docs/decisions/0020 for what is inferred, and how sure that is.
"""

from assets.scripts.breakdown import (
    Breakdown,
    Character,
    Cue,
    EpisodeText,
    Format,
    Gender,
    Place,
    Prop,
    Role,
    Scene,
    Script,
    Span,
)
from assets.scripts.dividing import episodes, pieces
from assets.scripts.errors import ScriptTooLong, ScriptUnreadable
from assets.scripts.reading import Limits, break_down, read

__all__ = [
    "Breakdown",
    "Character",
    "Cue",
    "EpisodeText",
    "Format",
    "Gender",
    "Limits",
    "Place",
    "Prop",
    "Role",
    "Scene",
    "Script",
    "ScriptTooLong",
    "ScriptUnreadable",
    "Span",
    "break_down",
    "episodes",
    "pieces",
    "read",
]
