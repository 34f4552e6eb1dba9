"""How far an encoding is, read from what `ffmpeg -progress` writes."""

from __future__ import annotations


class Progress:
    """Turns lines of `-progress` into seconds that never go backwards and never beyond what is expected."""

    def __init__(self, expected: float | None) -> None:
        """`expected`: seconds of output; None where the source does not say how long it is."""
        self.expected = expected
        self.seconds = 0.0

    def feed(self, line: str) -> bool:
        """Take one line; True if it shows that the encoding has moved on.

        `out_time_us=N/A` stands before the first frame, negative times before a delayed start; both are
        passed over. Further than expected still counts as moving, though the figure stays.
        """
        key, _, value = line.strip().partition("=")
        if key != "out_time_us":
            return False
        try:
            seconds = int(value) / 1_000_000
        except ValueError:
            return False
        if self.expected is not None and seconds > self.expected:
            self.seconds = max(self.seconds, self.expected)
            return True
        moved = seconds > self.seconds
        self.seconds = max(self.seconds, seconds)
        return moved
