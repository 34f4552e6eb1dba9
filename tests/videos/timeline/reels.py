"""Materials whose every frame carries its number, films made from them, and what can be read from those again."""

from __future__ import annotations

import subprocess
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from jobs import children
from tests.videos.media import clips
from videos.media import probe, sandbox
from videos.timeline import film
from videos.timeline.film import Film, Format, Recipe, Source
from videos.timeline.model import Canvas, Clip, Kind, Timeline, Track
from videos.timeline.reuse import Cache
from videos.timeline.values import SECOND

SIZE = (320, 180)
COLUMNS, ROWS = 4, 3  # of blocks; each is a bit, the first the highest
FIRST = 512  # numbers of a material begin at a multiple of this: which it is can be told as well
Array = np.ndarray[Any, np.dtype[Any]]


def make_numbered(
    path: Path, *options: str, count: int, rate: Fraction | int = 25, material: int = 0, sound: bool = False
) -> Path:
    """A film of black and white blocks that spell 1, 2, 3 ..., above the number of its material."""
    numbers = material * FIRST + 1 + np.arange(count)
    return make_film(path, [blocks(int(number)) for number in numbers], *options, rate=rate, sound=sound)


def make_film(
    path: Path, pictures: Sequence[Array], *options: str, rate: Fraction | int = 25, sound: bool = False
) -> Path:
    """A film of these pictures: grey, or of three colours."""
    height, width = pictures[0].shape[:2]
    form = "gray" if pictures[0].ndim == 2 else "rgb24"
    given = ["-f", "rawvideo", "-pix_fmt", form, "-s", f"{width}x{height}", "-r", str(rate), "-i", "-"]
    if sound:
        given += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={float(len(pictures) / Fraction(rate))}"]
        given += ["-c:a", "aac", "-ac", "2"]
    codec = ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p", *clips.H264, "-crf", "12"]
    command = ["ffmpeg", "-v", "error", "-y", *given, *codec, "-colorspace", "bt709", *options, str(path)]
    subprocess.run(command, check=True, input=b"".join(picture.tobytes() for picture in pictures))
    return path


def source(path: Path) -> Source:
    said = children.run(probe.command(path), cwd=path.parent, limits=sandbox.probing()).stdout
    return Source(path=path, probe=probe.parse(said))


def timeline(*tracks: Sequence[Clip], canvas: Canvas | None = None, rate: Fraction | int = 30) -> Timeline:
    """Tracks of video, from the bottom to the top."""
    width, height = SIZE
    return Timeline(
        canvas=canvas or Canvas(width=width, height=height, rate=Fraction(rate)),
        tracks=tuple(Track(kind=Kind.VIDEO, clips=tuple(track)) for track in tracks),
    )


def micro(seconds: float) -> int:
    return round(seconds * SECOND)


def make(
    whole: Timeline,
    sources: Mapping[str, Source],
    folder: Path,
    *,
    form: Format = Format.MP4,
    cache: Cache | None = None,
    threads: int = 2,
) -> Film:
    """The film, in a folder that holds nothing else afterwards."""
    folder.mkdir()
    recipe = Recipe(format=form, crf=16, preset="ultrafast")
    made = film.make(
        whole, sources, folder, recipe=recipe, threads=threads, on_progress=lambda *step: None, cache=cache
    )
    assert [path.name for path in folder.iterdir()] == [made.file.name]
    return made


def pictures(path: Path, *, size: tuple[int, int] = SIZE, form: str = "gray") -> Array:
    """All frames as they are shown, one after the other, whatever their times."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", form]
    done = subprocess.run([*command, "-"], check=True, capture_output=True)
    shape = (-1, size[1], size[0]) if form == "gray" else (-1, size[1], size[0], 3)
    return np.frombuffer(done.stdout, np.uint8).reshape(shape)


def numbers(path: Path, *, size: tuple[int, int] = SIZE) -> list[int]:
    """The number on each frame of a film; 0 where there is none."""
    found = pictures(path, size=size)
    down, across = found.shape[1] // ROWS, found.shape[2] // COLUMNS
    bits = found[:, down // 2 :: down, across // 2 :: across][:, :ROWS, :COLUMNS].reshape(len(found), -1) > 128
    weights = 1 << np.arange(ROWS * COLUMNS)[::-1]
    return [int(number) for number in bits @ weights]


def expected(whole: Timeline, times: Mapping[str, Sequence[float]]) -> list[int]:
    """The number that each frame should show: counted anew, from what the words say.

    `times`: when the frames of each material begin, in seconds; the names of the materials are "0", "1" ...
    """
    return [_seen(whole, number, times) for number in range(whole.frames)]


def even(count: int, rate: Fraction | int = 25) -> list[float]:
    """When frames begin that come evenly."""
    return [float(number / Fraction(rate)) for number in range(count)]


def _seen(whole: Timeline, number: int, times: Mapping[str, Sequence[float]]) -> int:
    rate = whole.canvas.rate
    for track in reversed(whole.tracks):
        for clip in track.clips:
            if round(clip.start * rate / SECOND) <= number < round(clip.end * rate / SECOND):
                passed = max(Fraction(0), number * SECOND / rate - clip.start)
                moment = float(clip.source_start + passed * clip.speed) / SECOND
                begun = bisect_right(times[clip.material], moment + 0.001)
                return int(clip.material) * FIRST + max(1, begun)
    return 0


def blocks(number: int) -> Array:
    """The picture that spells a number."""
    bits = [number >> place & 1 for place in reversed(range(ROWS * COLUMNS))]
    grid = np.array(bits, np.uint8).reshape(ROWS, COLUMNS) * 255
    return np.kron(grid, np.ones((SIZE[1] // ROWS, SIZE[0] // COLUMNS), np.uint8))
