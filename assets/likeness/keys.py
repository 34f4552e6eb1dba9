"""Under which words an asset is looked up, so that a thousand are compared without comparing each with each.

Two that have anything in common share a key. A `Key` that is not `asks` is there to be found only: whole names of one
family are not compared with each other because of it, but with 林总, who asks for the family.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from assets.likeness import names, people, places, text, things
from assets.likeness.full_names import SHORTEST_WITH_SLIP
from assets.likeness.parts import Name, Part
from assets.likeness.verdicts import Profile
from assets.likeness.vocabulary import NICKNAMES

_LONGEST_WITH_SLIP = 30
_MOST_NAMES = 50  # of one asset
_MOST_ENDS = 12  # of one name


class Key(NamedTuple):
    """A word under which an asset is found, and whether it looks for others there."""

    word: str
    asks: bool = True


def keys(profile: Profile) -> set[Key]:
    """All keys of an asset."""
    if profile.kind == "character":
        called = (profile.name, *people.also_called(profile))[:_MOST_NAMES]
        return {key for name in called for key in _of_person(names.parse(name))}
    called = (profile.name, *profile.aliases)[:_MOST_NAMES]
    if profile.kind == "scene":
        return {key for name in called for key in _of_place(places.parse(name))}
    return {key for name in called for key in _of_thing(things.parse(name))}


def _of_person(name: Name) -> Iterator[Key]:
    yield Key(f"={name.key}")
    yield Key(f"~{name.sound}")
    if name.kin:
        yield Key(f"kin {name.kin} {name.of}")
        yield Key(f"kin {name.kin}", asks=False)
        yield Key(f"kin {name.kin} {name.of[:1]}…")
    elif name.role:
        yield from _of_role(name)
    elif name.han:
        yield from _of_chinese(name)
    else:
        yield from _of_latin(name)
    if name.title and not name.role:
        yield Key(f"title {name.title.word}", asks=False)
        yield Key(f"kin {names.kin_of(name.title.word)} {name.core}")


def _of_role(name: Name) -> Iterator[Key]:
    yield Key(f"role {name.role}")
    if kin := names.kin_of(name.role):
        yield Key(f"kin {kin}")
    if title := names.title_of(name.core):
        yield Key(f"title {title}")


def _of_chinese(name: Name) -> Iterator[Key]:
    if name.is_full:
        yield Key(f"family {name.family_sound}", asks=False)
        for given in {name.given, name.given[-1]}:
            yield Key(f"given {given}", asks=False)
        yield Key(f"read {text.reading(name.given)}", asks=False)
        yield Key(f"given {name.core}")
        for reading in (*text.readings(name.core), text.reading(name.given) + name.family_sound):
            yield Key(f"~{reading}", asks=False)
        return
    if name.part is not Part.GIVEN:
        yield Key(f"family {name.family_sound or text.reading(name.short)}")
    if name.part is not Part.FAMILY:
        yield Key(f"given {name.short}")
        yield Key(f"read {text.reading(name.short)}", asks=False)


def _of_latin(name: Name) -> Iterator[Key]:
    yield from _slips(name.core)
    if not name.is_full:
        yield Key(f"word {name.short}")
        yield Key(f"family {name.short}")
        yield Key(f"read {name.short}")
        yield from (Key(f"nick {whole}") for whole in NICKNAMES.get(name.short, ()))
        yield from (Key(f"word {key.word}") for key in _slips(name.short))
        return
    given, family = name.given, name.family
    yield from (Key(f"word {word}", asks=False) for word in (given, family, *name.middle))
    yield from (Key(f"word {key.word}", asks=False) for word in (given, family) for key in _slips(word))
    yield from (Key(f"{key.word} {family}") for key in _slips(given))
    for whole in NICKNAMES.get(given, ()):
        yield Key(f"nick {whole}", asks=False)
        yield Key(f"nick {whole} {family}")
    yield Key(f"initial {given[0]} {family}", asks=len(given) == 1)
    yield Key(f"initial {given[0]} {family}", asks=False)
    yield Key(f"both {' '.join(sorted((given, family)))}")
    yield from (Key(f"both {' '.join(sorted((given, middle)))}") for middle in name.middle)
    yield from (Key(f"both {' '.join(sorted((middle, family)))}") for middle in name.middle[:1])
    yield from (Key(f"{given} {key.word}") for key in _slips(family))


def _of_place(setting: places.Setting) -> Iterator[Key]:
    yield Key(f"={setting.key}")
    yield Key(f"~{text.reading(setting.key)}")
    yield Key(f"words {' '.join(sorted(setting.words))}")
    yield from _ends(setting.words, setting.key, chinese=setting.is_chinese)
    yield from _slips(setting.key)


def _of_thing(thing: things.Thing) -> Iterator[Key]:
    yield Key(f"={thing.owner}{thing.core}")
    yield Key(f"={thing.core}")
    yield Key(f"~{text.reading(thing.owner + thing.core)}")
    yield from _ends(thing.words, thing.core, chinese=thing.is_chinese)
    if not thing.is_chinese:
        yield from (Key(f"many {thing.core[:-cut] if cut else thing.core}") for cut in range(min(4, len(thing.core))))
    yield from _slips(thing.core)


def _ends(words: tuple[str, ...], key: str, *, chinese: bool) -> Iterator[Key]:
    """The name asks for longer ones that end in it."""
    yield Key(f"end {key if chinese else ' '.join(words)}")
    if chinese:
        yield from (Key(f"end {key[cut:]}", asks=False) for cut in range(1, min(len(key) - 1, _MOST_ENDS)))
    else:
        yield from (Key(f"end {' '.join(words[cut:])}", asks=False) for cut in range(1, min(len(words), _MOST_ENDS)))


def _slips(word: str) -> Iterator[Key]:
    if SHORTEST_WITH_SLIP <= len(word) <= _LONGEST_WITH_SLIP and not text.has_han(word):
        yield from (Key(f"slip {short}") for short in text.shortened(word))
