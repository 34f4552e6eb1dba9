"""Which frames of a film can be copied, and what is left to be encoded: a cut lies seldom at a keyframe.

Where one clip alone is seen, as it is in its material, the packets from its first keyframe on are copied: up to its
end, or to the last packets before it that can be shown without what follows. The frames before and after are encoded;
so is all that is drawn.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from videos.media import lenient
from videos.timeline import copying, cutting, encoding, samples
from videos.timeline.copying import NotCopied, NotSpliced
from videos.timeline.cutting import Segment, Window
from videos.timeline.formats import Beside, Format, Options
from videos.timeline.frames import EARLY
from videos.timeline.model import Clip, Timeline, moment_of
from videos.timeline.parameters import Sets
from videos.timeline.samples import Samples, Unfit
from videos.timeline.sources import Source
from videos.timeline.values import SECOND

_LEAST = Fraction(1, 2)  # second: what is shorter is not worth the two seams
_PROFILES = {"Baseline": "baseline", "Constrained Baseline": "baseline", "Main": "main", "High": "high"}
_COLOURS = {"color_primaries": "color_primaries", "color_trc": "color_transfer", "colorspace": "color_space"}
_NAMED = {"bt709", "unknown", "smpte170m", "smpte240m", "bt470m", "bt470bg"}
_WIDTH = 4  # bytes before each unit, as ffmpeg writes them
_MOST_REASONS = 3

_TRIMMED = "clips are cut between keyframes"

_Some = TypeVar("_Some", "_Run", "Slice")


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Packets of one material, and the frames of the film that they are."""

    first: int  # of the film's frames
    frames: int
    material: str
    begin: int  # of the material's frames
    samples: Samples


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a film is made of; together its slices and its segments have each frame once."""

    slices: Sequence[Slice]
    segments: Sequence[Segment]
    beside: Beside | None  # how segments are encoded; None: there are none
    why: str  # there are


@dataclass(frozen=True, kw_only=True)
class _Run:
    """Frames in which one clip alone is seen, as it is."""

    first: int
    frames: int
    clip: Clip
    number: int

    @property
    def after(self) -> int:
        return self.first + self.frames


@dataclass(kw_only=True)
class _Survey:
    """A timeline that is looked through."""

    timeline: Timeline
    sources: Mapping[str, Source]
    read: dict[Path, Samples | Unfit] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)  # why some frames have to be
    unfit: list[str] = field(default_factory=list)  # why no part of a clip can be copied

    def runs(self) -> list[_Run]:
        numbers = {id(clip): n for track in self.timeline.tracks for n, clip in enumerate(track.clips, start=1)}
        found: list[_Run] = []
        for window in cutting.windows(self.timeline, longest=self.timeline.frames):
            if problem := self._problem(window, numbers):
                self.drawn.append(problem)
                continue
            clip = window.clips[-1]
            if found and found[-1].clip is clip and found[-1].after == window.first:
                found[-1] = replace(found[-1], frames=found[-1].frames + window.frames)
            else:
                run = _Run(first=window.first, frames=window.frames, clip=clip, number=numbers[id(clip)])
                found.append(run)
        return found

    def slice(self, run: _Run) -> Slice | None:
        """The longest part of it that can be copied."""
        try:
            had = self._samples(self.sources[run.clip.material])
        except Unfit as error:
            self.unfit.append(f"clip {run.number} {error}")
            return None
        rate = self.timeline.canvas.rate
        first, doubled = _shown(run, rate)
        begin = had.begin(max(0, first + doubled))
        end = had.end(min(first + run.frames, had.count))
        if begin is None or end - begin < rate * _LEAST:
            self.unfit.append(f"clip {run.number} has too few frames from a keyframe on")
            return None
        at = run.first + begin - first
        return Slice(first=at, frames=end - begin, material=run.clip.material, begin=begin, samples=had)

    def _problem(self, window: Window, numbers: Mapping[int, int]) -> str | None:
        """Why a window is drawn."""
        if not window.clips:
            return "there are gaps between the clips"
        if any(written.below == len(window.clips) for written in window.written):
            return "there are letters in the picture"
        clip = window.clips[-1]
        if len(window.clips) - 2 in window.passages:
            return f"clip {numbers[id(window.clips[-2])]} gives way to the next one by and by"
        if problem := copying.differs(clip, self.sources[clip.material], self.timeline.canvas):
            return f"clip {numbers[id(clip)]} {problem}"
        return None

    def _samples(self, source: Source) -> Samples:
        if source.path not in self.read:
            self.read[source.path] = self._look(source)
        found = self.read[source.path]
        if isinstance(found, Unfit):
            raise found
        return found

    def _look(self, source: Source) -> Samples | Unfit:
        if source.video.index:
            return Unfit("has something before its picture")
        try:
            copying.look(source)
            return samples.read(source.path, rate=self.timeline.canvas.rate)
        except NotCopied:
            return Unfit("is not an MP4 file")
        except Unfit as error:
            return error


def plan(timeline: Timeline, sources: Mapping[str, Source], form: Format) -> Plan:
    """Raises NotCopied if nothing can be copied, NotSpliced if nothing can be encoded that fits."""
    copying.check(form)
    survey = _Survey(timeline=timeline, sources=sources)
    groups: dict[tuple[Any, ...], list[tuple[_Run, Slice | None]]] = defaultdict(list)
    for run in survey.runs():
        groups[copying.signature(_look(sources[run.clip.material]))].append((run, survey.slice(run)))
    chosen = max(groups.values(), key=_copied, default=[])
    slices = [one for _, one in chosen if one]
    if not slices:
        raise NotCopied(_few(survey.unfit or survey.drawn))
    others = [runs for runs in groups.values() if runs is not chosen]
    same = f"is not encoded in the same way as clip {chosen[0][0].number}"
    drawn = [*survey.drawn, *(f"clip {run.number} {same}" for runs in others for run, _ in runs)]
    look = _look(sources[slices[0].material])
    if drawn and not _is_bt709(look):
        raise NotSpliced(f"{drawn[0]}, and the clips are not said to have the colours of BT.709")
    segments = _segments(timeline, slices, [run for run, _ in chosen])
    trimmed = [_TRIMMED] if any(one and one.frames < run.frames for run, one in chosen) else []
    return Plan(
        slices=slices,
        segments=segments,
        beside=_beside(look, slices[0].samples.sets, slices[0].samples.timescale) if segments else None,
        why=_few([*drawn, *survey.unfit, *trimmed]),
    )


def _shown(run: _Run, rate: Fraction) -> tuple[int, int]:
    """Which frame of its material the run begins with; and how many of its frames are not those that follow that one.

    A clip may begin within a frame of the film. Then its own first frame may be seen in two.
    """
    passed = round((moment_of(run.first, rate) - run.clip.start) / 10) * 10  # as Window.passed
    first = math.floor((run.clip.source_start + passed + EARLY) * rate / SECOND)
    least = math.floor((run.clip.source_start + EARLY) * rate / SECOND)
    return first, int(passed < 0 and first < least)


def _look(source: Source) -> Mapping[str, Any]:
    return source.probe.said.get(source.video.index, {})


def _copied(group: Sequence[tuple[_Run, Slice | None]]) -> int:
    return sum(one.frames for _, one in group if one)


def _few(reasons: Sequence[str]) -> str:
    return " and ".join(list(dict.fromkeys(reasons))[:_MOST_REASONS])


def _segments(timeline: Timeline, slices: Sequence[Slice], runs: Sequence[_Run]) -> list[Segment]:
    """What the slices leave."""
    longest = encoding.longest(timeline.canvas)
    bounds = [bound for one in slices for bound in (one.first, one.first + one.frames)]
    bare: list[Segment] = []
    drawn: list[Window] = []
    for window in cutting.windows(timeline, longest=longest, at=bounds):
        if _at(slices, window.first):
            continue
        if run := _at(runs, window.first):
            alone = replace(window, clips=(run.clip,), written=(), passages=())
            bare.append(Segment(windows=(alone,), bare=True))
        else:
            drawn.append(window)
    return sorted([*bare, *cutting.grouped(drawn, timeline.canvas, longest=longest)], key=lambda segment: segment.first)


def _at(found: Sequence[_Some], frame: int) -> _Some | None:
    """The one of these, which follow one another, that has a frame of the film."""
    place = bisect_right(found, frame, key=lambda one: one.first) - 1
    return found[place] if place >= 0 and frame < found[place].first + found[place].frames else None


def _beside(look: Mapping[str, Any], sets: Sets, timescale: int) -> Beside:
    """How what is encoded fits what is copied. Raises NotSpliced."""
    profile, number = _PROFILES.get(str(look.get("profile"))), sets.free
    colours: Options = {name: _colour(look, said) for name, said in _COLOURS.items()}
    if profile is None or number is None or sets.width != _WIDTH or not set(colours.values()) <= _NAMED:
        raise NotSpliced("nothing can be encoded in the same way as the clips are")
    return Beside(
        timescale=timescale,
        profile=profile,
        reordered=lenient.integer(look.get("has_b_frames")) or 0,
        number=number,
        colours={**colours, "range": str(look.get("color_range") or "unknown")},
        square=int(look.get("sample_aspect_ratio") == "1:1"),
    )


def _colour(look: Mapping[str, Any], name: str) -> str:
    return str(look.get(name) or "unknown")


def _is_bt709(look: Mapping[str, Any]) -> bool:
    """Whether what is drawn may stand beside it."""
    others = {_colour(look, name) for name in ("color_primaries", "color_transfer")}
    ranged = _colour(look, "color_range") in ("tv", "unknown")
    return _colour(look, "color_space") == "bt709" and others <= {"bt709", "unknown"} and ranged
