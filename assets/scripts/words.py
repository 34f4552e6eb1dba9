"""Lists of words, written as words."""

from __future__ import annotations


def words(*rows: str) -> frozenset[str]:
    """All the words in some rows of them."""
    return frozenset(word for row in rows for word in row.split())
