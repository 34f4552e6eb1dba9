"""The priorities that have names. 10 is first, 0 is last; jobs.line makes an order of them."""

from __future__ import annotations

CRITICAL = 10
HIGH = 7
NORMAL = 5
LOW = 3
