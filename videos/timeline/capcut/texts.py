"""What a segment of letters becomes: a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields, keyframes, leftovers, letters, placing
from videos.timeline.capcut.fields import within
from videos.timeline.capcut.letters import Allowance, Look, Run
from videos.timeline.capcut.materials import Material, Materials
from videos.timeline.capcut.report import Report
from videos.timeline.capcut.segments import Segment
from videos.timeline.motion import Transform
from videos.timeline.texts import Align, Box, Span, Stroke, Style, Text

_MOST_PARTS = 50  # of a template
_ALIGN = {0: Align.LEFT, 1: Align.CENTRE, 2: Align.RIGHT}
_STROKED, _BOXED, _SHADOWED = 8, 16, 32  # bits of the flags that say what of the fields holds
_SPACING = 0.02  # between lines: what a draft states where nothing was changed
_PADDING = 0.14
_WIDTH = 0.82


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A text as its material says it, without its time and its place."""

    text: Text | None  # None: there is nothing to be seen
    remarks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What one material says: all of a text, or some of a template."""

    plain: Look
    runs: list[Run]
    is_cut: bool  # its letters change how they look more often than is read


class Texts:
    """Reads the texts of a draft; each material once, however many segments and templates show it."""

    def __init__(self, materials: Materials, report: Report, allowance: Allowance) -> None:
        self._materials = materials
        self._report = report
        self._allowance = allowance
        self._written: dict[str, _Written] = {}
        self._known: dict[str, _Part] = {}

    def read(self, segment: Segment) -> Text | None:
        """The text of a segment; None if nothing is written."""
        material = self.material(segment)
        if material is None:
            segment.remark(self._report, "text_missing", "The draft does not hold its text; it is left out.")
            return None
        if material.path not in self._written:
            self._written[material.path] = self._write(material)
        written = self._written[material.path]
        if written.text is None:
            return None
        leftovers.remark(segment, self._materials, self._report)
        for code, message in written.remarks:
            segment.remark(self._report, code, message)
        return _placed(written.text, segment, self._report)

    def material(self, segment: Segment) -> Material | None:
        """What says what is written."""
        return self._materials.find(segment.says.get("material_id"), "texts", "text_templates")

    def _write(self, material: Material) -> _Written:
        materials, remarks = _parts(material, self._materials), []
        if material.list == "text_templates":
            said = "It is a template of the application; its letters alone are shown, one below the other."
            remarks.append(("text_template_approximated", said))
        refused = self._allowance.refused
        parts = [self._part(one) for one in materials]
        runs = list(self._runs(parts))
        text, spans = _joined(runs)
        if not text.strip():
            return _Written(text=None)
        if len(text) == letters.LONGEST:
            remarks.append(("text_shortened", f"Only the first {letters.LONGEST} of its letters are shown."))
        if any(run.look.lost for run in runs):
            remarks.append(("text_effect_left_out", "Its letters have one colour each, and no effect."))
        says = materials[0].says
        if lenient.integer(says.get("typesetting")) == 1:
            said = "Its letters stand side by side, and not one below the other."
            remarks.append(("vertical_text_approximated", said))
        if any(part.is_cut for part in parts) or self._allowance.refused > refused:
            said = "How its letters look changes too often; not all of the changes are shown."
            remarks.append(("text_approximated", said))
        remarks += [("text_approximated", said) for said in _simplified(runs, says)]
        return _Written(text=_styled(says, text, spans, runs[0].look), remarks=tuple(remarks))

    def _part(self, material: Material) -> _Part:
        if material.path not in self._known:
            plain, refused = _plain(material.says), self._allowance.refused
            runs = letters.read(material.says.get("content"), plain, self._allowance)
            is_cut = self._allowance.refused > refused
            self._known[material.path] = _Part(plain=plain, runs=runs, is_cut=is_cut)
        return self._known[material.path]

    def _runs(self, parts: Sequence[_Part]) -> Iterator[Run]:
        """One part below the other, as long as there is room for letters."""
        left = letters.LONGEST
        for number, part in enumerate(parts):
            if number:
                yield Run(text="\n", look=part.plain)
            runs = letters.fewer(part.runs, self._allowance)
            yield from runs
            left -= sum(len(run.text) for run in runs) + 1
            if left <= 0:
                break


def _simplified(runs: Sequence[Run], says: Json) -> Iterator[str]:
    """What a text can't have of how this one looks."""
    looks = [run.look for run in runs if run.text.strip()]
    if len({(look.opacity, look.shadow) for look in looks}) > 1:
        yield "All of its letters are as opaque as the first, and have its shadow."
    if any(look.faint for look in looks):
        yield "Its letters have one line around them, which is opaque."
    if _box(says) and _is_special(says):
        yield "The box behind it has square corners, and the same margin all around."


