"""A script divided: into its episodes, or into pieces that a language model can take."""

from __future__ import annotations

from collections.abc import Iterator

from assets.scripts import episode_marks, reading
from assets.scripts.breakdown import EpisodeText, Format, Script, Span
from assets.scripts.elements import Kind


def episodes(script: Script) -> list[EpisodeText]:
    """The episodes that a script has in it; none if it has no such marks. What precedes the first one goes with it."""
    rows = script.text.split("\n")
    starts: list[tuple[int, int, str]] = []
    for at, row in enumerate(rows):
        found = episode_marks.heading(row) if len(row) <= 160 else None
        if found:
            starts.append((at, *found))
    starts = _without_contents(rows, _unsaid(script, starts))
    found_episodes = []
    for place, (at, number, title) in enumerate(starts):
        first = 0 if place == 0 else at
        end = starts[place + 1][0] if place + 1 < len(starts) else len(rows)
        text = "\n".join(rows[first:end])
        found_episodes.append(
            EpisodeText(number=number, title=title, text=text, span=Span(first_line=first + 1, last_line=end))
        )
    return found_episodes


def pieces(script: Script, *, characters: int) -> list[str]:
    """Pieces of at most that many characters, which together are the text.

    It is divided between scenes, a scene that is longer between lines, a line that is longer anywhere.
    """
    if characters < 1:
        raise ValueError("a piece has at least one character")
    if len(script.text) <= characters:
        return [script.text] if script.text else []
    made: list[str] = []
    held = ""
    for part in _parts(script, characters):
        if held and len(held) + len(part) > characters:
            made.append(held)
            held = ""
        held += part
    return [*made, held] if held else made


def _unsaid(script: Script, starts: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Leave out what somebody says, and what says the same episode again."""
    speech = (Kind.DIALOGUE, Kind.PARENTHETICAL)
    look = bool(starts) and script.format is not Format.PROSE  # whose lines are action and speech at once
    said = {element.line - 1 for element in reading.elements(script) if element.kind in speech} if look else set()
    kept: list[tuple[int, int, str]] = []
    for start in starts:
        if start[0] not in said and not (kept and kept[-1][1] == start[1]):
            kept.append(start)
    return kept


def _without_contents(rows: list[str], starts: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Leave out a table of contents: numbers that come again, and have hardly anything below them the first time."""
    last = {number: place for place, (_, number, _) in enumerate(starts)}
    kept = []
    for place, (at, number, title) in enumerate(starts):
        end = starts[place + 1][0] if place + 1 < len(starts) else len(rows)
        if last[number] != place and sum(1 for row in rows[at + 1 : end] if row.strip()) < 3:
            continue
        kept.append((at, number, title))
    return kept


def _parts(script: Script, characters: int) -> Iterator[str]:
    """Scenes where they fit, else their lines."""
    rows = [row + "\n" for row in script.text.split("\n")]
    rows[-1] = rows[-1][:-1]
    starts = {element.line - 1 for element in reading.elements(script) if element.kind in (Kind.HEADING, Kind.DIVISION)}
    scene: list[str] = []
    for at, row in enumerate(rows):
        if at in starts and scene:
            yield from _fitting(scene, characters)
            scene = []
        scene.append(row)
    yield from _fitting(scene, characters)


def _fitting(rows: list[str], characters: int) -> Iterator[str]:
    if sum(map(len, rows)) <= characters:
        yield "".join(rows)
        return
    for row in rows:
        for at in range(0, len(row), characters):
            yield row[at : at + characters]
