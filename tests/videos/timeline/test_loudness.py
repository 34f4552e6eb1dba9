"""The sound comes out as loud as platforms play it, whatever it was; and nothing of it is moved."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jobs import children
from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.reels import Array
from tests.videos.timeline.test_gain import keyed
from tests.videos.timeline.waves import RATE, audio, clicks_in, clip, heard, make_clicks, make_sound, whole
from videos.timeline import film, loudness
from videos.timeline.film import Film, Format, Recipe, Source
from videos.timeline.model import Kind, Timeline
from videos.timeline.motion import Easing


def make(timeline: Timeline, source: Source, folder: Path, *, form: Format = Format.WAV) -> Film:
    folder.mkdir()
    recipe = Recipe(format=form, crf=30, preset="ultrafast", loudness=True)
    made = film.make(timeline, {"0": source}, folder, recipe=recipe, threads=2, on_progress=lambda *step: None)
    assert [path.name for path in folder.iterdir()] == [made.file.name]
    return made


def measured(path: Path) -> tuple[float, float]:
    """LUFS and dBTP, asked of another filter than the one that is used."""
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-i", str(path), "-map", "0:a"]
    asked = [*command, "-af", "loudnorm=print_format=json", "-f", "null", "-"]
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stderr
    found = {name: re.search(rf'"{name}" : "(\S+)"', said) for name in ("input_i", "input_tp")}
    integrated, peak = (float(match[1]) for match in found.values() if match)
    return integrated, peak


def voice(seconds: float, *, level: float, peaks: float = 0) -> Array:
    """Something like speech: a buzz in words with pauses; and, if there are to be any, short peaks."""
    times = np.arange(round(seconds * RATE)) / RATE
    buzz = np.sum([np.sin(2 * np.pi * 150 * number * times) / number for number in range(1, 12)], axis=0)
    wave: Array = level * buzz * (np.sin(2 * np.pi * 2.3 * times) > -0.3) * (np.sin(2 * np.pi * 0.4 * times) > -0.8)
    first = np.arange(RATE // 10, len(wave) - 300, RATE // 2)
    click = peaks * np.sin(2 * np.pi * 2500 * np.arange(100) / RATE) * np.hanning(100)
    for start in first:
        wave[start : start + 100] += click
    return wave.clip(-1, 1)


@pytest.mark.parametrize("form", [Format.WAV, Format.M4A, Format.MP3, Format.WEBM])
@pytest.mark.parametrize("kind", ["soft", "loud", "peaks"])
def test_it_is_as_loud_as_platforms_play(tmp_path: Path, kind: str, form: Format) -> None:
    wave = {
        "soft": voice(6, level=0.004),
        "loud": voice(6, level=0.8),
        "peaks": voice(6, level=0.02, peaks=0.7),
    }[kind]
    source = make_sound(tmp_path / "voice.flac", wave)
    timeline = whole(audio(clip(0, 6)))
    integrated, peak = measured(make(timeline, source, tmp_path / "out", form=form).file)
    assert integrated == pytest.approx(-14, abs=0.5)
    assert peak <= -1


@pytest.mark.parametrize("gain", [0.05, 1])
def test_every_click_keeps_its_place_and_the_film_its_length(tmp_path: Path, gain: float) -> None:
    """Where they are held down, too."""
    source = make_clicks(tmp_path / "clicks.flac")
    timeline = whole(audio(clip(0.123, 2.5, volume=gain), clip(3, 1.2345, at=4.2, volume=gain)))
    plain = heard(reels.make(timeline, {"0": source}, tmp_path / "plain", form=Format.WAV).file)
    found = heard(make(timeline, source, tmp_path / "out").file)
    assert len(found) == len(plain) == round(4.2345 * RATE)
    times = clicks_in(plain / gain)
    assert len(times) == 7
    for time in times:
        first = round(time * RATE) - RATE // 50
        part, near = plain[first:][: RATE // 25], found[first - 100 :][: RATE // 25 + 200]
        assert int(np.correlate(near, part, "valid").argmax()) - 100 == pytest.approx(0, abs=1), f"at {time:.2f} s"


def test_where_no_peak_is_in_the_way_it_is_the_same_sound_but_louder(tmp_path: Path) -> None:
    wave = voice(5, level=0.01) * np.linspace(0, 1, 5 * RATE)
    source = make_sound(tmp_path / "voice.wav", wave, "-c:a", "pcm_f32le")
    found = heard(make(whole(audio(clip(0, 5))), source, tmp_path / "out").file)
    gain = float(found @ wave / (wave @ wave))
    assert gain > 2
    assert found == pytest.approx(wave * gain, abs=1e-4)


def test_silence_stays_silence(tmp_path: Path) -> None:
    source = make_sound(tmp_path / "silence.flac", np.zeros(3 * RATE))
    found = heard(make(whole(audio(clip(0, 2))), source, tmp_path / "out").file)
    assert len(found) == 2 * RATE
    assert not found.any()


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.3])
def test_a_very_short_sound(tmp_path: Path, seconds: float) -> None:
    source = make_sound(tmp_path / "voice.flac", voice(2, level=0.01))
    made = make(whole(audio(clip(0, seconds))), source, tmp_path / "out")
    found = heard(made.file)
    assert len(found) == round(seconds * RATE)
    repeated = make_sound(tmp_path / "repeated.wav", np.tile(found, 40), "-af", "pan=stereo|c0=c0|c1=c0")
    integrated, peak = measured(repeated.path)
    assert integrated == pytest.approx(-14, abs=0.7)
    assert peak <= -1


def test_a_sum_that_is_far_too_loud_is_not_cut_off_before_it_is_made_softer(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(3 * RATE) / RATE) * 0.9
    source = make_sound(tmp_path / "tone.wav", tone, "-c:a", "pcm_f32le")
    timeline = whole(audio(clip(0, 2, volume=9)), audio(clip(0, 2, volume=9)))
    wave = heard(make(timeline, source, tmp_path / "out").file)[RATE // 2 : RATE]
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    assert np.delete(spectrum, range(490, 511)).max() < spectrum[500] / 1000


def test_keyframes_and_the_picture_go_with_it(tmp_path: Path) -> None:
    path = clips.make_clip(tmp_path / "clip.mp4", size="64x64", seconds=3)
    piece = keyed(clip(0, 2), (0, 1), (1, 0.1, Easing.HOLD), (1.5, 1))
    timeline = whole(replace(audio(piece), kind=Kind.VIDEO))
    made = make(timeline, reels.source(path), tmp_path / "out", form=Format.MP4)
    assert [stream["codec_type"] for stream in clips.look_at(made.file)["streams"]] == ["video", "audio"]
    assert measured(made.file)[0] == pytest.approx(-14, abs=0.5)
    found = heard(made.file)
    levels = [np.abs(found[round(at * RATE) :][: RATE // 20]).max() for at in (0.02, 1.2, 1.7)]
    assert levels[1] == pytest.approx(levels[2] / 10, rel=0.1)


def test_the_step_is_told_and_every_program_is_bounded(tmp_path: Path) -> None:
    source = make_sound(tmp_path / "voice.flac", voice(2, level=0.01, peaks=0.7))
    steps: list[tuple[float, str]] = []
    calls: list[list[str]] = []

    def run(argv: list[str], /, *, limits: children.Limits, **others: object) -> children.Finished:
        calls.append(argv)
        assert limits.wall_seconds
        assert limits.memory_bytes
        return children.run(argv, limits=limits, **others)  # type: ignore[arg-type]

    (tmp_path / "out").mkdir()
    film.make(
        *(whole(audio(clip(0, 2))), {"0": source}, tmp_path / "out"),
        recipe=Recipe(format=Format.WAV, crf=30, preset="ultrafast", loudness=True),
        threads=1,
        run=run,
        on_progress=lambda done, seconds, step: steps.append((done, step)),
    )
    assert list(dict.fromkeys(step for _, step in steps)) == ["sound", "loudness", "done"]
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    asked = [call for call in calls if any("ebur128" in part for part in call)]
    assert 2 <= len(asked) <= 4


def test_sound_that_is_nothing_but_peaks_ends_below_the_highest_one(tmp_path: Path) -> None:
    wave = np.zeros(6 * RATE)
    wave[RATE // 2 :: RATE] = 0.9
    source = make_sound(tmp_path / "peaks.wav", wave, "-c:a", "pcm_f32le")
    made = make(whole(audio(clip(0, 6))), source, tmp_path / "out")
    assert measured(made.file)[1] <= -1
    assert len(heard(made.file)) == 6 * RATE


def test_what_the_filter_says_is_read() -> None:
    said = ["  Integrated loudness:", "    I:         -31.6 LUFS", "  True peak:", "    Peak:       -5.3 dBFS"]
    assert loudness.measured(said) == loudness.Loudness(integrated=-31.6, peak=-5.3)
    assert loudness.measured(["    I:         -70.0 LUFS", "    Peak:       -inf dBFS"]) is None
    assert loudness.measured([]) is None
