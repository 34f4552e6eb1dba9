"""What language models are told: versioned files in this folder, over which go the versions that operators write.

A file is called `name.version.txt`, its version a number; the highest is the current one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assets import errors
from assets.models import Prompt

_FOLDER = Path(__file__).parent

EXTRACT = "extract"
CORRECT = "correct"


@dataclass(frozen=True, kw_only=True)
class Text:
    """A prompt, and the version that extractions are recorded with: `extract 1`; an operator's is `extract site 3`."""

    version: str
    text: str


def current(name: str) -> Text:
    """The prompt of this name: the operator's active version, else that of the newest file. Raises PromptMissing."""
    written = Prompt.objects.filter(name=name, active=True).first()
    if written:
        return Text(version=f"{name} site {written.version}", text=written.text)
    versions = in_files(name)
    if not versions:
        raise errors.PromptMissing
    version = max(versions)
    return Text(version=f"{name} {version}", text=versions[version])


def names() -> list[str]:
    """The prompts that there are."""
    return sorted({path.name.split(".")[0] for path in _FOLDER.glob("*.txt")})


def in_files(name: str) -> dict[int, str]:
    """The versions of a prompt that came with the program."""
    found = {}
    for path in _FOLDER.glob(f"{name}.*.txt"):
        version = path.name.split(".")[1]
        if version.isdecimal():
            found[int(version)] = path.read_text(encoding="utf-8")
    return found
