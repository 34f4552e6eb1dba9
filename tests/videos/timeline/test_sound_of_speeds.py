"""What is played backwards, wound like a tape, or stands still."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.videos.timeline import reels
from tests.videos.timeline.reels import Array, micro
from tests.videos.timeline.waves import (
    CANVAS,
    CLICKS,
    RATE,
    audio,
    clicks_in,
    clip,
    heard,
    make_clicks,
    make_sound,
    whole,
)
from videos.timeline import sound
from videos.timeline.errors import NothingToHear
from videos.timeline.film import Format, Source
from videos.timeline.model import Clip, Timeline
from videos.timeline.values import SECOND


def made_of(source: Source, folder: Path, *pieces: Clip) -> Array:
    return heard(reels.make(whole(audio(*pieces)), {"0": source}, folder, form=Format.WAV).file)


def noise(seconds: float) -> Array:
    return np.random.default_rng(5).uniform(-0.9, 0.9, round(seconds * RATE))


def backwards(piece: Clip) -> Clip:
    return replace(piece, reverse=True)


@pytest.mark.parametrize("name", ["noise.wav", "noise.mov"])
def test_backwards_is_every_sample_in_the_other_order(tmp_path: Path, name: str) -> None:
    wave = noise(4)
    source = make_sound(tmp_path / name, wave, "-c:a", "pcm_f32le")
    pieces = [backwards(clip(0, 0.5, at=1)), clip(0.5, 0.5, at=1.123), backwards(clip(1.25, 1.5, at=2.2345))]
    found = made_of(source, tmp_path / "out", *pieces)
    first = round(2.2345 * RATE)
    parts = [
        wave[RATE : RATE + RATE // 2][::-1],
        wave[round(1.123 * RATE) :][: RATE // 2],
        np.zeros(RATE // 4),
        wave[first : first + RATE * 3 // 2][::-1],
    ]
    assert found == pytest.approx(np.concatenate(parts), abs=1e-4)


def test_a_long_clip_backwards_is_held_in_memory_a_little_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """26 pieces, so that their mixes are mixed again; the material's clock starts late, and counts milliseconds."""
    monkeypatch.setattr(sound, "_LONGEST_REVERSED", RATE // 10)
    wave = noise(3.2)
    make_sound(tmp_path / "noise.wav", wave, "-c:a", "pcm_f32le")
    source = make_sound(tmp_path / "noise.mkv", wave, "-c:a", "pcm_f32le", "-output_ts_offset", "0.0137")
    piece = backwards(clip(0.2, 2.513, at=0.5))
    found = made_of(source, tmp_path / "out", piece, clip(3, 0.1, at=1))
    back = wave[RATE // 2 :][: round(2.513 * RATE)][::-1]
    shifts = range(-24, 25)  # half a millisecond, to which this container rounds
    off = [np.abs(found[round(0.2 * RATE) + shift :][: len(back)] - back).max() for shift in shifts]
    assert min(off) < 1e-4
    assert not found[: round(0.2 * RATE) - 24].any()
    assert len(found) == round(3.1 * RATE)
    film = whole(audio(piece))
    mixes = list(sound.mixes(sound.pieces(film, {"0": source}), folder=tmp_path, name="film.wav", length=1))
    reversed_at_once = [
        sum(part.taken for part in mix.pieces if part.clip is not None and part.clip.reverse) for mix in mixes
    ]
    assert [len(mix.pieces) for mix in mixes] == [1, 24, 2, 2, 1]
    assert max(reversed_at_once) <= 24 * RATE // 10


@pytest.mark.parametrize("longest", [10 * RATE, RATE])
@pytest.mark.parametrize(("speed", "keep_pitch"), [("2", True), ("1/2", True), ("1.5", False)])
def test_backwards_at_another_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed: str, keep_pitch: bool, longest: int
) -> None:
    monkeypatch.setattr(sound, "_LONGEST_REVERSED", longest)
    source = make_clicks(tmp_path / "clicks.flac")
    piece = replace(clip(0.3, 1.7, at=3.3, speed=speed), reverse=True, keep_pitch=keep_pitch)
    found = clicks_in(made_of(source, tmp_path / "out", piece))
    last = 3.3 + 1.7 * float(piece.speed)
    times = sorted(0.3 + (last - time) / float(piece.speed) for time in CLICKS if 3.31 < time < last - 0.01)
    assert found == pytest.approx(times, abs=0.005 if keep_pitch else 0.00005)


def test_backwards_beyond_the_end_of_a_material_is_silent_first(tmp_path: Path) -> None:
    wave = noise(1)
    source = make_sound(tmp_path / "noise.wav", wave, "-c:a", "pcm_f32le")
    found = made_of(source, tmp_path / "out", backwards(clip(0, 1, at=0.75)), backwards(clip(1, 0.5, at=3)))
    assert len(found) == RATE * 3 // 2
    assert not found[: RATE * 3 // 4].any()
    assert found[RATE * 3 // 4 : RATE] == pytest.approx(wave[RATE * 3 // 4 :][::-1], abs=1e-4)
    assert not found[RATE:].any()


def test_backwards_fades_in_where_it_begins(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(3 * RATE) / RATE) * np.linspace(0, 0.9, 3 * RATE)
    source = make_sound(tmp_path / "tone.wav", tone, "-c:a", "pcm_f32le")
    found = made_of(source, tmp_path / "out", backwards(clip(0, 2, at=1, fade_in=1)))
    for number in range(20):
        level = np.abs(found[number * RATE // 10 :][: RATE // 100]).max()
        time = number / 10 + 0.005
        assert level == pytest.approx(min(1, time) * 0.3 * (3 - time), abs=0.01), f"at {time:.2f} s"


@pytest.mark.parametrize("speed", ["1/2", "1.37", "30000/1001", "3"])
def test_the_pitch_goes_with_the_speed_where_it_is_not_kept(tmp_path: Path, speed: str) -> None:
    count = 40 * RATE
    tone = np.sin(2 * np.pi * 100 * np.arange(count) / RATE) * 0.5
    source = make_sound(tmp_path / "tone.flac", tone)
    found = made_of(source, tmp_path / "out", replace(clip(0.1, 1, at=2, speed=speed), keep_pitch=False))
    passed = np.arange(RATE) / RATE * float(Fraction(speed)) + 2
    expected = np.concatenate([np.zeros(RATE // 10), np.sin(2 * np.pi * 100 * passed) * 0.5])
    assert len(found) == len(expected)
    inner = slice(RATE // 10 + 100, -100)
    assert found[inner] == pytest.approx(expected[inner], abs=0.002)


@pytest.mark.parametrize("speed", ["0.37", "2", "7/3"])
def test_a_click_is_heard_to_the_sample_where_the_pitch_is_not_kept(tmp_path: Path, speed: str) -> None:
    source = make_clicks(tmp_path / "clicks.flac")
    pieces = [replace(clip(start, 1.2, at=at, speed=speed), keep_pitch=False) for start, at in ((0.3, 0), (1.7, 3.32))]
    times = [
        piece.start / SECOND + (time - piece.source_start / SECOND) / float(piece.speed)
        for piece in pieces
        for time in CLICKS
        if 0.01 < time - piece.source_start / SECOND < 1.2 * float(piece.speed) - 0.01
    ]
    assert clicks_in(made_of(source, tmp_path / "out", *pieces)) == pytest.approx(times, abs=0.00005)


def test_a_frame_that_stands_is_silent(tmp_path: Path) -> None:
    source = make_clicks(tmp_path / "clicks.flac")
    still = Clip(start=micro(1), duration=micro(1), material="0", freeze=True)
    found = clicks_in(made_of(source, tmp_path / "out", clip(0, 1), still))
    assert found == pytest.approx([0.1, 0.6], abs=0.0005)
    with pytest.raises(NothingToHear):
        reels.make(Timeline(canvas=CANVAS, tracks=(audio(still),)), {"0": source}, tmp_path / "none", form=Format.WAV)
