"""What is written in a text of a draft, and how each of its letters looks: three generations of the same field.

The first is a plain string; the fields beside it say how it looks. The second has tags,
`<color=(r,g,b,a)><size=5>[text]`. The third is JSON with ranges, which count units of UTF-16.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields
from videos.timeline.capcut.fields import within
from videos.timeline.texts import Shadow, Stroke, Style

UNIT = 0.01  # of the canvas's height: a size of one
LONGEST = 5000  # letters, as in the timeline
_LONGEST_CONTENT = 200_000
_MOST_STYLES = 2000
_TAG = re.compile(r"<(/?)([A-Za-z]+)([^<>]{0,500})>")
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


def read(content: object, plain: Look) -> list[Run]:
    """The letters of a text. `plain`: how those look of which nothing is said."""
    written = (lenient.text(content) or "")[:_LONGEST_CONTENT]
    if written.lstrip().startswith("{"):
        try:
            says = json.loads(written)
        except (ValueError, RecursionError):
            says = None
        if isinstance(says, dict) and isinstance(says.get("text"), str):
            return list(_ranged(says, plain))
    if _TAG.match(written.lstrip()):
        return list(_tagged(written, plain))
    return [Run(text=written, look=plain)]


# -- the second generation -------------------------------------------------------------------------------


def _tagged(written: str, plain: Look) -> Iterator[Run]:
    """Tags change how what follows looks, until they are closed; letters stand in square brackets."""
    looks, at = [plain], 0
    while at < len(written):
        tag = _TAG.match(written, at)
        if tag:
            if not tag[1] and len(looks) < _MOST_STYLES:
                looks.append(_with_tag(looks[-1], tag[2].lower(), tag[3]))
            elif tag[1] and len(looks) > 1:
                looks.pop()
            at = tag.end()
            continue
        inside = written[at] == "["
        end = written.find("]<" if inside else "<", at + 1)
        after = end if end >= 0 else len(written)
        text = written[at + 1 : after] if inside else written[at:after]
        if inside and end < 0:
            text = text.removesuffix("]")
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


def _ranged(says: Json, plain: Look) -> Iterator[Run]:
    """Later styles lie over earlier ones. What none of them speaks of looks as the first one says."""
    units = says["text"][: LONGEST + 1].encode("utf-16-le", "surrogatepass")
    styles = [one for one in lenient.items(says.get("styles"))[:_MOST_STYLES] if isinstance(one, dict)]
    looks = [_styled(one, plain) for one in styles]
    chosen = [0] * (len(units) // 2)
    for number, style in enumerate(styles):
        first, after = (_place(style, end, len(chosen)) for end in (0, 1))
        chosen[first:after] = [number] * max(0, after - first)
    for first, after in _same(chosen):
        text = units[first * 2 : after * 2].decode("utf-16-le", "replace")
        yield Run(text=text, look=looks[chosen[first]] if looks else plain)


def _place(style: Json, end: int, length: int) -> int:
    places = lenient.items(style.get("range"))
    found = lenient.integer(places[end]) if len(places) > end else None
    return int(within((0, length)[end] if found is None else found, 0, length))


def _same(chosen: list[int]) -> Iterator[tuple[int, int]]:
    first = 0
    for place in range(1, len(chosen) + 1):
        if place == len(chosen) or chosen[place] != chosen[first]:
            yield first, place
            first = place


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
