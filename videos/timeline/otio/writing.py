"""A timeline as an OTIO file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import opentimelineio as otio

from videos.timeline import project
from videos.timeline.model import Canvas, Clip, Kind, Passage, Timeline, Track, Transition
from videos.timeline.otio.clips import KEPT
from videos.timeline.otio.laying import KINDS
from videos.timeline.otio.notes import OURS, silenced_by
from videos.timeline.otio.times import Clock
from videos.timeline.texts import Text
from videos.timeline.values import SECOND

Json = dict[str, Any]

_KINDS = {kind: name for name, kind in KINDS.items()}
_PLAIN = Timeline(tracks=(Track(kind=Kind.VIDEO, clips=(Clip(start=0, duration=1, material="-"),)),))
_USUAL: Json = project.dump(_PLAIN)["tracks"][0]["clips"][0]
_LONGEST_TITLE = 50  # of a text, as the name of what shows it


@dataclass(frozen=True, kw_only=True)
class Footage:
    """What is known of a material's file."""

    url: str  # by which other programs look for it
    duration: int | None = None  # microseconds


def write(timeline: Timeline, footage: Mapping[str, Footage], *, name: str) -> bytes:
    """The .otio of a timeline. Of a material without footage it says that its file is missing.

    The sum of what is written is exact: times are in frames of the canvas on tracks all of whose cuts lie between two
    frames, and in microseconds on others.
    """
    document = project.dump(timeline)
    written = otio.schema.Timeline(name=name, metadata={OURS: {"canvas": document["canvas"]}})
    for track, said in zip(timeline.tracks, document["tracks"], strict=True):
        written.tracks.append(_Writer(timeline.canvas, track, footage).track(said))
    return str(written.to_json_string(indent=-1)).encode()


class _Writer:
    """Writes one track."""

    def __init__(self, canvas: Canvas, track: Track, footage: Mapping[str, Footage]) -> None:
        self._track = track
        self._footage = footage
        self._canvas = canvas
        moments = {edge for item in track.items for edge in (item.start, item.end)}
        starts = {clip.source_start for clip in track.clips}
        self._clock = Clock(canvas.rate, tuple(moments | starts))

    def track(self, said: Json) -> Any:
        """The track; `said` is its document."""
        enabled = not said[silenced_by(self._track.kind)]
        noted = {name: said[name] for name in ("muted", "hidden", "ducked")}
        written = otio.schema.Track(kind=_KINDS[self._track.kind], metadata={OURS: noted})
        written.enabled = enabled
        written.extend(list(self._children(said)))
        return written

    def _children(self, said: Json) -> Iterator[Any]:
        end = 0
        documents = said["texts"] if self._track.kind.is_written else said["clips"]
        for item, document in zip(self._track.items, documents, strict=True):
            if item.start > end:
                yield otio.schema.Gap(source_range=self._range(0, end, item.start))
            yield self._text(item, document) if isinstance(item, Text) else self._clip(item, document)
            if isinstance(item, Clip) and item.transition:
                yield self._transition(item.transition)
            end = item.end

    def _range(self, first: int, start: int, end: int) -> Any:
        return otio.opentime.TimeRange(self._clock.at(first), self._clock.between(start, end))

    def _clip(self, clip: Clip, document: Json) -> Any:
        noted = {name: document[name] for name in KEPT if document[name] != _USUAL[name]}
        if clip.speed != 1:
            noted["speed"] = document["speed"]
        written = otio.schema.Clip(
            name=clip.material,
            media_reference=self._reference(clip.material),
            source_range=self._range(clip.source_start, clip.start, clip.end),
            metadata={OURS: noted},
        )
        if clip.freeze:
            written.effects.append(otio.schema.FreezeFrame())
        elif clip.speed != 1 or clip.reverse:
            scalar = float(-clip.speed if clip.reverse else clip.speed)
            written.effects.append(otio.schema.LinearTimeWarp(time_scalar=scalar))
        return written

    def _reference(self, material: str) -> Any:
        known = self._footage.get(material)
        if known is None:
            missing = otio.schema.MissingReference()
            missing.name = material
            return missing
        available = None
        if known.duration is not None:
            times = (otio.opentime.RationalTime(one, SECOND) for one in (0, known.duration))
            available = otio.opentime.TimeRange(*times)
        reference = otio.schema.ExternalReference(target_url=known.url, available_range=available)
        reference.name = material
        return reference

    def _text(self, text: Text, document: Json) -> Any:
        noted = {name: value for name, value in document.items() if name not in ("start", "duration")}
        generator = otio.schema.GeneratorReference(generator_kind="text", parameters={"text": text.text})
        return otio.schema.Clip(
            name=text.text[:_LONGEST_TITLE],
            media_reference=generator,
            source_range=self._range(0, text.start, text.end),
            metadata={OURS: noted},
        )

    def _transition(self, transition: Transition) -> Any:
        clock = Clock(self._canvas.rate, (transition.before, transition.after))
        types = otio.schema.TransitionTypes
        usual = transition.kind is Passage.DISSOLVE
        return otio.schema.Transition(
            transition_type=types.SMPTE_Dissolve if usual else types.Custom,
            name=transition.kind.value,
            in_offset=clock.at(transition.before),
            out_offset=clock.at(transition.after),
            metadata={OURS: {"kind": transition.kind.value}},
        )
