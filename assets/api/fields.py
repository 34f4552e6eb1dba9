"""Fields that requests for work of AI services have in common."""

from __future__ import annotations

from typing import Any

from django.core.validators import ProhibitNullCharactersValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
class ModelField(serializers.Field):
    """A provider, perhaps with a model of its, or several in the order in which they are asked."""

    default_error_messages = {"invalid": "The name of a model is wanted here, or a list of such names."}

    def to_internal_value(self, data: Any) -> str | list[str]:
        if isinstance(data, str) or (isinstance(data, list) and all(isinstance(one, str) for one in data)):
            for name in [data] if isinstance(data, str) else data:
                ProhibitNullCharactersValidator()(name)
                ProhibitSurrogateCharactersValidator()(name)
            return data
        self.fail("invalid")

    def to_representation(self, value: Any) -> Any:
        return value
