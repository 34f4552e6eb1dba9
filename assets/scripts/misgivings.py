"""What people should be told of a breakdown that may have gone wrong, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assets.scripts.breakdown import Character, Scene


def about(scenes: Sequence[Scene], characters: Sequence[Character]) -> Iterator[str]:
    """What is missing in it, or was guessed."""
    if not scenes:
        yield "No scene was found. A scene begins with a heading: INT. HOUSE - DAY, or 1-1 日 内 客厅."
    elif all(scene.confidence < 0.5 for scene in scenes):
        yield "There are no scene headings. The scenes were guessed from chapters and breaks."
    if not characters:
        yield "Nobody speaks in this script, as far as it could be read."
    silent = [str(scene.index + 1) for scene in scenes if scene.span.first_line == scene.span.last_line]
    if silent:
        yield f"Scenes with nothing in them: {', '.join(silent[:10])}."
