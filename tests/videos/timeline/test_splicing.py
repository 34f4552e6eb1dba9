"""Films of trimmed clips: between keyframes they are encoded, else copied, and each frame is the right one."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jobs import children
from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.reels import even
from tests.videos.timeline.test_copying import packets
from tests.videos.timeline.test_packets import heard
from videos.timeline import film, splicing
from videos.timeline.film import Film, Format, Recipe, Source
from videos.timeline.model import Clip, Timeline, Transition
from videos.timeline.motion import Transform
from videos.timeline.shelf import Shelf
from videos.timeline.splicing import Spliced
from videos.timeline.values import SECOND

COUNT = 120
NTSC = Fraction(30000, 1001)
B_FRAMES = ("-preset", "veryfast", "-bf", "3", "-b_strategy", "0", "-sc_threshold", "0")
REORDERED = (*B_FRAMES, "-g", "24", "-keyint_min", "24")
PLAIN = ("-bf", "0", "-g", "24", "-sc_threshold", "0")
COPIED = "The clips were joined without encoding their pictures again."


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    """Keyframes before each 24th frame; two frames are decoded before they are shown."""
    folder = tmp_path_factory.mktemp("materials")
    return {
        name: reels.source(
            reels.make_numbered(
                folder / f"{name}.mp4", *REORDERED, count=COUNT, rate=30, material=int(name), sound=True
            )
        )
        for name in ("0", "1")
    }


def row(*shots: tuple[str, int, int], rate: Fraction | int = 30) -> Timeline:
    """Clips one after the other: of a material, from a frame on, so many frames."""
    pieces, at = [], 0
    for name, first, length in shots:
        start, end, begin = (round(frame * SECOND / Fraction(rate)) for frame in (at, at + length, first))
        pieces.append(Clip(start=start, duration=end - start, material=name, source_start=begin))
        at += length
    return reels.timeline(pieces, rate=rate)


def check(made: Film, whole: Timeline, *, copied: int, count: int = COUNT) -> None:
    """Each frame is the one that the timeline says, at its place, and so many are copied."""
    rate = whole.canvas.rate
    times = {str(name): even(count, rate) for name in range(3)}
    assert reels.numbers(made.file) == reels.expected(whole, times)
    assert (made.frames_copied, made.copied) == (copied, copied == whole.frames), made.reason
    packets = clips.look_at(made.file, "-select_streams", "v", "-show_entries", "packet=pts_time,dts_time")["packets"]
    shown, decoded = (sorted(float(packet[name]) for packet in packets) for name in ("pts_time", "dts_time"))
    assert shown == pytest.approx([float(n / rate) for n in range(whole.frames)], abs=1e-6)
    if not made.copied:
        assert np.diff(decoded) == pytest.approx(np.full(whole.frames - 1, float(1 / rate)), abs=2e-6)
    assert len(decoded_without_errors(made.file)) == whole.frames


def decoded_without_errors(path: Path) -> list[str]:
    """A hash of each frame of the picture, as it is shown."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-f", "framemd5", "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return [line.split(",")[-1].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


