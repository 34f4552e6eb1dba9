"""What is said about a draft while it is read: what is lost on the way, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from videos.timeline.capcut.errors import SHOWN, DraftInvalid

MOST = 1000  # remarks that are kept: more than anybody reads, and far less than a draft can give reason to


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something that comes out otherwise than in the editor, and where it stands in the draft."""

    path: str  # "tracks[0].segments[3]"
    segment_id: str
    code: str  # never changes its meaning
    message: str  # a sentence for people


class Report:
    """Collects remarks, and what is wrong: all of it is told at once, the first of it in words, the rest in number."""

    def __init__(self) -> None:
        self.more = 0  # remarks that were not kept
        self._remarks: dict[Remark, None] = {}
        self._problems: list[dict[str, str]] = []
        self._wrong = 0

    @property
    def remarks(self) -> tuple[Remark, ...]:
        return tuple(self._remarks)

    @property
    def is_full(self) -> bool:
        """Whether further remarks are only counted."""
        return len(self._remarks) >= MOST

    def remark(self, path: str, code: str, message: str, *, segment_id: str = "") -> None:
        """Say, once, that something is lost, or comes out otherwise."""
        if self.is_full:
            self.more += 1
        else:
            self._remarks.setdefault(Remark(path=path, segment_id=segment_id, code=code, message=message))

    def problem(self, path: str, problem: str) -> None:
        """Say that a field is wrong, so that the draft can't be read."""
        self._wrong += 1
        if self._wrong <= SHOWN:
            self._problems.append({"path": path, "problem": problem})

    def check(self) -> None:
        """Raise DraftInvalid if anything is wrong."""
        if self._problems:
            raise DraftInvalid(self._problems, count=self._wrong)
