"""Clips that fit are joined without encoding them again; those that don't are encoded, and the film says why."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from jobs import children
from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.reels import micro
from videos.timeline import copying
from videos.timeline.copying import NotCopied
from videos.timeline.film import Format, Source
from videos.timeline.meter import Meter
from videos.timeline.model import Canvas, Clip, Crop, Fit, Kind, Mask, Shape, Sound, Timeline, Track, Transition
from videos.timeline.motion import Keyframe, Motion, Transform
from videos.timeline.sources import still
from videos.timeline.studio import Studio
from videos.timeline.values import SECOND

LENGTHS = {"0": 60, "1": 45, "2": 71}  # frames
OPTIONS = ("-bf", "2", "-g", "30")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    folder = tmp_path_factory.mktemp("materials")
    return {
        name: reels.source(
            reels.make_numbered(folder / f"{name}.mp4", *OPTIONS, count=count, material=int(name), sound=True)
        )
        for name, count in LENGTHS.items()
    }


def in_a_row(*names: str, rate: Fraction | int = 25, last: int | None = None) -> Timeline:
    """Whole materials, one after the other; of the last one, so much."""
    pieces, at = [], 0
    for name in names:
        length = LENGTHS[name] * SECOND // 25
        pieces.append(Clip(start=at, duration=length, material=name))
        at += length
    if last:
        pieces[-1] = replace(pieces[-1], duration=last)
    return reels.timeline(pieces, rate=rate)


def changed(whole: Timeline, **changes: object) -> Timeline:
    """The same, but for its second clip."""
    first, second, *others = whole.tracks[0].clips
    second = replace(second, **changes)  # type: ignore[arg-type]
    return replace(whole, tracks=(replace(whole.tracks[0], clips=(first, second, *others)),))


def packets(path: Path) -> list[str]:
    """A hash of each frame as it is encoded, in the order of the file."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-c", "copy", "-f", "framemd5", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split(",")[-1].strip() for line in said.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("form", [Format.MP4, Format.MOV])
def test_clips_that_fit_are_joined_as_they_are(tmp_path: Path, sources: Mapping[str, Source], form: Format) -> None:
    whole = in_a_row("0", "1", "2", "0")
    made = reels.make(whole, sources, tmp_path / "out", form=form)
    assert made.copied
    assert made.reason == "The clips were joined without encoding their pictures again."
    assert packets(made.file) == [one for name in "0120" for one in packets(sources[name].path)]
    assert made.frames == 236
    assert made.duration == pytest.approx(236 / 25, abs=0.03)
    assert clips.frame_times(made.file) == pytest.approx([number / 25 for number in range(236)], abs=0.0001)
    times = {name: reels.even(count) for name, count in LENGTHS.items()}
    assert reels.numbers(made.file) == reels.expected(whole, times)
    streams = clips.look_at(made.file)["streams"]
    assert {stream["codec_type"]: float(stream["start_time"]) for stream in streams} == {"video": 0, "audio": 0}
    names = clips.boxes(made.file)
    assert names.index("moov") < names.index("mdat")


