"""What is wrong with an OTIO file, so that nothing can be made of it."""

from __future__ import annotations

from typing import ClassVar

from jobs.errors import BadInput

_SHOWN = 200  # characters of a path


class OtioInvalid(BadInput):
    code: ClassVar[str] = "otio_invalid"
    message = "The file is no OpenTimelineIO timeline that can be read."

    @classmethod
    def of(cls, path: str, problem: str) -> OtioInvalid:
        """With where it is wrong, and what is."""
        path = path[:_SHOWN] or "file"
        return cls(f"{path}: {problem}.", details={"problems": [{"path": path, "problem": problem}]})
