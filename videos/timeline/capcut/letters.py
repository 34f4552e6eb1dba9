"""What is written in a text of a draft, and how each of its letters looks: three generations of the same field.

The first is a plain string; the fields beside it say how it looks. The second has tags,
`<color=(r,g,b,a)><size=5>[text]`. The third is JSON with ranges, which count units of UTF-16.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields
from videos.timeline.capcut.fields import within
from videos.timeline.texts import Shadow, Stroke, Style

UNIT = 0.01  # of the canvas's height: a size of one
LONGEST = 5000  # letters, as in the timeline
MOST_CHANGES = 1000  # of how the letters of one text look: so many spans may be in a timeline
_LONGEST_CONTENT = 200_000
_MOST_LOOKS = 100_000  # in a draft, counted as they are read and as they are shown: a thousand texts have fifty each
_TAG = re.compile(r"<(/?)([A-Za-z]{1,20}+)([^<>]{0,500}+)>")  # nothing in it is tried again at another length
_BREAK = re.compile(r"\r\n?|\u2028|\u2029")
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
_LONGEST_FAMILY = 100
_NO_FONT = {"", "none", "system", "系统", "默认"}


@dataclass(frozen=True, kw_only=True)
class Look:
    """How letters look, and what of that a style can't say."""

    style: Style = field(default_factory=Style)
    opacity: float = 1.0
    shadow: Shadow | None = None
    lost: bool = False  # gradients, textures and the like
    faint: bool = False  # it has a stroke that is see-through, or several


@dataclass(frozen=True, kw_only=True)
class Run:
    """Letters one after the other that look the same."""

    text: str
    look: Look


@dataclass
class Allowance:
    """How often letters may still begin to look otherwise, in all texts of a draft together."""

    left: int = _MOST_LOOKS
    refused: int = 0

    def some(self, wanted: int, *, most: int = MOST_CHANGES) -> int:
        """How many of so many there may be."""
        granted = min(wanted, most, self.left)
        self.left -= granted
        self.refused += wanted - granted
        return granted


def read(content: object, plain: Look, allowance: Allowance) -> list[Run]:
    """The letters of a text, at least one run, and neighbours that look otherwise.

    `plain`: how those look of which nothing is said.
    """
    return _tidy(_runs(content, plain, allowance)) or [Run(text="", look=plain)]


def fewer(runs: list[Run], allowance: Allowance) -> list[Run]:
    """The same letters; the last ones look alike if there would be more changes than are allowed."""
    last = allowance.some(len(runs) - 1)
    if last == len(runs) - 1:
        return runs
    return [*runs[:last], replace(runs[last], text="".join(run.text for run in runs[last:]))]


def _runs(content: object, plain: Look, allowance: Allowance) -> Iterator[Run]:
    written = (lenient.text(content) or "")[:_LONGEST_CONTENT]
    if written.lstrip().startswith("{"):
        try:
            says = json.loads(written)
        except (ValueError, RecursionError):
            says = None
        if isinstance(says, dict) and isinstance(says.get("text"), str):
            return _ranged(says, plain, allowance)
    written = _clean(written)
    if _TAG.match(written.lstrip()):
        return _tagged(written, plain, allowance)
    return iter([Run(text=written, look=plain)])


def _tidy(runs: Iterator[Run]) -> list[Run]:
    """As much of the letters as a text may have, in as few runs as say the same."""
    left = LONGEST
    tidied: list[tuple[list[str], Look]] = []
    for run in runs:
        text = _clean(run.text)[:left]
        if text and tidied and tidied[-1][1] == run.look:
            tidied[-1][0].append(text)
        elif text:
            tidied.append(([text], run.look))
        left -= len(text)
        if not left:
            break
    return [Run(text="".join(texts), look=look) for texts, look in tidied]


def _clean(written: str) -> str:
    return fields.clean(_BREAK.sub("\n", written))


# -- the second generation -------------------------------------------------------------------------------


def _tagged(written: str, plain: Look, allowance: Allowance) -> Iterator[Run]:
    """Tags change how what follows looks, until they are closed; letters stand in square brackets."""
    looks, at, left = [plain], 0, MOST_CHANGES
    while at < len(written):
        tag = _TAG.match(written, at)
        if tag:
            allowed = allowance.some(1, most=left)
            left -= allowed
            if allowed and not tag[1]:
                looks.append(_with_tag(looks[-1], tag[2].lower(), tag[3]))
            elif allowed and len(looks) > 1:
                looks.pop()
            at = tag.end()
            continue
        inside = written[at] == "["
        end = written.find("]<" if inside else "<", at + 1)
        after = end if end >= 0 else len(written)
        text = written[at + 1 : after] if inside else written[at:after]
        if inside and end < 0:
            text = text.removesuffix("]")
        if text:
            yield Run(text=text, look=looks[-1])
        at = after + 1 if inside else after


def _with_tag(look: Look, name: str, says: str) -> Look:
    numbers = [float(found) for found in _NUMBER.findall(says)]
    if name == "size" and numbers:
        return replace(look, style=replace(look.style, size=_size(numbers[0], look.style.size)))
    if name == "color" and (colour := fields.colour(numbers)):
        return replace(look, style=replace(look.style, colour=colour[0]), opacity=colour[1])
    if name in ("b", "bold"):
        return replace(look, style=replace(look.style, bold=True))
    if name in ("i", "italic"):
        return replace(look, style=replace(look.style, italic=True))
    if name in ("u", "underline"):
        return replace(look, style=replace(look.style, underline=True))
    if name == "font" and (found := re.search(r'path="([^"]*)"', says)):
        return replace(look, style=replace(look.style, font=family(found[1], "") or look.style.font))
    return look


# -- the third generation --------------------------------------------------------------------------------


