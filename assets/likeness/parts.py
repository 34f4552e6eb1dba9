"""What a name is taken apart into."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property

from assets.likeness import text
from assets.likeness.text import listed
from assets.likeness.vocabulary import KIN_GENDERS, SURNAME_READINGS, Title

_MEN = frozenset(listed("man boy guy gentleman policeman waiter host king prince 男人 男子 男孩 男生 男声 大叔 大爷"))
_WOMEN = frozenset(
    listed("woman girl lady policewoman waitress hostess queen princess 女人 女子 女孩 女生 女声 大妈 阿姨")
)


class Part(enum.StrEnum):
    """Which part of a whole name a short one may be."""

    FAMILY = "family"
    GIVEN = "given"
    EITHER = "either"


@dataclass(frozen=True, kw_only=True)
class Name:
    """A name of a person, taken apart. Of a whole one, family and given name are known; of a short one, one word."""

    core: str  # its letters, without title, number and age
    han: bool = False
    family: str = ""
    given: str = ""
    middle: tuple[str, ...] = ()
    short: str = ""
    part: Part = Part.EITHER
    title: Title | None = None
    seniority: str = ""  # 小, 老, 大, 阿
    number: int | None = None
    stage: str = ""  # young, old, ...: another face of the same person
    generation: str = ""  # jr, sr, ii
    kin: str = ""  # somebody's mother
    of: str = ""  # whose: the key of that name
    of_family: bool = False  # whose is but a family's name
    role: str = ""  # stands for a person without a name: guard
    remark: str = ""  # what else is said behind it, in brackets

    @property
    def is_full(self) -> bool:
        return bool(self.family and self.given)

    @property
    def is_generic(self) -> bool:
        """It names nobody in particular: a role, a kin word, one letter."""
        return bool(self.role) or (len(self.core) < 2 and not self.han)

    @cached_property
    def key(self) -> str:
        """Equal for names that are the same but for their spelling."""
        if self.kin:
            return f"{self.of}>{self.kin}{self.remark}"
        title = "" if self.is_full or self.title is None else f"{self.title.word}:"
        number = "" if self.number is None else str(self.number)
        rest = "".join(f"#{mark}" for mark in (number, self.generation, self.stage, self.remark) if mark)
        return f"{title}{self.seniority}{self.core}{rest}"

    @cached_property
    def sound(self) -> str:
        """Its letters as they are usually written in Latin."""
        known = SURNAME_READINGS.get(self.family, "") if self.core.startswith(self.family) else ""
        body = known + text.reading(self.core[len(self.family) :]) if known else text.reading(self.core)
        return f"{text.reading(self.seniority)}{body}{self._sound_of_title}"

    @property
    def _sound_of_title(self) -> str:
        """Of a Chinese form of address the title is part of the name: 林总 is Lin Zong."""
        return text.reading(self.title.word) if self.han and self.title and not self.is_full else ""

    @property
    def family_sound(self) -> str:
        return SURNAME_READINGS.get(self.family) or text.reading(self.family)

    @property
    def syllables(self) -> int:
        """How many characters a Chinese name has, with its form of address."""
        return len(self.core) + len(self.seniority) + (len(self.title.word) if self.title and not self.is_full else 0)

    @property
    def gender(self) -> str:
        """As far as the name tells."""
        if self.kin:
            return KIN_GENDERS.get(self.kin, "")
        if self.role:
            men, women = self.role in _MEN or self.core[:1] == "男", self.role in _WOMEN or self.core[:1] == "女"
            return "male" if men else "female" if women else ""
        return self.title.gender if self.title else ""
