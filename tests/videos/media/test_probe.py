"""`probe.parse` reads what ffprobe says, whatever ffprobe says; `probe.check` refuses before any decode."""

from __future__ import annotations

import contextlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import children
from tests.videos.media import clips
from videos.media import errors, probe, sandbox
from videos.media.probe import Caps, Probe

INT64_MIN = -(2**63)


def read(source: Path) -> Probe:
    said = children.run(probe.command(source), cwd=source.parent, limits=sandbox.probing()).stdout
    return probe.parse(said)


def picture(**changes: Any) -> dict[str, Any]:
    return {
        "index": 0,
        "codec_type": "video",
        "codec_name": "h264",
        "width": 1920,
        "height": 1080,
        "pix_fmt": "yuv420p",
        "avg_frame_rate": "25/1",
        "r_frame_rate": "25/1",
        "duration": "10.0",
    } | changes


def sound(**changes: Any) -> dict[str, Any]:
    return {
        "index": 1,
        "codec_type": "audio",
        "codec_name": "aac",
        "channels": 2,
        "sample_rate": "48000",
    } | changes


def answer(*streams: object, **container: Any) -> Probe:
    form = {"format_name": "mov,mp4", "duration": "10.0"} | container
    return probe.parse(json.dumps({"streams": streams, "format": form}))


def video_of(**changes: Any) -> probe.VideoStream:
    video = answer(picture(**changes)).video
    assert video is not None
    return video


def turned(rotation: object) -> dict[str, Any]:
    return {"side_data_list": [{"side_data_type": "Display Matrix", "rotation": rotation}]}


def test_a_real_file_is_read(tmp_path: Path) -> None:
    found = read(clips.make_clip(tmp_path / "clip.mp4", "-pix_fmt", "yuv420p"))
    assert found.video is not None
    assert found.audio is not None
    assert (found.video.codec, found.video.width, found.video.height) == ("h264", 640, 360)
    assert (found.video.frame_rate, found.video.variable) == (Fraction(25), False)
    assert found.video.duration == pytest.approx(2)
    assert (found.audio.codec, found.audio.channels, found.audio.sample_rate) == ("aac", 2, 44100)
    assert found.container.startswith("mov,mp4")


@pytest.mark.parametrize(("degrees", "size"), [(90, (360, 640)), (180, (640, 360)), (270, (360, 640))])
def test_rotation_is_clockwise_and_turns_the_display_size(tmp_path: Path, degrees: int, size: tuple[int, int]) -> None:
    plain = clips.make_clip(tmp_path / "plain.mp4", seconds=0.2, sound=None)
    video = read(clips.make_rotated(tmp_path / "turned.mp4", plain, degrees=degrees)).video
    assert video is not None
    assert video.rotation == degrees
    assert (video.display_width, video.display_height) == size
    assert (video.width, video.height) == (640, 360)


@pytest.mark.parametrize(
    ("stated", "degrees"),
    [(-90, 90), (90, 270), ("-90.00", 90), (-180, 180), (360, 0), (89.5, 270), (-270, 270)],
)
def test_right_angles_are_normalised(stated: object, degrees: int) -> None:
    assert video_of(**turned(stated)).rotation == degrees


@pytest.mark.parametrize("stated", [INT64_MIN, 45, "nan", "inf", "east", None, [], True, 1e300])
def test_a_rotation_that_ffmpeg_would_not_act_upon_is_none(stated: object) -> None:
    assert video_of(**turned(stated)).rotation == 0


@pytest.mark.parametrize(
    ("average", "grid", "rate", "variable"),
    [
        ("30000/1001", "30000/1001", Fraction(30000, 1001), False),
        ("1000/1", "60/1", Fraction(60), True),
        ("25/1", "1/0", Fraction(25), True),
        ("90000/1", "90000/1", None, True),
        ("0/0", "0/0", None, True),
        ("630000/47281", "30/1", Fraction(630000, 47281), True),
        ("240/1", "240/1", Fraction(240), False),
        ("-25/1", "x/y", None, True),
    ],
)
def test_frame_rates_that_lie_are_not_believed(average: str, grid: str, rate: Fraction | None, variable: bool) -> None:
    video = video_of(avg_frame_rate=average, r_frame_rate=grid)
    assert (video.frame_rate, video.variable) == (rate, variable)


@pytest.mark.parametrize(
    ("sar", "width"),
    [("4:3", 2560), ("1:1", 1920), ("0:1", 1920), ("N/A", 1920), ("1:9999", 1920), (None, 1920)],
)
def test_pixels_that_are_not_square_change_the_display_width(sar: object, width: int) -> None:
    video = video_of(sample_aspect_ratio=sar)
    assert (video.display_width, video.display_height) == (width, 1080)


@pytest.mark.parametrize(
    ("pix_fmt", "depth"),
    [("yuv420p", 8), ("yuv420p10le", 10), ("p010le", 10), ("yuv444p12be", 12), ("gray16le", 16), ("nv12", 8)],
)
def test_bit_depth_is_read_from_the_pixel_format(pix_fmt: str, depth: int) -> None:
    assert video_of(pix_fmt=pix_fmt).bit_depth == depth


