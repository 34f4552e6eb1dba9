"""The timeline as people and programs write it: JSON of the very shape of `videos.timeline.model`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from jobs.errors import BadInput
from videos.timeline.model import Clip, Timeline

MOST_CLIPS = 20_000
_SHOWN = 50  # problems at once

_adapter: TypeAdapter[Timeline] = TypeAdapter(Timeline)


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
    if sum(1 for _ in timeline.clips()) > MOST_CLIPS:
        yield {"path": "tracks", "problem": f"There may be at most {MOST_CLIPS} clips"}
    for number, track in enumerate(timeline.tracks):
        for place, clip in enumerate(track.clips):
            for name, problem in _of_clip(clip):
                yield {"path": f"tracks[{number}].clips[{place}].{name}", "problem": problem}
        for place, (one, other) in enumerate(pairwise(track.clips)):
            if other.start < one.end:
                path = f"tracks[{number}].clips[{place + 1}].start"
                yield {"path": path, "problem": f"The clip before it ends at {one.end} only"}


def _of_clip(clip: Clip) -> Iterator[tuple[str, str]]:
    if clip.crop.left + clip.crop.right >= 1 or clip.crop.top + clip.crop.bottom >= 1:
        yield "crop", "Nothing is left of the picture"
    if clip.sound.fade_in + clip.sound.fade_out > clip.duration:
        yield "sound", "The fades are longer than the clip"


def _path(loc: tuple[int | str, ...]) -> str:
    """`tracks[0].clips[2].start`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")
