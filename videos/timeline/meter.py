"""How far a film is: its steps have shares of the whole, and it never goes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from videos.media.transcode import OnProgress


class Progress(Protocol):
    """Hears how far a step is."""

    def at(self, step: str, part: float) -> None:
        """So much of it is done: from 0 to 1. What it raises ends the step."""


class Meter:
    """Reports seconds done of the film's seconds."""

    def __init__(self, on_progress: OnProgress, seconds: float, shares: Mapping[str, float]) -> None:
        """`shares`: how much of the work each step is, in their order."""
        self._on_progress = on_progress
        self._seconds = seconds
        self._shares = shares
        self._done = 0.0

    def at(self, step: str, part: float) -> None:
        """So much of a step is done: from 0 to 1."""
        before = 0.0
        for name, share in self._shares.items():
            if name == step:
                before += share * min(1.0, max(0.0, part))
                break
            before += share
        self._done = max(self._done, self._seconds * min(1.0, before / sum(self._shares.values())))
        self._on_progress(self._done, self._seconds, step)
