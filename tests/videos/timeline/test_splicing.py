"""Films of trimmed clips: between keyframes they are encoded, else copied, and each frame is the right one."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from tests.videos.media import clips
from tests.videos.timeline import reels
from tests.videos.timeline.reels import even
from tests.videos.timeline.test_copying import packets
from videos.timeline.film import Film, Source
from videos.timeline.model import Clip, Timeline
from videos.timeline.values import SECOND

COUNT = 120
NTSC = Fraction(30000, 1001)
REORDERED = ("-preset", "veryfast", "-bf", "3", "-g", "24", "-keyint_min", "24", "-sc_threshold", "0")
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
    assert clips.frame_times(made.file) == pytest.approx([float(n / rate) for n in range(whole.frames)], abs=1e-6)
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
        "clip 4 is too short beside its keyframes and clips are cut between keyframes."
    )
    theirs = {one for source in sources.values() for one in packets(source.path)}
    assert sum(one in theirs for one in packets(made.file)) == copied
