"""From a timeline to a file of every format; what is said meanwhile, and what can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs import children
from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.reels import even, micro
from videos.media.errors import MediaDamaged, StorageFull
from videos.timeline import checking, film, joining
from videos.timeline.errors import FilmIncomplete, NothingToSee
from videos.timeline.film import Format, Recipe, Source
from videos.timeline.model import Canvas, Clip, Kind, Timeline, Track

RECIPE = Recipe(format=Format.MP4, crf=23, preset="ultrafast")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    path = tmp_path_factory.mktemp("materials") / "0.mp4"
    return {"0": reels.source(reels.make_numbered(path, "-g", "50", count=150, sound=True))}


def whole(seconds: float = 2, *, rate: Fraction | int = 30, start: float = 0) -> Timeline:
    return reels.timeline(
        [Clip(start=micro(start), duration=micro(seconds), material="0", source_start=micro(0.5))], rate=rate
    )


AUDIO = {
    Format.M4A: ("mov,mp4,m4a,3gp,3g2,mj2", "aac"),
    Format.MP3: ("mp3", "mp3"),
    Format.WAV: ("wav", "pcm_s16le"),
}


@pytest.mark.parametrize("form", AUDIO)
def test_the_sound_alone(tmp_path: Path, sources: Mapping[str, Source], form: Format) -> None:
    made = reels.make(whole(1.234), sources, tmp_path / "out", form=form)
    answer = clips.look_at(made.file)
    assert (answer["format"]["format_name"], answer["streams"][0]["codec_name"]) == AUDIO[form]
    assert (answer["streams"][0]["sample_rate"], answer["streams"][0]["channels"]) == ("48000", 2)
    assert len(answer["streams"]) == 1
    assert made.duration == pytest.approx(1.234, abs=0.05)
    assert (made.frames, made.copied, made.file.name) == (0, False, f"film.{form}")


def test_webm(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    film_of_two = whole(11, rate=Fraction(30000, 1001))
    made = reels.make(film_of_two, sources, tmp_path / "out", form=Format.WEBM)
    codecs = {stream["codec_type"]: stream["codec_name"] for stream in clips.look_at(made.file)["streams"]}
    assert codecs == {"video": "vp9", "audio": "opus"}
    assert reels.numbers(made.file) == reels.expected(film_of_two, {"0": even(150)})
    assert clips.frame_times(made.file) == pytest.approx([n * 1.001 / 30 for n in range(film_of_two.frames)], abs=0.001)


def test_a_gif_is_small_and_slow_and_has_its_own_colours(tmp_path: Path) -> None:
    colours = [(220, 40, 40), (40, 200, 60), (50, 60, 210)]
    frames = [np.full((360, 640, 3), colours[number // 10], np.uint8) for number in range(30)]
    source = reels.source(reels.make_film(tmp_path / "colours.mp4", frames, rate=10))
    canvas = Canvas(width=1280, height=720, rate=Fraction(30))
    timeline = reels.timeline([Clip(start=0, duration=micro(3), material="0")], canvas=canvas)
    made = reels.make(timeline, {"0": source}, tmp_path / "out", form=Format.GIF)
    stream = clips.stream(made.file)
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("gif", 640, 360)
    assert made.frames == 45
    assert made.duration == pytest.approx(3, abs=0.05)
    found = reels.pictures(made.file, size=(640, 360), form="rgb24")
    assert len(found) == 45
    for number, colour in enumerate(colours):
        assert found[number * 15 + 7, 180, 320].tolist() == pytest.approx(colour, abs=8)


def test_a_gif_of_a_slow_film_has_no_more_frames_than_the_film(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    timeline = whole(1, rate=10)
    made = reels.make(timeline, sources, tmp_path / "out", form=Format.GIF)
    assert made.frames == 10
    assert reels.numbers(made.file) == reels.expected(timeline, {"0": even(150)})


def test_mp4_can_be_played_while_it_loads(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    made = reels.make(whole(11, start=0.5), sources, tmp_path / "out")
    names = clips.boxes(made.file)
    assert names.index("moov") < names.index("mdat")
    stream = clips.stream(made.file)
    assert (stream["codec_name"], stream["pix_fmt"], stream["nb_frames"]) == ("h264", "yuv420p", "345")
    assert (stream["r_frame_rate"], stream["avg_frame_rate"]) == ("30/1", "30/1")
    keyframes = clips.keyframes(made.file)
    assert {0.0, 10.5} <= {round(time, 3) for time in keyframes}
    assert max(np.diff([*keyframes, 11.5])) <= 4.0001


def test_progress_never_goes_back_and_ends_at_the_end(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    steps: list[tuple[float, float, str]] = []
    tmp_path.joinpath("out").mkdir()
    film.make(
        *(whole(12, rate=10), sources, tmp_path / "out"),
        recipe=RECIPE,
        threads=1,
        on_progress=lambda *step: steps.append(step),
    )
    assert [step[0] for step in steps] == sorted(step[0] for step in steps)
    assert {step[1] for step in steps} == {12.0}
    assert list(dict.fromkeys(step[2] for step in steps)) == ["sound", "picture", "joining", "done"]
    assert steps[-1] == (12.0, 12.0, "done")
    assert len({step[0] for step in steps if step[2] == "picture"}) > 2


def test_every_program_is_bounded_and_opens_what_it_may(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    calls: list[list[str]] = []

    def run(argv: list[str], /, *, limits: children.Limits, **others: Any) -> children.Finished:
        calls.append(argv)
        assert limits.wall_seconds
        assert limits.memory_bytes
        assert limits.file_bytes is not None
        return children.run(argv, limits=limits, **others)

    (tmp_path / "out").mkdir()
    recipe = replace(RECIPE, format=Format.WEBM)
    film.make(whole(), sources, tmp_path / "out", recipe=recipe, threads=1, run=run, on_progress=lambda *step: None)
    assert {call[0] for call in calls} == {"ffmpeg", "ffprobe"}
    for call in calls:
        if call[0] == "ffmpeg":
            assert "-nostdin" in call
        for place in [number for number, part in enumerate(call) if part == f"file:{sources['0'].path}"]:
            assert "-format_whitelist" in call[place - 10 : place]


def test_a_cancel_that_the_progress_raises_ends_it_at_once(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    class Cancelled(Exception):
        pass

    def on_progress(done: float, whole: float, step: str) -> None:
        if step == "picture":
            raise Cancelled

    (tmp_path / "out").mkdir()
    with pytest.raises(Cancelled):
        film.make(whole(), sources, tmp_path / "out", recipe=RECIPE, threads=1, on_progress=on_progress)


@pytest.mark.parametrize("tracks", [(), (Track(kind=Kind.VIDEO),)], ids=["no track", "no clip"])
def test_an_empty_timeline_is_no_film(tmp_path: Path, tracks: tuple[Track, ...]) -> None:
    with pytest.raises(NothingToSee):
        reels.make(Timeline(tracks=tracks), {}, tmp_path / "out")


def test_a_clip_shorter_than_half_a_frame_is_no_film_either(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    with pytest.raises(NothingToSee):
        reels.make(whole(0.01), sources, tmp_path / "out")


def test_the_shortest_film_has_one_frame(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    made = reels.make(whole(0.02), sources, tmp_path / "out")
    assert made.frames == 1
    assert reels.numbers(made.file) == [13]


@pytest.mark.parametrize("seconds", [4.333, 2.667])
def test_a_film_of_a_frame_a_second_is_as_long_as_its_frames(
    tmp_path: Path, sources: Mapping[str, Source], seconds: float
) -> None:
    """Up to half a second longer or shorter than its timeline."""
    timeline = whole(seconds, rate=1)
    made = reels.make(timeline, sources, tmp_path / "out")
    assert made.frames == round(seconds)
    assert reels.numbers(made.file) == reels.expected(timeline, {"0": even(150)})


def test_a_damaged_material_is_told_from_other_failures(tmp_path: Path) -> None:
    path = reels.make_numbered(tmp_path / "0.mp4", "-movflags", "+faststart", count=50)
    source = reels.source(path)
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = b"\x55" * (len(data) - start)
    path.write_bytes(data)
    with pytest.raises((MediaDamaged, FilmIncomplete)):
        reels.make(whole(1), {"0": source}, tmp_path / "out")


def test_a_material_that_is_gone_fails_and_leaves_no_film(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    gone = replace(sources["0"], path=tmp_path / "gone.mp4")
    with pytest.raises(children.ChildFailed):
        reels.make(whole(1), {"0": gone}, tmp_path / "out")


def test_a_full_disk_is_told_from_a_bad_file(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    """/dev/full answers every write as a full disk does."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sound.m4a").symlink_to("/dev/full")
    with pytest.raises(StorageFull):
        film.make(whole(), sources, tmp_path / "out", recipe=RECIPE, threads=1, on_progress=lambda *step: None)


