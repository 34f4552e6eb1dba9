"""What is said about a draft while it is read: what is lost on the way, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from videos.timeline.capcut.errors import DraftInvalid


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something that comes out otherwise than in the editor, and where it stands in the draft."""

    path: str  # "tracks[0].segments[3]"
    segment_id: str
    code: str  # never changes its meaning
    message: str  # a sentence for people


class Report:
    """Collects remarks, and what is wrong: all of it is told at once."""

    def __init__(self) -> None:
        self._remarks: dict[Remark, None] = {}
        self._problems: list[dict[str, str]] = []

    @property
    def remarks(self) -> tuple[Remark, ...]:
        return tuple(self._remarks)

    def remark(self, path: str, code: str, message: str, *, segment_id: str = "") -> None:
        """Say, once, that something is lost, or comes out otherwise."""
        self._remarks.setdefault(Remark(path=path, segment_id=segment_id, code=code, message=message))

    def problem(self, path: str, problem: str) -> None:
        """Say that a field is wrong, so that the draft can't be read."""
        self._problems.append({"path": path, "problem": problem})

    def check(self) -> None:
        """Raise DraftInvalid if anything is wrong."""
        if self._problems:
            raise DraftInvalid(self._problems)
