"""The volume goes as the keyframes say, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.videos.timeline import reels
from tests.videos.timeline.reels import Array, micro
from tests.videos.timeline.waves import RATE, audio, clip, heard, make_sound, whole
from videos.timeline import gain, sound
from videos.timeline.errors import NothingToHear
from videos.timeline.film import Format, Source
from videos.timeline.gain import Point
from videos.timeline.model import Clip
from videos.timeline.motion import Easing, Keyframe, Motion
from videos.timeline.values import SECOND

LEVEL = 0.25


def keyed(piece: Clip, *keyframes: tuple[float, float] | tuple[float, float, str]) -> Clip:
    """A clip with keyframes: seconds, volume, and the easing."""
    said = [Keyframe(at=micro(one[0]), value=one[1], easing=Easing((*one, "linear")[2])) for one in keyframes]
    return replace(piece, motion=Motion(volume=tuple(said)))


def level_at(keyframes: Sequence[Keyframe], moment: float) -> float:
    """What the words say of a moment in seconds of the clip, told otherwise than by polynomials."""
    at = round(moment * SECOND, 3)
    after = [one for one in keyframes if one.at > at]
    before = [one for one in keyframes if one.at <= at]
    if not before or not after:
        return (before[-1] if before else after[0]).value
    one, other = before[-1], after[0]
    done = (at - one.at) / (other.at - one.at)
    eased = {
        Easing.LINEAR: done,
        Easing.HOLD: 0.0,
        Easing.EASE_IN: done**2,
        Easing.EASE_OUT: 1 - (1 - done) ** 2,
        Easing.EASE_IN_OUT: 2 * done**2 if done < 0.5 else 1 - 2 * (1 - done) ** 2,
    }[one.easing]
    return one.value + (other.value - one.value) * eased


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A sound that is the same at every sample: what is heard of it is the gain."""
    path = tmp_path_factory.mktemp("flat") / "flat.wav"
    return make_sound(path, np.full(12 * RATE, LEVEL), "-c:a", "pcm_f32le")


def gains(source: Source, folder: Path, *pieces: Clip) -> Array:
    made = reels.make(whole(audio(*pieces)), {"0": source}, folder, form=Format.WAV)
    return heard(made.file) / LEVEL


def expected(piece: Clip, *, step: int = 1) -> Array:
    times = np.arange(0, round(piece.duration * RATE / SECOND), step) / RATE
    return np.array([level_at(piece.motion.volume, float(moment)) for moment in times])