def test_a_picture_that_lacks_a_frame_is_not_called_complete(
    tmp_path: Path, sources: Mapping[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking.Frames, "verdict", lambda self: "it has 59 frames instead of 60")
    with pytest.raises(FilmIncomplete, match="59 frames instead of 60"):
        reels.make(whole(), sources, tmp_path / "out")


@pytest.mark.parametrize("name", ["-i.mp4", "%d.mp4", "a b'c|d[e];f,g.mp4", "http:x.mp4", "ä\\b:c.mp4"])
def test_no_name_of_a_material_is_read_as_anything_else(
    tmp_path: Path, sources: Mapping[str, Source], name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(sources["0"].path.read_bytes())
    made = reels.make(whole(0.2, rate=10), {"0": replace(sources["0"], path=path)}, tmp_path / "out")
    assert reels.numbers(made.file) == [13, 16]


def test_a_timeline_keeps_half_an_hour_of_frames_in_step() -> None:
    """The lengths of parts are told in microseconds, and a frame of 29.97 has no whole number of them."""
    rate = Fraction(30000, 1001)
    parts = [joining.Part(name=f"{number}.mp4", frames=299) for number in range(180)]
    script = joining.script(joining.Joint(parts=parts, rate=rate, timescale=30_000))
    lengths = [Fraction(line.split()[1]) for line in script.splitlines() if line.startswith("duration")]
    for number in range(180):
        exact = 299 * (number + 1) / rate
        assert abs(sum(lengths[: number + 1]) - exact) <= Fraction(1, 2_000_000)
