"""The tables of an MP4 tell what ffprobe tells packet by packet."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.videos.media import clips
from tests.videos.timeline import reels
from videos.timeline import tables
from videos.timeline.tables import PICTURE, SOUND, Tables


def read(path: Path) -> Tables:
    found = tables.read(path)
    assert found
    return found


FILES: dict[str, tuple[tuple[str, ...], Fraction | int]] = {
    "frames out of order": (("-bf", "3"), 25),
    "the start at the end": (("-bf", "2", "-movflags", "+faststart"), Fraction(30000, 1001)),
    "another clock": (("-video_track_timescale", "90000"), 24),
}


@pytest.mark.parametrize("name", FILES)
def test_times_are_those_that_ffprobe_tells(tmp_path: Path, name: str) -> None:
    options, rate = FILES[name]
    path = reels.make_numbered(tmp_path / "0.mp4", *options, count=40, rate=rate, sound=True)
    found = read(path)
    picture, sound = found.track(PICTURE), found.track(SOUND)
    assert picture
    assert sound
    assert sorted(picture.times()) == pytest.approx(clips.frame_times(path), abs=1e-6)
    assert (picture.count, sound.count) == (40, int(clips.stream(path, "audio")["nb_frames"]))
    assert found.seconds == pytest.approx(float(clips.look_at(path)["format"]["duration"]), abs=0.002)


def test_a_picture_that_begins_late_does_so_here_too(tmp_path: Path) -> None:
    plain = reels.make_numbered(tmp_path / "0.mp4", "-bf", "2", count=20)
    late = tmp_path / "late.mp4"
    tone = ("-f", "lavfi", "-i", "sine=duration=1")
    clips.ffmpeg(*tone, "-itsoffset", "0.5", "-i", plain, "-map", "1", "-map", "0", "-c:v", "copy", late)
    picture = read(late).track(PICTURE)
    assert picture
    assert min(picture.times()) == pytest.approx(0.5, abs=0.001)


def test_what_is_no_whole_mp4_has_no_tables(tmp_path: Path) -> None:
    path = reels.make_numbered(tmp_path / "0.mp4", "-movflags", "+faststart", count=20)
    data = path.read_bytes()
    for bad in (b"", b"no film at all, but some text", data[:-10], data[:1000]):
        path.write_bytes(bad)
        assert tables.read(path) is None
    clips.ffmpeg("-f", "lavfi", "-i", "testsrc=duration=0.2", tmp_path / "0.mkv")
    assert tables.read(tmp_path / "0.mkv") is None


def test_tables_that_make_no_sense_are_no_tables(tmp_path: Path) -> None:
    path = reels.make_numbered(tmp_path / "0.mp4", "-bf", "2", count=20, sound=True)
    data = path.read_bytes()
    for name in (b"mvhd", b"mdia", b"stbl", b"stsz", b"mdhd", b"hdlr"):
        path.write_bytes(data.replace(name, b"free", 1))
        assert tables.read(path) is None, name
