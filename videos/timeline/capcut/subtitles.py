"""Which texts are subtitles: what players may show beside the picture, for it looks like nothing in particular."""

from __future__ import annotations

from collections.abc import Sequence

from videos.timeline.capcut.materials import Material
from videos.timeline.motion import Motion
from videos.timeline.texts import Text

_TYPES = ("subtitle", "lyrics")
_OFF_CENTRE = 0.05  # of the canvas's width
_LOW = 0.25  # of its height, from its middle


def are(texts: Sequence[Text], materials: Sequence[Material | None]) -> bool:
    """Whether all texts of a track were made as subtitles, and are plain ones at the foot of the picture."""
    said = all(material is not None and material.type in _TYPES for material in materials)
    return bool(texts) and said and all(map(_is_plain, texts))


def _is_plain(text: Text) -> bool:
    place, style = text.transform, text.style
    drawn = text.spans or text.box or text.shadow or style.stroke or style.bold or style.italic or style.underline
    moved = text.motion != Motion() or place.rotation or place.opacity < 1
    low = abs(place.x) <= _OFF_CENTRE and place.y >= _LOW
    return low and not moved and not drawn and style.colour == "#ffffff"
