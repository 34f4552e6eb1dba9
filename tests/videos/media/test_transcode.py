"""From an uploaded file to what a browser plays, with real ffmpeg, looked at with ffprobe."""

from __future__ import annotations

import subprocess
from array import array
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jobs import children
from tests.videos.media import clips
from videos.media import errors, playlists
from videos.media.plan import plan
from videos.media.probe import Caps
from videos.media.transcode import Outcome, Run, Workshop, inspect, thumbnail, transcode


def publish(source: Path, *, caps: Caps | None = None, poster: bool = False, run: Run = children.run) -> Outcome:
    folder = out(source)
    folder.mkdir()
    return transcode(
        source,
        folder,
        run=run,
        on_progress=lambda done, expected, step: None,
        caps=caps or Caps(),
        threads=2,
        preset="ultrafast",
        poster=poster,
    )


def out(source: Path) -> Path:
    return source.parent / "out"


def sizes(outcome: Outcome) -> list[str]:
    return [f"{one.name} {one.width}x{one.height}" for one in outcome.renditions]


def assert_playable(source: Path, outcome: Outcome, *, seconds: float, slack: float = 0.15) -> None:
    """What holds for every rendition with a picture, whatever went in."""
    folder = out(source)
    for one in outcome.renditions:
        file = folder / one.file
        picture = clips.stream(file)
        assert (picture["width"], picture["height"]) == (one.width, one.height)
        assert picture["codec_name"] == "h264"
        assert picture["pix_fmt"] == "yuv420p"
        assert picture.get("sample_aspect_ratio", "1:1") == "1:1"
        assert "side_data_list" not in picture
        assert float(picture["duration"]) == pytest.approx(seconds, abs=slack)
        assert file.stat().st_size == one.bytes
        names = clips.boxes(file)
        assert names.index("moov") < names.index("mdat")
        assert_consistent(folder, one.playlist, seconds=seconds, slack=slack)


def assert_consistent(folder: Path, playlist: str, *, seconds: float, slack: float) -> None:
    """The ranges of a playlist lie one after another and fill its file."""
    media = playlists.parse((folder / playlist).read_text())
    end = media.head.size
    for segment in media.segments:
        assert segment.offset == end
        end += segment.size
    assert end <= (folder / media.file).stat().st_size
    assert media.seconds == pytest.approx(seconds, abs=slack)
    container = clips.look_at(folder / playlist)["format"]
    assert float(container["duration"]) == pytest.approx(seconds, abs=slack)


@pytest.fixture(scope="module")
def published(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Outcome, list[tuple[float, float, str]]]:
    """An everyday clip of 9 seconds, published with everything."""
    folder = tmp_path_factory.mktemp("published")
    source = clips.make_clip(folder / "clip.mp4", size="1280x720", rate="30000/1001", seconds=9)
    steps: list[tuple[float, float, str]] = []
    out(source).mkdir()
    outcome = transcode(
        source,
        out(source),
        on_progress=lambda done, expected, step: steps.append((done, expected, step)),
        caps=Caps(),
        threads=2,
        preset="ultrafast",
    )
    return source, outcome, steps


Published = tuple[Path, Outcome, list[tuple[float, float, str]]]


def test_an_everyday_clip_becomes_a_ladder(published: Published) -> None:
    source, outcome, _ = published
    assert sizes(outcome) == ["720p 1280x720", "480p 854x480", "360p 640x360"]
    assert_playable(source, outcome, seconds=9)
    assert outcome.duration == pytest.approx(9, abs=0.1)
    assert (outcome.width, outcome.height) == (1280, 720)
    for one in outcome.renditions:
        sound = clips.stream(out(source) / one.file, "audio")
        assert (sound["codec_name"], sound["profile"]) == ("aac", "LC")
        assert (sound["channels"], sound["sample_rate"]) == (2, "48000")


