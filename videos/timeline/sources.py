"""The files that a timeline is made from."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videos.media.probe import Probe, VideoStream

_TOLD = 1e-6  # seconds


@dataclass(frozen=True, kw_only=True)
class Source:
    """The file of one material, and what is in it.

    `still`: it is a PNG file of one frame, upright, of 8 bit RGB or RGBA. It has no length of its own.
    """

    path: Path
    probe: Probe
    sha256: str = ""  # of the file, if it is known
    still: bool = False

    @property
    def identity(self) -> str:
        """The same for the same content; where that is not known, for the same file as long as nobody changes it."""
        if self.sha256:
            return f"sha256:{self.sha256}"
        stat = self.path.stat()
        return f"{self.path.absolute()}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ino}"

    @property
    def clock(self) -> dict[str, str | None]:
        """Options of an input, by which its nought is that of the file, whichever of its streams are read.

        ffmpeg itself counts from the file's first packet, heard or not; and in MPEG streams, unless it is told of an
        offset, from the first one that it uses.
        """
        late = any(stream and stream.lag for stream in (self.probe.video, self.probe.audio))
        return {"itsoffset": f"{_TOLD - self.probe.run_up:.6f}"} if late or self.probe.run_up else {}

    @property
    def video(self) -> VideoStream:
        """Of a material that has a picture."""
        assert self.probe.video is not None
        return self.probe.video


def still(path: Path, *, width: int, height: int, alpha: bool) -> Source:
    """A picture that does not move, as whoever wrote the PNG file knows it: nothing is asked of the file."""
    video = VideoStream(
        index=0,
        codec="png",
        profile=None,
        width=width,
        height=height,
        sar=Fraction(1),
        rotation=0,
        display_width=width,
        display_height=height,
        frame_rate=None,
        grid=None,
        variable=False,
        pix_fmt="rgba" if alpha else "rgb24",
        bit_depth=8,
        hdr=None,
        interlaced=False,
        lag=0.0,
        duration=None,
        bit_rate=None,
    )
    probe = Probe(container="png_pipe", duration=None, trust="whole", video=video, audio=None, streams=1, unusable=())
    return Source(path=path, probe=probe, still=True)
