"""The order in which waiting jobs go: priority first, then who waits longest. 10 is first, 0 is last."""

from __future__ import annotations

CRITICAL = 10
HIGH = 7
NORMAL = 5
LOW = 3

ORDER = ("-priority", "created_at", "id")
"""For `order_by`: best first; the index `job_backlog` has the same."""
