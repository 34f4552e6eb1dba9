"""What is found in a script, in one shape whoever read it. Plain Python.

`of_breakdown` takes what the built-in reader found; `of_answer` what a language model answered; `put_together` makes
one of the findings of several parts. Names are cut to what the tables hold; what has no name is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assets import names
from assets.scripts.breakdown import Breakdown, Scene

CHARACTER, PROP, SCENE = "character", "prop", "scene"
_LENGTHS = {"gender": 40, "age": 40, "voice": 200, "role": 40, "time": 40, "description": 2000}
_MOST_ALIASES = 20
_ROLES = ("lead", "supporting", "minor")
_SURE, _NOT_IN_THE_TEXT = 0.9, 0.4  # of a language model


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Where something appears: in a scene, or somewhere between scenes."""

    scene_index: int | None = None  # from 0
    scene_number: str = ""
    scene_heading: str = ""
    first_line: int | None = None  # from 1
    lines: int = 0  # spoken there


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One character, prop or scene."""

    kind: str
    name: str
    aliases: tuple[str, ...] = ()
    description: str = ""
    gender: str = ""
    age: str = ""
    voice: str = ""
    role: str = ""
    time: str = ""
    place: str = ""
    spots: tuple[Spot, ...] = ()
    confidence: float = 1.0

    @property
    def normal(self) -> str:
        """What it is known by: `Asset.normal`."""
        if self.kind == SCENE:
            return names.normal_scene(self.name, time=self.time, place=self.place)
        return names.normal(self.name)

    @property
    def first_line(self) -> int | None:
        """Where it first appears."""
        return min((spot.first_line for spot in self.spots if spot.first_line), default=None)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that was found, each thing once; and what is to be said about it."""

    things: tuple[Finding, ...] = ()
    scenes: int = 0  # as they follow each other, the same place again each time
    warnings: tuple[str, ...] = field(default=())


def of_breakdown(breakdown: Breakdown) -> Findings:
    """The findings of the built-in reader."""
    scenes = {scene.index: scene for scene in breakdown.scenes}
    things: list[Finding] = []
    for character in breakdown.characters:
        spoken = _spoken(breakdown.scenes, character.name)
        spots = tuple(
            replace(_spot(scenes[index]), lines=lines, first_line=at or scenes[index].span.first_line)
            for index in character.scenes
            for lines, at in [spoken.get(index, (0, None))]
        )
        things.append(
            Finding(
                kind=CHARACTER,
                name=character.name,
                aliases=character.aliases,
                description=character.description,
                gender=character.gender.value,
                age=character.age,
                voice=character.voice,
                role=character.role.value,
                spots=spots or (Spot(first_line=character.span.first_line, lines=character.lines),),
                confidence=character.confidence,
            )
        )
    for prop in breakdown.props:
        spots = tuple(_spot(scenes[index]) for index in prop.scenes)
        first = Spot(first_line=prop.span.first_line)
        things.append(Finding(kind=PROP, name=prop.name, spots=spots or (first,), confidence=prop.confidence))
    for scene in breakdown.scenes:
        place, time = scene.place.value, scene.time
        name = scene.place_name or scene.heading
        spots = (_spot(scene),)
        things.append(Finding(kind=SCENE, name=name, time=time, place=place, spots=spots, confidence=scene.confidence))
    return _united(things, scenes=len(breakdown.scenes), warnings=breakdown.warnings)


def of_answer(data: Mapping[str, Any], text: str, *, first_line: int = 1) -> Findings:
    """The findings of a language model about `text`, whose lines it was shown numbered from `first_line`.

    Line numbers outside of the text are left out, and what does not stand in it is little trusted.
    """
    last_line = first_line + text.count("\n")
    read = names.normal(text)

    def line(said: Any) -> int | None:
        return int(said) if first_line <= said <= last_line else None  # 12.0 is a whole number to JSON Schema

    scenes = [
        Spot(
            scene_index=index,
            scene_number=_cut(scene["number"], 40),
            scene_heading=_cut(scene["heading"] or scene["place_name"], 255),
            first_line=line(scene["first_line"]),
        )
        for index, scene in enumerate(data["scenes"])
    ]
    things = [
        _said(SCENE, scene["place_name"] or scene["heading"], scene, (scenes[index],), read)
        for index, scene in enumerate(data["scenes"])
    ]
    for kind, said in [(CHARACTER, data["characters"]), (PROP, data["props"])]:
        for thing in said:
            spots = [scenes[int(index)] for index in dict.fromkeys(thing["scenes"]) if 0 <= index < len(scenes)]
            at = line(thing["first_line"])
            things.append(_said(kind, thing["name"], thing, _from(spots, at), read))
    return _united(things, scenes=len(scenes), warnings=())


