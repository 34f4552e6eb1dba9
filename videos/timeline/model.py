"""A timeline: what is seen and heard, when. Plain data, the same whoever made it: a project, a draft, an OTIO file.

All times are whole microseconds of the timeline, but for `source_start`, which is the material's own. Positions are
parts of the canvas: (0, 0) is its centre, +x to the right, +y downwards, 1 a whole width or height. Tracks are listed
from the bottom to the top. A picture that does not move is a material whose one frame stands. The bounds are those that
`videos.timeline.project` checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from videos.timeline.motion import Motion, Transform
from videos.timeline.texts import Text
from videos.timeline.values import (
    SECOND,
    Angle,
    Colour,
    Length,
    Moment,
    Name,
    Part,
    Place,
    Rate,
    Scale,
    Side,
    Speed,
    Volume,
    exact,
)


class Kind(StrEnum):
    """What a track holds."""

    VIDEO = "video"  # pictures, with the sound that belongs to them
    AUDIO = "audio"
    TEXT = "text"  # letters that belong to the picture
    SUBTITLES = "subtitles"  # what is said: drawn into the picture, or beside it in the file for players to show

    @property
    def is_written(self) -> bool:
        """Whether it holds texts, and no clips."""
        return self in (Kind.TEXT, Kind.SUBTITLES)


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


class Passage(StrEnum):
    """How one picture gives way to the next one."""

    DISSOLVE = "dissolve"
    FADE_BLACK = "fade_black"  # through black: half of the time to it, half of it back
    FADE_WHITE = "fade_white"
    WIPE_LEFT = "wipe_left"  # an edge moves to the left over both, which stand
    WIPE_RIGHT = "wipe_right"
    WIPE_UP = "wipe_up"
    WIPE_DOWN = "wipe_down"
    SLIDE_LEFT = "slide_left"  # the next one pushes the old one out, to the left
    SLIDE_RIGHT = "slide_right"
    SLIDE_UP = "slide_up"
    SLIDE_DOWN = "slide_down"
    CIRCLE_OPEN = "circle_open"  # the next one within a circle that grows from the middle
    CIRCLE_CLOSE = "circle_close"  # the old one within a circle that shrinks


@exact
@dataclass(frozen=True, kw_only=True)
class Transition:
    """How a clip's picture gives way to that of the clip which follows it at once.

    It lies about the cut, half of it before and half after. Both materials go on meanwhile, beyond what their clips
    take of them; where there is no more, the last frame stands, or the first. Sound is cut all the same.
    """

    duration: Length
    kind: Passage = Passage.DISSOLVE

    @property
    def before(self) -> int:
        """How much of it lies before the cut."""
        return self.duration // 2

    @property
    def after(self) -> int:
        return self.duration - self.before


@exact
@dataclass(frozen=True, kw_only=True)
class Crop:
    """How much of a picture is cut away at each side, as a part of its width or height; before it is fitted."""

    left: Part = 0.0
    top: Part = 0.0
    right: Part = 0.0
    bottom: Part = 0.0


class Shape(StrEnum):
    """Which part of a picture a mask leaves."""

    LINE = "line"  # all that lies above a line
    MIRROR = "mirror"  # a band between two lines
    CIRCLE = "circle"  # an ellipse, if it is not as wide as high
    RECTANGLE = "rectangle"


@exact
@dataclass(frozen=True, kw_only=True)
class Mask:
    """What is seen of a picture, that is cropped and flipped already: it moves, grows and turns with that.

    Places are counted from the middle of the picture, and they and sizes are parts of its own width and height. A line
    has no size, a band no width.
    """

    shape: Shape
    x: Place = 0.0
    y: Place = 0.0
    width: Scale = 0.5
    height: Scale = 0.5
    rotation: Angle = 0.0  # degrees, clockwise, about its own middle
    corner: Part = 0.0  # how round those of a rectangle are: at 1 its shorter sides are half circles
    feather: Part = 0.0  # of the picture's height: how wide its edge is, half of that inside
    invert: bool = False  # what it would hide is seen


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
    speed: Speed = Fraction(1)
    keep_pitch: bool = True  # whatever the speed
    reverse: bool = False  # what it takes of the material is played backwards
    freeze: bool = False  # the frame at `source_start` stands, and nothing is heard
    sound: Sound = field(default_factory=Sound)
    fit: Fit = Fit.CONTAIN
    transform: Transform = field(default_factory=Transform)
    crop: Crop = field(default_factory=Crop)
    flip_x: bool = False
    flip_y: bool = False
    mask: Mask | None = None
    backdrop: Colour | None = None  # fills the canvas behind it; otherwise what lies below is seen
    motion: Motion = field(default_factory=Motion)
    transition: Transition | None = None  # to the clip that follows it

    @property
    def end(self) -> int:
        return self.start + self.duration

    def source_at(self, moment: Fraction | int) -> Fraction:
        """The time in the material, in microseconds, that is shown at a moment of the timeline."""
        return self.source_start + (moment - self.start) * self.speed


@exact
@dataclass(frozen=True, kw_only=True)
class Track:
    """Clips one after the other, or texts; between them the track is empty."""

    kind: Kind
    clips: tuple[Clip, ...] = ()
    texts: tuple[Text, ...] = ()
    muted: bool = False
    hidden: bool = False
    ducked: Volume | None = None  # what its volume is multiplied with while other tracks are heard

    @property
    def end(self) -> int:
        return max((one.end for one in self.items[-1:]), default=0)

    @property
    def items(self) -> tuple[Clip | Text, ...]:
        """Whatever it holds."""
        return (*self.clips, *self.texts)


@exact
@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A whole cut."""

    canvas: Canvas = field(default_factory=Canvas)
    tracks: Annotated[tuple[Track, ...], Field(max_length=100)] = ()

    @property
    def duration(self) -> int:
        """Up to the end of its last clip or text."""
        return max((track.end for track in self.tracks), default=0)

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
