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
    sha256: str = ""  # of the file, if it is known

    @property
    def identity(self) -> str:
        """The same for the same content; where that is not known, for the same file as long as nobody changes it."""
        if self.sha256:
            return f"sha256:{self.sha256}"
        stat = self.path.stat()
        return f"{self.path.absolute()}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ino}"

    @property
    def video(self) -> VideoStream:
        """Of a material that has a picture."""
        assert self.probe.video is not None
        return self.probe.video
