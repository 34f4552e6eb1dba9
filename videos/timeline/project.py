"""The timeline as people and programs write it: JSON of the very shape of `videos.timeline.model`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, zip_longest
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from jobs.errors import BadInput
from videos.timeline.model import Clip, Kind, Timeline, Track
from videos.timeline.motion import Keyframe, Motion
from videos.timeline.texts import Text
from videos.timeline.values import Angle, Part, Place, Scale, Volume

MOST_CLIPS = 20_000
_SHOWN = 50  # problems at once

_adapter: TypeAdapter[Timeline] = TypeAdapter(Timeline)
_BOUNDS: dict[str, TypeAdapter[float]] = {
    "x": TypeAdapter(Place),
    "y": TypeAdapter(Place),
    "scale": TypeAdapter(Scale),
    "rotation": TypeAdapter(Angle),
    "opacity": TypeAdapter(Part),
    "volume": TypeAdapter(Volume),
}


class TimelineInvalid(BadInput):
    """`details["problems"]`: for each the path of the field, and what is wrong with it."""

    code: ClassVar[str] = "timeline_invalid"
    message = "The timeline can't be used as it is."

    def __init__(self, problems: list[dict[str, str]]) -> None:
        first = problems[0]
        super().__init__(f"{first['path'] or 'timeline'}: {first['problem']}.", details={"problems": problems[:_SHOWN]})


def parse(document: Any) -> Timeline:
    """Read a timeline. Raises TimelineInvalid, which names every field that is wrong."""
    try:
        timeline = _adapter.validate_python(document)
    except ValidationError as error:
        raise TimelineInvalid(
            [
                {"path": _path(said["loc"]), "problem": said["msg"]}
                for said in error.errors(include_url=False, include_input=False, include_context=False)
            ]
        ) from error
    if problems := list(_contradictions(timeline)):
        raise TimelineInvalid(problems)
    return timeline


def dump(timeline: Timeline) -> dict[str, Any]:
    """The document that `parse` reads the same timeline from."""
    return dict(_adapter.dump_python(timeline, mode="json"))


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return _adapter.json_schema()


def _contradictions(timeline: Timeline) -> Iterator[dict[str, str]]:
    """What no field is wrong in by itself."""
    if sum(len(track.items) for track in timeline.tracks) > MOST_CLIPS:
        yield {"path": "tracks", "problem": f"There may be at most {MOST_CLIPS} clips and texts"}
    for number, track in enumerate(timeline.tracks):
        for name, problem in _of_track(track):
            yield {"path": f"tracks[{number}].{name}", "problem": problem}


def _of_track(track: Track) -> Iterator[tuple[str, str]]:
    if track.kind.is_written and track.clips:
        yield "clips", f"A track of the kind {track.kind.value} holds texts"
    if not track.kind.is_written and track.texts:
        yield "texts", f"A track of the kind {track.kind.value} holds clips"
    for place, clip in enumerate(track.clips):
        for name, problem in (*_of_clip(clip), *_of_motion(clip.motion)):
            yield f"clips[{place}].{name}", problem
    for place, text in enumerate(track.texts):
        for name, problem in (*_of_text(text), *_of_motion(text.motion)):
            yield f"texts[{place}].{name}", problem
    what = "texts" if track.kind.is_written else "clips"
    for place, (one, other) in enumerate(pairwise(track.items)):
        if other.start < one.end:
            yield f"{what}[{place + 1}].start", f"The one before it ends at {one.end} only"
    for place, problem in _of_transitions(track):
        yield f"clips[{place}].transition", problem


def _of_transitions(track: Track) -> Iterator[tuple[int, str]]:
    before = 0  # what of the clip is taken by the transition from the one before it
    for place, (clip, following) in enumerate(zip_longest(track.clips, track.clips[1:])):
        after = clip.transition.before if clip.transition else 0
        if clip.transition and track.kind is not Kind.VIDEO:
            yield place, "Only pictures have transitions"
        elif clip.transition and (following is None or following.start != clip.end):
            yield place, "No clip follows at once"
        elif before + after > clip.duration:
            yield place, "The clip is shorter than its parts of the transitions"
        before = clip.transition.after if clip.transition else 0


def _of_clip(clip: Clip) -> Iterator[tuple[str, str]]:
    if clip.crop.left + clip.crop.right >= 1 or clip.crop.top + clip.crop.bottom >= 1:
        yield "crop", "Nothing is left of the picture"
    if clip.sound.fade_in + clip.sound.fade_out > clip.duration:
        yield "sound", "The fades are longer than the clip"
    if clip.freeze and clip.reverse:
        yield "reverse", "A frame that stands has no direction"


def _of_text(text: Text) -> Iterator[tuple[str, str]]:
    end = 0
    for place, span in enumerate(text.spans):
        if not end <= span.first < span.after <= len(text.text):
            yield f"spans[{place}]", "Spans follow one another within the text"
        end = span.after
    if text.motion.volume:
        yield "motion.volume", "A text is not heard"


def _of_motion(motion: Motion) -> Iterator[tuple[str, str]]:
    for name, bounds in _BOUNDS.items():
        keyframes: tuple[Keyframe, ...] = getattr(motion, name)
        before = -1
        for place, keyframe in enumerate(keyframes):
            path = f"motion.{name}[{place}]"
            if keyframe.at <= before:
                yield f"{path}.at", "Keyframes come in the order of their times"
            before = keyframe.at
            try:
                bounds.validate_python(keyframe.value)
            except ValidationError as error:
                yield f"{path}.value", error.errors(include_url=False)[0]["msg"]


def _path(loc: tuple[int | str, ...]) -> str:
    """`tracks[0].clips[2].start`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")
