"""Reading request bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from jobs import plain

_TOO_DEEP = f"The JSON is nested deeper than {plain.DEEPEST} levels."


class StrictJSONParser(JSONParser):
    """DRF's JSON parser, less what is nested deeper than anybody means: it could be read, but not passed on."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            found = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_TOO_DEEP) from error
        if plain.depth(found) > plain.DEEPEST:
            raise ParseError(_TOO_DEEP)
        return found
