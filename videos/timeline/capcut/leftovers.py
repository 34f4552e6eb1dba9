"""What hangs on segments and can't be had outside the application: named, one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields
from videos.timeline.capcut.materials import Material, Materials
from videos.timeline.capcut.report import Report
from videos.timeline.capcut.segments import Segment


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """`what` may be left out, with `code`, where `does` says that it does anything at all."""

    code: str
    what: str
    does: Callable[[Json], bool] = lambda says: True


def _is_on(*names: str) -> Callable[[Json], bool]:
    return lambda says: any(fields.truth(says.get(name)) for name in names)


_EFFECT = _Rule(code="effect_left_out", what="effect")
_ADJUSTMENT = _Rule(code="adjustment_left_out", what="adjustment of colours", does=_is_on("value"))
_LISTS: dict[str, _Rule] = {
    "video_effects": _EFFECT,
    "plugin_effects": _EFFECT,
    "audio_effects": _Rule(code="audio_effect_left_out", what="sound effect"),
    "masks": _Rule(code="mask_left_out", what="mask"),
    "common_mask": _Rule(code="mask_left_out", what="mask"),
    "chromas": _Rule(code="chroma_left_out", what="chroma key", does=lambda says: bool(says.get("color"))),
    "green_screens": _Rule(code="chroma_left_out", what="chroma key"),
    "material_animations": _Rule(
        code="animation_left_out", what="animation", does=lambda says: bool(says.get("animations"))
    ),
    "hsl": _Rule(code="adjustment_left_out", what="adjustment of colours"),
    "color_curves": _Rule(code="adjustment_left_out", what="curve of colours"),
    "primary_color_wheels": _Rule(code="adjustment_left_out", what="colour wheel"),
    "log_color_wheels": _Rule(code="adjustment_left_out", what="colour wheel"),
    "manual_deformations": _EFFECT,
    "video_trackings": _Rule(code="tracking_left_out", what="tracking"),
    "realtime_denoises": _Rule(code="audio_effect_left_out", what="noise reduction", does=_is_on("is_denoise")),
    "vocal_separations": _Rule(code="audio_effect_left_out", what="separation of voices", does=_is_on("choice")),
    "vocal_beautifys": _Rule(code="audio_effect_left_out", what="change of the voice"),
    "loudnesses": _Rule(code="audio_effect_left_out", what="loudness", does=_is_on("enable")),
    "sound_channel_mappings": _Rule(
        code="audio_effect_left_out", what="choice of channels", does=_is_on("audio_channel_mapping")
    ),
}
# One list for many things, told apart by their type; whatever else is in it adjusts colours.
_EFFECTS: dict[str, _Rule] = {
    "filter": _Rule(code="filter_left_out", what="filter"),
    "lut": _Rule(code="filter_left_out", what="LUT"),
    "mix_mode": _Rule(code="blend_mode_left_out", what="blend mode"),
    "text_effect": _Rule(code="text_effect_left_out", what="text effect"),
    "text_shape": _Rule(code="text_effect_left_out", what="text bubble"),
    "video_effect": _EFFECT,
    "face_effect": _EFFECT,
    "effect": _EFFECT,
}
_TRACKS: dict[str, _Rule] = {
    "effect": _EFFECT,
    "filter": _EFFECTS["filter"],
    "sticker": _Rule(code="sticker_left_out", what="sticker"),
    "adjust": _Rule(code="adjustment_left_out", what="adjustment of colours"),
}
_MOST_NAMES = 3
_OTHER = _Rule(code="segment_left_out", what="segment")


def remark(segment: Segment, materials: Materials, report: Report, *, but: Collection[str] = ()) -> None:
    """Name all that is left out of what hangs on a segment. `but`: lists of what is none of that."""
    for rule, material in _of(segment, materials):
        if material.list not in but and report.is_full:
            report.more += 1  # nobody reads the sentence
        elif material.list not in but:
            segment.remark(report, rule.code, _said(rule, material))


def remark_whole(segment: Segment, sort: str, materials: Materials, report: Report) -> None:
    """Name a segment of which nothing is left, as the kind of its track says."""
    rule = _TRACKS.get(sort, _OTHER)
    lists = ("video_effects", "effects", "stickers", "plugin_effects")
    segment.remark(report, rule.code, _said(rule, materials.find(segment.says.get("material_id"), *lists)))


def remark_media(says: Json, segment: Segment, report: Report) -> None:
    """Name what the application makes of a file by itself before it shows it."""
    if fields.truth(lenient.mapping(says.get("matting")).get("flag")):
        segment.remark(report, "cutout_left_out", "Its background is not cut out.")
    if fields.truth(lenient.mapping(says.get("stable")).get("stable_level")):
        segment.remark(report, "stabilising_left_out", "It is not steadied.")
    if lenient.items(lenient.mapping(says.get("video_algorithm")).get("algorithms")):
        segment.remark(report, "effect_left_out", "Its picture is not made better, as the editor does.")


def _of(segment: Segment, materials: Materials) -> Iterator[tuple[_Rule, Material]]:
    for material in materials.attached(segment.says):
        rule = _LISTS.get(material.list)
        if material.list == "effects":
            rule = _EFFECTS.get(material.type, _ADJUSTMENT)
        if rule and rule.does(material.says):
            yield rule, material


def _said(rule: _Rule, material: Material | None) -> str:
    says = material.says if material else {}
    inside = lenient.items(says.get("animations"))[:_MOST_NAMES]
    parts = [fields.name(one.get("name")) for one in inside if isinstance(one, dict)]
    named = fields.name(says.get("name")) or ", ".join(part for part in parts if part)
    return f"The {rule.what} {named} is left out." if named else f"The {rule.what} is left out."
