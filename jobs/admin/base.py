"""What the pages of the engine's tables share."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

_COUNT_AT_MOST = 10_000


class BoundedPaginator(Paginator[Any]):
    """Counts no further than anybody pages: a table of a million rows costs what ten thousand do."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return int(rows.order_by()[:_COUNT_AT_MOST].count())


class ReadOnly:
    """Rows that the engine writes and people only read."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
