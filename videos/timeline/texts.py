"""Letters in a timeline: what is written, and how it looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from videos.timeline.motion import Motion, Transform
from videos.timeline.values import Colour, Length, Moment, Offset, Part, Words, exact


class Align(StrEnum):
    """How the lines of a text lie to each other."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@exact
@dataclass(frozen=True, kw_only=True)
class Stroke:
    """A line around letters."""

    colour: Colour = "#000000"
    width: Part = 0.05  # of the letters' size


@exact
@dataclass(frozen=True, kw_only=True)
class Shadow:
    """Letters once more behind themselves."""

    colour: Colour = "#000000"
    opacity: Part = 0.6
    x: Offset = 0.05  # of the letters' size
    y: Offset = 0.05
    blur: Part = 0.0


@exact
@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle behind the lines."""

    colour: Colour = "#000000"
    opacity: Part = 0.6
    padding: Part = 0.2  # of the letters' size


@exact
@dataclass(frozen=True, kw_only=True)
class Style:
    """How letters look."""

    font: Annotated[str, Field(pattern=r"^[\w .-]{1,100}$")] = "sans-serif"  # a family; what is not there is replaced
    size: Annotated[float, Field(gt=0, le=2)] = 0.06  # of the canvas's height
    colour: Colour = "#ffffff"
    bold: bool = False
    italic: bool = False
    underline: bool = False
    spacing: Offset = 0.0  # between letters, of their size
    stroke: Stroke | None = None


@exact
@dataclass(frozen=True, kw_only=True)
class Span:
    """Some of a text's characters that look otherwise: from one place up to another."""

    first: Annotated[int, Field(strict=True, ge=0)]
    after: Annotated[int, Field(strict=True, gt=0)]
    style: Style


@exact
@dataclass(frozen=True, kw_only=True)
class Text:
    """Letters. The transform puts their middle somewhere, and scales and turns them."""

    start: Moment
    duration: Length
    text: Words
    style: Style = field(default_factory=Style)
    spans: Annotated[tuple[Span, ...], Field(max_length=1000)] = ()
    align: Align = Align.CENTRE
    width: Annotated[float, Field(gt=0, le=1)] = 0.9  # of the canvas's, in which it is broken into lines
    line_height: Annotated[float, Field(gt=0, le=10)] = 1.2  # of the letters' size
    shadow: Shadow | None = None
    box: Box | None = None
    transform: Transform = field(default_factory=Transform)
    motion: Motion = field(default_factory=Motion)

    @property
    def end(self) -> int:
        return self.start + self.duration
