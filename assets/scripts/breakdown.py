"""What a script is taken apart into, whatever format it came in: scenes, cues, characters, props, each with its place.

Lines are counted from 1, in `Script.text`. Confidence goes from 0 to 1: 1 is what the format marks and can't mean
anything else, below that it was inferred (docs/decisions/0020).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """How a script is written, which its file's name need not tell."""

    FOUNTAIN = "fountain"
    FDX = "fdx"  # Final Draft; its text is Fountain
    CHINESE = "chinese"  # short drama: a header for each scene, `名：` for who speaks
    SCREENPLAY = "screenplay"  # as people type it, or copy it out of a PDF
    PROSE = "prose"


class Place(StrEnum):
    INSIDE = "inside"
    OUTSIDE = "outside"
    BOTH = "both"
    UNKNOWN = ""


class Role(StrEnum):
    """By their share of what is said."""

    LEAD = "lead"
    SUPPORTING = "supporting"
    MINOR = "minor"


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    UNKNOWN = ""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Lines of the text, the last one included."""

    first_line: int
    last_line: int


@dataclass(frozen=True, kw_only=True)
class Script:
    """A script as text. Lines end in \\n; there is no NUL in it, and nothing that is no character."""

    format: Format
    title: str
    text: str
    encoding: str  # of the bytes it was read from: utf-8, gb18030, utf-16 ...; "" if it was text


@dataclass(frozen=True, kw_only=True)
class Cue:
    """Somebody speaks."""

    speaker: str  # a character's or an extra's name, as in `Scene.cast` or `Scene.extras`
    extension: str  # V.O., O.S., on the phone: as written
    lines: int  # of dialogue, as the text has them
    span: Span


@dataclass(frozen=True, kw_only=True)
class Scene:
    index: int  # from 0
    number: str  # as written: "12A", "1-3"
    heading: str  # the line, without marks of the format
    place_name: str
    place: Place
    time: str  # day, night, morning, noon, afternoon, evening, dawn, dusk, continuous, later, same; else as written
    cast: tuple[str, ...]  # characters who are there or heard, in order of appearance
    extras: tuple[str, ...]  # 村民甲, GUARD #2, CROWD
    cues: tuple[Cue, ...]
    props: tuple[str, ...]
    span: Span
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Character:
    name: str  # as the cues have it
    aliases: tuple[str, ...]
    scenes: tuple[int, ...]  # indexes
    lines: int  # of dialogue
    description: str
    gender: Gender
    age: str  # as written: "30s", "24"
    voice: str
    role: Role
    span: Span  # where it comes up first
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Prop:
    name: str
    scenes: tuple[int, ...]
    span: Span
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    format: Format
    title: str
    language: str  # zh, en, or another code of ISO 639-1; "" if there is nothing to tell by
    scenes: tuple[Scene, ...]
    characters: tuple[Character, ...]  # the one with the most lines first
    props: tuple[Prop, ...]
    warnings: tuple[str, ...]  # sentences, for people


@dataclass(frozen=True, kw_only=True)
class EpisodeText:
    """One of the episodes that a script has in it."""

    number: int
    title: str
    text: str
    span: Span
