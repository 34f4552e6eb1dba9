"""The fonts that letters are set in: which one has a character, how high it is, how wide a text is in it.

fontconfig says which file stands for a family, harfbuzz what is in it: the same two that libass asks when it draws. So
what is counted here is what is drawn there.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import uharfbuzz

from jobs.children import ChildFailed, Limits, ProgramMissing
from videos.timeline.reuse import digest
from videos.timeline.studio import Studio
from videos.timeline.texts import Style

_ASKING = Limits(wall_seconds=60, memory_bytes=1024**3, file_bytes=256 * 1024**2)  # it may have to write its cache
_SAID = "%{file}\\n%{index}\\n%{color}\\n%{family}\\n"
_UNSPEAKABLE = re.compile(r"[\\{}(),&\x00-\x1f]")  # what a script of letters would read as something else
_AT_ONCE = 100  # characters that are asked for
_JAPANESE, _KOREAN = re.compile("[\u3040-\u30ff]"), re.compile("[\u1100-\u11ff\uac00-\ud7af]")

Match = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Look:
    """What of a style says which font it is, and the language that its signs are read in."""

    family: str
    bold: bool
    italic: bool
    language: str

    @classmethod
    def of(cls, style: Style, *, language: str) -> Look:
        return cls(family=style.font, bold=style.bold, italic=style.italic, language=language)

    @property
    def pattern(self) -> str:
        """In the words of fontconfig."""
        family = self.family.replace("-", "\\-")
        return f"{family}:outline=true:color=false" + ":bold" * self.bold + ":italic" * self.italic


class Face:
    """One font. Its lengths are parts of the letters' size, which is that of the em square."""

    def __init__(
        self, family: str, font: uharfbuzz.Font, *, identity: str = "", file: str = "", index: int = 0
    ) -> None:
        """`identity`: of all that is drawn by it, wherever its file lies."""
        self.family, self.identity, self.file, self.index = family, identity, file, index
        self.ascent, self.descent = _heights(font.face)
        self._font = font
        self._measured = lru_cache(maxsize=4096)(self._shaped)

    def has(self, character: str) -> bool:
        return bool(self._font.get_nominal_glyph(ord(character)))

    def width(self, text: str, *, spacing: float = 0.0) -> float:
        """How far one comes by writing it."""
        return float(self._measured(text, bool(spacing))) + spacing * len(text)

    def _shaped(self, text: str, spaced: bool) -> float:
        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        # As libass does: letters that stand apart are not tied to each other.
        uharfbuzz.shape(self._font, buffer, {"kern": True, "liga": not spaced, "clig": not spaced})
        positions = buffer.glyph_positions or []
        return sum(int(place.x_advance) for place in positions) / int(self._font.face.upem)


class Unmeasured(Face):
    """Stands in where nothing is known of a font, because there is none or nobody who could say: half of a guess."""

    def __init__(self, family: str) -> None:
        self.family, self.identity, self.file, self.index = family, "unknown", "", 0
        self.ascent, self.descent = 0.93, 0.24

    def has(self, character: str) -> bool:
        return True

    def width(self, text: str, *, spacing: float = 0.0) -> float:
        wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
        return wide + 0.6 * (len(text) - wide) + spacing * len(text)


class Fonts:
    """The system's fonts, each looked up once."""

    def __init__(self, match: Match) -> None:
        """`match` is told a pattern of fontconfig's, and answers in the lines of `_SAID`."""
        self._match = match
        self._opened: dict[tuple[str, int, str], Face] = {}
        self._faces: dict[Look, list[Face]] = {}
        self._missing: dict[Look, set[str]] = {}

    @classmethod
    def of(cls, studio: Studio) -> Fonts:
        def match(pattern: str) -> str:
            try:
                command = ["fc-match", "-f", _SAID, pattern]
                return studio.run(command, cwd=studio.folder, limits=_ASKING, on_log=studio.on_log).stdout
            except (ChildFailed, ProgramMissing):
                return ""

        return cls(match)

    def face(self, look: Look) -> Face:
        """That which the look asks for, or the nearest to it."""
        if look not in self._faces:
            self._faces[look] = [self._asked(look, look.pattern) or Unmeasured(look.family)]
            self._missing[look] = set()
        return self._faces[look][0]

    def faces(self, look: Look, characters: Sequence[str]) -> list[Face | None]:
        """For each character a face that has it; None: there is none."""
        self.face(look)
        self._look_for(look, set(characters))
        found: dict[str, Face | None] = {
            character: next((face for face in self._faces[look] if face.has(character)), None)
            for character in set(characters)
        }
        return [found[character] for character in characters]

    def _look_for(self, look: Look, characters: set[str]) -> None:
        """Add faces until every character is in one of them, or known to be in none."""
        faces, missing = self._faces[look], self._missing[look]
        wanted = {one for one in characters - missing if not any(face.has(one) for face in faces)}
        while wanted:
            asked = sorted(wanted)[:_AT_ONCE]
            codes = " ".join(f"{ord(one):x}" for one in asked)
            face = self._asked(look, f"{look.pattern}:lang={look.language}:charset={codes}")
            held = {one for one in wanted if face and face.has(one)}
            if face and held:
                faces.append(face)
            # No font is nearer to what was asked for: what is not in this one is in no other, or far from all else.
            missing |= set() if held else set(asked)
            wanted -= held or set(asked)

    def _asked(self, look: Look, pattern: str) -> Face | None:
        lines = self._match(pattern).split("\n")
        if len(lines) < 4 or lines[2] == "True":
            return None
        # A font may have several names, of which some are those of others too: narrow ones, light ones.
        names = lines[3].split(",")
        family = look.family if look.family in names else names[0]
        if not family or _UNSPEAKABLE.search(family):
            return None
        file, index = lines[0], int(lines[1] or 0) & 0xFFFF  # above these bits: a variation of it
        if (file, index, family) not in self._opened:
            face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(file), index)
            if not _is_drawn(face):
                return None
            identity = f"{_digest(Path(file))}-{index}"
            font = uharfbuzz.Font(face)
            self._opened[file, index, family] = Face(family, font, identity=identity, file=file, index=index)
        return self._opened[file, index, family]


def language(text: str) -> str:
    """By whose habit the signs are drawn that Chinese, Japanese and Korean share."""
    if _JAPANESE.search(text):
        return "ja"
    return "ko" if _KOREAN.search(text) else "zh-cn"


def _is_drawn(face: uharfbuzz.Face) -> bool:
    """Whether its letters are outlines."""
    return face.upem > 0 and any(len(face.reference_table(name)) for name in ("glyf", "CFF ", "CFF2"))


def _digest(path: Path) -> str:
    """Of a font's file. Some are 20 MB, and films have the same ones again and again."""
    stat = path.stat()
    return _digest_of(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


@lru_cache(maxsize=256)
def _digest_of(path: Path, *_: int) -> str:
    return digest(path)


def _heights(face: uharfbuzz.Face) -> tuple[float, float]:
    """How far a line reaches above and below its letters' foot, as libass counts: as Windows does.

    (OpenType: usWinAscent, usWinDescent of the table OS/2; where they are nought, ascender and descender of hhea.)
    """
    windows, mac = face.reference_table("OS/2").data, face.reference_table("hhea").data
    ascent, descent = struct.unpack(">hh", windows[74:78]) if len(windows) >= 78 else (0, 0)
    if ascent + descent == 0 and len(mac) >= 8:
        ascent, descent = struct.unpack(">hh", mac[4:8])
        descent = -descent
    return (ascent / face.upem, descent / face.upem) if ascent + descent > 0 else (0.93, 0.24)
