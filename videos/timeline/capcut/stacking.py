"""Tracks laid over one another, in as few as they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from videos.timeline.capcut.trimming import Item
from videos.timeline.model import Clip, Kind, Track
from videos.timeline.texts import Text

MOST = 100  # tracks of a timeline


@dataclass
class _Pile:
    """A track that grows at its end."""

    like: Track
    items: list[Item] = field(default_factory=list)

    def takes(self, track: Track) -> bool:
        mine, other = self.like, track
        alike = (mine.kind, mine.muted, mine.hidden, mine.ducked) == (
            other.kind,
            other.muted,
            other.hidden,
            other.ducked,
        )
        return alike and self.items[-1].end <= track.items[0].start

    def track(self) -> Track:
        clips = tuple(item for item in self.items if isinstance(item, Clip))
        texts = tuple(item for item in self.items if isinstance(item, Text))
        return replace(self.like, clips=clips, texts=texts)


def beside(stacks: Iterable[Sequence[Track]]) -> list[Track]:
    """Stacks that follow one another in time: each in its own order, all on the same tracks as far as they can."""
    piles: list[_Pile] = []
    for stack in stacks:
        lowest = 0
        for track in stack:
            place = next((place for place in range(lowest, len(piles)) if piles[place].takes(track)), len(piles))
            if place == len(piles):
                piles.append(_Pile(like=track))
            piles[place].items.extend(track.items)
            lowest = place + 1
    return [pile.track() for pile in piles]


def fewer(tracks: Sequence[Track]) -> list[Track]:
    """The same in no more tracks than there may be, if that can be: those share one that follow one another."""
    if len(tracks) <= MOST:
        return list(tracks)
    heard = sorted((track for track in tracks if track.kind is Kind.AUDIO), key=lambda track: track.items[0].start)
    piles: list[_Pile] = []
    for track in (track for track in tracks if track.kind is not Kind.AUDIO):
        if not piles or not piles[-1].takes(track):
            piles.append(_Pile(like=track))
        piles[-1].items.extend(track.items)
    seen = len(piles)
    for track in heard:  # whose order means nothing
        pile = next((pile for pile in piles[seen : seen + MOST] if pile.takes(track)), None)
        if pile is None:
            pile = _Pile(like=track)
            piles.append(pile)
        pile.items.extend(track.items)
    return [pile.track() for pile in piles]
