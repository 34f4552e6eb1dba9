"""What a mask leaves of a segment's picture, where it is one of four plain shapes."""

from __future__ import annotations

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import fields
from videos.timeline.capcut.fields import within
from videos.timeline.capcut.keyframes import BOUNDS
from videos.timeline.capcut.materials import Material, Materials
from videos.timeline.capcut.report import Report
from videos.timeline.capcut.segments import Segment
from videos.timeline.model import Mask, Shape

LISTS = ("masks", "common_mask")  # older drafts have the one, newer ones the other, and some the same mask in both

# By the kind of the resource, its number, that of the effect, and the names of both applications.
_KNOWN: dict[Shape, tuple[str, ...]] = {
    Shape.LINE: ("line", "linear", "6791652175668843016", "636071", "线性", "split"),
    Shape.MIRROR: ("mirror", "6791699060140020232", "636073", "镜面", "filmstrip"),
    Shape.CIRCLE: ("circle", "6791700663249146381", "636075", "圆形"),
    Shape.RECTANGLE: ("rectangle", "6791700809454195207", "636077", "矩形"),
}
_BY_NAME = {name: shape for shape, names in _KNOWN.items() for name in names}
_SIZE = 0.5  # of the picture: where none is stated
_LEAST, _MOST = 0.001, 100.0
_MOST_TRIED = 10  # masks of one segment, of which one is drawn


def read(segment: Segment, media: Json, materials: Materials, report: Report) -> Mask | None:
    """The mask of a segment. `media`: what the draft says of its file. What is lost is remarked."""
    attached = [one for name in LISTS for one in materials.attached(segment.says) if one.list == name]
    found = None
    for number, material in enumerate({one.says["id"]: one for one in attached}.values()):
        shape = _shape(material) if found is None and number < _MOST_TRIED else None
        if shape is None:
            named = fields.name(material.says.get("name"))
            said = f"The mask {named} is left out." if named else "Its mask is left out."
            segment.remark(report, "mask_left_out", said)
        else:
            found = _mask(shape, lenient.mapping(material.says.get("config")), media, segment, report)
    return found


def _shape(material: Material) -> Shape | None:
    named = [fields.name(material.says.get(name)) for name in ("resource_type", "resource_id", "effect_id", "name")]
    return next((_BY_NAME[name] for one in named if (name := one.strip().lower()) in _BY_NAME), None)


def _mask(shape: Shape, config: Json, media: Json, segment: Segment, report: Report) -> Mask:
    """Places are halves of the picture, upwards; sizes are parts of it."""
    if fields.number(config.get("expansion"), 0) != 0:
        segment.remark(report, "mask_approximated", "Its mask is made larger or smaller in the editor, and not here.")
    height = _size(config.get("height"), _SIZE)
    sized = {"width": _size(config.get("width"), _width(height, config, media)), "height": height}
    return Mask(
        shape=shape,
        x=within(fields.number(config.get("centerX"), 0) / 2, *BOUNDS["x"]),
        y=within(-fields.number(config.get("centerY"), 0) / 2, *BOUNDS["y"]),
        rotation=within(fields.number(config.get("rotation"), 0), *BOUNDS["rotation"]),
        corner=within(fields.number(config.get("roundCorner"), 0), 0, 1),
        feather=within(fields.number(config.get("feather"), 0), 0, 1),
        invert=fields.truth(config.get("invert")),
        **(sized if shape in (Shape.CIRCLE, Shape.RECTANGLE) else {"height": height} if shape is Shape.MIRROR else {}),
    )


def _size(value: object, default: float) -> float:
    found = lenient.number(value)
    return within(found if found and found > 0 else default, _LEAST, _MOST)


def _width(height: float, config: Json, media: Json) -> float:
    """That of a mask which states its shape alone."""
    across, down = (fields.number(media.get(side), 0) for side in ("width", "height"))
    ratio = fields.number(config.get("aspectRatio"), 1)
    return height * ratio * down / across if across > 0 and down > 0 and ratio > 0 else height