def test_sound_is_mixed_anew_and_so_may_be_changed(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    """Joined as it is, it would have a click and a shift by the encoder's run-up at every seam."""
    whole = changed(in_a_row("0", "1"), sound=Sound(volume=0.5, fade_in=SECOND // 2))
    music = Track(kind=Kind.AUDIO, clips=(Clip(start=0, duration=SECOND, material="2"),))
    made = reels.make(replace(whole, tracks=(*whole.tracks, music)), sources, tmp_path / "out")
    assert made.copied
    assert clips.stream(made.file, "audio")["codec_name"] == "aac"
    assert float(clips.stream(made.file, "audio")["duration"]) == pytest.approx(made.duration, abs=0.001)


def test_a_rate_that_is_written_inexactly_is_the_one_that_it_means(tmp_path: Path) -> None:
    written, meant = Fraction(2997003, 100000), Fraction(30000, 1001)
    source = reels.source(reels.make_numbered(tmp_path / "0.mp4", *OPTIONS, count=60, rate=written))
    assert source.video.frame_rate != meant
    whole = reels.timeline([Clip(start=0, duration=round(60 * SECOND / meant), material="0")], rate=meant)
    made = reels.make(whole, {"0": source}, tmp_path / "out")
    assert (made.copied, made.frames) == (True, 60)
    assert packets(made.file) == packets(source.path)


def test_clips_without_sound_are_joined_too(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    whole = in_a_row("0", "1")
    muted = replace(whole, tracks=(replace(whole.tracks[0], muted=True),))
    made = reels.make(muted, sources, tmp_path / "out")
    assert made.copied
    assert [stream["codec_type"] for stream in clips.look_at(made.file)["streams"]] == ["video"]


ROW = in_a_row("0", "1", "2")
UNFIT = {
    "clip 2 is not played at its own speed": changed(ROW, speed=Fraction(2)),
    "clip 2 is moved, cut, turned or blended": changed(ROW, transform=Transform(rotation=90)),
    "clip 2 is moved, cut, turned or blended ": changed(ROW, crop=Crop(left=0.1)),
    "clip 2 is moved, cut, turned or blended  ": changed(ROW, flip_x=True),
    "clip 2 is seen through a mask": changed(ROW, mask=Mask(shape=Shape.CIRCLE)),
    "clip 2 is played backwards": changed(ROW, reverse=True),
    "clip 2 stands still": changed(ROW, freeze=True),
    "clip 2 gives way to the next one by and by": changed(ROW, transition=Transition(duration=SECOND)),
    **{
        f"clip 2 moves by keyframes{' ' * number}": changed(
            ROW, motion=Motion(**{name: (Keyframe(at=0, value=value),)})
        )
        for number, (name, value) in enumerate(
            {"x": 0.5, "y": 0.5, "scale": 1.5, "rotation": 45.0, "opacity": 0.5}.items()
        )
    },
    "clip 2 does not show the whole of its material": changed(ROW, source_start=40_000),
    "clip 2 does not show the whole of its material ": in_a_row("0", "1", last=SECOND),
    "there is a gap before clip 1": reels.timeline([replace(ROW.tracks[0].clips[1], start=SECOND)], rate=25),
    "clip 1 has not the film's 30 frames a second": in_a_row("0", "1", rate=30),
    "clip 1 is not of the film's size, 160x90": replace(ROW, canvas=Canvas(width=160, height=90, rate=Fraction(25))),
    "there is not exactly one track with pictures": replace(ROW, tracks=(*ROW.tracks, *ROW.tracks)),
    "it ends before the sound does": replace(
        ROW, tracks=(*ROW.tracks, Track(kind=Kind.AUDIO, clips=(Clip(start=micro(7), duration=SECOND, material="0"),)))
    ),
}


def test_what_changes_nothing_of_the_picture_does_not_matter(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    louder = Motion(volume=(Keyframe(at=0, value=0.0), Keyframe(at=SECOND, value=2.0)))
    made = reels.make(changed(ROW, backdrop="#ff0000", motion=louder), sources, tmp_path / "out")
    assert made.copied


@pytest.mark.parametrize("why", UNFIT)
def test_what_is_not_plain_is_refused_with_a_reason(tmp_path: Path, sources: Mapping[str, Source], why: str) -> None:
    assert refusal(UNFIT[why], sources, tmp_path) == why.strip()


def test_a_still_is_refused(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    picture = still(tmp_path / "still.png", width=320, height=180, alpha=False)
    assert refusal(in_a_row("0", "1"), {**sources, "1": picture}, tmp_path) == "clip 2 stands still"


def test_another_format_is_always_encoded(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    assert refusal(ROW, sources, tmp_path, form=Format.WEBM) == "WEBM is wanted"


OTHERS = {
    "profile": ("-profile:v", "baseline", "-bf", "0"),
    "quality, and so the set-up data": ("-bf", "2", "-g", "30", "-qp", "30", "-refs", "4"),
    "timescale": ("-bf", "2", "-g", "30", "-video_track_timescale", "90000"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_clips_that_are_encoded_in_another_way_are_not_joined(
    tmp_path: Path, sources: Mapping[str, Source], other: str
) -> None:
    path = reels.make_numbered(tmp_path / "other.mp4", *OTHERS[other], count=45, material=1)
    why = refusal(in_a_row("0", "1"), {**sources, "1": reels.source(path)}, tmp_path)
    assert why == "clip 2 is not encoded in the same way as clip 1"


def refusal(whole: Timeline, sources: Mapping[str, Source], folder: Path, *, form: Format = Format.MP4) -> str:
    studio = Studio(folder=folder, threads=1, run=children.run, meter=Meter(lambda *step: None, 1, {}))
    with pytest.raises(NotCopied) as caught:
        copying.joint(whole, sources, form, studio)
    return str(caught.value)


def test_what_does_not_join_well_is_encoded_and_the_film_says_so(tmp_path: Path) -> None:
    """Its frames don't begin at nought, which its own numbers do not tell."""
    plain = reels.make_numbered(tmp_path / "plain.mp4", *OPTIONS, count=60)
    late = tmp_path / "late.mp4"
    clips.ffmpeg(
        *("-f", "lavfi", "-i", "sine=duration=3", "-itsoffset", "0.5", "-i", plain, "-map", "1", "-map", "0"),
        *("-c:v", "copy", late),
    )
    whole = reels.timeline([Clip(start=0, duration=micro(2.4), material="0")], rate=25)
    made = reels.make(whole, {"0": reels.source(late)}, tmp_path / "out")
    assert not made.copied
    assert made.reason.startswith("The pictures were encoded, because the clips did not join well: ")
    assert reels.numbers(made.file) == reels.expected(whole, {"0": [0.5 + time for time in reels.even(60)]})


def test_a_film_that_is_encoded_says_why(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    whole = in_a_row("0")
    flipped = replace(whole.tracks[0].clips[0], fit=Fit.BLUR, flip_y=True)
    made = reels.make(reels.timeline([flipped], rate=25), sources, tmp_path / "out")
    assert (made.copied, made.frames_copied) == (False, 0)
    assert made.reason == "The pictures were encoded, because clip 1 is moved, cut, turned or blended."


def test_materials_are_left_as_they_are(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    before = {name: hashlib.sha256(source.path.read_bytes()).hexdigest() for name, source in sources.items()}
    reels.make(in_a_row("0", "2"), sources, tmp_path / "out")
    assert {name: hashlib.sha256(source.path.read_bytes()).hexdigest() for name, source in sources.items()} == before


def test_a_clip_that_begins_with_a_frame_that_needs_others_is_not_joined_to_another(tmp_path: Path) -> None:
    """As programs cut that encode nothing: decoders would leave out what belongs to the clip before."""
    options = ("-x264-params", "open-gop=1:keyint=25:min-keyint=25:scenecut=0:bframes=2:b-adapt=0")
    whole = reels.make_numbered(tmp_path / "whole.mp4", *options, count=100)
    cuts = {"0": ("-ss", "2", "-t", "0.94"), "1": ("-ss", "1", "-t", "0.94")}
    for name, cut in cuts.items():
        clips.ffmpeg(*cut, "-i", whole, "-c", "copy", tmp_path / f"{name}.mp4")
    sources = {name: reels.source(tmp_path / f"{name}.mp4") for name in cuts}
    pieces: list[Clip] = []
    numbers: list[int] = []
    for name, source in sources.items():
        seen = reels.numbers(source.path)
        at = len(numbers) * SECOND // 25
        pieces.append(Clip(start=at, duration=len(seen) * SECOND // 25, material=name))
        numbers += seen
    made = reels.make(reels.timeline(pieces, rate=25), sources, tmp_path / "out")
    assert (reels.numbers(made.file), made.copied) == (numbers, False), made.reason


def test_a_material_that_says_twice_how_it_is_encoded_is_not_joined(tmp_path: Path) -> None:
    """A film says it once: what is encoded in the second way would be lost."""
    path = reels.make_numbered(tmp_path / "0.mp4", *OPTIONS, count=30)
    data = bytearray(path.read_bytes())
    place = data.index(b"stsd")
    length = int.from_bytes(data[place - 4 : place])
    entry = bytes(data[place + 12 : place - 4 + length])
    data[place + 8 : place + 12] = (2).to_bytes(4)
    data[place - 4 + length : place - 4 + length] = entry
    for name in (b"stsd", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        grown = data.rindex(name, 0, place + 8) - 4
        data[grown : grown + 4] = (int.from_bytes(data[grown : grown + 4]) + len(entry)).to_bytes(4)
    path.write_bytes(data)
    whole = reels.timeline([Clip(start=0, duration=micro(1.2), material="0")], rate=25)
    made = reels.make(whole, {"0": reels.source(path)}, tmp_path / "out")
    assert (made.copied, reels.numbers(made.file)) == (False, list(range(1, 31)))
    assert made.reason == "The pictures were encoded, because clip 1 has tables that can't be read."
