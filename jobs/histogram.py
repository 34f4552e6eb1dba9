"""How long things took, in numbered buckets: what is counted this way can be added up, and has percentiles.

A bucket is 10 % wide: 24 of them to a factor of ten. Bucket 0 holds what took a millisecond at most; bucket i, what
took more than 10^((i-1)/24) ms and at most 10^(i/24) ms. A percentile is told as the middle of its bucket, which is
at most 5 % from the true one; a mean comes from the sum and is exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

PER_DECADE = 24
LAST = PER_DECADE * 10  # 10^10 ms, which is 115 days; what took longer is put there too

Buckets = Mapping[int, int]
"""How many durations fell into each bucket."""


def bucket_of(milliseconds: float) -> int:
    """The number of the bucket that a duration falls into; a negative one, from clocks that differ, counts as none."""
    if milliseconds <= 1:
        return 0
    # What lies on a bound must not fall into the next bucket by an error in the last place.
    return min(LAST, math.ceil(math.log10(milliseconds) * PER_DECADE - 1e-9))


def upper_seconds(bucket: int) -> float:
    """The longest duration that falls into a bucket, in seconds."""
    return float(10 ** (bucket / PER_DECADE - 3))


def middle_seconds(bucket: int) -> float:
    """What a duration in the bucket is taken for, in seconds."""
    return float(10 ** ((bucket - 0.5) / PER_DECADE - 3))


def percentiles(buckets: Buckets, shares: Sequence[float]) -> list[float | None]:
    """The durations, in seconds, that the given shares (0 to 1) of all do not exceed; None if there are none."""
    ordered = sorted((bucket, n) for bucket, n in buckets.items() if n > 0)
    total = sum(n for _, n in ordered)
    return [_percentile(ordered, share * total) if total else None for share in shares]


def _percentile(ordered: Sequence[tuple[int, int]], rank: float) -> float:
    seen = 0
    for bucket, n in ordered:
        seen += n
        if seen >= rank:
            return middle_seconds(bucket)
    return middle_seconds(ordered[-1][0])
