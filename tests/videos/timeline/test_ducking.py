"""Some tracks become softer while others are heard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.videos.timeline import reels
from tests.videos.timeline.reels import Array
from tests.videos.timeline.test_gain import keyed
from tests.videos.timeline.waves import RATE, audio, clip, heard, make_sound, whole
from videos.timeline import ducking, sound
from videos.timeline.errors import NothingToHear
from videos.timeline.film import Format, Source
from videos.timeline.model import Clip, Kind, Track
from videos.timeline.texts import Text

LEVEL = 0.25


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """Music that is the same at every sample; speech that has a sound and is silent: what is heard is the gain."""
    folder = tmp_path_factory.mktemp("materials")
    music = make_sound(folder / "music.wav", np.full(12 * RATE, LEVEL), "-c:a", "pcm_f32le")
    speech = make_sound(folder / "speech.wav", np.zeros(12 * RATE), "-c:a", "pcm_f32le")
    return {"0": music, "1": speech}


def ducked(volume: float, *pieces: Clip) -> Track:
    return replace(audio(*pieces), ducked=volume)


def speech(*pieces: Clip, muted: bool = False) -> Track:
    return audio(*(replace(piece, material="1") for piece in pieces), muted=muted)


def gains(sources: dict[str, Source], folder: Path, *tracks: Track) -> Array:
    made = reels.make(whole(*tracks), sources, folder, form=Format.WAV)
    return heard(made.file) / LEVEL


def expected(seconds: float, volume: float, *spans: tuple[float, float]) -> Array:
    """Down in the 0.3 s before each span, up in those after it."""
    times = np.arange(round(seconds * RATE)) / RATE
    gain = np.ones(len(times))
    for begin, end in spans:
        far = np.maximum(0, np.maximum(begin - times, times - end))
        gain = np.where(far < 0.3, volume + (1 - volume) * far / 0.3, gain)
    return gain


def test_music_comes_down_before_speech_and_up_after_it(tmp_path: Path, sources: dict[str, Source]) -> None:
    found = gains(sources, tmp_path / "out", ducked(0.2, clip(0, 6)), speech(clip(1, 0.8), clip(4, 1)))
    assert found == pytest.approx(expected(6, 0.2, (1, 1.8), (4, 5)), abs=0.001)


def test_pauses_of_less_than_a_second_are_none(tmp_path: Path, sources: dict[str, Source]) -> None:
    talk = speech(clip(0.1, 0.4), clip(1.49, 0.5), clip(3, 0.5))
    found = gains(sources, tmp_path / "out", talk, ducked(0.5, clip(0, 5)))
    assert found == pytest.approx(expected(5, 0.5, (0.1, 1.99), (3, 3.5)), abs=0.001)


def test_the_gain_is_the_films_whatever_the_music_is_cut_to(tmp_path: Path, sources: dict[str, Source]) -> None:
    """A ramp lies across a cut; the volume, its keyframes, and a volume above 1 are multiplied."""
    music = ducked(2, clip(0, 0.85, volume=0.5), keyed(clip(0.85, 1.5), (0, 0), (1, 0.5)), clip(2.35, 0.65, at=5))
    found = gains(sources, tmp_path / "out", music, speech(clip(1, 0.5)))
    times = np.arange(3 * RATE) / RATE
    own = np.select([times < 0.85, times < 2.35], [np.full(3 * RATE, 0.5), np.clip((times - 0.85) / 2, 0, 0.5)], 1.0)
    assert found == pytest.approx(own * expected(3, 2, (1, 1.5)), abs=0.001)


@pytest.mark.parametrize("why", ["alone", "all of them", "muted", "volume nought", "silent keyframes", "still", "text"])
def test_nothing_ducks_where_nothing_else_is_heard(tmp_path: Path, sources: dict[str, Source], why: str) -> None:
    talk = {
        "alone": speech(),
        "all of them": replace(speech(clip(0.5, 1)), ducked=0.1),
        "muted": speech(clip(0.5, 1), muted=True),
        "volume nought": speech(clip(0.5, 1, volume=0)),
        "silent keyframes": speech(keyed(clip(0.5, 1), (0, 0), (1, 0), (2, 1))),
        "still": speech(replace(clip(0.5, 1), freeze=True)),
        "text": Track(kind=Kind.TEXT, texts=(Text(start=500_000, duration=1_000_000, text="?"),)),
    }[why]
    found = sound.pieces(whole(ducked(0.2, clip(0, 2)), talk), sources)
    assert [(piece.volume, piece.curves) for piece in found if piece.path == sources["0"].path] == [(1, ())]


def test_music_that_is_not_heard_beside_speech(tmp_path: Path, sources: dict[str, Source]) -> None:
    film = whole(ducked(0, clip(1, 1), clip(2, 1)), speech(clip(0.5, 2)))
    found = [piece for piece in sound.pieces(film, sources) if piece.path == sources["0"].path]
    assert [(piece.at, len(piece.curves)) for piece in found] == [(2 * RATE, 1)]
    with pytest.raises(NothingToHear):
        reels.make(whole(ducked(0.5, clip(0, 1, volume=0))), sources, tmp_path / "out", form=Format.WAV)


def test_a_film_of_500_words(sources: dict[str, Source]) -> None:
    """Each clip of the music knows of the words that it is heard with, and of no others."""
    talk = speech(*(clip(number * 3, 1) for number in range(500)))
    music = ducked(0.3, *(clip(number * 15, 15) for number in range(100)))
    found = [piece for piece in sound.pieces(whole(talk, music), sources) if piece.path == sources["0"].path]
    assert len(found) == 100
    assert {len(curve) for piece in found for curve in piece.curves} <= set(range(19, 25))


def test_spans_that_lie_within_one_another_are_one() -> None:
    second = RATE
    found = ducking.spans([(5 * second, 6 * second), (0, 3 * second), (second, 2 * second), (7 * second, 8 * second)])
    assert found == [(0, 3 * second), (5 * second, 6 * second), (7 * second, 8 * second)]
    assert ducking.spans([(0, 10), (9 + second, 20 + second)]) == [(0, 20 + second)]
