"""Drafts that a program writes for JianYing, with files that are there: what comes out of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyJianYingDraft as jianying
import pytest
from pyJianYingDraft import ScriptFile, TrackSpec, TrackType, trange

from tests.videos.media import clips
from tests.videos.timeline.capcut.drafts import SECOND, codes, read
from videos.timeline.capcut.reading import Draft
from videos.timeline.model import Canvas, Clip, Kind

Write = Callable[[ScriptFile], Any]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of four seconds, a sound and a picture, as small as they can be."""
    folder = tmp_path_factory.mktemp("media")
    clips.make_clip(folder / "film.mp4", size="64x36", seconds=4)
    clips.ffmpeg("-f", "lavfi", "-i", "sine=duration=4", folder / "sound.wav")
    clips.ffmpeg("-f", "lavfi", "-i", "color=red:size=64x36", "-frames:v", "1", folder / "picture.png")
    return folder


def written(write: Write) -> Draft:
    script = ScriptFile(1280, 720, 25, maintrack_adsorb=True)
    write(script)
    return read(json.loads(script.dumps()))


def test_cuts_and_speeds_are_read(files: Path) -> None:
    film = str(files / "film.mp4")

    def write(script: ScriptFile) -> None:
        script.append_track(TrackSpec(TrackType.video))
        script.add_segment(jianying.VideoSegment(film, trange(0, "1s"), source_timerange=trange("2s", "1s")))
        script.add_segment(jianying.VideoSegment(film, trange("1s", "2s"), source_timerange=trange("1s", "3s")))
        script.add_segment(jianying.VideoSegment(film, trange("4s", "1s"), speed=0.8))

    draft = written(write)
    assert draft.timeline.canvas == Canvas(width=1280, height=720, rate=Fraction(25))
    (track,) = draft.timeline.tracks
    assert track.kind is Kind.VIDEO
    name = draft.media[0].name
    assert track.clips == (
        Clip(start=0, duration=SECOND, material=name, source_start=2 * SECOND),
        Clip(start=SECOND, duration=2 * SECOND, material=name, source_start=SECOND, speed=Fraction(3, 2)),
        Clip(start=4 * SECOND, duration=SECOND, material=name, speed=Fraction(4, 5)),
    )
    (media,) = draft.media
    assert (media.kind, media.path, media.file_name, media.placeholder) == ("video", film, "film.mp4", False)
    assert codes(draft) == []
