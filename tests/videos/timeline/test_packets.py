"""The sound of clips that are joined as they are: packet for packet theirs, in its place, without a click."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs import children
from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.test_copying import LENGTHS, OPTIONS, changed, in_a_row
from videos.timeline import copying, packets, sound
from videos.timeline.film import Format, Source
from videos.timeline.joining import Copied
from videos.timeline.meter import Meter
from videos.timeline.model import Sound, Timeline
from videos.timeline.motion import Keyframe, Motion
from videos.timeline.studio import Studio

RATE = 48_000
TONES = {"0": 300, "1": 500, "2": 700}
Samples = np.ndarray[Any, np.dtype[np.float32]]


def with_tone(path: Path, name: str, *options: str, rate: int = RATE, channels: int = 2) -> Source:
    silent = reels.make_numbered(path.with_name(f"silent-{path.name}"), *OPTIONS, count=LENGTHS[name])
    tone = f"sine=frequency={TONES[name]}:sample_rate={rate}:duration={LENGTHS[name] / 25},volume=4"
    given = ("-i", silent, "-f", "lavfi", "-i", tone, "-c:v", "copy", "-ac", str(channels))
    clips.ffmpeg(*given, "-c:a", "aac", "-b:a", "160k", *options, path)
    return reels.source(path)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    folder = tmp_path_factory.mktemp("materials")
    return {name: with_tone(folder / f"{name}.mp4", name) for name in TONES}


def hashes(path: Path) -> list[str]:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a", "-c", "copy", "-f", "framemd5", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split(",")[5].strip() for line in said.splitlines() if not line.startswith("#")]


def heard(path: Path) -> Samples:
    """The left channel."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a", "-af", "pan=mono|c0=c0", "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.float32)


def fitting(whole: Timeline, sources: Mapping[str, Source], folder: Path) -> Copied | None:
    studio = Studio(folder=folder, threads=1, run=children.run, meter=Meter(lambda *step: None, 1, {}))
    joint = copying.joint(whole, sources, Format.MP4, studio)
    return packets.copied(whole.tracks[0].clips, sound.pieces(whole, sources), sources, joint)


@pytest.mark.parametrize("form", [Format.MP4, Format.MOV])
def test_each_clip_keeps_its_sound_at_its_place(tmp_path: Path, sources: Mapping[str, Source], form: Format) -> None:
    order = ("0", "1", "2", "0", "1")
    made = reels.make(in_a_row(*order), sources, tmp_path / "out", form=form)
    assert made.copied
    own = {name: hashes(source.path) for name, source in sources.items()}
    assert set(hashes(made.file)) <= {one for each in own.values() for one in each}
    film = heard(made.file)
    at = 0
    for name in order:
        alone = heard(sources[name].path)[: LENGTHS[name] * RATE // 25]
        inside = film[at + 3000 : at + len(alone) - 3000]
        best = max(range(-512, 513), key=lambda by: -float(np.abs(inside[:4000] - alone[3000 + by :][:4000]).max()))
        assert np.abs(inside - alone[3000 + best :][: len(inside)]).max() < 0.001, "but for where it is, the very same"
        at += len(alone)
    assert abs(len(film) - at) < 1024
    streams = clips.look_at(made.file)["streams"]
    assert {stream["codec_type"]: float(stream["start_time"]) for stream in streams} == {"video": 0, "audio": 0}


def test_there_is_no_click_where_clips_meet(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    film = heard(reels.make(in_a_row("0", "1", "2"), sources, tmp_path / "out").file)
    steps = np.abs(np.diff(film))
    allowed = max(float(np.abs(np.diff(heard(source.path))).max()) for source in sources.values())
    assert steps.max() < 1.5 * allowed


def test_what_is_changed_in_sound_is_mixed(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    row = in_a_row("0", "1")
    assert fitting(row, sources, tmp_path)
    assert fitting(changed(row, sound=Sound(volume=0.5)), sources, tmp_path) is None
    louder = Motion(volume=(Keyframe(at=0, value=1.0), Keyframe(at=1000, value=0.0)))
    assert fitting(changed(row, motion=louder), sources, tmp_path) is None
    assert fitting(replace(row, tracks=(replace(row.tracks[0], muted=True),)), sources, tmp_path) is None


OTHERS: Mapping[str, Any] = {
    "another rate": {"rate": 44_100},
    "one channel": {"channels": 1},
    "no list of edits": {"options": ("-use_editlist", "0")},
}


@pytest.mark.parametrize("other", OTHERS)
def test_sound_that_is_encoded_in_another_way_is_mixed(
    tmp_path: Path, sources: Mapping[str, Source], other: str
) -> None:
    said = dict(OTHERS[other])
    source = with_tone(tmp_path / "1.mp4", "1", *said.pop("options", ()), **said)
    assert fitting(in_a_row("0", "1"), {**sources, "1": source}, tmp_path) is None


def test_all_in_one_channel_is_no_reason_to_have_a_film_in_one(tmp_path: Path) -> None:
    source = with_tone(tmp_path / "1.mp4", "1", channels=1)
    made = reels.make(in_a_row("1"), {"1": source}, tmp_path / "out")
    assert made.copied
    assert clips.stream(made.file, "audio")["channels"] == 2
