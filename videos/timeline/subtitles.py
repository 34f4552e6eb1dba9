"""Subtitles as files: SubRip and WebVTT, read into texts and written from them.

A track has no two texts at once, files may: while two cues are shown together, their lines are one text. Of what cues
can look like, bold, italic and underlined are kept. (SubRip has no standard: what its players agree on. WebVTT:
https://www.w3.org/TR/webvtt1/)
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, groupby, islice, pairwise
from typing import ClassVar

from jobs.errors import BadInput
from videos.timeline.model import frame_at, moment_of
from videos.timeline.motion import Transform
from videos.timeline.project import MOST_CLIPS
from videos.timeline.texts import Span, Stroke, Style, Text
from videos.timeline.typesetting import paragraphs
from videos.timeline.values import LONGEST

USUAL = Text(start=0, duration=1, text=" ", style=Style(size=0.05, stroke=Stroke()), transform=Transform(y=0.4))
"""How subtitles look that don't say so themselves: white, with a black line around, at the foot of the picture."""

_LONGEST_TEXT = 5000
_MOST_AT_ONCE = 20  # cues
_MOST_LETTERS = 1_000_000  # of all texts: twelve hours of talk
_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMES = re.compile(rf"\s*{_TIME}[ \t]*-->[ \t]*{_TIME}(?:[ \t].*)?")
_WEB_TAG = re.compile(r"<(/?)([a-z]*+)[^<>]*+>")
_TAG = re.compile(r"<(/?)([a-zA-Z]++)(?![^\s=>])[^<>]*+>|\{\\[^{}]*+\}")  # the last: of ASS, which some programs write
_MARKS = re.compile(r"[<{\\]")
_APART = re.compile(r"NOTE|STYLE|REGION")
_CHINESE = 0.8  # of what is no ASCII are usual signs, where a text is in GB 18030 and not in some code page
_USUAL = range(0xA1, 0xAA), range(0xB0, 0xD8)  # first bytes in GB 2312: punctuation and the like; its first level
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class SubtitlesInvalid(BadInput):
    """A file of subtitles that can't be read; the message names the line."""

    code: ClassVar[str] = "subtitles_invalid"
    message = "The subtitles can't be read."

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"Line {line}: {problem}.", details={"line": line})


@dataclass(frozen=True, kw_only=True)
class _Cue:
    """Characters with their styles, from one moment up to another."""

    line: int  # of the file
    start: int
    end: int
    letters: tuple[tuple[str, Style], ...]


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 or GB 18030, by its first bytes and by what it can be.

    Raises SubtitlesInvalid.
    """
    encoding = next((name for mark, name in _BOMS.items() if data.startswith(mark)), "") or _unmarked(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8" and (text := _in_chinese(data)):
            return text
        line = data[: error.start].count(b"\n") + 1
        problem = "the file is in none of UTF-8, UTF-16, GB18030; please save it as UTF-8, then try again"
        raise SubtitlesInvalid(line, problem) from error


def read(document: str, *, like: Text = USUAL) -> tuple[Text, ...]:
    """The texts of a file, whichever of the two it is. `like`: how they look. Raises SubtitlesInvalid."""
    lines = document.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    web = lines[0].startswith("WEBVTT")
    found = _bounded(_cues(lines, web=web, style=like.style))
    return tuple(_text(cue, like) for cue in _bounded(_one_at_a_time(found)))


def written(texts: Iterable[Text], rate: Fraction, *, web: bool) -> str:
    """WebVTT, or else SubRip, with the times of the frames in which the letters would be drawn."""
    cues = ["WEBVTT\n"] if web else []
    for text in texts:
        first, after = frame_at(text.start, rate), frame_at(text.end, rate)
        # Rounded down, so that it is there when the frame is shown, and gone with the one after its last.
        start, end = (int(moment_of(frame, rate)) // 1000 for frame in (first, after))
        lines = [_marked(paragraph, web=web) for paragraph in paragraphs(text)]
        if start < end and any(lines):
            # An empty line would end the cue.
            times = f"{_clock(start)} --> {_clock(end)}"
            cues.append(
                "\n".join([times if web else times.replace(".", ","), *(line or "\u00a0" for line in lines), ""])
            )
    return "\n".join(cues)


def _unmarked(data: bytes) -> str:
    """The encoding of a file that does not say it: the first character is one of ASCII in either format."""
    if data[:1] == b"\0":
        return "utf-16-be"
    return "utf-16-le" if data[1:2] == b"\0" else "utf-8"


def _in_chinese(data: bytes) -> str | None:
    """The text, if it is in GB 18030, which can take nearly any bytes for some of its characters."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    foreign = [character.encode("gb2312", "ignore") for character in text if not character.isascii()]
    usual = sum(any(code[0] in some for some in _USUAL) for code in foreign if code)
    return text if usual >= _CHINESE * len(foreign) else None


def _cues(lines: Sequence[str], *, web: bool, style: Style) -> Iterator[_Cue]:
    for number, block in _blocks(lines):
        if cue := _cue(number, block, web=web, style=style):
            yield cue


