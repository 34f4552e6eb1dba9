"""What a script consists of: every format is taken apart into these, and one assembly puts them together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from assets.scripts.breakdown import Gender, Place


class Kind(Enum):
    HEADING = auto()  # `heading` is set
    ACTION = auto()
    CUE = auto()  # `text` is who speaks, as written
    DIALOGUE = auto()
    PARENTHETICAL = auto()
    TRANSITION = auto()
    DIVISION = auto()  # acts, episodes, sections: scenes end there, and none begins
    CAST = auto()  # who is in the scene: `names`
    PROPS = auto()  # `names`
    PERSON = auto()  # an entry of a list of characters: `person`
    TITLE = auto()
    ASIDE = auto()  # synopses, titles on the screen, sounds, pages: nobody says it, nobody is seen in it


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """A scene's heading, understood."""

    text: str
    number: str = ""
    place_name: str = ""
    place: Place = Place.UNKNOWN
    time: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """What a script says about somebody, beside what he or she does."""

    name: str
    aliases: tuple[str, ...] = ()
    description: str = ""
    gender: Gender = Gender.UNKNOWN
    age: str = ""
    voice: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    kind: Kind
    text: str
    line: int  # from 1
    through: int = 0  # its last line, if it has more than one
    confidence: float = 1.0
    heading: Heading | None = None
    names: tuple[str, ...] = ()
    complete: bool = True  # of a CAST: nobody else is there
    person: Person | None = None
