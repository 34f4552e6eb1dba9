"""Drafts written by hand, a few fields at a time, as applications write them; and what is read from them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from videos.timeline import project
from videos.timeline.capcut import reading
from videos.timeline.capcut.reading import Draft, DraftInvalid
from videos.timeline.model import Clip

SECOND = 1_000_000


class Paper:
    """A draft that is being written: materials come to it as its segments need them."""

    def __init__(self, **says: Any) -> None:
        self.materials: dict[str, list[dict[str, Any]]] = {}
        self.says = {"id": "D-1", "canvas_config": {"width": 1280, "height": 720, "ratio": "16:9"}, "fps": 30.0} | says
        self.tracks: list[dict[str, Any]] = []
        self._count = 0

    def material(self, sort: str, **says: Any) -> str:
        """A new entry of one of the lists; its id."""
        self._count += 1
        says = {"id": f"{sort}-{self._count}"} | says
        self.materials.setdefault(sort, []).append(says)
        return str(says["id"])

    def video(self, path: str = "C:/media/a.mp4", **says: Any) -> str:
        return self.material("videos", type="video", path=path, duration=60 * SECOND, **says)

    def photo(self, path: str = "C:/media/a.png", **says: Any) -> str:
        return self.material("videos", type="photo", path=path, duration=10_800 * SECOND, **says)

    def sound(self, path: str = "C:/media/a.mp3", **says: Any) -> str:
        return self.material("audios", type="extract_music", path=path, duration=60 * SECOND, **says)

    def track(self, sort: str, *segments: dict[str, Any], **says: Any) -> None:
        self.tracks.append({"type": sort, "attribute": 0, "segments": list(segments)} | says)

    def document(self) -> dict[str, Any]:
        document = self.says | {"materials": self.materials, "tracks": self.tracks}
        return copy.deepcopy(document)


def segment(
    material: str, start: int, duration: int, *extras: str, source: int | None = 0, **says: Any
) -> dict[str, Any]:
    """What lies from a moment on for a while; `source`: where it begins in its material, at whatever speed."""
    took = round(duration * (says.get("speed") or 1))
    return {
        "id": f"S-{material}-{start}",
        "material_id": material,
        "target_timerange": {"start": start, "duration": duration},
        "source_timerange": None if source is None else {"start": source, "duration": took},
        "speed": 1.0,
        "volume": 1.0,
        "visible": True,
        "extra_material_refs": list(extras),
        "common_keyframes": [],
    } | says


def read(paper: Paper | dict[str, Any]) -> Draft:
    """What is read from it; it went through JSON before, and what came out is a timeline that can be saved."""
    document = paper.document() if isinstance(paper, Paper) else paper
    draft = reading.load(json.dumps(document).encode())
    assert project.parse(json.loads(json.dumps(project.dump(draft.timeline)))) == draft.timeline
    assert draft.timeline.materials() <= {media.name for media in draft.media}
    return draft


def clips(paper: Paper, track: int = 0) -> tuple[Clip, ...]:
    return read(paper).timeline.tracks[track].clips


def codes(draft: Draft) -> list[str]:
    return [remark.code for remark in draft.report]


def problems(document: Any) -> list[dict[str, str]]:
    """What is wrong with a draft that is refused."""
    with pytest.raises(DraftInvalid) as caught:
        reading.read(document)
    found: list[dict[str, str]] = caught.value.details["problems"]
    assert caught.value.code == "draft_invalid"
    assert caught.value.status == 422
    return found