def test_a_clip_that_is_cut_at_keyframes_is_copied(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    whole = row(("0", 24, 48), ("1", 72, 48), ("0", 0, 24))
    made = reels.make(whole, sources, tmp_path / "out")
    check(made, whole, copied=120)
    assert (made.reason, made.encoded, made.reused) == (COPIED, 0, 0)
    zero, one = (packets(sources[name].path) for name in ("0", "1"))
    assert packets(made.file) == [*zero[24:72], *one[72:], *zero[:24]]
    assert clips.stream(made.file)["codec_tag_string"] == "avc1"


def test_a_clip_that_is_cut_between_keyframes_is_encoded_at_its_edges(
    tmp_path: Path, sources: Mapping[str, Source]
) -> None:
    whole = row(("0", 13, 90), ("1", 24, 47), ("0", 50, 60), ("1", 30, 5))
    made = reels.make(whole, sources, tmp_path / "out")
    copied = made.frames_copied
    check(made, whole, copied=copied)
    assert 140 <= copied < 90 + 47 + 60
    assert made.reason == (
        f"{copied} of 202 frames were copied without encoding them again; the others were encoded, because "
        "clip 4 has too few frames from a keyframe on and clips are cut between keyframes."
    )
    theirs = {one for source in sources.values() for one in packets(source.path)}
    assert sum(one in theirs for one in packets(made.file)) == copied


MADE: Mapping[str, tuple[tuple[str, ...], Fraction | int]] = {
    "no frame is decoded before another that is shown earlier": (PLAIN, 30),
    "one is": ((*REORDERED, "-x264-params", "b-pyramid=none"), 25),
    "all are decoded earlier than they need": ((*REORDERED, "-bsf:v", "setts=pts=PTS:dts=DTS-3/30/TB"), 30),
    "30000/1001 frames a second": (REORDERED, NTSC),
    "another clock": ((*REORDERED, "-video_track_timescale", "90000"), NTSC),
    "nothing is said of its colours": ((*REORDERED, "-colorspace", "unknown"), 30),
}


@pytest.mark.parametrize("name", MADE)
def test_every_frame_is_in_its_place_however_the_material_was_made(tmp_path: Path, name: str) -> None:
    options, rate = MADE[name]
    source = reels.source(reels.make_numbered(tmp_path / "0.mp4", *options, count=COUNT, rate=rate))
    whole = row(("0", 40, 70), ("0", 20, 41), ("0", 24, 72), rate=rate)
    made = reels.make(whole, {"0": source}, tmp_path / "out", form=Format.MOV)
    check(made, whole, copied=made.frames_copied)
    assert made.frames_copied > 130
    mine, theirs = clips.stream(made.file), clips.stream(source.path)
    for said in ("pix_fmt", "color_space", "time_base", "has_b_frames"):
        assert mine.get(said) == theirs.get(said), said


def test_a_clip_that_begins_within_a_frame_shows_what_it_would_if_it_were_drawn(
    tmp_path: Path, sources: Mapping[str, Source]
) -> None:
    def at(frames: float) -> int:
        return round(frames * SECOND / 30)

    first = Clip(start=0, duration=at(50.4), material="0", source_start=at(10.3))
    second = Clip(start=at(50.4), duration=at(69.9), material="1", source_start=at(25.3))
    whole = reels.timeline([first, second])
    made = reels.make(whole, sources, tmp_path / "out")
    check(made, whole, copied=made.frames_copied)
    assert made.frames_copied > 70


OPEN = ("-preset", "veryfast", "-x264-params", "open-gop=1:keyint=24:min-keyint=24:scenecut=0:bframes=3:b-adapt=0")
RARE = (*B_FRAMES, "-g", "1000", "-keyint_min", "1000")


@pytest.mark.parametrize("options", [OPEN, RARE], ids=["frames lead its keyframes", "one keyframe"])
def test_a_film_begins_with_no_frame_that_needs_others(tmp_path: Path, options: tuple[str, ...]) -> None:
    source = reels.source(reels.make_numbered(tmp_path / "0.mp4", *options, count=COUNT, rate=30))
    whole = row(("0", 0, 70))
    made = reels.make(whole, {"0": source}, tmp_path / "first")
    check(made, whole, copied=made.frames_copied)
    assert made.frames_copied > 60
    whole = row(("0", 24, 70))
    made = reels.make(whole, {"0": source}, tmp_path / "second")
    check(made, whole, copied=0)
    assert made.reason == "The pictures were encoded, because clip 1 has too few frames from a keyframe on."


def test_a_material_with_a_list_of_edits_is_encoded(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    path = tmp_path / "0.mp4"
    clips.ffmpeg("-ss", "0.5", "-i", sources["0"].path, "-c", "copy", "-an", path)
    whole = row(("0", 10, 60))
    made = reels.make(whole, {"0": reels.source(path)}, tmp_path / "out")
    assert made.reason == "The pictures were encoded, because clip 1 has a list of edits that leaves frames out."
    assert reels.numbers(made.file) == reels.expected(whole, {"0": [(n - 15) / 30 for n in range(COUNT)]})


def test_a_frame_is_no_keyframe_because_the_tables_say_so(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    path = tmp_path / "0.mp4"
    path.write_bytes(sources["0"].path.read_bytes().replace(b"stss", b"free"))
    whole = row(("0", 13, 90))
    made = reels.make(whole, {"0": reels.source(path)}, tmp_path / "out")
    check(made, whole, copied=made.frames_copied)
    assert 70 <= made.frames_copied <= 79


def test_what_is_damaged_is_not_copied_where_it_is_seen(tmp_path: Path) -> None:
    path = reels.make_numbered(tmp_path / "0.mp4", *PLAIN, count=COUNT, rate=30)
    packets = clips.look_at(path, "-show_entries", "packet=pos,size")["packets"]
    data = bytearray(path.read_bytes())
    place, size = (int(packets[80][name]) for name in ("pos", "size"))
    data[place + 6 : place + size] = b"\xff" * (size - 6)
    path.write_bytes(data)
    made = reels.make(row(("0", 24, 60), ("0", 0, 24)), {"0": reels.source(path)}, tmp_path / "out")
    assert (made.copied, made.frames_copied, made.frames) == (False, 0, 84)
    assert made.reason == (
        "The pictures were encoded, because the clips did not join well: "
        "around its seams it can't be decoded without errors."
    )


def test_packets_of_another_time_are_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def misplaced(*given: Any) -> Spliced:
        spliced = splicing.splice(*given)
        parts = [replace(part, begin=part.begin - 1) for part in spliced.joint.parts]  # second
        ends = [replace(part, end=part.end and part.end - 1) for part in parts]
        return replace(spliced, joint=replace(spliced.joint, parts=ends))

    monkeypatch.setattr(film, "splicing", SimpleNamespace(splice=misplaced))
    source = reels.source(reels.make_numbered(tmp_path / "0.mp4", *REORDERED, count=COUNT, rate=24))
    whole = row(("0", 48, 48), rate=24)
    made = reels.make(whole, {"0": source}, tmp_path / "out")
    assert made.reason.endswith("did not join well: what was copied is not what the materials show.")
    check(made, whole, copied=0)


def test_what_is_drawn_is_encoded_and_what_is_not_is_copied(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    plain = row(("0", 0, 120), ("1", 24, 48), ("0", 24, 60))
    first, second, third = plain.tracks[0].clips
    pale = replace(second, transform=Transform(opacity=0.9))
    above = replace(pale, start=SECOND, duration=SECOND, source_start=0)
    late = replace(third, start=third.start + SECOND)
    whole = reels.timeline([first, pale, late], [above])
    made = reels.make(whole, sources, tmp_path / "out")
    check(made, whole, copied=made.frames_copied)
    assert made.frames_copied >= 30 + 48 + 60 - 3 * 3
    assert made.reason.endswith(
        "because clip 1 is moved, cut, turned or blended and clip 2 is moved, cut, turned or blended and "
        "there are gaps between the clips."
    )


def test_a_clip_that_gives_way_is_copied_until_it_does(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    plain = row(("0", 0, 60), ("1", 24, 72))
    first, second = plain.tracks[0].clips
    whole = reels.timeline([replace(first, transition=Transition(duration=SECOND // 3)), second])
    made = reels.make(whole, sources, tmp_path / "out")
    apart = [*range(55), *range(65, 132)]
    shown, expected = reels.numbers(made.file), reels.expected(plain, {name: even(COUNT, 30) for name in ("0", "1")})
    assert [shown[frame] for frame in apart] == [expected[frame] for frame in apart]
    assert 55 - 3 + 48 <= made.frames_copied <= 55 + 48
    assert "because clip 1 gives way to the next one by and by and clips are cut between keyframes." in made.reason


def test_what_is_hidden_below_does_not_matter(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    above = row(("0", 24, 48))
    whole = replace(above, tracks=(*row(("1", 5, 48)).tracks, *above.tracks))
    check(reels.make(whole, sources, tmp_path / "out"), whole, copied=48)


def test_colours_that_are_not_stated_stand_beside_nothing_that_is_drawn(tmp_path: Path) -> None:
    options = (*REORDERED, "-colorspace", "unknown")
    source = reels.source(reels.make_numbered(tmp_path / "0.mp4", *options, count=48, rate=30))
    whole = row(("0", 0, 24), ("0", 24, 24))
    first, second = whole.tracks[0].clips
    pale = replace(second, transform=Transform(opacity=0.9))
    made = reels.make(reels.timeline([first, pale]), {"0": source}, tmp_path / "out")
    assert made.frames_copied == 0
    assert made.reason == (
        "The pictures were encoded, because clip 2 is moved, cut, turned or blended, "
        "and the clips are not said to have the colours of BT.709."
    )


def test_clips_of_another_kind_are_encoded_beside_those_that_are_copied(
    tmp_path: Path, sources: Mapping[str, Source]
) -> None:
    other = reels.source(reels.make_numbered(tmp_path / "2.mp4", *PLAIN, count=COUNT, rate=30, material=2))
    whole = row(("0", 0, 72), ("2", 24, 48))
    made = reels.make(whole, {**sources, "2": other}, tmp_path / "out")
    check(made, whole, copied=72)
    assert made.reason.endswith("because clip 2 is not encoded in the same way as clip 1.")


def test_the_sound_is_in_its_place(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    whole = row(("0", 13, 60), ("1", 24, 48))
    made = reels.make(whole, sources, tmp_path / "out")
    assert made.frames_copied
    alone = reels.make(whole, sources, tmp_path / "alone", form=Format.M4A)
    np.testing.assert_array_equal(heard(made.file), heard(alone.file))
    streams = clips.look_at(made.file)["streams"]
    assert {stream["codec_type"]: float(stream["start_time"]) for stream in streams} == {"video": 0, "audio": 0}


def test_a_seam_that_was_sound_is_not_decoded_again(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    shelf = Shelf(tmp_path / "shelf", most=2**30)
    decoded: list[int] = []

    def run(argv: list[str], /, *, cwd: Path, **others: Any) -> children.Finished:
        if "framemd5" in argv and "concat" in argv:
            decoded.append((cwd / "seams.txt").read_text().count("inpoint"))
        return children.run(argv, cwd=cwd, **others)

    def make(whole: Timeline, name: str) -> Film:
        (tmp_path / name).mkdir()
        recipe = Recipe(format=Format.MP4, crf=16, preset="ultrafast")
        said: Any = {"recipe": recipe, "threads": 1, "run": run, "on_progress": lambda *step: None, "cache": shelf}
        return film.make(whole, sources, tmp_path / name, **said)

    shots = [("0", 13, 50), ("1", 24, 48), ("0", 24, 60), ("1", 0, 48), ("0", 72, 48)]
    first = make(row(*shots), "first")
    again = make(row(*shots), "again")
    assert len(decoded) == 1
    assert (first.reused, again.encoded, again.reused) == (0, 0, first.encoded)
    assert decoded_without_errors(first.file) == decoded_without_errors(again.file)
    changed = row(*shots[:-1], ("0", 48, 48))
    check(make(changed, "changed"), changed, copied=first.frames_copied)
    assert decoded[1:] == [1]