@pytest.mark.parametrize("easing", list(Easing))
def test_every_easing_is_heard_to_the_sample(tmp_path: Path, flat: Source, easing: Easing) -> None:
    piece = keyed(clip(0.1, 1), (0.2, 0.3), (0.3, 1.5, easing), (0.4335, 0.1, easing), (0.8, 1))
    found = gains(flat, tmp_path / "out", piece)[RATE // 10 :]
    off = np.abs(found - expected(piece))
    if easing is Easing.HOLD:
        jumps = [round(moment * RATE) for moment in (0.4335, 0.8)]
        for jump in jumps:
            assert np.abs(np.diff(found[jump - 300 : jump + 2])).max() < 0.01  # it does not click
            off[jump - RATE // 250 : jump] = 0
    assert off.max() < 0.001


def test_the_level_of_a_tone_follows_the_keyframes_and_the_fades(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(6 * RATE) / RATE) * 0.8
    source = make_sound(tmp_path / "tone.flac", tone)
    piece = keyed(clip(0.5, 2.5, at=1.2, fade_in=0.5, fade_out=1), (0, 1, "ease_out"), (1.1, 0.2, "ease_in"), (2, 0.9))
    made = reels.make(whole(audio(piece)), {"0": source}, tmp_path / "out", form=Format.WAV)
    wave = heard(made.file).astype(float)
    for window in range(300):
        first = window * RATE // 100
        level = np.sqrt(2 * np.mean(wave[first : first + RATE // 100] ** 2))
        moment = window / 100 + 0.005 - 0.5
        faded = min(1, max(0, moment / 0.5), max(0, 2.5 - moment)) if moment > 0 else 0
        assert level == pytest.approx(0.8 * faded * level_at(piece.motion.volume, moment), abs=0.006), window


def test_keyframes_stand_in_the_place_of_the_volume_and_go_by_the_time_of_the_timeline(
    tmp_path: Path, flat: Source
) -> None:
    fast = keyed(clip(0, 1, at=0.5, speed="2", volume=0.3), (0, 0), (1, 1))
    back = replace(keyed(clip(1, 1, at=3, volume=0), (0, 0), (1, 1)), reverse=True)
    found = gains(flat, tmp_path / "out", replace(fast, keep_pitch=False), back)
    assert found == pytest.approx(np.tile(np.arange(RATE) / RATE, 2), abs=0.002)


def test_keyframes_beyond_the_end_of_the_clip_shape_the_way_to_them(tmp_path: Path, flat: Source) -> None:
    found = gains(flat, tmp_path / "out", keyed(clip(0, 1), (0.5, 0), (2.5, 4)))
    assert found[: RATE // 2] == pytest.approx(0, abs=0.001)
    assert found[RATE // 2 :] == pytest.approx(np.arange(RATE // 2) / RATE * 2, abs=0.001)


def test_one_keyframe_is_a_volume_and_so_are_several_of_one_value(flat: Source) -> None:
    film = whole(audio(keyed(clip(0, 1), (0.5, 0.25)), keyed(clip(1, 1), (0, 0.5), (0.7, 0.5), (3, 1))))
    one, other = sound.pieces(film, {"0": flat})
    assert (one.volume, one.curves) == (0.25, ())
    assert (other.volume, len(other.curves)) == (1, 1)
    held = keyed(clip(0, 1), (0, 0.5), (0.7, 0.5, "hold"), (3, 1))
    (piece,) = sound.pieces(whole(audio(held)), {"0": flat})
    assert (piece.volume, piece.curves) == (0.5, ())


def test_a_clip_that_is_silent_for_as_long_as_it_lasts_is_not_heard(tmp_path: Path, flat: Source) -> None:
    silent = keyed(clip(0, 1), (0, 0), (1, 0), (2, 1))
    with pytest.raises(NothingToHear):
        reels.make(whole(audio(silent)), {"0": flat}, tmp_path / "out", form=Format.WAV)


def test_a_volume_beyond_one_is_held_down_where_it_is_too_loud(tmp_path: Path, flat: Source) -> None:
    found = gains(flat, tmp_path / "out", keyed(clip(0, 1), (0, 1), (1, 10)))
    assert found[: RATE // 10] == pytest.approx(1 + np.arange(RATE // 10) / RATE * 9, abs=0.01)
    assert found.max() * LEVEL < 0.98


def test_a_thousand_keyframes_and_the_same_in_every_clip(tmp_path: Path, flat: Source) -> None:
    rng = np.random.default_rng(11)
    values, easings = rng.uniform(0, 2, 1000), rng.choice(list(Easing), 1000)
    many = [(number * 0.005, float(values[number]), str(easings[number])) for number in range(1000)]
    pieces = [keyed(clip(start, 1.5), *many) for start in (0, 1.5)]
    found = gains(flat, tmp_path / "out", *pieces)
    wanted = np.concatenate([expected(piece, step=10) for piece in pieces])
    holding = np.array([easing == Easing.HOLD for easing in easings]).repeat(24)[: len(wanted) // 2]
    assert np.abs(found[::10] - wanted)[~np.tile(holding, 2)].max() < 0.001
    assert found.max() < 2.001


def test_keyframes_in_more_clips_than_one_process_opens(tmp_path: Path, flat: Source) -> None:
    pieces = [keyed(clip(number * 0.02, 0.02), (0, 0), (0.01, 1), (0.02, 0)) for number in range(60)]
    found = gains(flat, tmp_path / "out", *pieces)
    assert found == pytest.approx(np.tile(expected(pieces[0]), 60), abs=0.001)


def test_the_expression_of_a_clip_of_hours_is_short_and_each_sample_is_found_in_a_few_steps() -> None:
    points = [Point(at=number * RATE * 40, value=number % 7, easing=Easing.EASE_IN_OUT) for number in range(1000)]
    said = gain.expression(gain.part(gain.through(points), 0, 12 * 3600 * RATE))
    assert len(said) < 200_000
    depth = deepest = 0
    for letter in said:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        deepest = max(deepest, depth)
    assert deepest < 16


@given(
    points=st.lists(
        st.builds(
            Point,
            at=st.integers(-5000, 5000),
            value=st.floats(0, 10),
            easing=st.sampled_from(Easing),
        ),
        min_size=1,
        max_size=20,
    ),
    first=st.integers(-6000, 6000),
    length=st.integers(1, 6000),
)
def test_a_part_of_a_curve_is_the_curve_from_there_on(points: list[Point], first: int, length: int) -> None:
    points = sorted(points, key=lambda point: point.at)
    curve = gain.through(points)
    part = gain.part(curve, first, length)
    assert part[0].first == 0
    assert [one.first for one in part] == sorted({one.first for one in part})
    assert part[-1].first < length
    values = [_value(part, sample) for sample in range(length)]
    for sample in {0, length // 3, length - 1}:
        assert values[sample] == pytest.approx(_value(curve, first + sample), abs=1e-6)
    assert gain.peak(part, length) == pytest.approx(max(values), abs=1e-6)


def _value(curve: gain.Curve, sample: int) -> float:
    begun = [one for one in curve if one.first <= sample]
    return (begun[-1] if begun else curve[0]).at(sample)