def test_hdr_and_interlacing_are_recognised() -> None:
    assert video_of(color_transfer="smpte2084").hdr == "pq"
    assert video_of(color_transfer="arib-std-b67").hdr == "hlg"
    assert video_of(color_transfer="bt709").hdr is None
    assert video_of(field_order="tt").interlaced
    assert not video_of(field_order="progressive").interlaced


@pytest.mark.parametrize(
    ("stated", "matrix"), [("bt709", "bt709"), ("smpte170m", "smpte170m"), ("unknown", None), (None, None), (7, None)]
)
def test_the_matrix_of_the_colours_is_read_where_it_is_stated(stated: object, matrix: str | None) -> None:
    assert video_of(color_space=stated).matrix == matrix


def test_cover_art_is_no_video(tmp_path: Path) -> None:
    clips.ffmpeg("-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1", tmp_path / "cover.png")
    clips.ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-ac", "2", tmp_path / "plain.mp3")
    clips.ffmpeg(
        *("-i", tmp_path / "plain.mp3", "-i", tmp_path / "cover.png", "-map", "0", "-map", "1", "-c", "copy"),
        *("-disposition:v", "attached_pic", tmp_path / "song.mp3"),
    )
    found = read(tmp_path / "song.mp3")
    assert found.video is None
    assert found.audio is not None
    assert found.unusable == ()


def test_the_default_stream_is_chosen_and_else_the_largest() -> None:
    small = picture(index=2, width=640, height=360)
    found = answer(small, picture(index=3))
    assert found.video is not None
    assert found.video.index == 3
    found = answer(small | {"disposition": {"default": 1}}, picture(index=3))
    assert found.video is not None
    assert found.video.index == 2


def test_tags_are_not_asked_for(tmp_path: Path) -> None:
    """As JSON the bytes of this one are six times as many, which is more than is read of any program."""
    clip = clips.make_clip(tmp_path / "clip.mp4", seconds=0.2)
    (tmp_path / "tags").write_bytes(b";FFMETADATA1\ncomment=" + b"\x01" * 4_000_000)
    clips.ffmpeg("-i", clip, "-i", tmp_path / "tags", "-map_metadata", "1", "-c", "copy", tmp_path / "loud.mp4")
    assert read(tmp_path / "loud.mp4").video is not None


def test_a_length_that_stands_in_a_tag_is_read() -> None:
    assert video_of(duration=None, tags={"DURATION": "01:02:03.500000000"}).duration == 3723.5
    assert video_of(duration="N/A", tags={"DURATION": "soon"}).duration is None
    # Of a cut from the middle it is where that ends.
    assert video_of(duration=None, start_time="60.5", tags={"DURATION": "00:01:02.0"}).duration == 1.5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("1/0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = [*picture(), *sound(), "sample_aspect_ratio", "tags", "disposition", "side_data_list", "field_order"]


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.dictionaries(st.sampled_from(KEYS), JSON), JSON)
def test_nothing_in_odd_json_raises_anything_but_errors_about_the_file(
    video: dict[str, Any], audio: dict[str, Any], anything: Any
) -> None:
    for text in (
        json.dumps(
            {
                "streams": [picture(**video), sound(**audio), anything],
                "format": {"duration": anything, "x": 1},
            }
        ),
        json.dumps({"streams": anything, "format": anything}),
        json.dumps(anything),
    ):
        with contextlib.suppress(errors.MediaError):
            probe.check(probe.parse(text), Caps())


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"format": {}}', "[" * 100_000, "1" * 10_000])
def test_what_is_no_answer_of_ffprobe_is_not_a_video(text: str) -> None:
    with pytest.raises(errors.NotAVideo):
        probe.parse(text)


def test_what_is_too_much_is_refused() -> None:
    with pytest.raises(errors.MediaTooLarge, match="20000x20000"):
        probe.check(answer(picture(width=20_000, height=20_000)), Caps())
    with pytest.raises(errors.MediaTooLong):
        probe.check(answer(picture()), Caps(seconds=9))
    probe.check(answer(picture(width=8192, height=4320)), Caps(seconds=10))


def test_nothing_to_see_or_hear_is_refused() -> None:
    with pytest.raises(errors.MediaNoStreams):
        probe.check(answer({"index": 0, "codec_type": "subtitle"}), Caps())
    with pytest.raises(errors.MediaDamaged):
        probe.check(answer(picture(width=0), sound()), Caps())
    with pytest.raises(errors.MediaDamaged):
        probe.check(answer(sound(codec_name="unknown")), Caps())


def test_sound_that_can_not_be_read_beside_a_picture_is_left_out_and_named() -> None:
    found = answer(picture(), sound(codec_name="unknown"))
    probe.check(found, Caps())
    assert found.audio is None
    assert found.unusable == ("audio",)
