"""The plain form of a film: all materials, one after the other."""

from __future__ import annotations

from collections.abc import Container, Mapping
from fractions import Fraction

from videos.media.probe import Probe
from videos.timeline.model import Canvas, Clip, Kind, Timeline, Track
from videos.timeline.values import SECOND

_SMALLEST, _LARGEST = 16, 4096  # pixels of a canvas's side, as videos.timeline.model has them
_LARGEST_OF_STILL = 1920  # photographs have more pixels than films
_SLOWEST, _FASTEST = Fraction(1), Fraction(120)  # frames a second


def of(probes: Mapping[str, Probe], *, lengths: Mapping[str, int] | None = None) -> Timeline:
    """Materials end to end, on a canvas like the first film, or the first still; what has no picture is heard alone.

    `lengths`: in microseconds, of those that have none of their own.
    """
    lengths = lengths or {}
    clips: dict[Kind, list[Clip]] = {Kind.VIDEO: [], Kind.AUDIO: []}
    start = 0
    for name, probe in probes.items():
        clip = Clip(start=start, duration=lengths.get(name) or _length(probe), material=name)
        clips[Kind.VIDEO if probe.video else Kind.AUDIO].append(clip)
        start = clip.end
    return Timeline(
        canvas=_canvas(probes, stills=lengths),
        tracks=tuple(Track(kind=kind, clips=tuple(of_kind)) for kind, of_kind in clips.items() if of_kind),
    )


def _length(probe: Probe) -> int:
    """That of its picture: sound that goes on after it would be seen as a frame that stands."""
    seconds = (probe.video.duration if probe.video else None) or probe.duration or 0
    return max(1, round(seconds * SECOND))


def _canvas(probes: Mapping[str, Probe], *, stills: Container[str]) -> Canvas:
    pictures = {name: probe.video for name, probe in probes.items() if probe.video}
    if not pictures:
        return Canvas()
    name = next((name for name in pictures if name not in stills), next(iter(pictures)))
    first, largest = pictures[name], _LARGEST_OF_STILL if name in stills else _LARGEST
    rate = first.frame_rate or Canvas().rate
    # What was counted may be 2997003/100000, and means 30000/1001.
    even = Fraction(round(rate)) if first.variable else rate.limit_denominator(1001)
    shrunk = min(1.0, largest / max(first.display_width, first.display_height))
    return Canvas(
        width=_side(first.display_width * shrunk),
        height=_side(first.display_height * shrunk),
        rate=min(max(even, _SLOWEST), _FASTEST),
    )


def _side(pixels: float) -> int:
    """An even number of pixels, of those that a canvas may have."""
    return min(max(2 * round(pixels / 2), _SMALLEST), _LARGEST)
