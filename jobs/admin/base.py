"""What the pages of the engine's tables share."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

_PAGES_AHEAD = 5


class BoundedPaginator(Paginator[Any]):
    """Counts a few pages further than the one that is looked at, however many rows there are."""

    looked_at = 1

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return int(rows.order_by()[: self.per_page * (self.looked_at + _PAGES_AHEAD)].count())


class Bounded:
    """A list of which no more is counted than its next few pages."""

    paginator: Any = BoundedPaginator
    show_full_result_count = False

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        paginator = super().get_paginator(request, *args, **kwargs)  # type: ignore[misc]  # a ModelAdmin's
        page = request.GET.get(PAGE_VAR, "")
        paginator.looked_at = int(page) if page.isdecimal() and len(page) < 7 else 1
        return paginator


def ids_of_user(name: str) -> list[int]:
    """Looked up first: only of an id does the planner know how many rows to expect, and takes the owner's index."""
    return list(get_user_model().objects.filter(username=name).values_list("pk", flat=True))


class ReadOnly:
    """Rows that the engine writes and people only read."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