def _bounded(cues: Iterable[_Cue]) -> Iterator[_Cue]:
    """The same, as long as they are no more than anybody means. Together, a few cues may make very many."""
    letters = 0
    for count, cue in enumerate(cues, start=1):
        letters += len(cue.letters)
        if count > MOST_CLIPS or letters > _MOST_LETTERS:
            most = f"{MOST_CLIPS} subtitles with {_MOST_LETTERS} characters"
            raise SubtitlesInvalid(cue.line, f"with it, there are more than {most}")
        yield cue


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Lines between empty ones, and the number of the first of them."""
    numbered = enumerate(lines, start=1)
    for filled, group in groupby(numbered, key=lambda one: bool(one[1].strip(" \t"))):
        if filled:
            block = list(group)
            yield block[0][0], [line for _, line in block]


def _cue(number: int, block: Sequence[str], *, web: bool, style: Style) -> _Cue | None:
    """None: what holds no letters."""
    place = next((place for place, line in enumerate(block[:2]) if "-->" in line), None)
    if place is None:
        if web and (number == 1 or _APART.match(block[0])):
            return None
        raise SubtitlesInvalid(number, "a time such as 00:00:01,000 --> 00:00:02,500 is needed")
    times = _TIMES.fullmatch(block[place])
    if times is None:
        raise SubtitlesInvalid(number + place, "this is no time such as 00:00:01,000 --> 00:00:02,500")
    start, end = _moment(times.groups()[:4]), _moment(times.groups()[4:])
    if end < start:
        raise SubtitlesInvalid(number + place, "it ends before it begins")
    if end > LONGEST:
        raise SubtitlesInvalid(number + place, f"it ends beyond {LONGEST // 3_600_000_000} hours")
    said = "\n".join(line.strip(" \t") for line in block[place + 1 :])
    if "\0" in said:
        line = number + place + 1 + said[: said.index("\0")].count("\n")
        raise SubtitlesInvalid(line, "there is a NUL character in it")
    letters = tuple(islice(_letters(said, style, web=web), _LONGEST_TEXT + 1))
    if len(letters) > _LONGEST_TEXT:
        raise SubtitlesInvalid(number + place, f"there are more than {_LONGEST_TEXT} characters")
    return _Cue(line=number + place, start=start, end=end, letters=letters) if letters and start < end else None


def _moment(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, fraction = parts
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1_000_000 + int((fraction or "0").ljust(3, "0")) * 1000


def _letters(marked: str, style: Style, *, web: bool) -> Iterator[tuple[str, Style]]:
    """What is shown, without the marks."""
    at = 0
    for found in chain((_WEB_TAG if web else _TAG).finditer(marked), [None]):
        said = marked[at : found.start() if found else None]
        yield from ((character, style) for character in (html.unescape(said) if web else said))
        if found is None:
            break
        at, on = found.end(), not found.group(1)
        match (found.group(2) or "").lower():
            case "b":
                style = replace(style, bold=on)
            case "i":
                style = replace(style, italic=on)
            case "u":
                style = replace(style, underline=on)


def _one_at_a_time(cues: Iterable[_Cue]) -> Iterator[_Cue]:
    """What is shown between any two moments at which something comes or goes."""
    ordered = sorted(cues, key=lambda cue: cue.start)
    coming = 0
    shown: list[_Cue] = []
    for start, end in pairwise(sorted({moment for cue in ordered for moment in (cue.start, cue.end)})):
        shown = [cue for cue in shown if cue.end > start]
        while coming < len(ordered) and ordered[coming].start <= start:
            shown.append(ordered[coming])
            coming += 1
            if len(shown) > _MOST_AT_ONCE:
                raise SubtitlesInvalid(shown[-1].line, f"with it, there are more than {_MOST_AT_ONCE} at once")
        letters = [letter for cue in shown for letter in (*cue.letters, ("\n", cue.letters[-1][1]))]
        if shown:
            yield _Cue(line=shown[-1].line, start=start, end=end, letters=tuple(letters[:-1]))


def _text(cue: _Cue, like: Text) -> Text:
    spans, place = [], 0
    for style, group in groupby(cue.letters[:_LONGEST_TEXT], key=lambda letter: letter[1]):
        after = place + len(list(group))
        if style != like.style:
            spans.append(Span(first=place, after=after, style=style))
        place = after
    said = "".join(character for character, _ in cue.letters[:_LONGEST_TEXT])
    return replace(like, start=cue.start, duration=cue.end - cue.start, text=said, spans=tuple(spans[:1000]))


def _marked(paragraph: Sequence[tuple[str, Style]], *, web: bool) -> str:
    """A line with its marks. SubRip has none for what would be one: something unseen after it makes it none."""
    line = ""
    for (bold, italic, underline), group in groupby(
        paragraph, key=lambda letter: (letter[1].bold, letter[1].italic, letter[1].underline)
    ):
        said = "".join(character for character, _ in group)
        said = html.escape(said, quote=False) if web else _MARKS.sub("\\g<0>\u2060", said)
        for name, on in (("u", underline), ("i", italic), ("b", bold)):
            said = f"<{name}>{said}</{name}>" if on else said
        line += said
    return line.strip()


def _clock(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{thousandths:03d}"
