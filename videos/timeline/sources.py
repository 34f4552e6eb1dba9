"""The files that a timeline is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from videos.media.probe import Probe, VideoStream


@dataclass(frozen=True, kw_only=True)
class Source:
    """The file of one material, and what is in it."""

    path: Path
    probe: Probe

    @property
    def video(self) -> VideoStream:
        """Of a material that has a picture."""
        assert self.probe.video is not None
        return self.probe.video
