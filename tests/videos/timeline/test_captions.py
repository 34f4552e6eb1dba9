"""Subtitles of a film: drawn into its picture, beside it for players to show, or left out."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.reels import micro
from videos.timeline import film, subtitles
from videos.timeline.film import Film, Format, Recipe, Source
from videos.timeline.formats import Subtitles
from videos.timeline.model import Canvas, Clip, Kind, Timeline, Track
from videos.timeline.texts import Style, Text

RATE = Fraction(30000, 1001)
SAID = ((0.5, 1.0, "Hello {\\an8}<i>"), (1.0, 1.4, "Welt\n\u4f60\u597d & co"), (2.0, 3.0, "end"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    path = tmp_path_factory.mktemp("materials") / "dark.mp4"
    dark = [np.zeros((90, 160), np.uint8)] * 90
    return {"dark": reels.source(reels.make_film(path, dark, rate=RATE, sound=True))}


def whole() -> Timeline:
    texts = tuple(
        Text(start=micro(start), duration=micro(end) - micro(start), text=text, style=Style(size=0.2))
        for start, end, text in SAID
    )
    clip = Clip(start=0, duration=round(90 * 1_000_000 / RATE), material="dark")
    later = Text(start=micro(0.2), duration=micro(0.2), text="other")
    return Timeline(
        canvas=Canvas(width=160, height=90, rate=RATE),
        tracks=(
            Track(kind=Kind.VIDEO, clips=(clip,)),
            Track(kind=Kind.SUBTITLES, texts=texts),
            Track(kind=Kind.SUBTITLES, texts=texts, hidden=True),
            Track(kind=Kind.SUBTITLES, texts=(later,)),
        ),
    )


def make(tmp_path: Path, sources: Mapping[str, Source], how: Subtitles, form: Format = Format.MP4) -> Film:
    recipe = Recipe(format=form, crf=23, preset="ultrafast", subtitles=how)
    (tmp_path / "out").mkdir()
    made = film.make(whole(), sources, tmp_path / "out", recipe=recipe, threads=1, on_progress=lambda *step: None)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [made.file.name]
    return made


def kinds(made: Film) -> list[str]:
    return [stream["codec_name"] for stream in clips.look_at(made.file)["streams"]]


@pytest.mark.parametrize("form", [Format.MP4, Format.MOV, Format.WEBM])
def test_players_are_given_what_is_said_when_it_is_said(
    tmp_path: Path, sources: Mapping[str, Source], form: Format
) -> None:
    made = make(tmp_path, sources, Subtitles.TRACK, form)
    assert kinds(made) == (
        ["vp9", "opus", "webvtt", "webvtt"] if form is Format.WEBM else ["h264", "aac", "mov_text", "mov_text"]
    )
    assert made.copied == (form is not Format.WEBM), "letters beside a picture leave it as it is"
    assert reels.pictures(made.file, size=(160, 90)).max() < 24
    assert made.duration == pytest.approx(3.003, abs=0.05)
    as_they_are = ["-c", "copy", "-f", "webvtt"] if form is Format.WEBM else ["-f", "srt"]
    command = ["ffmpeg", "-v", "error", "-copyts", "-i", str(made.file), "-map", "0:s:0", *as_they_are, "-"]
    said = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    found = [(text.start, text.end, text.text.replace("\u2060", "")) for text in subtitles.read(said)]
    frames = [(round(micro(start) * RATE / 1_000_000), round(micro(end) * RATE / 1_000_000)) for start, end, _ in SAID]
    times = [tuple(int(frame * 1000 / RATE) * 1000 for frame in pair) for pair in frames]
    assert found == [(*pair, text.strip()) for pair, (_, _, text) in zip(times, SAID, strict=True)]


def test_they_are_drawn_unless_it_is_said_otherwise(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    made = make(tmp_path, sources, Subtitles.BURN)
    assert kinds(made) == ["h264", "aac"]
    assert not made.copied
    assert "letters" in made.reason
    lit = reels.pictures(made.file, size=(160, 90)).reshape(90, -1).max(axis=1) > 100
    assert np.flatnonzero(np.diff(lit.astype(int))).tolist() == [5, 11, 14, 41, 59]


def test_they_can_be_left_out(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    made = make(tmp_path, sources, Subtitles.NONE)
    assert kinds(made) == ["h264", "aac"]
    assert made.copied
