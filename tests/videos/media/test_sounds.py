"""Sound by itself: how long it lasts, whatever its file says of that; and what has none."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.videos.clips import make_clip
from videos.media import errors, sounds, transcode
from videos.media.probe import Caps


def make_sound(path: Path, **options: str) -> Path:
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=duration=1.5"]
    argv += [part for name, value in options.items() for part in (f"-{name}", value)]
    with path.open("wb") as file:  # not a file to ffmpeg: it can't go back and write how long it became
        subprocess.run([*argv, "-"], check=True, stdin=subprocess.DEVNULL, stdout=file)
    return path


def measure(source: Path, **caps: Any) -> float:
    workshop = transcode.Workshop(folder=source.parent, threads=1)
    return sounds.measure(source, workshop, caps=Caps(**caps))


@pytest.mark.parametrize(
    "options",
    [
        {"f": "mp3"},
        {"f": "mp3", "write_xing": "0"},
        {"f": "wav"},
        {"f": "flac"},
        {"f": "adts"},
        {"f": "ogg", "c:a": "libopus"},
        {"f": "webm", "c:a": "libopus"},
        {"f": "ipod", "c:a": "aac", "movflags": "frag_keyframe+empty_moov"},
    ],
    ids=str,
)
def test_sound_of_every_kind_is_measured_whatever_its_head_says(tmp_path: Path, options: dict[str, str]) -> None:
    assert measure(make_sound(tmp_path / "in.jpg", **options)) == pytest.approx(1.5, abs=0.06)


def test_of_a_film_the_sound_is_heard(tmp_path: Path) -> None:
    film = make_clip(tmp_path / "in.mp4", seconds=1, size="160x120")
    assert measure(film, pixels=1) == pytest.approx(1, abs=0.06), "its picture is not decoded"
    found = sounds.probe(film, transcode.Workshop(folder=tmp_path, threads=1))
    assert (found.video, found.audio is not None) == (None, True)


def test_a_head_that_lies_is_not_believed(tmp_path: Path) -> None:
    sound = bytearray(make_sound(tmp_path / "in.wav", f="wav").read_bytes())
    place = sound.index(b"data") + 4
    sound[place : place + 4] = struct.pack("<I", 2**31 - 1)
    (tmp_path / "in.wav").write_bytes(sound)
    assert measure(tmp_path / "in.wav") == pytest.approx(1.5, abs=0.06)


def test_what_has_nothing_to_hear_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.MediaNoSound):
        measure(make_clip(tmp_path / "in.mp4", seconds=0.2, size="160x120", sound=False))


@pytest.mark.parametrize(
    "data", [b"not a sound", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", b"ffconcat version 1.0"]
)
def test_what_is_no_sound_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in.mp3").write_bytes(data)
    with pytest.raises(errors.MediaError):
        measure(tmp_path / "in.mp3")


def test_a_picture_is_no_sound(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "in.mp3", "PNG")
    with pytest.raises(errors.NotAVideo):
        measure(tmp_path / "in.mp3")


def test_sound_whose_end_is_missing_is_refused(tmp_path: Path) -> None:
    film = make_clip(tmp_path / "in.mp4", seconds=1, size="160x120")
    film.write_bytes(film.read_bytes()[:-5000])
    with pytest.raises(errors.MediaTruncated):
        measure(film)


def test_more_than_is_accepted_is_refused(tmp_path: Path) -> None:
    sound = make_sound(tmp_path / "in.flac", f="flac")
    with pytest.raises(errors.MediaTooLong):
        measure(sound, seconds=1.4)
