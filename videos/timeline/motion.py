"""Where a picture or a text is put, and how that changes by keyframes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from videos.timeline.values import Angle, Moment, Part, Place, Scale, exact


@exact
@dataclass(frozen=True, kw_only=True)
class Transform:
    """Where a picture is put once it fits: moved, scaled about its centre, turned."""

    x: Place = 0.0
    y: Place = 0.0
    scale: Scale = 1.0
    rotation: Angle = 0.0  # degrees, clockwise
    opacity: Part = 1.0


class Easing(StrEnum):
    """How a value comes to that of the next keyframe."""

    LINEAR = "linear"
    HOLD = "hold"  # not until it is there
    EASE_IN = "ease_in"  # slowly at first: the square of the time
    EASE_OUT = "ease_out"  # slowly at last
    EASE_IN_OUT = "ease_in_out"  # both: each half as above


@exact
@dataclass(frozen=True, kw_only=True)
class Keyframe:
    """The value of something at a moment, counted from the start of its clip."""

    at: Moment
    value: float
    easing: Easing = Easing.LINEAR  # of the way to the next one


Keyframes = Annotated[tuple[Keyframe, ...], Field(max_length=1000)]


@exact
@dataclass(frozen=True, kw_only=True)
class Motion:
    """What changes within a clip or a text: for each property its keyframes, in their order.

    They stand in the place of the one value that the transform, or the sound, has for it. Before the first one and
    after the last one nothing changes.
    """

    x: Keyframes = ()
    y: Keyframes = ()
    scale: Keyframes = ()
    rotation: Keyframes = ()
    opacity: Keyframes = ()
    volume: Keyframes = ()
