"""Filters by number: of lists, by what stands in the address."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms

LARGEST = 2**63 - 1
"""What a column of a database holds."""


class WholeNumberFilter(django_filters.NumberFilter):  # type: ignore[misc]  # a package without types
    """A whole number, not below nought: an id, for example.

    The package's own takes any decimal. `1e1000000` is one, which Python is busy for a minute to write out.
    """

    field_class = forms.IntegerField

    def __init__(self, *args: Any, max_value: int = LARGEST, **options: Any) -> None:
        super().__init__(*args, min_value=0, max_value=max_value, **options)
