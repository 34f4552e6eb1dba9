"""From the elements of a script to its breakdown: the same for every format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from assets.scripts import episode_marks, facts, headings, introductions, languages, misgivings, names
from assets.scripts.breakdown import Breakdown, Character, Cue, Prop, Scene, Script, Span
from assets.scripts.elements import Element, Heading, Kind
from assets.scripts.people import People
from assets.scripts.presence import Names

_SPOKEN = (Kind.DIALOGUE, Kind.PARENTHETICAL)


@dataclass(slots=True)
class _Cue:
    who: list[str]  # keys
    said: names.Said
    line: int
    last: int
    lines: int = 0


@dataclass(slots=True)
class _Scene:
    heading: Heading
    first: int
    last: int
    confidence: float
    cues: list[_Cue] = field(default_factory=list)
    there: list[tuple[int, str]] = field(default_factory=list)  # line, key
    listed: bool = False
    extras: dict[str, str] = field(default_factory=dict)  # key, name
    props: dict[str, str] = field(default_factory=dict)
    actions: list[Element] = field(default_factory=list)


def put_together(script: Script, elements: Iterable[Element]) -> Breakdown:
    """What the elements say, in order."""
    return _Assembly(script, list(elements)).breakdown()


class _Assembly:
    def __init__(self, script: Script, elements: list[Element]) -> None:
        self._script = script
        self._elements = elements
        self._people = People()
        self._scenes: list[_Scene] = []
        self._loose: list[Element] = []  # actions before the first scene
        self._props: dict[str, Prop] = {}
        self._numbers: dict[str, set[str]] = defaultdict(set)  # STORMTROOPER: 1, 2

    def breakdown(self) -> Breakdown:
        self._count_numbers()
        self._meet_everybody()
        self._tell_apart()
        self._divide()
        self._people.link()
        self._look_for_names()
        scenes = tuple(self._scene(index, scene) for index, scene in enumerate(self._scenes))
        characters = tuple(self._characters())
        return Breakdown(
            format=self._script.format,
            title=self._script.title,
            language=languages.of(self._script.text),
            scenes=scenes,
            characters=characters,
            props=self._all_props(scenes),
            warnings=tuple(misgivings.about(scenes, characters)),
        )

    def _count_numbers(self) -> None:
        for element in self._elements:
            spoken = (names.read(element.text).name,) if element.kind is Kind.CUE else ()
            for name in element.names if element.kind is Kind.CAST else spoken:
                base, number = names.numbered(name)
                if base:
                    self._numbers[base].add(number)

    def _is_extra(self, name: str) -> bool:
        """Whether nobody casts him or her: as the name says, or as there are several of the kind."""
        return names.is_extra(name) or len(self._numbers.get(names.numbered(name)[0], ())) > 1

    def _is_cast(self, name: str) -> bool:
        return not self._is_extra(name) and not names.is_nobody(name)

    def _tell_apart(self) -> None:
        """Names that speak in turns within a scene: JEKYLL, DR. JEKYLL, JEKYLL."""
        last: list[str] = []
        for element in self._elements:
            if element.kind is Kind.HEADING:
                last = []
            elif element.kind is Kind.CUE:
                name = names.read(element.text).name
                if last[-2:-1] == [name] != last[-1:]:
                    self._people.part(name, last[-1])
                last = [*last[-1:], name]

    def _meet_everybody(self) -> None:
        """All names there are, before it is asked which of them speak together."""
        for element in self._elements:
            if element.kind is Kind.PERSON and element.person:
                self._people.describe(element.person, line=element.line)
            elif element.kind is Kind.CUE:
                said = names.read(element.text)
                if said.name and not names.may_be_joined(said.name):
                    self._meet(said.name, element, weight=3)
            elif element.kind is Kind.CAST:
                for name in element.names:
                    self._meet(name, element, weight=1)
        for element in self._elements:
            if element.kind is Kind.CUE:
                said = names.read(element.text)
                if names.may_be_joined(said.name) and names.joined(said.name, self._people) == [said.name]:
                    self._meet(said.name, element, weight=3)
            elif element.kind is Kind.ACTION:
                for found in introductions.find(element.text, known=self._people):
                    if not self._is_cast(found.name):
                        continue
                    known = self._people.add(found.name, line=element.line, confidence=found.confidence, weight=0)
                    if found.nickname:
                        self._people.call(found.nickname, known)
                    known.age = known.age or found.age
                    known.role = known.role or found.role
                    known.gender = known.gender or facts.gender(found.phrase, name=found.name)
                    known.description = known.description or found.about

    def _meet(self, name: str, element: Element, *, weight: int) -> None:
        if self._is_cast(name):
            self._people.add(name, line=element.line, confidence=element.confidence, weight=weight)

    def _divide(self) -> None:
        """Into scenes, and who speaks in them."""
        scene: _Scene | None = None
        cue: _Cue | None = None
        headed = self._headed_episodes()
        any_heading = any(element.kind is Kind.HEADING for element in self._elements)
        for element in self._elements:
            if element.kind is Kind.HEADING and element.heading:
                cue = None
                scene = None
                if not headings.is_omitted(element.heading):
                    scene = self._open(element.heading, element)
                any_heading = True
                continue
            if element.kind is Kind.DIVISION:
                cue = None
                if episode_marks.starts_one(element.text):
                    scene, any_heading = None, element.line in headed
                continue
            if element.kind is Kind.CUE:
                if scene is None and not any_heading:
                    scene = self._open(Heading(text=""), element, confidence=0.4)
                cue = self._speak(element, scene)
            elif element.kind is Kind.DIALOGUE and cue:
                self._count(cue, element)
            elif element.kind not in _SPOKEN:
                cue = None
            self._note(element, scene)

    def _headed_episodes(self) -> set[int]:
        """Lines of the episodes' titles that a heading comes after before the next one does."""
        headed: set[int] = set()
        last = None
        for element in self._elements:
            if element.kind is Kind.DIVISION and episode_marks.starts_one(element.text):
                last = element.line
            elif element.kind is Kind.HEADING and last is not None:
                headed.add(last)
        return headed

    def _open(self, heading: Heading, element: Element, *, confidence: float | None = None) -> _Scene:
        sure = element.confidence if confidence is None else confidence
        scene = _Scene(heading=heading, first=element.line, last=element.line, confidence=sure)
        self._scenes.append(scene)
        return scene

    def _speak(self, element: Element, scene: _Scene | None) -> _Cue | None:
        said = names.read(element.text)
        if not said.name:
            return None
        cue = _Cue(who=[], said=said, line=element.line, last=element.line)
        for name in names.joined(said.name, self._people):
            if names.is_nobody(name):
                continue
            if self._is_extra(name):
                if scene:
                    scene.extras.setdefault(names.key(name), name)
                continue
            known = self._people.add(name, line=element.line, confidence=element.confidence, weight=0)
            known.cues += 1
            cue.who.append(known.key)
            if scene:
                scene.there.append((element.line, known.key))
        if scene:
            scene.cues.append(cue)
        return cue

    def _count(self, cue: _Cue, element: Element) -> None:
        cue.lines += 1
        cue.last = element.line
        for key in cue.who:
            self._people.by_key(key).lines += 1

    def _note(self, element: Element, scene: _Scene | None) -> None:
        if scene is None:
            if element.kind is Kind.ACTION:
                self._loose.append(element)
            return
        scene.last = max(scene.last, element.line, element.through)
        if element.kind is Kind.ACTION:
            scene.actions.append(element)
        elif element.kind is Kind.PROPS:
            scene.props.update({names.key(name): name for name in element.names})
        elif element.kind is Kind.CAST:
            scene.listed = scene.listed or element.complete
            for listed in element.names:
                for name in names.joined(listed, self._people):
                    if self._is_extra(name):
                        scene.extras.setdefault(names.key(name), name)
                    elif not names.is_nobody(name):
                        known = self._people.add(name, line=element.line, confidence=element.confidence, weight=0)
                        scene.there.append((element.line, known.key))

    def _look_for_names(self) -> None:
        """Who is named in what happens; and whether one speaks of her or of him there."""
        wanted = Names(self._people.called())
        for scene in self._scenes:
            for action in scene.actions:
                self._pronouns(wanted, action)
                if not scene.listed:
                    scene.there += [(action.line, key) for key in wanted.present(action.text)]
        for action in self._loose:
            self._pronouns(wanted, action)

    def _pronouns(self, wanted: Names, action: Element) -> None:
        if (key := wanted.subject(action.text)) is not None:
            known = self._people.by_key(key)
            her, him = facts.pronouns(action.text)
            known.said_of[0] += her
            known.said_of[1] += him

    def _scene(self, index: int, scene: _Scene) -> Scene:
        cast: dict[str, None] = {}
        for _, key in sorted(scene.there, key=lambda one: one[0]):
            known = self._people.by_key(key)
            name = self._people.name_of(known)
            if not self._is_cast(name):  # a list calls somebody whom it describes THE GUARDS
                if self._is_extra(name):
                    scene.extras.setdefault(names.key(name), name)
                continue
            cast.setdefault(name)
            if index not in known.scenes[-1:]:
                known.scenes.append(index)
        return Scene(
            index=index,
            number=scene.heading.number,
            heading=scene.heading.text,
            place_name=scene.heading.place_name,
            place=scene.heading.place,
            time=scene.heading.time,
            cast=tuple(cast),
            extras=tuple(scene.extras.values()),
            cues=tuple(self._cue(cue) for cue in scene.cues),
            props=tuple(scene.props.values()),
            span=Span(first_line=scene.first, last_line=scene.last),
            confidence=round(scene.confidence, 2),
        )

    def _cue(self, cue: _Cue) -> Cue:
        speakers = [self._people.name_of(self._people.by_key(key)) for key in cue.who]
        return Cue(
            speaker="/".join(speakers) or cue.said.name,
            extension=cue.said.extension,
            lines=cue.lines,
            span=Span(first_line=cue.line, last_line=cue.last),
        )

    def _characters(self) -> list[Character]:
        return [character for character in self._people.characters() if self._is_cast(character.name)]

    def _all_props(self, scenes: tuple[Scene, ...]) -> tuple[Prop, ...]:
        found: dict[str, list[int]] = {}
        shown: dict[str, str] = {}
        for scene in scenes:
            for name in scene.props:
                found.setdefault(names.key(name), []).append(scene.index)
                shown.setdefault(names.key(name), name)
        return tuple(
            Prop(name=shown[key], scenes=tuple(where), span=scenes[where[0]].span, confidence=1.0)
            for key, where in found.items()
        )
