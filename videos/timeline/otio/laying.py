"""Laying nested stacks and tracks flat: each layer of them becomes a track of its own, which shows the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import opentimelineio as otio

from videos.timeline.model import Kind
from videos.timeline.otio import times
from videos.timeline.otio.errors import OtioInvalid
from videos.timeline.otio.report import Report

KINDS = {"Video": Kind.VIDEO, "Audio": Kind.AUDIO, "Text": Kind.TEXT, "Subtitles": Kind.SUBTITLES}
"""OTIO knows the first two; programs pass over the others."""

_MOST_LAYERS = 100


@dataclass(kw_only=True)
class Piece:
    """What is seen of one clip: all times in grains (see times)."""

    item: Any
    path: str
    at: int  # in the timeline
    length: int
    skipped: int = 0  # of what the clip itself takes
    transition: Any = None  # to the piece that follows it at once

    @property
    def end(self) -> int:
        return self.at + self.length


@dataclass
class Layer:
    """Pieces one after the other."""

    kind: Kind
    pieces: list[Piece] = field(default_factory=list)


class Layout:
    """Finds where everything lies."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._contents: dict[str, int] = {}  # by path: each is asked for at every level above it

    def tracks(self, stack: Any) -> Iterator[tuple[Any, list[Layer]]]:
        """Each track of a timeline with its layers, from the bottom to the top. Disabled ones too."""
        self._say_effects(stack, "tracks")
        first = self._start(stack, "tracks")
        length = self._length(stack, "tracks")
        for place, child in enumerate(stack):
            path = f"tracks.children[{place}]"
            if isinstance(child, otio.schema.Track):
                self._say_effects(child, path)
                shown = _window(first, length, self._length(child, path))
                start = self._start(child, path) + shown.first
                layers = self._of_track(child, path, at=shown.at, first=start, length=shown.length)
            else:
                layers = self._in_stack(child, path, Kind.VIDEO, at=0, first=first, length=length)
            yield child, layers

    def _of_track(self, track: Any, path: str, *, at: int, first: int, length: int) -> list[Layer]:
        kind = KINDS.get(track.kind or "Video")
        if kind is None:
            self._report.remark(path, "track_left_out", f"A track of the kind {track.kind[:50]} is left out.")
            return []
        layers = [Layer(kind)]
        place, transition, previous = 0, None, None  # where the next child lies; what led to it; the clip before it
        for number, child in enumerate(track):
            here = f"{path}.children[{number}]"
            if isinstance(child, otio.schema.Transition):
                self._join(previous, None, transition)
                transition = (child, here)
                continue
            whole = self._length(child, here)
            start, end = max(place, first), min(place + whole, first + length)
            laid = self._laid(child, here, kind, at=at + start - first, skipped=start - place, length=end - start)
            _merge(layers, laid, path)
            piece = laid[0].pieces[0] if isinstance(child, otio.schema.Clip) and laid else None
            self._join(previous, piece, transition)
            place, transition, previous = place + whole, None, piece
        self._join(previous, None, transition)
        return layers

    def _laid(self, item: Any, path: str, kind: Kind, *, at: int, skipped: int, length: int) -> list[Layer]:
        if length <= 0 or isinstance(item, otio.schema.Gap):
            return []
        if not item.enabled:
            self._report.remark(path, "disabled_left_out", "It is disabled, and left out.")
            return []
        if isinstance(item, otio.schema.Clip):
            return [Layer(kind, [Piece(item=item, path=path, at=at, length=length, skipped=skipped)])]
        self._say_effects(item, path)
        first = self._start(item, path) + skipped
        if isinstance(item, otio.schema.Track):
            return self._of_track(item, path, at=at, first=first, length=length)
        return [
            layer
            for number, child in enumerate(item)
            for layer in self._in_stack(child, f"{path}.children[{number}]", kind, at=at, first=first, length=length)
        ]

    def _in_stack(self, child: Any, path: str, kind: Kind, *, at: int, first: int, length: int) -> list[Layer]:
        shown = _window(first, length, self._length(child, path))
        return self._laid(child, path, kind, at=at + shown.at, skipped=shown.first, length=shown.length)

    def _join(self, previous: Piece | None, piece: Piece | None, transition: tuple[Any, str] | None) -> None:
        if transition is None:
            return
        if previous and piece and previous.end == piece.at:
            previous.transition = transition[0]
        else:
            said = "It does not lead from one clip to the next, and is left out."
            self._report.remark(transition[1], "transition_left_out", said)

    def _length(self, item: Any, path: str) -> int:
        """How long an item is where it stands."""
        return times.grains(item.source_range.duration) if item.source_range else self._content(item, path)

    def _start(self, composition: Any, path: str) -> int:
        """Where in a composition begins what is shown of it."""
        if not composition.source_range:
            return 0
        start, whole = times.grains(composition.source_range.start_time), self._content(composition, path)
        if -self._length(composition, path) < start < whole:
            return start
        if whole:  # some count by the clock of the film here
            said = "What is shown of it lies outside of it; it is shown from its beginning."
            self._report.remark(path, "range_moved", said)
        return 0

    def _content(self, item: Any, path: str) -> int:
        """How long all is that an item holds."""
        if path not in self._contents:
            self._contents[path] = self._measure(item, path)
        return self._contents[path]

    def _measure(self, item: Any, path: str) -> int:
        if isinstance(item, otio.schema.Clip):
            known = item.media_reference.available_range
            if known is None:
                self._report.remark(path, "length_unknown", "How long it is, is not said; it is left out.")
            return times.grains(known.duration) if known else 0
        if isinstance(item, otio.schema.Gap):
            return 0
        lengths = [
            self._length(child, f"{path}.children[{number}]")
            for number, child in enumerate(item)
            if not isinstance(child, otio.schema.Transition)
        ]
        return max(lengths, default=0) if isinstance(item, otio.schema.Stack) else sum(lengths)

    def _say_effects(self, item: Any, path: str) -> None:
        for effect in item.effects:
            said = f"The effect {effect.effect_name} of a whole stack or track is left out."
            self._report.remark(path, "effect_left_out", said)


@dataclass(frozen=True)
class _Window:
    at: int  # how much later than what shows it
    first: int
    length: int


def _window(first: int, length: int, whole: int) -> _Window:
    """What of a child is seen if a stretch of its stack is shown, which may begin before it or end after it."""
    start, end = max(first, 0), min(first + length, whole)
    return _Window(at=start - first, first=start, length=max(end - start, 0))


def _merge(layers: list[Layer], more: Sequence[Layer], path: str) -> None:
    """Go on with the layers of each kind, the lowest with the lowest."""
    if max(len(layers), len(more)) > _MOST_LAYERS:
        raise OtioInvalid.of(path, f"There are more than {_MOST_LAYERS} layers")
    for kind in Kind:
        mine = [layer for layer in layers if layer.kind is kind]
        for number, layer in enumerate(one for one in more if one.kind is kind):
            if number < len(mine):
                mine[number].pieces.extend(layer.pieces)
            else:
                layers.append(layer)
