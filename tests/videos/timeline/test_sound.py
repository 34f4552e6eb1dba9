"""Every clip is heard when it should be, as loud as it should be, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.waves import (
    CANVAS,
    CLICKS,
    RATE,
    audio,
    clicks_in,
    clip,
    expected,
    heard,
    make_clicks,
    make_sound,
    whole,
)
from videos.timeline import sound
from videos.timeline.errors import NothingToHear
from videos.timeline.film import Format
from videos.timeline.model import Kind, Timeline, Track

FILES = {"clicks.m4a": (), "low.mp4": ("-ar", "44100", "-c:a", "aac"), "clicks.flac": (), "clicks.mp3": ()}


@pytest.mark.parametrize("name", FILES)
def test_a_click_is_heard_when_it_should_be(tmp_path: Path, name: str) -> None:
    source = make_clicks(tmp_path / name, *FILES[name])
    pieces = [clip(0.123456, 1.7, at=0), clip(2.5, 1.01, at=3.3), clip(3.51, 2, at=7.77)]
    made = reels.make(whole(audio(*pieces)), {"0": source}, tmp_path / "out", form=Format.WAV)
    assert clicks_in(heard(made.file)) == pytest.approx(expected(*pieces), abs=0.0005)


@pytest.mark.parametrize("speed", ["1/2", "4/5", "1.37", "2"])
def test_a_click_is_heard_when_it_should_be_at_another_speed(tmp_path: Path, speed: str) -> None:
    source = make_clicks(tmp_path / "clicks.flac")
    pieces = [clip(0.3, 1.7, at=0, speed=speed), clip(2.5, 2, at=3.3, speed=speed)]
    made = reels.make(whole(audio(*pieces)), {"0": source}, tmp_path / "out", form=Format.WAV)
    assert clicks_in(heard(made.file)) == pytest.approx(expected(*pieces), abs=0.005)


@pytest.mark.parametrize("speed", ["1/2", "2", "10"])
def test_the_pitch_is_kept(tmp_path: Path, speed: str) -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(20 * RATE) / RATE) * 0.5
    source = make_sound(tmp_path / "tone.flac", tone)
    made = reels.make(whole(audio(clip(0, 1.5, speed=speed))), {"0": source}, tmp_path / "out", form=Format.WAV)
    wave = heard(made.file)[RATE // 4 : RATE + RATE // 4]
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    assert float(spectrum.argmax()) == pytest.approx(500, rel=0.02)


@pytest.mark.parametrize("form", [Format.MP4, Format.MOV, Format.WEBM])
def test_a_click_is_heard_with_the_frame_it_belongs_to(tmp_path: Path, form: Format) -> None:
    """Frames 15, 40 and 65 are white; the clicks stand in their middle."""
    frames = [np.full((64, 64), 255 if number % 25 == 15 else 0, np.uint8) for number in range(75)]
    reels.make_film(tmp_path / "flash.mkv", frames, "-bf", "2")
    make_clicks(tmp_path / "clicks.flac", times=[0.62, 1.62, 2.62])
    both = tmp_path / "both.mkv"
    clips.ffmpeg("-i", tmp_path / "flash.mkv", "-i", tmp_path / "clicks.flac", "-c", "copy", "-t", "3", both)
    pieces = (clip(0, 1), clip(1, 1.5, at=1.52))
    film = Timeline(canvas=CANVAS, tracks=(Track(kind=Kind.VIDEO, clips=pieces),))
    made = reels.make(film, {"0": reels.source(both)}, tmp_path / "out", form=form)
    white = np.flatnonzero(reels.pictures(made.file, size=(64, 64)).mean(axis=(1, 2)) > 128)
    assert clicks_in(heard(made.file)) == pytest.approx([(number + 0.5) / 25 for number in white], abs=0.003)
    assert [round(time, 2) for time in clicks_in(heard(made.file))] == pytest.approx([0.62, 1.1, 2.1], abs=0.011)
    if form is not Format.WEBM:
        starts = {stream["codec_type"]: float(stream["start_time"]) for stream in clips.look_at(made.file)["streams"]}
        assert starts == {"video": 0, "audio": 0}


def test_volume_and_fades(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(10 * RATE) / RATE) * 0.6
    source = make_sound(tmp_path / "tone.flac", tone)
    faded = clip(0.5, 4, at=2, volume=0.5, fade_in=1, fade_out=2)
    made = reels.make(whole(audio(faded)), {"0": source}, tmp_path / "out", form=Format.WAV)
    wave = heard(made.file)
    assert len(wave) == 4.5 * RATE
    for number in range(45):
        time = number / 10 + 0.005
        level = np.abs(wave[number * RATE // 10 :][: RATE // 100]).max()
        share = min(1, max(0, time - 0.5), max(0, (4.5 - time) / 2))
        assert level == pytest.approx(0.3 * share, abs=0.012), f"at {time:.2f} s"


def test_two_at_once_are_added_and_never_too_loud(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 400 * np.arange(4 * RATE) / RATE)
    source = make_sound(tmp_path / "tone.flac", tone * 0.4)
    soft = whole(audio(clip(0, 2)), audio(clip(1, 1, at=1)))
    wave = heard(reels.make(soft, {"0": source}, tmp_path / "soft", form=Format.WAV).file)
    assert np.abs(wave[: RATE - 500]).max() == pytest.approx(0.4, abs=0.01)
    assert np.abs(wave[RATE + 500 :]).max() == pytest.approx(0.8, abs=0.02)
    loud = whole(audio(clip(0, 2)), audio(clip(1, 1, at=1, volume=10)))
    wave = heard(reels.make(loud, {"0": source}, tmp_path / "loud", form=Format.WAV).file)
    assert 0.9 < np.abs(wave).max() < 0.98
    assert np.mean(np.abs(wave[RATE + RATE // 2 :]) > 0.95) < 0.3  # held down, and not cut off


def test_clips_in_a_row_pass_through_untouched(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).uniform(-0.99, 0.99, 6 * RATE)
    source = make_sound(tmp_path / "noise.wav", noise, "-c:a", "pcm_f32le")
    row = whole(audio(clip(0, 1, at=2), clip(1, 1.5, at=4), clip(3, 0.5)))
    wave = heard(reels.make(row, {"0": source}, tmp_path / "out", form=Format.WAV).file)
    parts = [noise[2 * RATE : 3 * RATE], noise[4 * RATE : 4 * RATE + 72_000], np.zeros(RATE // 2), noise[: RATE // 2]]
    assert wave == pytest.approx(np.concatenate(parts), abs=1e-4)


def test_more_clips_than_one_process_opens_are_mixed_in_groups(tmp_path: Path) -> None:
    source = make_clicks(tmp_path / "clicks.flac")
    pieces = [clip(number * 0.21, 0.2, at=0.05 + 0.5 * (number % 19)) for number in range(60)]
    film = whole(audio(*pieces))
    made = reels.make(film, {"0": source}, tmp_path / "out", form=Format.WAV)
    assert clicks_in(heard(made.file)) == pytest.approx(expected(*pieces), abs=0.0005)
    mixes = list(sound.mixes(sound.pieces(film, {"0": source}), folder=tmp_path, name="film.wav", length=1))
    assert [len(mix.pieces) for mix in mixes] == [24, 24, 12, 3]


def test_thousands_of_clips_are_mixed_in_groups_of_groups(tmp_path: Path) -> None:
    pieces = [sound.Piece(at=number * 10, length=10, path=tmp_path) for number in range(20_000)]
    mixes = list(sound.mixes(pieces, folder=tmp_path, name="film.m4a", length=200_000))
    assert max(len(mix.pieces) for mix in mixes) == 24
    assert len({mix.name for mix in mixes}) == len(mixes)
    assert mixes[-1].name == "film.m4a"
    assert (mixes[-1].at, mixes[-1].length) == (0, 200_000)
    assert sum(mix.length for mix in mixes[:-1] if mix.name.startswith("mix-0")) == 200_000


def test_muted_tracks_are_silent_and_hidden_ones_are_not(tmp_path: Path) -> None:
    source = make_clicks(tmp_path / "clicks.flac")
    one, other = clip(0, 1), clip(0, 1, at=0.3)
    hidden = Track(kind=Kind.VIDEO, clips=(other,), hidden=True)
    made = reels.make(whole(audio(one, muted=True), hidden), {"0": source}, tmp_path / "out", form=Format.WAV)
    assert clicks_in(heard(made.file)) == pytest.approx(expected(other), abs=0.0005)


@pytest.mark.parametrize("why", ["muted", "no sound in it", "volume nought"])
def test_where_nothing_is_heard_there_is_no_sound(tmp_path: Path, why: str) -> None:
    silent = why == "no sound in it"
    path = clips.make_clip(tmp_path / "clip.mp4", size="64x64", seconds=1, sound=None if silent else 0)
    piece = clip(0, 0.5, volume=0 if why == "volume nought" else 1)
    film = whole(Track(kind=Kind.VIDEO, clips=(piece,), muted=why == "muted"))
    made = reels.make(film, {"0": reels.source(path)}, tmp_path / "out")
    assert [stream["codec_type"] for stream in clips.look_at(made.file)["streams"]] == ["video"]
    with pytest.raises(NothingToHear):
        reels.make(film, {"0": reels.source(path)}, tmp_path / "none", form=Format.M4A)


def test_sound_that_begins_late_or_ends_early_keeps_its_place(tmp_path: Path) -> None:
    """The sound of the file begins 1.5 s after its picture, and ends before it."""
    make_clicks(tmp_path / "clicks.flac")
    path = tmp_path / "late.mkv"
    clips.make_clip(tmp_path / "picture.mp4", size="64x64", seconds=8, sound=None)
    clips.ffmpeg(
        *("-i", tmp_path / "picture.mp4", "-itsoffset", "1.5", "-t", "5.5", "-i", tmp_path / "clicks.flac"),
        *("-map", "0", "-map", "1", "-c", "copy", path),
    )
    pieces = [clip(0, 3, at=0.2), clip(3, 4, at=4)]
    made = reels.make(whole(audio(*pieces)), {"0": reels.source(path)}, tmp_path / "out", form=Format.WAV)
    late = [time + 1.5 for time in CLICKS if time < 4]
    times = [time - 0.2 for time in late if 0.2 < time < 3.2] + [time - 1 for time in late if 4 < time < 8]
    assert clicks_in(heard(made.file)) == pytest.approx(times, abs=0.002)
    assert len(heard(made.file)) == 7 * RATE


def test_a_hole_in_the_sound_of_a_material_stays_a_hole(tmp_path: Path) -> None:
    """A second of a recording was lost: closed up, all that follows would be early."""
    make_clicks(tmp_path / "clicks.flac")
    path = tmp_path / "hole.mkv"
    hole = "asetnsamples=960,aselect='not(between(t,2,2.99))'"
    clips.ffmpeg("-i", tmp_path / "clicks.flac", "-af", hole, "-c:a", "pcm_s16le", path)
    piece = clip(0, 5)
    made = reels.make(whole(audio(piece)), {"0": reels.source(path)}, tmp_path / "out", form=Format.WAV)
    assert clicks_in(heard(made.file)) == pytest.approx([0.1, 0.6, 1.1, 1.6, 3.1, 3.6, 4.1, 4.6], abs=0.002)
