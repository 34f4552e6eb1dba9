"""A click is heard within 5 ms of where the timeline has it: of every file, at every speed, after minutes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.reels import micro
from tests.videos.timeline.waves import (
    CLICKS,
    RATE,
    audio,
    clicks_in,
    clip,
    expected,
    heard,
    make_clicks,
    whole,
)
from videos.timeline import encoding
from videos.timeline.film import Format, Source
from videos.timeline.model import Canvas, Clip, Kind, Passage, Timeline, Track, Transition
from videos.timeline.values import SECOND

SURROUND = ("-af", "pan=5.1|c0=c0|c1=c0|c2=c0|c3=0*c0|c4=c0|c5=c0")
STEREO = ("-af", "pan=stereo|c0=c0|c1=c0")
FILES: dict[str, tuple[int, tuple[str, ...]]] = {
    "low.wav": (22_050, ()),
    "low.m4a": (22_050, ("-c:a", "aac")),
    "cd.flac": (44_100, STEREO),
    "cd.m4a": (44_100, ("-c:a", "aac", *STEREO)),
    "cd.mp3": (44_100, STEREO),
    "telephone.wav": (8_000, ("-c:a", "pcm_mulaw")),
    "studio.flac": (96_000, STEREO),
    "aac.mkv": (48_000, ("-c:a", "aac", *STEREO)),
    "opus.webm": (48_000, ("-c:a", "libopus", *STEREO)),
    "vorbis.ogg": (44_100, ("-c:a", "libvorbis", *STEREO)),
    "surround.m4a": (48_000, ("-c:a", "aac", *SURROUND)),
    "surround.flac": (44_100, SURROUND),
    "stream.ts": (48_000, ("-c:a", "aac", *STEREO)),
    "stream.aac": (44_100, ("-c:a", "aac", *STEREO)),
    "late.ts": (48_000, ("-c:a", "mp2", "-muxdelay", "3", "-output_ts_offset", "100", *STEREO)),
    "late.mp4": (48_000, ("-c:a", "aac", "-output_ts_offset", "2", *STEREO)),
}
# What an encoder puts before the sound, where the file says nothing of it: no player can know. The last one's clock
# begins with that, by its own word.
LATE = {
    "stream.ts": 1024 / 48_000,
    "aac.mkv": 1024 / 48_000,
    "stream.aac": 1024 / 44_100,
    "late.ts": 481 / 48_000,
    "late.mp4": 1024 / 48_000,
}
CUTS = (clip(0.123456, 1.7), clip(2.5, 1.01, at=3.3), clip(3.51, 2, at=7.77))


def film_of(source: Source, folder: Path, *pieces: Clip, form: Format = Format.WAV) -> list[float]:
    return clicks_in(heard(reels.make(whole(audio(*pieces)), {"0": source}, folder, form=form).file))


@pytest.mark.parametrize("name", FILES)
def test_of_every_rate_and_number_of_channels_and_whenever_the_file_says_that_it_begins(
    tmp_path: Path, name: str
) -> None:
    rate, options = FILES[name]
    source = make_clicks(tmp_path / name, *options, rate=rate)
    times = [time + LATE.get(name, 0) for time in CLICKS]
    assert film_of(source, tmp_path / "out", *CUTS) == pytest.approx(expected(*CUTS, clicks=times), abs=0.005)


SHIFT = 0.74
FLASHES = [0.1, 0.62, 1.1, 1.62, 2.1, 2.62, 3.1, 3.62]
# The codec of the sound, and by how much all is late for every player where it comes first.
CODECS = {
    "both.mp4": ("aac", 0.0),
    "both.mov": ("aac", 0.0),
    "both.mkv": ("flac", 0.0),
    "both.ts": ("mp2", 481 / RATE),
}


@pytest.mark.parametrize("late", ["sound", "picture"])
@pytest.mark.parametrize("name", CODECS)
def test_where_one_begins_after_the_other_both_keep_their_places(tmp_path: Path, name: str, late: str) -> None:
    """By an edit list, or by their times. Every half second a frame is white, and a click in the middle of it."""
    codec, off = CODECS[name]
    frames = [np.full((64, 64), 255 if number % 25 in (2, 15) else 0, np.uint8) for number in range(100)]
    flash = reels.make_film(tmp_path / "flash.mkv", frames, "-bf", "2", "-g", "25")
    clicks = make_clicks(tmp_path / "clicks.flac", times=FLASHES).path
    inputs = [
        ("-itsoffset", str(SHIFT if late == what else 0), "-i", path)
        for what, path in (("picture", flash), ("sound", clicks))
    ]
    codecs = ("-c:v", "copy", "-c:a", codec, "-ac", "2")
    clips.ffmpeg(*inputs[0], *inputs[1], "-map", "0", "-map", "1", *codecs, "-t", "4.4", tmp_path / name)
    pieces = (clip(0, 1.6), clip(1.6, 1.5, at=1.52))
    made = reels.make(
        whole(Track(kind=Kind.VIDEO, clips=pieces)), {"0": reels.source(tmp_path / name)}, tmp_path / "out"
    )
    heard_at, seen_at = (
        expected(*pieces, clicks=[time + (SHIFT if late == what else 0) for time in FLASHES])
        for what in ("sound", "picture")
    )
    put_off = off if late == "picture" else 0.0
    assert clicks_in(heard(made.file)) == pytest.approx([time + put_off for time in heard_at], abs=0.005)
    white = np.flatnonzero(reels.pictures(made.file, size=(64, 64)).mean(axis=(1, 2)) > 128)
    # The shift is no whole number of frames: the film shows those that have begun by then.
    assert [(number + 0.5) / 25 for number in white] == pytest.approx(seen_at, abs=0.0401)


STARTS = (0.3, 1.4, 3.017)
ENDS = (*STARTS, 2.5, 4.117)


@pytest.mark.parametrize("keep_pitch", [True, False])
@pytest.mark.parametrize("speed", ["1/4", "0.52", "2/3", "1.1", "1.37", "3", "4"])
def test_at_every_speed_at_cuts_and_after_gaps(tmp_path: Path, speed: str, keep_pitch: bool) -> None:
    source = make_clicks(tmp_path / "clicks.flac", rate=44_100)
    pieces = [
        replace(clip(start, 1.1, at=at, speed=speed), keep_pitch=keep_pitch)
        for start, at in zip(STARTS, (0.0, 3.2, 2.2), strict=True)
    ]
    found = film_of(source, tmp_path / "out", *pieces)
    # Those that are cut off at an end are none, and nearer to one another they can't be told apart.
    assert len(found) == pytest.approx(len(expected(*pieces)), abs=3)
    wanted = [time for time in expected(*pieces) if all(abs(time - end) > 0.06 for end in ENDS)]
    assert wanted
    for time in wanted:
        assert min(abs(time - one) for one in found) < 0.005, time


def test_no_speed_drifts_in_a_minute(tmp_path: Path) -> None:
    times = [0.5 + 4 * number for number in range(22)]
    source = make_clicks(tmp_path / "long.flac", times=times, rate=24_000, seconds=90)
    piece = clip(0.2, 62, at=0.1, speed="1.37")
    assert film_of(source, tmp_path / "out", piece) == pytest.approx(expected(piece, clicks=times), abs=0.005)


@pytest.mark.parametrize("form", [Format.M4A, Format.MP3])
def test_in_files_of_the_sound_alone(tmp_path: Path, form: Format) -> None:
    source = make_clicks(tmp_path / "clicks.flac")
    assert film_of(source, tmp_path / "out", *CUTS, form=form) == pytest.approx(expected(*CUTS), abs=0.005)


def test_pictures_that_give_way_leave_the_sound_where_it_is(tmp_path: Path) -> None:
    make_clicks(tmp_path / "clicks.flac")
    clips.make_clip(tmp_path / "picture.mp4", size="64x64", seconds=10, sound=None)
    both = tmp_path / "both.mkv"
    clips.ffmpeg("-i", tmp_path / "picture.mp4", "-i", tmp_path / "clicks.flac", "-c", "copy", both)
    long = Transition(duration=micro(0.8), kind=Passage.DISSOLVE)
    pieces = (replace(clip(0, 1, at=0.33), transition=long), clip(1, 1.2, at=4))
    timeline = whole(Track(kind=Kind.VIDEO, clips=pieces))
    made = reels.make(timeline, {"0": reels.source(both)}, tmp_path / "out")
    assert clicks_in(heard(made.file)) == pytest.approx(expected(*pieces), abs=0.005)


def test_picture_and_sound_are_in_step_at_the_end_of_ten_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parts, at a rate of which no part has a whole number of microseconds. (Half a minute each: fewer programs.)"""
    monkeypatch.setattr(encoding, "_SECONDS", 30)
    rate = Fraction(3000, 1001)
    frames = [np.full((64, 64), 255 if number % 20 == 10 else 0, np.uint8) for number in range(372)]
    reels.make_film(tmp_path / "flash.mkv", frames, "-g", "50", rate=rate)
    times = [float((number + Fraction(1, 2)) / rate) for number in range(10, 372, 20)]
    make_clicks(tmp_path / "clicks.flac", times=times, seconds=124)
    both = tmp_path / "both.mkv"
    clips.ffmpeg("-i", tmp_path / "flash.mkv", "-i", tmp_path / "clicks.flac", "-c", "copy", both)
    pieces, at = [], 0
    for length in (round(number * SECOND / rate) for number in (357, 363, 349, 366, 361)):
        pieces.append(Clip(start=at, duration=length, material="0"))
        at += length
    timeline = Timeline(
        canvas=Canvas(width=64, height=64, rate=rate), tracks=(Track(kind=Kind.VIDEO, clips=tuple(pieces)),)
    )
    made = reels.make(timeline, {"0": reels.source(both)}, tmp_path / "out")
    found = clicks_in(heard(made.file))
    assert at > 595 * SECOND
    assert found == pytest.approx(expected(*pieces, clicks=times), abs=0.005)
    white = np.flatnonzero(reels.pictures(made.file, size=(64, 64)).mean(axis=(1, 2)) > 128)
    assert found == pytest.approx([float((number + 0.5) / rate) for number in white], abs=0.005)
