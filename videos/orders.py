"""What may be asked of an export: format, quality, size, rate, subtitles, a watermark. Plain data with its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from videos import errors
from videos.timeline.film import Format, Recipe
from videos.timeline.formats import Subtitles
from videos.timeline.model import Fit
from videos.timeline.values import Name, Part, Rate, Side, exact

HIGHEST_CRF = 51  # of x264: the worst
STILL_SECONDS = 5.0  # for which a still is shown among materials end to end, unless said otherwise


class Quality(StrEnum):
    """How good, and how long it may take."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CUSTOM = "custom"


class Preset(StrEnum):
    """Of x264: how hard it looks for a smaller file of the same quality."""

    ULTRAFAST = "ultrafast"
    SUPERFAST = "superfast"
    VERYFAST = "veryfast"
    FASTER = "faster"
    FAST = "fast"
    MEDIUM = "medium"
    SLOW = "slow"
    SLOWER = "slower"
    VERYSLOW = "veryslow"


class Origin(StrEnum):
    """What a film is made of."""

    TIMELINE = "timeline"
    MATERIALS = "materials"  # all of them, in their order, end to end


class Corner(StrEnum):
    """Where a watermark lies."""

    TOP_LEFT = "top_left"
    TOP_RIGHT = "top_right"
    BOTTOM_LEFT = "bottom_left"
    BOTTOM_RIGHT = "bottom_right"
    CENTRE = "centre"


FORMATS = [(one.value, one.value) for one in Format]
QUALITIES = [(one.value, one.value) for one in Quality]
ORIGINS = [(one.value, one.value) for one in Origin]

_QUALITIES = {
    Quality.LOW: (28, Preset.FAST),
    Quality.MEDIUM: (23, Preset.MEDIUM),
    Quality.HIGH: (18, Preset.SLOW),
}


@exact
@dataclass(frozen=True, kw_only=True)
class Watermark:
    """A material that is seen over the whole film."""

    material: Name
    corner: Corner = Corner.BOTTOM_RIGHT
    width: Annotated[float, Field(gt=0, le=1)] = 0.15  # of the canvas's
    margin: Annotated[float, Field(ge=0, le=0.5)] = 0.03  # on both sides, of the canvas's width
    opacity: Part = 0.8


@exact
@dataclass(frozen=True, kw_only=True)
class Order:
    """One export, as it is asked for. What is not said is the canvas's, or the quality's."""

    format: Format = Format.MP4
    quality: Quality = Quality.MEDIUM
    crf: Annotated[int, Field(strict=True, ge=0, le=HIGHEST_CRF)] | None = None
    preset: Preset | None = None
    width: Side | None = None
    height: Side | None = None
    rate: Rate | None = None
    fit: Fit | None = None
    source: Origin | None = None
    still_seconds: Annotated[float, Field(ge=0.1, le=3600)] | None = None  # of each, end to end
    loudness: Annotated[bool, Field(strict=True)] = False  # the sound is brought to that of the platforms
    subtitles: Subtitles = Subtitles.BURN
    watermark: Watermark | None = None

    @property
    def recipe(self) -> Recipe:
        """How it is encoded."""
        crf, preset = _QUALITIES.get(self.quality, _QUALITIES[Quality.MEDIUM])
        return Recipe(
            format=self.format,
            crf=crf if self.crf is None else self.crf,
            preset=(self.preset or preset).value,
            loudness=self.loudness,
            subtitles=self.subtitles,
        )


_adapter: TypeAdapter[Order] = TypeAdapter(Order)


def read(said: dict[str, Any]) -> Order:
    """An order as it was said. Raises ExportInvalid, which names every field that is wrong."""
    try:
        order = _adapter.validate_python(said)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise errors.ExportInvalid.of(
            {_field(one["loc"]): _problem(one["loc"], one["msg"]) for one in found}
        ) from error
    if problems := _contradictions(order):
        raise errors.ExportInvalid.of(problems)
    return order


def _field(path: tuple[int | str, ...]) -> str:
    return str(path[0]) if path else ""


def _problem(path: tuple[int | str, ...], said: str) -> str:
    """With the part of the field that is meant."""
    return ": ".join([*map(str, path[1:]), said])


def _contradictions(order: Order) -> dict[str, str]:
    problems = {}
    if order.quality is not Quality.CUSTOM:
        for name in ("crf", "preset"):
            if getattr(order, name) is not None:
                problems[name] = "Only the quality custom has one of its own"
    if order.still_seconds is not None and order.source is Origin.TIMELINE:
        problems["still_seconds"] = "A timeline says itself how long each clip is"
    if (order.width is None) != (order.height is None):
        problems["height" if order.height is None else "width"] = "Width and height go together"
    if order.subtitles is Subtitles.TRACK and not order.format.is_captioned:
        problems["subtitles"] = f"A file of the format {order.format.value} has no tracks of subtitles"
    return problems