def test_the_folder_holds_what_is_published_and_nothing_else(published: Published) -> None:
    source, outcome, _ = published
    names = {"master.m3u8", "poster.jpg", "audio.m3u8", "audio.m4s"}
    for rung in ("720p", "480p", "360p"):
        names |= {f"{rung}.mp4", f"{rung}.m3u8", f"{rung}.m4s"}
    assert {path.name for path in out(source).iterdir()} == names
    assert (outcome.playlist, outcome.poster) == ("master.m3u8", "poster.jpg")


def test_keyframes_stand_at_the_same_times_in_every_rung_and_start_every_segment(
    published: Published,
) -> None:
    source, outcome, _ = published
    folder = out(source)
    times = [clips.keyframes(folder / one.file) for one in outcome.renditions]
    assert times[0] == pytest.approx([0, 4.004, 8.008], abs=0.001)
    assert times[0] == times[1] == times[2]
    for one in outcome.renditions:
        media = playlists.parse((folder / one.playlist).read_text())
        assert [segment.seconds for segment in media.segments] == pytest.approx([4.004, 4.004, 1.001], abs=0.04)
        assert clips.keyframes(folder / one.playlist) == pytest.approx(times[0], abs=0.001)


def test_picture_and_sound_of_hls_begin_together(published: Published) -> None:
    """Times that ffmpeg moves to begin at nought put them out of step by the delay of each encoder."""
    source, _, _ = published
    for name in ("720p.m3u8", "audio.m3u8"):
        assert float(clips.look_at(out(source) / name)["streams"][0]["start_time"]) == pytest.approx(0, abs=0.025)
    assert clips.frame_times(out(source) / "720p.m3u8")[0] == pytest.approx(0, abs=0.001)


def test_the_master_states_what_was_measured(published: Published) -> None:
    source, outcome, _ = published
    folder = out(source)
    text = (folder / outcome.playlist).read_text()
    sound = playlists.parse((folder / "audio.m3u8").read_text())
    assert 'TYPE=AUDIO,GROUP-ID="audio"' in text
    for one in outcome.renditions:
        media = playlists.parse((folder / one.playlist).read_text())
        picture = clips.stream(folder / one.file)
        profile = {"High": "64", "Constrained Baseline": "42", "Main": "4D"}[picture["profile"]]
        assert one.codecs.startswith(f"avc1.{profile}")
        assert one.codecs.endswith(f"{picture['level']:02X},mp4a.40.2")
        assert one.bandwidth == media.peak + sound.peak
        assert f"BANDWIDTH={one.bandwidth}," in text
        assert f"RESOLUTION={one.width}x{one.height},FRAME-RATE=29.970" in text
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        one.playlist for one in outcome.renditions
    ]


def test_the_master_plays_as_a_whole(published: Published) -> None:
    source, outcome, _ = published
    kinds = [one["codec_type"] for one in clips.look_at(out(source) / outcome.playlist)["streams"]]
    assert sorted(kinds) == ["audio", "video", "video", "video"]


def test_progress_never_goes_backwards_and_ends_at_the_end(published: Published) -> None:
    _, outcome, steps = published
    done = [step[0] for step in steps if step[2] == "encoding"]
    assert done == sorted(done)
    assert all(seconds <= expected for seconds, expected, _ in steps)
    assert steps[0][2] == "encoding"
    assert steps[-1] == (outcome.duration, outcome.duration, "done")


def test_the_poster_is_a_picture_of_the_display_size(published: Published) -> None:
    source, _, _ = published
    poster = clips.stream(out(source) / "poster.jpg")
    assert (poster["codec_name"], poster["width"], poster["height"]) == ("mjpeg", 1280, 720)


@pytest.mark.parametrize("size", ["641x361", "1920x800"])
def test_the_poster_of_hdr_has_even_sides(tmp_path: Path, size: str) -> None:
    """1920x800 makes 1280x533, of which zscale makes nothing."""
    colours = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")
    codec = ("-c:v", "ffv1", "-pix_fmt", "yuv420p10le", *colours)
    source = clips.make_clip(tmp_path / "clip.mkv", size=size, seconds=0.2, sound=None, codec=codec)
    poster = make_thumbnail(source, at=0)
    assert clips.stream(poster)["height"] == {"641x361": 360, "1920x800": 534}[size]


