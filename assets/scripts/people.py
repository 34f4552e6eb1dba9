"""Everybody in a script, each once: whatever name the cues, the lists and the actions use."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from assets.scripts import facts, names
from assets.scripts.breakdown import Character, Gender, Role, Span
from assets.scripts.elements import Person
from assets.scripts.presence import Called, How
from assets.scripts.titles import OF_A_WOMAN, TITLES, same_title
from assets.scripts.words import words

_OTHER = words("YOUNG OLD LITTLE OLDER YOUNGER TEEN TEENAGE ADULT BABY FAKE ELDERLY FUTURE REAL")
_MOST_FORMS = 100  # ways to write the names of one person
_HAN_OTHER = re.compile(r"小|幼|少年|青年|中年|老年|童年|假|年轻|老|大|真")


@dataclass(slots=True)
class Known:
    """What has been found out about somebody."""

    key: str
    forms: Counter[str] = field(default_factory=Counter)
    scenes: list[int] = field(default_factory=list)
    lines: int = 0
    cues: int = 0
    first: int = 0
    confidence: float = 0.0
    person: Person | None = None
    description: str = ""
    age: str = ""
    gender: Gender = Gender.UNKNOWN
    role: bool = False  # a word for what somebody is: A WAITRESS
    said_of: list[int] = field(default_factory=lambda: [0, 0])  # she, he


class People:
    """All of them, by the key of their names."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._nicknames: list[tuple[str, str]] = []
        self._same: dict[str, str] = {}  # another name's key, and whose it is
        self._two: set[frozenset[str]] = set()  # keys of names that are not one person's
        self._shown: dict[str, str] = {}  # names as the cues have them, by key

    def __contains__(self, key: object) -> bool:
        return key in self._known or key in self._same

    def add(self, name: str, *, line: int, confidence: float, weight: int = 1) -> Known:
        """Take note of a name. `weight`: how much this way of writing it counts."""
        key = self._whose(names.key(name))
        known = self._known.setdefault(key, Known(key=key))
        known.forms[name] += weight
        known.first = min(known.first or line, line)
        known.confidence = max(known.confidence, confidence)
        return known

    def call(self, name: str, known: Known) -> None:
        """HENRY "HANK" MOSS: who speaks as HANK is he."""
        self._nicknames.append((name, known.key))

    def part(self, one: str, other: str) -> None:
        """Two names that speak in turns are two people's, however alike they are."""
        self._two.add(frozenset((self._whose(names.key(one)), self._whose(names.key(other)))))

    def by_key(self, key: str) -> Known:
        return self._known[self._whose(key)]

    def _whose(self, key: str) -> str:
        """The key that is known, of all that are one person's. The way there is made shorter for the next time."""
        way = []
        while key in self._same:
            way.append(key)
            key = self._same[key]
        self._same.update(dict.fromkeys(way, key))
        return key

    def describe(self, person: Person, *, line: int) -> None:
        """An entry of a list of characters."""
        known = self.add(person.name, line=line, confidence=0.9, weight=0)
        known.person = known.person or person

    def link(self) -> None:
        """Find out which names are one person's: aliases, DETECTIVE MILLS and MILLS, SARAH CONNOR and SARAH."""
        for known in list(self._known.values()):
            for alias in known.person.aliases if known.person else ():
                self._join(names.key(alias), known.key, alias)
                if known.person and re.search(r"[\u4e00-\u9fff]", known.person.name):
                    # 又名: the list says which of the names is the name; cues in English go by the one they use.
                    known.forms[known.person.name] += known.forms.total()
        for nickname, key in self._nicknames:
            self._join(names.key(nickname), key, nickname)
        for whole, part in self._han_parts():
            self._join(whole, part)
        for whole, part in self._parts():
            if frozenset((whole, part)) not in self._two:
                self._join(*((whole, part) if self.by_key(part).cues else (part, whole)))
        self._shown = {known.key: self._name(known) for known in self._known.values()}

    def _parts(self) -> list[tuple[str, str]]:
        """Keys of a longer name and of the one that is a part of it, where each can only be the other's."""
        words = {key: self._words(known) for key, known in self._known.items()}
        owners: dict[str, set[str]] = defaultdict(set)
        for key, parts in words.items():
            for part in parts:
                owners[part].add(key)
        bare = {key: [part for part in parts if part not in TITLES] for key, parts in words.items()}
        short = [key for key, parts in bare.items() if len(parts) == 1]
        single = {bare[key][0]: key for key in sorted(short, key=lambda key: -len(words[key]))}
        found = []
        for key, parts in bare.items():
            shorter = {single[part] for part in parts if part in single and len(owners[part]) == 2} - {key}
            first = single.get(parts[0]) if len(parts) > 1 else None
            if first in shorter and len(words[first]) == 1:
                shorter = {first}  # MARY, where MRS. O'NEIL could be MARY O'NEIL too: people have one first name
            if len(shorter) != 1:
                continue
            other = shorter.pop()
            both = bool(self._known[key].cues and self._known[other].cues)
            titled = len(parts) == 1 and len(words[other]) < len(words[key])
            if (titled and not (both and words[key][0] in OF_A_WOMAN)) or (len(parts) > 1 and not both):
                found.append((key, other))
        return found

    def _han_parts(self) -> list[tuple[str, str]]:
        """管家福伯 of the list, who speaks as 福伯."""
        ends = {key for key, known in self._known.items() if known.cues and re.fullmatch(r"[\u4e00-\u9fff]{2,4}", key)}
        found = []
        for key, known in self._known.items():
            if known.cues or not re.fullmatch(r"[\u4e00-\u9fff]{3,8}", key) or _HAN_OTHER.match(key):
                continue
            part = next((key[at:] for at in range(1, len(key) - 1) if key[at:] in ends), "")
            if part:
                found.append((key, part))
        return found

    @staticmethod
    def _words(known: Known) -> list[str]:
        """A name's words. YOUNG SARAH and SARAH'S MOTHER are somebody else than SARAH."""
        form = max(known.forms, key=lambda one: known.forms[one], default=known.key)
        words = [word.strip(".'’").upper() for word in form.split()]
        other = any(re.search(r"['’]S$", word) for word in words) or (words and words[0] in _OTHER)
        return [] if other or len(words) > 6 else words

    def _join(self, key: str, to: str, form: str = "") -> None:
        key, to = self._whose(key), self._whose(to)
        if key == to or to not in self._known:
            return
        known, other = self._known[to], self._known.get(key)
        if len(known.forms) > _MOST_FORMS or (other and len(other.forms) > _MOST_FORMS):
            return  # nobody has so many names; each would be copied at every step of a chain of aliases
        self._known.pop(key, None)
        self._same[key] = to
        if other:
            known.forms.update(other.forms)
            known.confidence = max(known.confidence, other.confidence)
            known.first = min(known.first or other.first, other.first or known.first)
            known.person = known.person or other.person
            known.description, known.age = known.description or other.description, known.age or other.age
            known.gender = known.gender or other.gender
            known.role = known.role or other.role
            known.cues, known.lines = known.cues + other.cues, known.lines + other.lines
        elif form:
            known.forms[form] += 0

    def name_of(self, known: Known) -> str:
        """The name that the cues have, once it is known which names are one person's."""
        return self._shown.get(known.key) or self._name(known)

    @staticmethod
    def _name(known: Known) -> str:
        best = max(known.forms.values(), default=0)
        return next((form for form, count in known.forms.items() if count == best), known.key)

    def called(self) -> list[Called]:
        """Every name to look for in actions, and whose it is."""
        forms = [(form, known) for known in self._known.values() for form in known.forms]
        surnames: dict[str, set[str]] = defaultdict(set)
        nouns: dict[str, set[str]] = defaultdict(set)
        titles: dict[str, set[str]] = defaultdict(set)
        for form, known in forms:
            words = form.split()
            nouns[words[-1].upper() if words else ""].add(known.key)
            titles[known.key].update(same_title(word.strip(".").upper()) for word in words)
            if len(words) > 1 and form.isascii() and "'" not in form and not words[-1].isdigit():
                surnames[words[-1]].add(known.key)
        found = []
        for form, known in forms:
            bare = form[4:] if form.upper().startswith("THE ") else form
            noun = (bare.split() or [""])[-1].upper()
            role = (known.role or names.is_role(noun)) and not names.is_anybody(noun) and len(nouns[noun]) == 1
            how = How.ROLE if role and bare.isascii() else How.NAME
            found += [Called(name=one, key=known.key, how=how) for one in dict.fromkeys((form, bare))]
        singles = {names.key(form) for form, _ in forms}
        for word, keys in surnames.items():
            if (
                len(keys) == 1
                and len(word) > 2
                and names.key(word) not in singles
                and not names.is_role(word)
                and word.upper() not in TITLES
            ):
                key = next(iter(keys))
                titled = frozenset(titles[key] & TITLES)
                found.append(Called(name=word, key=key, how=How.SURNAME, titles=titled))
        return found

    def characters(self) -> tuple[Character, ...]:
        """Those who are in a scene or in a list, the one with the most lines first."""
        most = max((known.lines for known in self._known.values()), default=0)
        made = [self._character(known, most) for known in self._known.values()]
        return tuple(sorted(made, key=lambda one: (-one.lines, one.span.first_line, one.name)))

    def _character(self, known: Known, most: int) -> Character:
        name = self.name_of(known)
        person = known.person or Person(name=name)
        her, him = known.said_of
        spoken_of = Gender.FEMALE if her > 2 * him else Gender.MALE if him > 2 * her else Gender.UNKNOWN
        described = person.description or known.description
        others = [form for form in known.forms if names.key(form) != names.key(name)]
        return Character(
            name=name,
            aliases=tuple(
                dict.fromkeys(alias for alias in (*others, *person.aliases) if names.key(alias) != names.key(name))
            ),
            scenes=tuple(dict.fromkeys(known.scenes)),
            lines=known.lines,
            description=described,
            gender=person.gender or known.gender or facts.gender("", name=name) or spoken_of,
            age=person.age or known.age,
            voice=person.voice or facts.voice(described),
            role=_role(known, person, most),
            span=Span(first_line=known.first or 1, last_line=known.first or 1),
            confidence=round(min(1.0, known.confidence), 2),
        )


def _role(known: Known, person: Person, most: int) -> Role:
    """What a list says, else by lines: half of what the leading one says, or a tenth of it."""
    if re.match(r"(?:女主|男主|主角|女一|男一)", person.description):
        return Role.LEAD
    if known.lines and known.lines * 2 >= most:
        return Role.LEAD
    return Role.SUPPORTING if known.lines and known.lines * 10 >= most else Role.MINOR
