"""A timeline: what is seen and heard, when. Plain data, the same whoever made it: a project, a draft, an OTIO file.

All times are whole microseconds of the timeline, but for `source_start`, which is the material's own. Positions are
parts of the canvas: (0, 0) is its centre, +x to the right, +y downwards, 1 a whole width or height. Tracks are listed
from the bottom to the top. The bounds are those that `videos.timeline.project` checks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, with_config

SECOND = 1_000_000
LONGEST = 12 * 3600 * SECOND

_WRITTEN = re.compile(r"\d{1,10}(?:[./]\d{1,10})?")


def _read(value: object) -> object:
    """A float as it is written: 1.1, and not the fraction that the machine holds. No text that takes long to read."""
    if isinstance(value, bool) or (isinstance(value, str) and not _WRITTEN.fullmatch(value)):
        raise ValueError("Input is not a valid fraction")
    if isinstance(value, float) and math.isfinite(value):
        return Fraction(str(value))
    return value


def _simple(rate: Fraction) -> Fraction:
    """Programs count in whole numbers of 32 bits, and 29.97003 means 30000/1001."""
    return rate.limit_denominator(1001)


Moment = Annotated[int, Field(strict=True, ge=0, le=LONGEST)]
Length = Annotated[int, Field(strict=True, gt=0, le=LONGEST)]
Side = Annotated[int, Field(strict=True, ge=16, le=4096, multiple_of=2)]
Rate = Annotated[Fraction, BeforeValidator(_read), Field(ge=1, le=120), AfterValidator(_simple)]
Speed = Annotated[Fraction, BeforeValidator(_read), Field(ge=Fraction(1, 100), le=100)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Part = Annotated[float, Field(ge=0, le=1)]
Place = Annotated[float, Field(ge=-10, le=10)]
Scale = Annotated[float, Field(gt=0, le=100)]
Angle = Annotated[float, Field(ge=-36_000, le=36_000)]
Volume = Annotated[float, Field(ge=0, le=10)]
Name = Annotated[str, Field(min_length=1, max_length=100)]

exact = with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
"""Of what is checked: nothing that is not named here, no number that is none."""


class Kind(StrEnum):
    """What a track holds."""

    VIDEO = "video"  # pictures, with the sound that belongs to them
    AUDIO = "audio"


class Fit(StrEnum):
    """How a picture of another shape fills the canvas, at scale 1."""

    CONTAIN = "contain"  # all of it is seen
    COVER = "cover"  # no part of the canvas is left free
    STRETCH = "stretch"  # all of it, and nothing free: out of shape
    BLUR = "blur"  # as contain, over a blurred picture of itself that covers


@exact
@dataclass(frozen=True, kw_only=True)
class Canvas:
    """The frame that everything is seen in."""

    width: Side = 1920
    height: Side = 1080
    rate: Rate = Fraction(30)  # frames a second
    background: Colour = "#000000"


@exact
@dataclass(frozen=True, kw_only=True)
class Transform:
    """Where a picture is put once it fits: moved, scaled about its centre, turned."""

    x: Place = 0.0
    y: Place = 0.0
    scale: Scale = 1.0
    rotation: Angle = 0.0  # degrees, clockwise
    opacity: Part = 1.0


@exact
@dataclass(frozen=True, kw_only=True)
class Crop:
    """How much of a picture is cut away at each side, as a part of its width or height; before it is fitted."""

    left: Part = 0.0
    top: Part = 0.0
    right: Part = 0.0
    bottom: Part = 0.0


@exact
@dataclass(frozen=True, kw_only=True)
class Sound:
    """How loud a clip is, and how long it takes to begin and to end."""

    volume: Volume = 1.0
    fade_in: Moment = 0
    fade_out: Moment = 0


@exact
@dataclass(frozen=True, kw_only=True)
class Clip:
    """A stretch of one material."""

    start: Moment
    duration: Length
    material: Name  # by which whoever renders knows it
    source_start: Moment = 0
    speed: Speed = Fraction(1)  # its pitch is kept
    sound: Sound = field(default_factory=Sound)
    fit: Fit = Fit.CONTAIN
    transform: Transform = field(default_factory=Transform)
    crop: Crop = field(default_factory=Crop)
    flip_x: bool = False
    flip_y: bool = False

    @property
    def end(self) -> int:
        return self.start + self.duration

    def source_at(self, moment: Fraction | int) -> Fraction:
        """The time in the material, in microseconds, that is shown at a moment of the timeline."""
        return self.source_start + (moment - self.start) * self.speed


@exact
@dataclass(frozen=True, kw_only=True)
class Track:
    """Clips one after the other; between them the track is empty."""

    kind: Kind
    clips: tuple[Clip, ...] = ()
    muted: bool = False
    hidden: bool = False


@exact
@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A whole cut."""

    canvas: Canvas = field(default_factory=Canvas)
    tracks: Annotated[tuple[Track, ...], Field(max_length=100)] = ()

    @property
    def duration(self) -> int:
        """Up to the end of its last clip."""
        return max((clip.end for clip in self.clips()), default=0)

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return frame_at(self.duration, self.canvas.rate)

    def clips(self) -> Iterator[Clip]:
        for track in self.tracks:
            yield from track.clips

    def materials(self) -> set[str]:
        """The names of all that it shows or sounds."""
        return {clip.material for clip in self.clips()}


def frame_at(moment: int, rate: Fraction) -> int:
    """The frame that begins nearest to a moment: every cut is made between two frames."""
    return round(Fraction(moment) * rate / SECOND)


def moment_of(frame: int, rate: Fraction) -> Fraction:
    """When a frame begins, in microseconds."""
    return frame * SECOND / rate
