"""What an uploaded MP4 says of its frames is read with care, and what it says that is not so is no part of a film."""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.test_splicing import OPEN, REORDERED
from videos.timeline import boxes, parameters, samples
from videos.timeline.samples import Unfit

COUNT = 72


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("materials") / "0.mp4"
    return reels.make_numbered(path, *REORDERED, "-movflags", "+faststart", count=COUNT, rate=30, sound=True)


def test_where_a_film_may_begin_and_end(material: Path) -> None:
    found = samples.read(material, rate=Fraction(30))
    assert (found.count, found.begins, found.delay) == (COUNT, [0, 24, 48], 2)
    packets = clips.look_at(material, "-select_streams", "v", "-show_entries", "packet=pts,dts")["packets"]
    assert list(found.decoded) == [packet["dts"] for packet in packets]
    order = [packet["pts"] // found.ticks for packet in packets]
    assert list(found.closed) == [n for n in range(COUNT + 1) if set(order[:n]) == set(range(n))]
    assert {0, 24, 48, COUNT} <= set(found.closed)
    assert (found.begin(1), found.begin(48), found.begin(49), found.begun(72), found.begun(48)) == (
        24,
        48,
        None,
        48,
        24,
    )
    assert found.end(71) < 71
    assert found.ended(71) == 72


def test_frames_that_lead_a_keyframe_belong_to_those_before_it(tmp_path: Path) -> None:
    path = reels.make_numbered(tmp_path / "0.mp4", *OPEN, count=COUNT, rate=30)
    assert len(clips.keyframes(path)) == 3
    assert samples.read(path, rate=Fraction(30)).begins == [0]


BOXES = (
    b"mvhd",
    b"mdia",
    b"hdlr",
    b"mdhd",
    b"minf",
    b"stbl",
    b"stsd",
    b"avc1",
    b"avcC",
    b"stts",
    b"stsz",
    b"stsc",
    b"stco",
)


@pytest.mark.parametrize("name", BOXES)
def test_a_file_without_one_of_its_tables_is_unfit(material: Path, tmp_path: Path, name: bytes) -> None:
    start, moov, rest = material.read_bytes().partition(b"moov")
    assert refused(start + moov + rest.replace(name, b"free", 1), tmp_path)


@pytest.mark.parametrize("name", [b"stts", b"ctts", b"stsz", b"stsc", b"stco", b"elst", b"stsd"])
@pytest.mark.parametrize("number", [0, 7, 2**32 - 1])
def test_a_table_of_another_length_is_unfit_at_once(material: Path, tmp_path: Path, name: bytes, number: int) -> None:
    """Or it says nothing that matters: no list of edits, and no frame that is put off."""
    data = bytearray(material.read_bytes())
    place = data.index(name) + (12 if name == b"stsz" else 8)
    data[place : place + 4] = number.to_bytes(4)
    assert refused(bytes(data), tmp_path)


def test_a_packet_that_lies_beyond_the_file_is_none(material: Path, tmp_path: Path) -> None:
    data = bytearray(material.read_bytes())
    place = data.index(b"stco") + 12
    data[place : place + 4] = (2**32 - 1).to_bytes(4)
    assert refused(bytes(data), tmp_path)


def test_a_table_with_more_rows_than_frames_is_not_read() -> None:
    table = boxes.Box(struct.pack(">II", 0, 5) + struct.pack(">II", 0, 70_000) * 5)
    assert len(table.pairs(">II", most=5)) == 5
    with pytest.raises(boxes.BROKEN):
        table.pairs(">II", most=4)


def test_runs_of_chunks_that_go_back_are_unfit(material: Path, tmp_path: Path) -> None:
    """Each of millions would have all chunks read again."""
    data = bytearray(material.read_bytes())
    place = data.index(b"stsc") + 12
    data[place : place + 4] = (9).to_bytes(4)
    assert refused(bytes(data), tmp_path)


def test_what_is_cut_off_or_is_no_mp4_is_unfit(material: Path, tmp_path: Path) -> None:
    data = material.read_bytes()
    for bad in (b"", b"no film", data[:-100], data[:700], data.replace(b"moov", b"\0\0\0\0", 1)):
        assert refused(bad, tmp_path)
    # A box beyond all others that says that it is none, in 64 bits: nobody reads it for ever.
    assert refused(b"\0\0\0\x08ftyp\0\0\0\x08meta" + b"\0\0\0\x01none" + bytes(8) + bytes(64), tmp_path)


def test_frames_with_parameter_sets_of_their_own_are_unfit(tmp_path: Path) -> None:
    """They would be decoded with those of whatever stands before them."""
    path, other = tmp_path / "0.mp4", tmp_path / "1.mp4"
    reels.make_numbered(path, *REORDERED, count=24, rate=30)
    clips.ffmpeg("-i", path, "-c", "copy", "-bsf:v", "h264_mp4toannexb", other)
    assert samples.read(other, rate=Fraction(30)).begins == [0]  # the very same sets do no harm
    sets = samples.read(path, rate=Fraction(30)).sets
    data = bytearray(other.read_bytes())
    place = data.index(sets.sequence[0], data.index(b"mdat"))
    data[place + 5] ^= 0xFF
    assert refused(bytes(data), tmp_path) == "changes the way in which it is encoded"


def test_sets_of_two_encodings_stand_side_by_side(material: Path, tmp_path: Path) -> None:
    sets = samples.read(material, rate=Fraction(30)).sets
    assert parameters.read(sets.written()) == sets
    assert (sets.numbers, sets.free, sets.profile) == ({0}, 1, 100)
    path = tmp_path / "other.mp4"
    clips.ffmpeg("-i", material, "-an", *clips.H264, "-level", "5", "-x264-params", "sps-id=7", path)
    other = samples.read(path, rate=Fraction(30)).sets
    both = sets.beside(other)
    assert (both.numbers, both.profile, both.level) == ({0, 7}, 100, 50)
    parameters.retold(path, tmp_path / "retold.mp4", both)
    assert samples.read(tmp_path / "retold.mp4", rate=Fraction(30)).sets == both
    assert len(reels.numbers(tmp_path / "retold.mp4")) == COUNT


@pytest.mark.parametrize("data", [b"", b"\x01", bytes(40), b"\x01d\0\x1f\xff\xe1\xff\xffgd", b"\x01d\0\x1f\xff\xe0\0"])
def test_no_sets_at_all(data: bytes) -> None:
    with pytest.raises(boxes.BROKEN):
        parameters.read(data)


def refused(data: bytes, folder: Path) -> str:
    path = folder / "bad.mp4"
    path.write_bytes(data)
    with pytest.raises(Unfit) as caught:
        samples.read(path, rate=Fraction(30))
    return str(caught.value)


def test_sets_that_leave_no_room_or_have_no_number_are_refused(material: Path) -> None:
    sets = samples.read(material, rate=Fraction(30)).sets
    (sequence,), (picture,) = sets.sequence, sets.picture
    unnumbered = picture[:1] + bytes(16)
    assert parameters.read(replace(sets, sequence=(sequence,) * 30, picture=(picture,) * 254).written())
    for wrong in (
        replace(sets, sequence=(sequence,) * 31),
        replace(sets, picture=(picture,) * 255),
        replace(sets, picture=(picture, unnumbered)),
    ):
        with pytest.raises(boxes.BROKEN):
            parameters.read(wrong.written())
