"""Pages of a list."""

from __future__ import annotations

from datetime import UTC

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class NewestFirst(CursorPagination):
    """Newest first, by keyset: a page costs the same wherever it is, and nothing is counted."""

    ordering = ("-created_at", "-id")
    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Cursor | None:
        """As DRF's, but a position that is no time is a malformed cursor too."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                parse_datetime(str(cursor.position)).astimezone(UTC)  # type: ignore[union-attr]  # None has none
            except (ValueError, OverflowError, AttributeError) as error:
                raise NotFound(self.invalid_cursor_message) from error
        return cursor
