"""Whether a file is all there, told without decoding."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.videos.media import clips
from videos.media import extent
from videos.media.extent import Extent


def cut(source: Path, *, at: float) -> Path:
    data = source.read_bytes()
    short = source.with_name(f"cut{source.suffix}")
    short.write_bytes(data[: int(len(data) * at)])
    return short


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.mp4", ()),
        ("clip.mp4", ("-movflags", "+faststart")),
        ("clip.mov", ()),
        ("clip.mkv", ()),
        ("clip.webm", ()),
    ],
)
def test_a_whole_file_is_whole_and_a_cut_one_is_cut(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    codec = ("-c:v", "libvpx", "-c:a", "libopus") if name.endswith("webm") else clips.H264
    source = clips.make_clip(tmp_path / name, *options, size="160x90", codec=codec)
    assert extent.of(source) is Extent.WHOLE
    for share in (0.3, 0.9, 0.999):
        assert extent.of(cut(source, at=share)) is Extent.CUT


def test_an_mp4_without_its_index_is_cut(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", size="160x90")
    data = source.read_bytes()
    source.write_bytes(data[: data.index(b"moov") - 4])
    assert extent.of(source) is Extent.CUT


def test_a_fragmented_mp4_leaves_it_open(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", "-movflags", "frag_keyframe+empty_moov", size="160x90")
    assert extent.of(source) is Extent.UNKNOWN
    assert extent.of(cut(source, at=0.5)) is Extent.CUT


def test_a_live_recording_leaves_it_open(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mkv", "-live", "1", size="160x90")
    assert extent.of(source) is Extent.UNKNOWN


def test_bytes_after_the_last_box_do_no_harm(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", size="160x90")
    id3v1, ape = b"TAG" + b"Title".ljust(125, b"\x00"), b"APETAGEX" + bytes(24)
    for trailer in (b"\x00" * 7, b"\x00" * 4000, b"\x00\x00\x00\x05trailer", id3v1, ape, bytes(range(255, 0, -1))):
        longer = tmp_path / "longer.mp4"
        longer.write_bytes(source.read_bytes() + trailer)
        assert extent.of(longer) is not Extent.CUT


@pytest.mark.parametrize("content", [b"", b"\x1a", b"\x1a\x45\xdf\xa3", b"text, no more", b"\x00" * 64])
def test_what_is_neither_is_unknown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert extent.of(tmp_path / "file") is Extent.UNKNOWN
