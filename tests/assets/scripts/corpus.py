"""Scripts written for the tests, each with the right answer beside it, and how well they are read.

An answer has a line for each scene — how its heading's line begins, place, inside or outside, time, cast — and one with
all characters. It was written with the script, before that was read by anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assets.scripts import Breakdown, Character, break_down, names, read
from assets.scripts.breakdown import Script

FOLDER = Path(__file__).parent / "corpus"
GROUPS = ("fountain", "fdx", "chinese", "messy")
KINDS = ("scenes", "characters", "cast")


@dataclass(frozen=True)
class ScenePart:
    """A scene as it should be read."""

    starts: str
    place_name: str
    place: str
    time: str
    cast: tuple[str, ...]


@dataclass(frozen=True)
class Labelled:
    """A script and its answer."""

    path: Path
    scenes: tuple[ScenePart, ...]
    characters: tuple[str, ...]


@dataclass
class Score:
    """How many were found, wanted, and both; of scenes, characters, cast."""

    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    wanted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    right: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    wrong: list[str] = field(default_factory=list)

    def precision(self, kind: str) -> float:
        return self.right[kind] / self.found[kind] if self.found[kind] else 1.0

    def recall(self, kind: str) -> float:
        return self.right[kind] / self.wanted[kind] if self.wanted[kind] else 1.0

    def f1(self, kind: str) -> float:
        both = self.found[kind] + self.wanted[kind]
        return 2 * self.right[kind] / both if both else 1.0

    @property
    def whole(self) -> float:
        """The worst of the three: a reader is as good as what it is worst at."""
        return min(self.f1(kind) for kind in KINDS)

    def count(self, kind: str, found: set[str], wanted: set[str], *, where: str) -> None:
        self.found[kind] += len(found)
        self.wanted[kind] += len(wanted)
        self.right[kind] += len(found & wanted)
        self.wrong += [f"{where}: {kind} + {one}" for one in sorted(found - wanted)]
        self.wrong += [f"{where}: {kind} - {one}" for one in sorted(wanted - found)]


def labelled(group: str) -> Iterator[Labelled]:
    """All scripts of a group."""
    for answer in sorted((FOLDER / group).glob("*.answer")):
        path = next(path for path in answer.parent.glob(f"{answer.stem}.*") if path.suffix != ".answer")
        yield _parse(path, answer.read_text(encoding="utf-8"))


def score(group: str) -> Score:
    """Read all scripts of a group, and compare."""
    total = Score()
    for one in labelled(group):
        script = read(one.path.read_bytes(), name=one.path.name)
        compare(one, script, break_down(script), total)
    return total


def compare(one: Labelled, script: Script, breakdown: Breakdown, total: Score) -> None:
    """Count what is right."""
    where = one.path.name
    lines = _lines(one, script)
    known = {
        names.key(name): character
        for character in breakdown.characters
        for name in (character.name, *character.aliases)
    }
    wanted = {
        _scene(line, part.place_name, part.place, part.time) for line, part in zip(lines, one.scenes, strict=True)
    }
    found = {_scene(scene.span.first_line, scene.place_name, scene.place, scene.time) for scene in breakdown.scenes}
    total.count("scenes", found, wanted, where=where)
    total.count(
        "characters",
        {names.key(character.name) for character in breakdown.characters},
        {_same(name, known) for name in one.characters},
        where=where,
    )
    total.count(
        "cast",
        {f"{scene.span.first_line} {names.key(name)}" for scene in breakdown.scenes for name in scene.cast},
        {f"{line} {_same(name, known)}" for line, part in zip(lines, one.scenes, strict=True) for name in part.cast},
        where=where,
    )


def _parse(path: Path, answer: str) -> Labelled:
    rows = [row for row in answer.splitlines() if row.strip()]
    scenes = []
    for row in rows[:-1]:
        starts, place_name, place, time, cast = (part.strip() for part in row.split("|"))
        scenes.append(ScenePart(starts, place_name, place, time, _listed(cast)))
    return Labelled(path=path, scenes=tuple(scenes), characters=_listed(rows[-1].removeprefix("characters:")))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _lines(one: Labelled, script: Script) -> list[int]:
    """The lines that the scenes begin at."""
    found: list[int] = []
    for number, row in enumerate(script.text.split("\n"), 1):
        if len(found) < len(one.scenes) and row.strip().startswith(one.scenes[len(found)].starts):
            found.append(number)
    assert len(found) == len(one.scenes), f"{one.path.name}: the answer's headings are not in the script"
    return found


def _scene(line: int, place_name: str, place: str, time: str) -> str:
    return f"{line} {place_name.casefold()} {place} {time}"


def _same(name: str, known: dict[str, Character]) -> str:
    """The key of the character's name, if the answer's is an alias of it."""
    character = known.get(names.key(name))
    return names.key(character.name if character else name)
