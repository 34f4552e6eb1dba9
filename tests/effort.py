"""How much work something is, compared with something else: whatever the machine is busy with beside it."""

from __future__ import annotations

from collections.abc import Callable

_ATTEMPTS = 3
_NOISE = 0.3


def assert_at_most(times: float, little: Callable[[], float], much: Callable[[], float]) -> None:
    """Both give the seconds of CPU that they took, of which the second may take so many times the first.

    A busy machine makes work take longer and never shorter, so one attempt that holds is enough: what grows with the
    square of its size does so each time. What is below the noise is no matter.
    """
    seen: list[tuple[float, float]] = []
    for _ in range(_ATTEMPTS):
        seen.append((little(), much()))
        least, most = (min(each) for each in zip(*seen, strict=True))
        if most < times * least + _NOISE:
            return
    raise AssertionError(f"more than {times} times the work: {seen}")