def _is_special(says: Json) -> bool:
    """Whether its box is round, moved, or wider one way than the other."""
    numbers = {
        name: fields.number(says.get(f"background_{name}"), default)
        for name, default in (
            *(("round_radius", 0), ("horizontal_offset", 0), ("vertical_offset", 0)),
            *(("width", _PADDING), ("height", _PADDING), ("style", 1)),
        )
    }
    moved = numbers["round_radius"] or numbers["horizontal_offset"] or numbers["vertical_offset"]
    return bool(moved) or numbers["width"] != numbers["height"] or numbers["style"] > 1


def _parts(material: Material, materials: Materials) -> list[Material]:
    if material.list == "texts":
        return [material]
    inside = lenient.items(material.says.get("text_info_resources"))[:_MOST_PARTS]
    keys = [one.get("text_material_id") for one in inside if isinstance(one, dict)]
    return [found for key in keys if (found := materials.find(key, "texts"))]


def _flagged(says: Json, flag: int) -> bool:
    flags = lenient.integer(says.get("check_flag"))
    return flags is None or bool(flags & flag)


def _plain(says: Json) -> Look:
    """What the fields beside the text say of its letters."""
    colour = fields.colour(says.get("text_color")) or ("#ffffff", 1.0)
    size = lenient.number(says.get("font_size"))
    border, stroke = fields.colour(says.get("border_color")), None
    width = fields.number(says.get("border_width"), 0)
    shown = fields.number(says.get("border_alpha"), 1) * border[1] if border else 0.0
    if border and width > 0 and shown > 0 and _flagged(says, _STROKED):
        stroke = Stroke(colour=border[0], width=within(width, 0, 1))
    style = Style(
        font=letters.family(fields.text(says.get("font_path")), fields.text(says.get("font_title"))) or "sans-serif",
        size=within((size if size and size > 0 else 15) * letters.UNIT, 0.001, 2),
        colour=colour[0],
        bold=fields.number(says.get("bold_width"), 0) > 0,
        italic=fields.number(says.get("italic_degree"), 0) > 0,
        underline=fields.truth(says.get("underline")),
        spacing=within(fields.number(says.get("letter_spacing"), 0), -1, 1),
        stroke=stroke,
    )
    shadow = None
    if fields.truth(says.get("has_shadow")) and _flagged(says, _SHADOWED):
        blur = says.get("shadow_smoothing")
        shadow = letters.shadow(says, colour=says.get("shadow_color"), blur=blur, before="shadow_")
    return Look(style=style, opacity=colour[1], shadow=shadow, faint=stroke is not None and shown < 1)


def _joined(runs: Sequence[Run]) -> tuple[str, tuple[Span, ...]]:
    """All letters, and those that look otherwise than the first."""
    text = ""
    spans: list[Span] = []
    for run in runs:
        written = run.text[: letters.LONGEST - len(text)]
        if written and run.look.style != runs[0].look.style and len(spans) < letters.MOST_CHANGES:
            spans.append(Span(first=len(text), after=len(text) + len(written), style=run.look.style))
        text += written
    return text, tuple(spans)


def _styled(says: Json, text: str, spans: tuple[Span, ...], look: Look) -> Text:
    width = fields.number(says.get("line_max_width"), _WIDTH)
    wraps = says.get("type") == "subtitle" or fields.truth(says.get("force_apply_line_max_width"))
    spacing = fields.number(says.get("line_spacing"), _SPACING)
    return Text(
        start=0,
        duration=1,
        text=text,
        style=look.style,
        spans=spans,
        align=_ALIGN.get(lenient.integer(says.get("alignment")) or 0, Align.CENTRE),
        width=within(width, 0.01, 1) if wraps and width > 0 else 1.0,
        line_height=within(1.2 + spacing - _SPACING, 0.5, 10),
        shadow=look.shadow,
        box=_box(says),
        transform=Transform(opacity=look.opacity * within(fields.number(says.get("global_alpha"), 1), 0, 1)),
    )


def _placed(text: Text, segment: Segment, report: Report) -> Text:
    transform = placing.transform(segment, report)
    motion = keyframes.read(segment, report)
    return replace(
        text,
        start=segment.target.start,
        duration=segment.target.duration,
        transform=replace(transform, opacity=transform.opacity * text.transform.opacity),
        motion=replace(motion, volume=()),
    )


def _box(says: Json) -> Box | None:
    colour = fields.colour(says.get("background_color"))
    style = fields.number(says.get("background_style"), 1)
    opacity = within(fields.number(says.get("background_alpha"), 1), 0, 1)
    if colour is None or style <= 0 or opacity <= 0 or not _flagged(says, _BOXED):
        return None
    padding = max(fields.number(says.get(f"background_{side}"), _PADDING) for side in ("width", "height"))
    return Box(colour=colour[0], opacity=opacity * colour[1], padding=within(padding, 0, 1))
