"""What stands before a script begins: its title, with "by somebody" below it, looks like a name and what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from assets.scripts import names
from assets.scripts.elements import Element, Kind

_SPEECH = (Kind.DIALOGUE, Kind.PARENTHETICAL)


def settled(elements: Iterable[Element]) -> Iterator[Element]:
    """The elements, with what only looks like a cue made a title.

    That is, before the first heading or transition, a name that never speaks again, without an extension like V.O.
    """
    rows = list(elements)
    begins = next((at for at, one in enumerate(rows) if one.kind in (Kind.HEADING, Kind.TRANSITION)), 0)
    counts = Counter(names.key(names.read(one.text).name) for one in rows if one.kind is Kind.CUE)
    titled = False
    for at, element in enumerate(rows):
        if at < begins and element.kind is Kind.CUE:
            said = names.read(element.text)
            titled = counts[names.key(said.name)] < 2 and not said.extension
        elif element.kind not in _SPEECH:
            titled = False
        yield replace(element, kind=Kind.TITLE) if titled else element
