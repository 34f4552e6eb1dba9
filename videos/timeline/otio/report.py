"""What is said about an OTIO file while it is read: what is lost on the way, or comes out otherwise."""

from __future__ import annotations

from dataclasses import dataclass

_MOST = 1000


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something that comes out otherwise than it was meant, and where it stands in the file."""

    path: str  # "tracks.children[0].children[3]"
    code: str  # never changes its meaning
    message: str  # a sentence for people


class Report:
    """Collects remarks, each of them once."""

    def __init__(self) -> None:
        self._remarks: dict[Remark, None] = {}

    @property
    def remarks(self) -> tuple[Remark, ...]:
        return tuple(self._remarks)

    def remark(self, path: str, code: str, message: str) -> None:
        """Say that something is lost, or comes out otherwise."""
        if len(self._remarks) < _MOST:
            self._remarks.setdefault(Remark(path=path, code=code, message=message))
