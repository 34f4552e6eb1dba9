"""What language models answer: JSON Schema, every object closed and every property required, as services want it."""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}
_LINE: dict[str, Any] = {"type": "integer", "description": "the number of the line in the script"}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_SCENES = {"type": "array", "items": {"type": "integer"}, "description": "places in the list of scenes, from 0"}

SCHEMA: dict[str, Any] = _object(
    scenes=_list(
        _object(
            number=_TEXT,
            heading=_TEXT,
            place_name=_TEXT,
            place={"type": "string", "enum": ["inside", "outside", "both", ""]},
            time=_TEXT,
            description=_TEXT,
            first_line=_LINE,
        )
    ),
    characters=_list(
        _object(
            name=_TEXT,
            aliases=_list(_TEXT),
            description=_TEXT,
            gender={"type": "string", "enum": ["female", "male", ""]},
            age=_TEXT,
            voice=_TEXT,
            role={"type": "string", "enum": ["lead", "supporting", "minor", ""]},
            scenes=_SCENES,
            first_line=_LINE,
        )
    ),
    props=_list(_object(name=_TEXT, description=_TEXT, scenes=_SCENES, first_line=_LINE)),
)
