"""Parts of films that were encoded before: how one is named by its content, and where it is found again.

A part is named by all that it depends on: the call that makes it, with the content of every file in the place of its
name, and the program that is called. Letters are drawn by a script, which names their fonts by what is in them. So
nothing in it speaks of the film, or of when in the film the part is seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from videos.media import sandbox
from videos.timeline.sources import Source

_EDITION = "1"  # of what is done to a part outside of the call


class Cache(Protocol):
    """Where parts are kept. May forget any of them at any time, and fails nobody."""

    def take(self, key: str, target: Path) -> bool:
        """Have the part stand at `target`, where nothing is; False if it is not there, whole and unchanged."""

    def keep(self, key: str, part: Path) -> None:
        """Remember a finished part. The file is not to be written to any more."""


class Keys:
    """Names the parts of one film."""

    def __init__(self, sources: Iterable[Source], folder: Path, *, program: str) -> None:
        """`folder`: where the calls are made. `program`: what ffmpeg says of itself."""
        self._sources = {sandbox.name(source.path): source for source in sources}
        self._folder = folder
        self._program = program

    def of(self, command: Sequence[str], target: str) -> str:
        """The name of the part that a call writes into the file `target`."""
        words = [_EDITION, self._program]
        for word in command:
            if word in self._sources:
                words.append(self._sources[word].identity)
            elif word != sandbox.name(Path(target)):
                words.append(self._content(word))
        return hashlib.sha256("\0".join(words).encode()).hexdigest()

    def _content(self, word: str) -> str:
        """The word with the files of the studio's folder, which a graph may name, as what is in them."""
        made = [path for path in self._folder.rglob("*") if path.is_file() and path.name in word]
        for path in sorted(made, key=lambda path: len(path.name), reverse=True):
            word = word.replace(path.relative_to(self._folder).as_posix(), digest(path))
        return word.replace(f"{self._folder}/", "")


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
