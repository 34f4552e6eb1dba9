"""Scene headings of the English kind: INT. HOUSE - KITCHEN - NIGHT, with all that people make of it."""

from __future__ import annotations

import re
from dataclasses import replace

from assets.scripts import chinese_headings, times
from assets.scripts.breakdown import Place
from assets.scripts.elements import Heading

LONGEST = 200  # characters; a longer line is no heading

_PLACES = {
    "INT": Place.INSIDE,
    "INTERIOR": Place.INSIDE,
    "INNEN": Place.INSIDE,
    "EXT": Place.OUTSIDE,
    "EXTERIOR": Place.OUTSIDE,
    "AUSSEN": Place.OUTSIDE,
    "EST": Place.OUTSIDE,
    "I/E": Place.BOTH,
    "E/I": Place.BOTH,
}
_NUMBER = r"[A-Z]{0,2}\d{1,4}[A-Z]{0,2}"
_WORD = r"(?:INTERIOR|EXTERIOR|INNEN|AUSSEN|INT|EXT|EST)"
_PREFIX = re.compile(
    rf"(?:(?:SCENE\s+)?(?P<number>{_NUMBER}(?:[.-]\d{{1,3}})?)[.):]?\s+[-–]?\s*)?"
    rf"(?P<prefix>{_WORD}\.?\s?[/&-]\s?{_WORD}|{_WORD}|I\.?/E|E\.?/I)(?P<end>\.|:|(?=[\s(-])|$)[\s.:-]*",
    re.IGNORECASE,
)
_LAST_NUMBER = re.compile(rf"\s+(?P<number>{_NUMBER})\.?\*?$")
_MARKED_NUMBER = re.compile(r"\s*#(?P<number>[^#\s][^#\n]{0,20})#\s*$")
_DASH = re.compile(r"\s+[-–—]+\s*|\s*[–—]+\s*|\s*--+\s*|[-–—]\s+")
_ABROAD = {"JOUR": "DAY", "TAG": "DAY", "NUIT": "NIGHT", "NACHT": "NIGHT", "SOIR": "EVENING", "ABEND": "EVENING"}
_GERMAN_TIME = re.compile(r"\b(TAG|NACHT|ABEND)(?=\W*$)", re.IGNORECASE)  # beside INNEN and AUSSEN
_OTHER_TIME = re.compile(r"(?<=[-–—,.(]\s)(JOUR|NUIT|SOIR|NACHT|ABEND)(?=\W*$)", re.IGNORECASE)
_OMITTED = re.compile(r"^(?:\W*(?:OMITTED|OMIT)\W*)$", re.IGNORECASE)


def starts_one(text: str) -> bool:
    """Whether a line begins as a heading does: INT, EXT, EST, INT./EXT, I/E, in any case, perhaps after a number."""
    return len(text) <= LONGEST and _PREFIX.match(text) is not None


def is_plain(text: str) -> bool:
    """Whether it can't be anything but a heading: dotted or slashed prefix, and no sentence in lower case behind it."""
    found = _PREFIX.match(text) if len(text) <= LONGEST else None
    if not found:
        return False
    rest = re.sub(r"\([^()]{0,80}\)", "", text[found.end() :])
    return bool(rest) and (found["end"] in (".", ":") or "/" in found["prefix"]) and rest == rest.upper()


def read(text: str) -> Heading:
    """Take a heading apart. What has no INT or EXT has its place and time all the same."""
    text = text.strip()
    rest, number = text, ""
    if marked := _MARKED_NUMBER.search(rest):
        number, rest = marked["number"].strip(), rest[: marked.start()]
    whole = rest
    place = Place.UNKNOWN
    if found := _PREFIX.match(rest):
        place = _place(found["prefix"])
        rest = rest[found.end() :]
        abroad = _GERMAN_TIME if found["prefix"].upper().startswith(("INNEN", "AUSSEN")) else _OTHER_TIME
        rest = abroad.sub(lambda word: _ABROAD[word[0].upper()], rest)
        if first := found["number"]:
            whole = whole[found.start("prefix") :]
            number = number or first
        last = _LAST_NUMBER.search(rest)
        if last and (last["number"] == number or (not number and len(rest) - last.start() > 3 and "  " in last[0])):
            number, rest, whole = last["number"], rest[: last.start()], whole[: -len(last[0])]
    elif re.search(r"[\u4e00-\u9fff]", rest):
        chinese = chinese_headings.parts(rest)
        return replace(chinese, text=whole.strip(), number=number or chinese.number)
    name, time = _name_and_time(rest)
    return Heading(text=whole.strip(), number=number, place_name=name, place=place, time=time)


def is_omitted(heading: Heading) -> bool:
    """A number that is kept though its scene was cut."""
    return bool(_OMITTED.match(heading.place_name or heading.text))


def _place(prefix: str) -> Place:
    upper = prefix.upper().replace(" ", "")
    if upper in ("I./E", "E./I"):
        return Place.BOTH
    if upper in _PLACES:
        return _PLACES[upper]
    found = {_PLACES[word] for word in re.split(r"[./&-]+", upper) if word in _PLACES}
    return found.pop() if len(found) == 1 else Place.BOTH


def _name_and_time(rest: str) -> tuple[str, str]:
    rest = rest.strip(" -–—.,:")
    parts = [part for part in _DASH.split(rest) if part.strip()]
    if len(parts) > 1:
        # KITCHEN - NIGHT - FLASHBACK: what stands behind the time belongs to neither. NIGHT - LATER are both times,
        # and 1987 - NIGHT is one: the place of another year is another place.
        found = [times.of(part) for part in parts]
        last = next((at for at in range(len(parts) - 1, 0, -1) if found[at] is not None), 0)
        if last:
            at = last
            while at > 1 and (before := found[at - 1]) is not None and not times.is_year(before):
                at -= 1
            told = [time for time in found[at : last + 1] if time is not None]
            return " - ".join(part.strip() for part in parts[:at]), times.first(told)
        for at in range(len(parts) - 1, 0, -1):
            if (split := _by_comma(parts[at])) and split[1]:
                return " - ".join([*(part.strip() for part in parts[:at]), split[0]]), split[1]
    if parts and (split := _by_comma(parts[-1])):
        return " - ".join([*(part.strip() for part in parts[:-1]), split[0]]), split[1]
    if (time := times.of(rest)) is not None and len(rest.split()) == 1:
        return "", time
    return " - ".join(part.strip() for part in parts), ""


def _by_comma(part: str) -> tuple[str, str] | None:
    """APARTMENT, DAY; APARTMENT. DAY; APARTMENT (DAY); and, where people leave all of it out, APARTMENT DAY."""
    bracketed = re.search(r"\s*[(（]([^()（）]{1,40})[)）]\s*$", part)
    if bracketed and (time := times.of(bracketed[1])) is not None:
        return part[: bracketed.start()].strip(), time
    for mark in (",", ".", "/", "-"):
        name, found, last = part.rpartition(mark)
        if found and name.strip() and (time := times.of(last)) is not None:
            return name.strip(" ,.-"), time
    words = part.split()
    for count in (3, 2, 1):
        if len(words) > count and (time := times.of(" ".join(words[-count:]))) is not None:
            first = words[-count].strip(".,").upper()
            if count == 1 or times.of(first) is not None or first in ("EARLY", "LATE", "MOMENTS", "MAGIC"):
                return " ".join(words[:-count]), time
    return None
