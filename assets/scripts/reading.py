"""Read a script, whatever it is: find out how it is encoded and written, and take it apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from assets.scripts import assembly, chinese, decoding, docx, fdx, fountain, furniture, languages, plain, prose
from assets.scripts.breakdown import Breakdown, Format, Script
from assets.scripts.elements import Element, Kind
from assets.scripts.errors import ScriptTooLong, ScriptUnreadable

_SAMPLE = 400_000  # characters that are looked at to find out how a script is written


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is read at once."""

    data_bytes: int = 40 << 20
    characters: int = 3_000_000


_READERS: Mapping[Format, Callable[[str], Iterator[Element]]] = {
    Format.FOUNTAIN: fountain.read,
    Format.FDX: fountain.read,
    Format.CHINESE: chinese.read,
    Format.SCREENPLAY: plain.read,
    Format.PROSE: prose.read,
}


def read(data: bytes | str, *, name: str = "", limits: Limits | None = None) -> Script:
    """A script as text, from a file or as it was typed. `name`: of the file.

    Raises ScriptUnreadable for what is none, ScriptTooLong for what is longer than the limits.
    """
    limits = limits or Limits()
    if len(data) > (limits.data_bytes if isinstance(data, bytes) else limits.characters):
        raise _too_long(limits)
    suffix = PurePath(name).suffix.lower() if "\0" not in name else ""
    if isinstance(data, str):
        text, encoding = data, ""
    elif suffix == ".doc" and not docx.is_one(data):
        decoding.refuse_files(data)
        text, encoding = decoding.decode(data)
    elif docx.is_one(data):
        text, known = docx.read(data, characters=limits.characters)
        return _script(text, encoding="utf-8", limits=limits, suffix=".fountain" if known else ".docx", needed=True)
    else:
        text, encoding = decoding.decode(data)
    if fdx.is_one(text[:4_000]) or suffix == ".fdx":
        text = fdx.read(decoding.clean(text)) if fdx.is_one(text[:4_000]) or text.lstrip().startswith("<") else text
        suffix = ".fdx"
    return _script(text, encoding=encoding, limits=limits, suffix=suffix, needed=isinstance(data, bytes))


def break_down(script: Script) -> Breakdown:
    """Scenes, characters and props of a script. Linear in its length; never raises on any text."""
    return assembly.put_together(script, elements(script))


def elements(script: Script) -> Iterable[Element]:
    """What the script consists of, line by line."""
    return _READERS[script.format](script.text)


def _script(text: str, *, encoding: str, limits: Limits, suffix: str, needed: bool) -> Script:
    """`needed`: a file with nothing in it is refused; what somebody typed may be nothing yet."""
    text = decoding.clean(text)
    if needed and not text.strip():
        raise ScriptUnreadable.of("empty", "There is nothing in the file. Send the one with the script in it.")
    if len(text) > limits.characters:
        raise _too_long(limits)
    form = _format(text, suffix)
    title = chinese.title(text) if form is Format.CHINESE else fountain.title(text)
    return Script(format=form, title=title[:200], text=text, encoding=encoding)


def _format(text: str, suffix: str) -> Format:
    if suffix == ".fdx":
        return Format.FDX
    sample = text[:_SAMPLE]
    if languages.share_of_han(sample) > 0.3:
        return _chinese_format(sample, suffix)
    strict = _found(fountain.read(sample))
    loose = _found(plain.read(sample))
    if suffix == ".fountain" and strict.cues * 2 + 2 >= loose.cues and strict.scenes * 2 >= loose.scenes:
        return Format.FOUNTAIN
    if not strict.scenes and loose.scenes < 1 and loose.cues < 3 and strict.cues < 3:
        return Format.FOUNTAIN if suffix == ".fountain" else Format.PROSE
    messy = furniture.cleared(sample).removed >= 2 and suffix != ".fountain"
    if messy or strict.scenes < 0.9 * loose.scenes or strict.cues < 0.9 * loose.cues:
        return Format.SCREENPLAY
    return Format.FOUNTAIN


def _chinese_format(sample: str, suffix: str) -> Format:
    read = _found(chinese.read(sample))
    forced = len(re.findall(r"^\s*@", sample, re.MULTILINE))
    if forced > read.cues or (suffix == ".fountain" and forced):
        return Format.FOUNTAIN
    if not read.scenes:
        told = sum(1 for element in prose.read(sample) if element.kind is Kind.CUE)
        if told > read.cues or read.cues == 0:
            return Format.PROSE
    return Format.CHINESE


@dataclass(frozen=True)
class _Found:
    scenes: int
    cues: int


def _found(elements: Iterable[Element]) -> _Found:
    kinds = [element.kind for element in elements]
    return _Found(scenes=kinds.count(Kind.HEADING), cues=kinds.count(Kind.CUE))


def _too_long(limits: Limits) -> ScriptTooLong:
    return ScriptTooLong(details={"max_characters": limits.characters, "max_bytes": limits.data_bytes})
