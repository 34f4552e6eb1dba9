"""BACK AT THE CABIN: what opens a scene in capitals, and has neither INT nor EXT."""

from __future__ import annotations

import re
from dataclasses import replace

from assets.scripts import headings
from assets.scripts.elements import Heading

CONFIDENCE = 0.6
_BACK_TO = r"BACK (?:IN|AT|INSIDE|OUTSIDE|ON|TO) (?:THE )?"
_BACK = re.compile(
    rf"(?P<back>{_BACK_TO})(?!SCENE|PRESENT|BLACK|REALITY|ACTION|US\b|HIM\b|HER\b|THEM\b|WORK\b)[A-Z]",
    re.IGNORECASE,
)


def read(text: str) -> Heading | None:
    """A heading, if the line is one. It stands between blank lines, in capitals."""
    found = _BACK.match(text) if len(text) < 60 else None
    return replace(headings.read(text[found.end("back") :]), text=text) if found else None