def _ranged(says: Json, plain: Look, allowance: Allowance) -> Iterator[Run]:
    """Later styles lie over earlier ones. What none of them speaks of looks as the first one says."""
    units = says["text"][: LONGEST + 1].encode("utf-16-le", "surrogatepass")
    written = lenient.items(says.get("styles"))
    # The first is what all others are changes of.
    styles = [one for one in written[: 1 + allowance.some(max(0, len(written) - 1))] if isinstance(one, dict)]
    length = len(units) // 2
    looks: dict[int, Look] = {}
    for number, first, after in _topmost([(_place(one, 0, length), _place(one, 1, length)) for one in styles], length):
        if number not in looks:  # of many, few may be seen
            looks[number] = _styled(styles[number], plain) if styles else plain
        yield Run(text=units[first * 2 : after * 2].decode("utf-16-le", "replace"), look=looks[number])


def _topmost(ranges: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int, int]]:
    """Which of the ranges lies over all others, 0 if there is none, from where, and up to where."""
    waiting = sorted(((first, number) for number, (first, after) in enumerate(ranges) if first < after), reverse=True)
    bounds = sorted({0, length, *(place for one in ranges for place in one)})
    lying: list[int] = []  # minus their numbers: the last is the first
    begun, top = 0, 0
    for place in bounds:
        while waiting and waiting[-1][0] <= place:
            heappush(lying, -waiting.pop()[1])
        while lying and ranges[-lying[0]][1] <= place:
            heappop(lying)
        now = -lying[0] if lying else 0
        if now != top or place == length:
            if begun < place:
                yield top, begun, place
            begun, top = place, now


def _place(style: Json, end: int, length: int) -> int:
    places = lenient.items(style.get("range"))
    found = lenient.integer(places[end]) if len(places) > end else None
    return int(within((0, length)[end] if found is None else found, 0, length))


def _styled(says: Json, plain: Look) -> Look:
    style = plain.style
    fill = lenient.mapping(says.get("fill"))
    content = lenient.mapping(fill.get("content"))
    solid = lenient.mapping(content.get("solid"))
    colour = fields.colour(solid.get("color")) or (style.colour, 1.0)
    opacity = colour[1] * fields.number(fill.get("alpha"), 1) * fields.number(solid.get("alpha"), 1)
    font = lenient.mapping(says.get("font"))
    shadows = [one for one in lenient.items(says.get("shadows")) if isinstance(one, dict)]
    strokes = [one for one in lenient.items(says.get("strokes")) if isinstance(one, dict) and _is_seen(one)]
    return Look(
        style=replace(
            style,
            font=family(fields.text(font.get("path")), "") or style.font,
            size=_size(lenient.number(says.get("size")), style.size),
            colour=colour[0],
            bold=fields.truth(says.get("bold")),
            italic=fields.truth(says.get("italic")),
            underline=fields.truth(says.get("underline")),
            stroke=_stroke(strokes[0]) if strokes else style.stroke,
        ),
        opacity=within(opacity, 0, 1),
        shadow=_shadow(shadows[0]) if shadows else plain.shadow,
        lost=content.get("render_type") in ("gradient", "texture") or bool(says.get("effectStyle")),
        faint=plain.faint if not strokes else len(strokes) > 1 or _opacity(strokes[0]) < 1,
    )


def _is_seen(stroke: Json) -> bool:
    return fields.number(stroke.get("width"), 0) > 0 and _opacity(stroke) > 0


def _opacity(stroke: Json) -> float:
    solid = lenient.mapping(lenient.mapping(stroke.get("content")).get("solid"))
    colour = fields.colour(solid.get("color"))
    return fields.number(stroke.get("alpha"), 1) * fields.number(solid.get("alpha"), 1) * (colour[1] if colour else 1)


def _stroke(says: Json) -> Stroke:
    solid = lenient.mapping(lenient.mapping(says.get("content")).get("solid"))
    colour = fields.colour(solid.get("color"))
    return Stroke(colour=colour[0] if colour else "#000000", width=within(fields.number(says.get("width"), 0), 0, 1))


def _shadow(says: Json) -> Shadow:
    solid = lenient.mapping(lenient.mapping(says.get("content")).get("solid"))
    return shadow(says, colour=solid.get("color"), blur=says.get("diffuse"))


def shadow(says: Json, *, colour: object, blur: object, before: str = "") -> Shadow:
    """A distance of 100 is the letters' size; the angle counts from the right, against the clock."""
    found = fields.colour(colour) or ("#000000", 1.0)
    far = within(fields.number(says.get(f"{before}distance"), 5) / 100, 0, 1)
    angle = math.radians(within(fields.number(says.get(f"{before}angle"), -45), -360, 360))
    return Shadow(
        colour=found[0],
        opacity=within(fields.number(says.get(f"{before}alpha"), 0.8) * found[1], 0, 1),
        x=far * math.cos(angle),
        y=-far * math.sin(angle),
        blur=within(fields.number(blur, 0.025), 0, 1),
    )


def _size(size: float | None, default: float) -> float:
    return within(size * UNIT, 0.001, 2) if size and size > 0 else default


def family(path: str, name: str) -> str | None:
    """A font's family, as far as the name of its file tells, or the one that is given; None: it is the system's."""
    stem = re.split(r"[/\\]", path)[-1]
    stem = stem.rpartition(".")[0] if stem.lower().endswith((".ttf", ".otf", ".ttc")) else ""
    for found in (stem.strip(), name.strip()):
        if found.lower() not in _NO_FONT and len(found) <= _LONGEST_FAMILY and all(map(_is_plain, found)):
            return found
    return None


def _is_plain(letter: str) -> bool:
    return letter in " ._-" or unicodedata.category(letter)[0] == "L" or unicodedata.category(letter) == "Nd"
