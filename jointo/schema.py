"""The OpenAPI schema: what every operation may answer besides, and where it is served."""

from __future__ import annotations

from typing import Any

from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

_ERROR = {
    "type": "object",
    "description": "What went wrong. A code never changes its meaning.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string", "example": "chunk_missing"},
                "message": {"type": "string", "description": "A sentence: what was wrong, and what to do."},
                "details": {"type": "object", "additionalProperties": True},
            },
        }
    },
}


class SchemaView(SpectacularAPIView):
    """The schema. There is one version: a client that names another gets the same."""

    def _get_version_parameter(self, request: Request) -> None:
        return None


def tell_of_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Have every operation say that whatever it does not answer otherwise has the one shape of errors."""
    result["components"]["schemas"]["ErrorAnswer"] = _ERROR
    answer = {
        "description": "An error",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"].setdefault("default", answer)
    return result