def put_together(parts: Sequence[Findings]) -> Findings:
    """One of several parts that follow each other: scenes are counted on, and who appears in several is one."""
    things: list[Finding] = []
    before = 0
    for part in parts:
        for thing in part.things:
            things.append(replace(thing, spots=tuple(_later(spot, by=before) for spot in thing.spots)))
        before += part.scenes
    warnings = dict.fromkeys(warning for part in parts for warning in part.warnings)
    return _united(things, scenes=before, warnings=tuple(warnings))


def _spoken(scenes: Iterable[Scene], speaker: str) -> dict[int, tuple[int, int]]:
    """By scene: how many lines somebody speaks, and where they begin to."""
    spoken: dict[int, tuple[int, int]] = {}
    for scene in scenes:
        cues = [cue for cue in scene.cues if cue.speaker == speaker]
        if cues:
            spoken[scene.index] = sum(cue.lines for cue in cues), min(cue.span.first_line for cue in cues)
    return spoken


def _spot(scene: Scene) -> Spot:
    return Spot(
        scene_index=scene.index,
        scene_number=_cut(scene.number, 40),
        scene_heading=_cut(scene.heading, 255),
        first_line=scene.span.first_line,
    )


def _later(spot: Spot, *, by: int) -> Spot:
    return spot if spot.scene_index is None else replace(spot, scene_index=spot.scene_index + by)


def _from(spots: Sequence[Spot], at: int | None) -> tuple[Spot, ...]:
    """The spots, of which the first begins where the thing was said to come up."""
    if not spots:
        return (Spot(first_line=at),)
    first, *others = spots
    return (replace(first, first_line=at or first.first_line), *others)


def _said(kind: str, name: Any, said: Mapping[str, Any], spots: tuple[Spot, ...], read: str) -> Finding:
    name = _cut(name, names.LONGEST)
    written = {key: _cut(said.get(key, ""), length) for key, length in _LENGTHS.items()}
    if kind != SCENE:
        written["time"] = ""
    there = names.normal(name) in read
    return Finding(
        kind=kind,
        name=name,
        aliases=tuple(said.get("aliases", ())),
        place=str(said.get("place", "")) if kind == SCENE else "",
        spots=spots,
        confidence=_SURE if there else _NOT_IN_THE_TEXT,
        **written,
    )


def _cut(text: Any, length: int) -> str:
    """The text on one line, as long as the column; `storable` has taken out what no database keeps."""
    return " ".join(str(text).split())[:length]


def _united(things: Iterable[Finding], *, scenes: int, warnings: Iterable[str]) -> Findings:
    """The same thing once, with all its places."""
    found: dict[tuple[str, str], Finding] = {}
    for thing in things:
        thing = replace(thing, name=_cut(thing.name, names.LONGEST))
        if not thing.name:
            continue
        known = found.get((thing.kind, thing.normal))
        found[thing.kind, thing.normal] = _both(known, thing) if known else _tidy(thing)
    return Findings(things=tuple(found.values()), scenes=scenes, warnings=tuple(warnings))


def _both(one: Finding, other: Finding) -> Finding:
    """Two findings of one thing: the one of before has the first word, and the larger role counts."""
    roles = [role for role in _ROLES if role in (one.role, other.role)]
    blanks = {name: getattr(one, name) or getattr(other, name) for name in _LENGTHS if name != "role"}
    return _tidy(
        replace(
            one,
            aliases=(*one.aliases, other.name, *other.aliases),
            spots=(*one.spots, *other.spots),
            confidence=max(one.confidence, other.confidence),
            role=roles[0] if roles else one.role or other.role,
            **blanks,
        )
    )


def _tidy(thing: Finding) -> Finding:
    """Each alias once and none that is the name; each scene once."""
    aliases = {names.normal(alias): _cut(alias, names.LONGEST) for alias in reversed(thing.aliases) if alias.strip()}
    aliases.pop(names.normal(thing.name), None)
    spots: dict[int | None, Spot] = {}
    for spot in thing.spots:
        known = spots.get(spot.scene_index)
        spots[spot.scene_index] = replace(known, lines=known.lines + spot.lines) if known else spot
    cut = {name: getattr(thing, name)[:length] for name, length in _LENGTHS.items()}
    kept = tuple(reversed(aliases.values()))[:_MOST_ALIASES]
    return replace(thing, aliases=kept, spots=tuple(spots.values()), **cut)
