"""Segments of one track, put in a row: what lies over another makes way, or a transition of it, or goes elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from videos.timeline.capcut.fields import SLACK
from videos.timeline.capcut.report import Report
from videos.timeline.capcut.segments import Segment
from videos.timeline.capcut.trimming import Item, trimmed
from videos.timeline.model import Clip, Transition

_MOST_LINES = 100  # more can't be one over another in a timeline


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What became of a segment. A clip's transition is what is wanted: whether it can be had is seen in the row."""

    segment: Segment
    item: Item

    @property
    def transition(self) -> Transition | None:
        return self.item.transition if isinstance(self.item, Clip) else None


def lines(entries: Sequence[Entry], report: Report) -> list[list[Entry]]:
    """Rows in which nothing lies over another: the track's own, and those of what had to go elsewhere."""
    found: list[list[Entry]] = [[]]
    for entry in sorted(entries, key=lambda one: (one.item.start, one.item.end)):
        for number, line in enumerate(found):
            if _put(entry, line):
                break
            if number == 0:
                said = "It lies over another one of its track; it is put on a track of its own, above."
                entry.segment.remark(report, "segment_moved", said)
        else:
            if len(found) == _MOST_LINES:
                report.problem(entry.segment.path, f"More than {_MOST_LINES} segments of a track are there at once")
                break
            found.append([entry])
    return [_with_transitions(line, report) for line in found]


def _put(entry: Entry, line: list[Entry]) -> bool:
    """Put it behind the last one of a line, if there is room or can be made."""
    if not line:
        line.append(entry)
        return True
    before = line[-1]
    over = before.item.end - entry.item.start
    wanted = before.transition.duration + SLACK if before.transition else SLACK
    if over > wanted or over >= before.item.duration or over >= entry.item.duration:
        return False
    if before.transition and -SLACK <= over < 0:
        line[-1] = replace(before, item=replace(before.item, duration=before.item.duration - over))
    elif before.transition and over > 0:
        # Old layout: they overlap by the transition. In ours they touch in its middle, and it reaches to both sides.
        entry = replace(entry, item=trimmed(entry.item, head=over // 2))
        line[-1] = replace(before, item=trimmed(before.item, tail=over - over // 2))
    elif over > 0:
        line[-1] = replace(before, item=trimmed(before.item, tail=over))
    line.append(entry)
    return True


def _with_transitions(line: list[Entry], report: Report) -> list[Entry]:
    made = fitting([entry.item for entry in line])
    for entry, item in zip(line, made, strict=True):
        wanted, had = entry.transition, item.transition if isinstance(item, Clip) else None
        if wanted and not had:
            said = "Nothing follows that its transition could lead to; it is left out."
            entry.segment.remark(report, "transition_left_out", said)
        elif wanted and had and had.duration < wanted.duration - SLACK:
            said = f"Its transition is shortened to {had.duration / 1e6:.2f} s: the clips are too short for more."
            entry.segment.remark(report, "transition_shortened", said)
    return [replace(entry, item=item) for entry, item in zip(line, made, strict=True)]


def fitting(items: Sequence[Item]) -> list[Item]:
    """A row of which each clip has the transition that it wants, as far as there are clips and time for it."""
    made: list[Item] = []
    taken = 0  # of the clip, by the transition before it
    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        kept = None
        if isinstance(item, Clip) and item.transition and isinstance(following, Clip) and following.start == item.end:
            after = following.duration // 2 if following.transition else following.duration
            duration = min(item.transition.duration, 2 * (item.duration - taken), 2 * after)
            kept = replace(item.transition, duration=duration) if duration > 0 else None
        made.append(replace(item, transition=kept) if isinstance(item, Clip) else item)
        taken = kept.after if kept else 0
    return made