def test_a_poster_that_fails_does_not_take_the_video_with_it(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", size="160x90", seconds=1)

    def run(argv: list[str], **more: Any) -> children.Finished:
        if any("poster.jpg" in part for part in argv):
            raise children.ChildFailed(returncode=1, tail=["Error while filtering"])
        return children.run(argv, **more)

    outcome = publish(source, poster=True, run=run)
    assert outcome.poster is None
    assert not (out(source) / "poster.jpg").exists()
    assert_playable(source, outcome, seconds=1)


def make_thumbnail(source: Path, *, at: float) -> Path:
    workshop = Workshop(folder=source.parent, threads=1)
    thumbnail(plan(inspect(source, workshop, caps=Caps())), source, workshop, target="at.jpg", at=at)
    return source.parent / "at.jpg"


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.flv"])
def test_a_thumbnail_is_the_frame_that_is_shown_at_its_moment(tmp_path: Path, name: str) -> None:
    """Red to 1 s, then blue, which stands still from 2 s to 5 s; green from there to 6 s; the sound lasts for 8 s."""
    colours = "".join(f"color={colour}:size=320x180:duration={seconds}[{colour}];" for colour, seconds in COLOURS)
    still = "[red][blue][green]concat=n=3,select='lt(t,2)+gte(t,5)'"
    clips.ffmpeg(
        *("-f", "lavfi", "-i", colours + still, "-f", "lavfi", "-i", "sine=duration=8", "-vsync", "vfr"),
        *("-pix_fmt", "yuv420p", *clips.H264, "-c:a", "aac", tmp_path / name),
    )
    shown = {}
    for at in (0.0, 0.5, 1.1, 4.0, 5.2, 7.0):
        rgb = clips.colour_at(make_thumbnail(tmp_path / name, at=at), across=0.5, down=0.5)
        shown[at] = ("red", "green", "blue")[rgb.index(max(rgb))]
    assert shown == {0.0: "red", 0.5: "red", 1.1: "blue", 4.0: "blue", 5.2: "green", 7.0: "green"}


def test_the_only_frame_of_a_file_is_its_poster(tmp_path: Path) -> None:
    codec = ("-c:v", "mpeg4", "-frames:v", "1")
    source = clips.make_clip(tmp_path / "clip.avi", size="160x90", sound=None, codec=codec)
    assert publish(source, poster=True).poster == "poster.jpg"


@pytest.mark.parametrize(("name", "sound"), [("clip.avi", None), ("clip.mkv", 0)])
@pytest.mark.parametrize("rate", ["30000/1001", "24", "60000/1001", "29.87"])
def test_what_comes_evenly_is_there_frame_by_frame(tmp_path: Path, name: str, sound: float | None, rate: str) -> None:
    """Whatever its times are counted in: an AVI counts frames, Matroska milliseconds, here from after the sound on."""
    codec = ("-c:v", "mpeg4", "-c:a", "aac")
    source = clips.make_clip(tmp_path / name, size="160x90", rate=rate, seconds=3, sound=sound, codec=codec)
    publish(source)
    before, after = (brightness(path) for path in (source, out(source) / "90p.mp4"))
    late = len(after) - len(before)
    assert late in ((0,) if sound is None else (0, 1, 2))
    assert after[late:] == pytest.approx(before, abs=2)


COLOURS = (("red", 1), ("blue", 4), ("green", 1))


@pytest.mark.parametrize("matrix", ["bt709", "bt601"])
def test_a_thumbnail_has_the_colours_of_the_film(tmp_path: Path, matrix: str) -> None:
    stated = {"bt709": "bt709", "bt601": "smpte170m"}[matrix]
    picture = f"color=0x20a040:size=320x180:duration=0.2,scale=out_color_matrix={matrix},format=yuv420p"
    source = tmp_path / "clip.mp4"
    clips.ffmpeg("-f", "lavfi", "-i", picture, *clips.H264, "-colorspace", stated, source)
    colour = clips.colour_at(make_thumbnail(source, at=0), across=0.5, down=0.5)
    assert colour == pytest.approx((0x20, 0xA0, 0x40), abs=7)


def test_a_clip_turned_upright_gets_portrait_rungs_and_poster(tmp_path: Path) -> None:
    plain = clips.make_clip(tmp_path / "plain.mp4", size="854x480", seconds=1)
    source = clips.make_rotated(tmp_path / "clip.mp4", plain, degrees=90)
    outcome = publish(source, poster=True)
    assert sizes(outcome) == ["480p 480x854", "360p 360x640"]
    assert_playable(source, outcome, seconds=1)
    poster = clips.stream(out(source) / "poster.jpg")
    assert (poster["width"], poster["height"]) == (480, 854)


def test_a_turned_picture_stands_upright(tmp_path: Path) -> None:
    """Turned clockwise, what was the left half comes to stand on top."""
    halves = "color=red:size=320x360:duration=1[l];color=blue:size=320x360:duration=1[r];[l][r]hstack"
    clips.ffmpeg("-f", "lavfi", "-i", halves, *clips.H264, "-pix_fmt", "yuv420p", tmp_path / "plain.mp4")
    source = clips.make_rotated(tmp_path / "clip.mp4", tmp_path / "plain.mp4", degrees=90)
    publish(source, poster=True)
    for name in ("360p.mp4", "poster.jpg"):
        red, _, blue = clips.colour_at(out(source) / name, across=0.5, down=0.25)
        assert red > 200 > 50 > blue
        red, _, blue = clips.colour_at(out(source) / name, across=0.5, down=0.75)
        assert blue > 200 > 50 > red


def test_pixels_become_square(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", "-vf", "setsar=16/11", size="720x576", seconds=1)
    outcome = publish(source)
    assert sizes(outcome) == ["480p 872x480", "360p 654x360"]
    assert_playable(source, outcome, seconds=1)


def test_odd_sides_become_even(tmp_path: Path) -> None:
    codec = ("-c:v", "ffv1", "-pix_fmt", "yuv444p")
    source = clips.make_clip(tmp_path / "clip.mkv", size="641x361", seconds=1, codec=codec)
    outcome = publish(source)
    assert sizes(outcome) == ["360p 640x360"]
    assert_playable(source, outcome, seconds=1)


def test_a_picture_smaller_than_the_lowest_rung_gets_one_of_its_own(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", size="160x120", seconds=1)
    outcome = publish(source)
    assert sizes(outcome) == ["120p 160x120"]
    assert_playable(source, outcome, seconds=1)


def test_a_clip_without_sound_has_none(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", seconds=1, sound=None)
    outcome = publish(source)
    assert_playable(source, outcome, seconds=1)
    assert "mp4a" not in outcome.renditions[0].codecs
    assert "AUDIO" not in (out(source) / outcome.playlist).read_text()
    assert not (out(source) / "audio.m3u8").exists()


def test_sound_alone_has_a_master_and_a_file_of_its_own(tmp_path: Path) -> None:
    source = tmp_path / "clip.mp3"
    clips.ffmpeg("-f", "lavfi", "-i", "sine=duration=5", source)
    outcome = publish(source, poster=True)
    assert [(one.name, one.width, one.file) for one in outcome.renditions] == [("audio", 0, "audio.m4a")]
    assert {path.name for path in out(source).iterdir()} == {
        *("master.m3u8", "audio.m3u8", "audio.m4s", "audio.m4a"),
    }
    assert outcome.poster is None
    assert clips.stream(out(source) / "audio.m4a", "audio")["channels"] == 2
    assert clips.look_at(out(source) / "master.m3u8")["streams"][0]["codec_type"] == "audio"
    assert outcome.duration == pytest.approx(5, abs=0.1)


def test_ten_bits_become_eight(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mkv", "-pix_fmt", "yuv420p10le", seconds=1)
    assert_playable(source, publish(source), seconds=1)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_is_mapped_and_says_so(tmp_path: Path, transfer: str) -> None:
    colours = ("-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc")
    codec = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", *colours)
    source = clips.make_clip(tmp_path / "clip.mp4", "-pix_fmt", "yuv420p10le", seconds=0.5, codec=codec)
    outcome = publish(source, poster=True)
    assert_playable(source, outcome, seconds=0.5)
    picture = clips.stream(out(source) / outcome.renditions[0].file)
    assert [picture[key] for key in ("color_transfer", "color_primaries", "color_space")] == ["bt709"] * 3


def test_interlaced_frames_are_woven_into_whole_ones(tmp_path: Path) -> None:
    codec = ("-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-top", "1")
    source = clips.make_clip(
        tmp_path / "clip.mpg", "-vf", "interlace=lowpass=0", rate="50", seconds=1, codec=codec, sound=None
    )
    outcome = publish(source)
    assert outcome.probe.video is not None
    assert outcome.probe.video.interlaced
    assert_playable(source, outcome, seconds=1)


def make_uneven(path: Path, *, late: float) -> Path:
    """Eight frames in a row and then every fifth, again and again; every other frame is `late` by seconds."""
    uneven = f"settb=1/90000,select='lt(mod(n,25),8)+not(mod(n,5))',setpts='PTS+{late}/TB*mod(N,2)'"
    return clips.make_clip(path, "-vf", uneven, "-vsync", "vfr", "-enc_time_base", "1:90000", seconds=3)


def grid_of(path: Path, *, rate: int) -> list[int]:
    """The places of the frames on a grid that all of them must lie on."""
    places = [time * rate for time in clips.frame_times(path)]
    assert places == pytest.approx([round(place) for place in places], abs=0.01)
    return [round(place) for place in places]


def test_frames_that_come_unevenly_are_laid_on_an_even_grid(tmp_path: Path) -> None:
    source = make_uneven(tmp_path / "clip.mp4", late=0.009)
    outcome = publish(source)
    assert outcome.probe.video is not None
    assert outcome.probe.video.variable
    for name in ("360p.mp4", "360p.m3u8"):
        assert grid_of(out(source) / name, rate=30) == list(range(85))


def test_bursts_among_uneven_frames_are_thinned(tmp_path: Path) -> None:
    source = make_uneven(tmp_path / "clip.mp4", late=0.030)
    times = clips.frame_times(source)
    assert min(after - before for before, after in pairwise(times)) < 1 / 60
    publish(source)
    assert grid_of(out(source) / "360p.mp4", rate=50) == list(range(142))


def make_still(path: Path, *, until: float) -> Path:
    """Ten seconds of sound, and of a picture that moves at 30 frames a second but stands still from 3 s on."""
    moving = f"select='lt(t,3)+gte(t,{until}-0.001)'"
    return clips.make_clip(path, "-vf", moving, "-vsync", "vfr", size="320x180", rate="30", seconds=10)


@pytest.mark.parametrize("until", [9.0, 9.96])
def test_a_picture_that_stands_still_across_a_keyframe_plays_as_long_in_hls(tmp_path: Path, until: float) -> None:
    """Packets that carry the time of one frame, and stand for more, moved all later segments of HLS forward."""
    source = make_still(tmp_path / "clip.mp4", until=until)
    outcome = publish(source)
    assert_playable(source, outcome, seconds=10)
    for name in ("180p.mp4", "180p.m3u8"):
        assert grid_of(out(source) / name, rate=30) == list(range(300))
        assert clips.keyframes(out(source) / name) == pytest.approx([0, 4, 8], abs=0.001)
    media = playlists.parse((out(source) / "180p.m3u8").read_text())
    assert [segment.seconds for segment in media.segments] == pytest.approx([4, 4, 2], abs=0.01)


def brightness(path: Path) -> list[int]:
    """Of each frame."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v", "-vsync", "passthrough"]
    grey = ["-vf", "scale=1:1,format=gray", "-f", "rawvideo", "-"]
    return list(subprocess.run([*command, *grey], check=True, capture_output=True).stdout)


@pytest.mark.parametrize(("name", "late"), [("clip.mp4", 36), ("clip.mkv", 37)])
def test_a_picture_that_begins_after_the_sound_is_in_step_in_hls(tmp_path: Path, name: str, late: int) -> None:
    """Its first frame stands until then: HLS plays a picture from the first frame that there is.

    In Matroska the sound begins 1024 samples earlier: that puts the frames halfway between the places of the grid.
    """
    flash = "color=black:size=320x180:rate=24:duration=3,drawbox=color=white:t=fill:enable='gte(t,2)'"
    source = tmp_path / name
    clips.ffmpeg(
        *("-itsoffset", "1.5", "-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", "sine=duration=4.5:sample_rate=48000"),
        *("-vsync", "vfr", "-pix_fmt", "yuv420p", *clips.H264, "-c:a", "aac", source),
    )
    publish(source)
    assert float(clips.stream(source)["start_time"]) == pytest.approx(late / 24, abs=0.021)
    for made in ("180p.mp4", "180p.m3u8"):
        assert clips.frame_times(out(source) / made) == pytest.approx([n / 24 for n in range(late + 72)], abs=0.001)
        bright = [value > 127 for value in brightness(out(source) / made)]
        assert bright == [n >= late + 48 for n in range(late + 72)]


@pytest.mark.parametrize(("rate", "expected"), [("120", 60), ("100", 50), ("60.03", 61)])
def test_even_frames_are_thinned_to_about_sixty_at_most(tmp_path: Path, rate: str, expected: int) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", rate=rate, seconds=1, sound=None)
    publish(source)
    assert len(clips.frame_times(out(source) / "360p.mp4")) == expected


def test_sound_shorter_than_the_picture_is_no_reason_to_refuse(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", seconds=4, sound=1)
    assert_playable(source, publish(source), seconds=4)


def test_sound_that_begins_late_is_in_step(tmp_path: Path) -> None:
    picture = clips.make_clip(tmp_path / "picture.mp4", sound=None, seconds=3)
    source = tmp_path / "clip.mp4"
    clips.ffmpeg(
        *("-i", picture, "-itsoffset", "1", "-f", "lavfi", "-i", "sine=duration=2", "-map", "0", "-map", "1"),
        *("-c:v", "copy", source),
    )
    publish(source)
    sound = clips.stream(out(source) / "360p.mp4", "audio")
    assert float(sound["start_time"]) + float(sound["duration"]) == pytest.approx(3, abs=0.1)


def test_frames_are_not_held_in_memory_until_there_is_sound(tmp_path: Path) -> None:
    """Those of the first half minute would be more than a gigabyte."""
    source = tmp_path / "clip.mkv"
    picture = ("-f", "lavfi", "-i", "color=gray:size=1280x720:rate=30:duration=30")
    sound = ("-itsoffset", "29", "-f", "lavfi", "-i", "sine=duration=1")
    clips.ffmpeg(*picture, *sound, "-pix_fmt", "yuv420p", *clips.H264, "-c:a", "aac", source)

    def run(argv: list[str], *, limits: children.Limits, **more: Any) -> children.Finished:
        return children.run(argv, limits=replace(limits, memory_bytes=1024**3), **more)

    outcome = publish(source, run=run)
    assert clips.stream(out(source) / "720p.mp4", "audio")["codec_name"] == "aac"
    assert outcome.duration == pytest.approx(30, abs=0.15)


def test_sound_of_many_channels_that_nobody_named_is_that_of_the_first_two(tmp_path: Path) -> None:
    source = tmp_path / "clip.wav"
    clips.ffmpeg("-f", "lavfi", "-i", f"aevalsrc=0|sin(880*t){'|0' * 10}:duration=1", source)
    publish(source)
    assert clips.stream(source, "audio")["channels"] == 12
    left, right = loudest(out(source) / "audio.m4a")
    assert left < 100 < 20_000 < right


def loudest(path: Path) -> list[int]:
    """The loudest sample of each of two channels."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "s16le", "-"]
    samples = array("h", subprocess.run(command, check=True, capture_output=True).stdout)
    return [max(samples[channel::2]) for channel in range(2)]


@pytest.mark.parametrize("name", ["clip.mkv", "clip.avi", "clip.wmv", "clip.flv", "clip.ts", "clip.mp4"])
@pytest.mark.parametrize(("picture", "sound"), [(0, 3), (3, 0)], ids=["late sound", "late picture"])
def test_a_whole_file_is_accepted_however_late_its_streams_begin(
    tmp_path: Path, name: str, picture: float, sound: float
) -> None:
    source = tmp_path / name
    codec = ("-c:v", "mpeg4", "-c:a", "libmp3lame") if name.endswith(("avi", "wmv")) else (*clips.H264, "-c:a", "aac")
    clips.ffmpeg(
        *("-itsoffset", str(picture), "-f", "lavfi", "-i", f"testsrc2=size=160x90:rate=25:duration={4 - picture}"),
        *("-itsoffset", str(sound), "-f", "lavfi", "-i", f"sine=duration={4 - sound}", "-vsync", "vfr", *codec, source),
    )
    outcome = publish(source, poster=True)
    assert outcome.poster == "poster.jpg"
    assert outcome.duration == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4", "clip.ts", "clip.flv"])
def test_a_clock_that_does_not_start_at_nought_makes_no_file_longer(tmp_path: Path, name: str) -> None:
    clip = clips.make_clip(tmp_path / "whole.mp4", size="160x90")
    source = tmp_path / name
    clips.ffmpeg("-i", clip, "-c", "copy", "-output_ts_offset", "100", source)
    outcome = publish(source, caps=Caps(seconds=3))
    assert outcome.duration == pytest.approx(2, abs=0.1)
    assert outcome.probe.duration == pytest.approx(2, abs=0.1)


def test_a_recording_whose_clock_jumps_is_as_long_as_what_comes_out(tmp_path: Path) -> None:
    parts = [
        clips.make_clip(tmp_path / f"{offset}.ts", "-output_ts_offset", offset, size="160x90")
        for offset in ("3600", "0")
    ]
    source = tmp_path / "clip.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert publish(source, caps=Caps(seconds=60)).duration == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("name", ["clip.mp3", "clip.aac"])
def test_sound_whose_length_is_guessed_by_its_beginning_is_accepted(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    quiet_first = "aevalsrc='if(lt(t,5),0,random(0)-0.5)':sample_rate=44100:duration=10"
    clips.ffmpeg("-f", "lavfi", "-i", quiet_first, *(("-q:a", "0") if name == "clip.mp3" else ("-b:a", "192k")), source)
    if name == "clip.mp3":
        clips.ffmpeg("-i", source, "-c", "copy", "-write_xing", "0", tmp_path / "bare.mp3")
        source = tmp_path / "bare.mp3"
    outcome = publish(source)
    assert outcome.probe.duration is not None
    assert outcome.probe.duration > 12
    assert outcome.duration == pytest.approx(10, abs=0.1)


def test_an_mp3_that_counts_its_frames_is_not_to_lack_any(tmp_path: Path) -> None:
    source = tmp_path / "clip.mp3"
    clips.ffmpeg("-f", "lavfi", "-i", "sine=duration=5", source)
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 6 // 10])
    with pytest.raises(errors.MediaTruncated):
        publish(source)


def test_an_edit_list_is_followed(tmp_path: Path) -> None:
    whole = clips.make_clip(tmp_path / "whole.mp4", seconds=6)
    source = tmp_path / "clip.mp4"
    clips.ffmpeg("-ss", "2.5", "-i", whole, "-c", "copy", source)
    outcome = publish(source)
    assert outcome.duration == pytest.approx(3.5, abs=0.3)


def test_subtitles_and_chapters_inside_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "lines.srt").write_text("1\n00:00:00,000 --> 00:00:09,000\nhello\n")
    picture = clips.make_clip(tmp_path / "picture.mkv", seconds=2)
    source = tmp_path / "clip.mkv"
    clips.ffmpeg("-i", picture, "-i", tmp_path / "lines.srt", "-map", "0", "-map", "1", "-c", "copy", source)
    assert_playable(source, publish(source), seconds=2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.mp4", ("-movflags", "+faststart")),
        ("end.mp4", ()),
        ("clip.mkv", ()),
        ("fragments.mp4", ("-movflags", "frag_keyframe+empty_moov")),
    ],
)
def test_a_file_cut_short_is_refused(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    source = clips.make_clip(tmp_path / name, *options, seconds=5, size="320x180")
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(errors.MediaTruncated):
        publish(source)
    assert not list(out(source).iterdir())


def test_a_file_that_states_its_length_as_a_whole_is_measured_by_that(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.flv", seconds=5, sound=2, size="320x180")
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 6 // 10])
    with pytest.raises(errors.MediaTruncated):
        publish(source)


@pytest.mark.parametrize(("name", "options"), [("live.mkv", ("-live", "1")), ("clip.ts", ())])
def test_a_file_that_never_says_how_long_it_is_is_published_as_far_as_it_goes(
    tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    source = clips.make_clip(tmp_path / name, *options, seconds=5, size="320x180")
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 6 // 10])
    assert 1 < publish(source).duration < 5


def test_a_film_that_ends_before_its_own_index_says_is_refused_after_the_fact(tmp_path: Path) -> None:
    """An open-ended mdat hides from the look at the boxes that the end is missing."""
    source = clips.make_clip(tmp_path / "clip.mp4", "-movflags", "+faststart", seconds=5, size="320x180")
    data = bytearray(source.read_bytes())
    mdat = data.index(b"mdat")
    data[mdat - 4 : mdat] = bytes(4)
    source.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(errors.MediaTruncated):
        publish(source)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(errors.MediaEmpty):
        publish(tmp_path / "clip.mp4")


def test_a_picture_that_can_not_be_decoded_is_damaged(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", "-movflags", "+faststart", seconds=1, sound=None)
    data = bytearray(source.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = b"\x55" * (len(data) - start)
    source.write_bytes(data)
    with pytest.raises(errors.MediaDamaged):
        publish(source)


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mp4", seconds=0.2, sound=None)
    with pytest.raises(errors.MediaTooLarge):
        publish(source, caps=Caps(pixels=640 * 359))
    assert not list(out(source).iterdir())


def test_a_file_that_does_not_say_how_long_it_is_is_bounded_all_the_same(tmp_path: Path) -> None:
    source = clips.make_clip(tmp_path / "clip.mkv", "-live", "1", seconds=8, size="160x90", rate="5")
    with pytest.raises(errors.MediaTooLong):
        publish(source, caps=Caps(seconds=2))
    longest = clips.look_at(out(source) / "90p.mp4")["format"]["duration"]
    assert float(longest) < 7.5


def test_a_full_disk_is_told_from_a_bad_file(tmp_path: Path) -> None:
    """/dev/full answers every write as a full disk does."""
    source = clips.make_clip(tmp_path / "clip.mp4", seconds=1)
    folder = out(source)
    folder.mkdir()
    (folder / "360p.m4s").symlink_to("/dev/full")
    with pytest.raises(errors.StorageFull):
        transcode(source, folder, on_progress=lambda *step: None, caps=Caps(), threads=1, poster=False)


def test_a_cancel_raised_by_the_progress_ends_it_at_once(tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def on_progress(done: float, expected: float, step: str) -> None:
        if done > 0:
            raise Cancelled

    source = clips.make_clip(tmp_path / "clip.mp4", seconds=2)
    out(source).mkdir()
    with pytest.raises(Cancelled):
        transcode(source, out(source), on_progress=on_progress, caps=Caps(), threads=1)
