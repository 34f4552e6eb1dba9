"""What was encoded before is not encoded again, and nobody can tell it from the film."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from jobs import children
from tests.videos.timeline import reels
from tests.videos.timeline.reels import even, micro
from videos.timeline import cutting, film
from videos.timeline.film import Film, Format, Recipe, Source
from videos.timeline.fonts import Fonts
from videos.timeline.model import Clip, Kind, Timeline, Track
from videos.timeline.reuse import Keys, digest
from videos.timeline.shelf import Shelf
from videos.timeline.studio import Studio
from videos.timeline.texts import Style, Text
from videos.timeline.values import SECOND

RATE = Fraction(30)
NAMES = ("0", "1", "2")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    folder = tmp_path_factory.mktemp("materials")
    return {
        name: reels.source(reels.make_numbered(folder / f"{name}.mp4", count=60, material=int(name))) for name in NAMES
    }


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf", most=2**30)


def row(*lengths: int) -> Timeline:
    """One clip of each material, so many frames long; cut where no microsecond is."""
    at, pieces = 0, []
    for name, length in zip(NAMES, lengths, strict=True):
        start, end = (round(frame * SECOND / RATE) for frame in (at, at + length))
        pieces.append(Clip(start=start, duration=end - start, material=name, source_start=micro(0.2)))
        at += length
    return reels.timeline(pieces, rate=RATE)


def count(made: Film) -> tuple[int, int]:
    return made.encoded, made.reused


def shown(path: Path) -> str:
    """A hash of each decoded frame."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "framemd5", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("form", [Format.MP4, Format.WEBM, Format.GIF])
def test_a_film_that_is_made_again_is_the_same_and_costs_no_encoding(
    tmp_path: Path, sources: Mapping[str, Source], shelf: Shelf, form: Format
) -> None:
    plain = reels.make(row(31, 32, 34), sources, tmp_path / "plain", form=form)
    first = reels.make(row(31, 32, 34), sources, tmp_path / "first", form=form, cache=shelf)
    again = reels.make(row(31, 32, 34), sources, tmp_path / "again", form=form, cache=shelf)
    assert (count(plain), count(first), count(again)) == ((3, 0), (3, 0), (0, 3))
    assert shown(plain.file) == shown(first.file) == shown(again.file)


def test_one_changed_clip_is_one_encoded_segment_though_all_that_follows_moves(
    tmp_path: Path, sources: Mapping[str, Source], shelf: Shelf
) -> None:
    reels.make(row(32, 33, 34), sources, tmp_path / "before", cache=shelf)
    for number, length in enumerate((31, 35, 38)):
        whole = row(length, 33, 34)
        made = reels.make(whole, sources, tmp_path / str(number), cache=shelf)
        assert count(made) == (1, 2)
        assert reels.numbers(made.file) == reels.expected(whole, {name: even(60) for name in NAMES})


def test_segments_that_are_encoded_at_once_make_the_same_film(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    running, most = set(), []
    whole, folder = row(32, 33, 34), tmp_path / "many"

    def run(argv: list[str], /, **others: Any) -> children.Finished:
        if "-filter_complex" not in argv:
            return children.run(argv, **others)
        running.add(argv[-1])
        most.append(len(running))
        try:
            return children.run(argv, **others)
        finally:
            running.discard(argv[-1])

    one = reels.make(whole, sources, tmp_path / "one", threads=2)
    folder.mkdir()
    steps: list[float] = []
    recipe = Recipe(format=Format.MP4, crf=16, preset="ultrafast")
    many = film.make(
        *(whole, sources, folder), recipe=recipe, threads=6, run=run, on_progress=lambda done, *_: steps.append(done)
    )
    assert max(most) == 3
    assert shown(one.file) == shown(many.file)
    assert steps == sorted(steps)
    assert [path.name for path in folder.iterdir()] == ["film.mp4"]


def test_a_part_is_found_however_many_threads_encoded_it(
    tmp_path: Path, sources: Mapping[str, Source], shelf: Shelf
) -> None:
    assert count(reels.make(row(31, 32, 33), sources, tmp_path / "before", cache=shelf, threads=1)) == (3, 0)
    assert count(reels.make(row(31, 32, 33), sources, tmp_path / "after", cache=shelf, threads=5)) == (0, 3)


def test_short_clips_share_segments_that_a_change_elsewhere_leaves_alone() -> None:
    lengths = [7 + number * 5 % 11 for number in range(200)]

    def found(lengths: list[int]) -> list[list[tuple[int, str]]]:
        at, pieces = 0, []
        for number, length in enumerate(lengths):
            pieces.append(Clip(start=at * 40_000, duration=length * 40_000, material=str(number)))
            at += length
        segments = cutting.segments(reels.timeline(pieces, rate=25), longest=250)
        return [[(window.frames, window.clips[0].material) for window in segment.windows] for segment in segments]

    before, after = found(lengths), found([*lengths[:20], 3, *lengths[21:]])
    assert 1.5 < len(lengths) / len(before) < 6
    assert sum(segment not in before for segment in after) <= 3


def test_another_material_under_the_same_name_is_seen(
    tmp_path: Path, sources: Mapping[str, Source], shelf: Shelf
) -> None:
    reels.make(row(31, 32, 33), sources, tmp_path / "before", cache=shelf)
    other = reels.source(reels.make_numbered(tmp_path / "other.mp4", count=60, material=3))
    made = reels.make(row(31, 32, 33), {**sources, "1": other}, tmp_path / "after", cache=shelf)
    assert count(made) == (1, 2)
    assert reels.numbers(made.file)[31] == 3 * reels.FIRST + 6


def test_another_content_in_the_same_file_is_seen(tmp_path: Path, sources: Mapping[str, Source], shelf: Shelf) -> None:
    path = tmp_path / "1.mp4"
    shutil.copyfile(sources["1"].path, path)
    with_it = {**sources, "1": replace(sources["1"], path=path)}
    reels.make(row(31, 32, 33), with_it, tmp_path / "before", cache=shelf)
    reels.make_numbered(path, count=60, material=3)
    assert count(reels.make(row(31, 32, 33), with_it, tmp_path / "after", cache=shelf)) == (1, 2)


def test_the_same_content_in_another_file_is_the_same_if_its_digest_is_known(
    tmp_path: Path, sources: Mapping[str, Source], shelf: Shelf
) -> None:
    known = {name: replace(source, sha256=digest(source.path)) for name, source in sources.items()}
    copies = {}
    for name, source in known.items():
        copies[name] = replace(source, path=tmp_path / f"copy-{name}.mp4")
        shutil.copyfile(source.path, copies[name].path)
    reels.make(row(31, 32, 33), known, tmp_path / "before", cache=shelf)
    assert count(reels.make(row(31, 32, 33), copies, tmp_path / "after", cache=shelf)) == (0, 3)


def test_another_font_encodes_anew_what_shows_letters_of_it_and_nothing_else(
    tmp_path: Path, sources: Mapping[str, Source], shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two fonts, over two of three clips. One is installed elsewhere, then in another edition."""
    said = [
        Text(start=0, duration=SECOND // 2, text="H", style=Style(font="DejaVu Sans")),
        Text(start=SECOND * 3 // 2, duration=SECOND // 4, text="H", style=Style(font="DejaVu Serif")),
    ]
    whole = row(31, 32, 33)
    whole = replace(whole, tracks=(*whole.tracks, Track(kind=Kind.TEXT, texts=tuple(said))))
    before = reels.make(whole, sources, tmp_path / "before", cache=shelf)
    assert count(reels.make(whole, sources, tmp_path / "same", cache=shelf)) == (0, before.encoded)
    found, installed = Fonts.of, tmp_path / "DejaVuSans.ttf"

    def of(studio: Studio) -> Fonts:
        system = found(studio)._match

        def match(pattern: str) -> str:
            file, *others = system(pattern).split("\n")
            if Path(file).name != installed.name:
                return "\n".join([file, *others])
            if not installed.exists():
                shutil.copyfile(file, installed)
            return "\n".join([str(installed), *others])

        return Fonts(match)

    monkeypatch.setattr(Fonts, "of", of)
    assert count(reels.make(whole, sources, tmp_path / "elsewhere", cache=shelf)) == (0, before.encoded)
    installed.write_bytes(installed.read_bytes() + bytes(4))
    assert count(reels.make(whole, sources, tmp_path / "other", cache=shelf)) == (1, before.encoded - 1)


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_part_is_encoded_again_and_replaced(
    tmp_path: Path, sources: Mapping[str, Source], shelf: Shelf, damage: str
) -> None:
    first = reels.make(row(31, 32, 33), sources, tmp_path / "first", cache=shelf)
    bad = sorted((tmp_path / "shelf").glob("*/*"))[0]
    data = bytearray(bad.read_bytes())
    data[len(data) // 2] ^= 1
    bad.write_bytes(data if damage == "changed" else data[: len(data) // 2])
    second = reels.make(row(31, 32, 33), sources, tmp_path / "second", cache=shelf)
    third = reels.make(row(31, 32, 33), sources, tmp_path / "third", cache=shelf)
    assert (count(second), count(third)) == ((1, 2), (0, 3))
    assert shown(first.file) == shown(second.file) == shown(third.file)


def test_files_that_a_graph_names_count_by_what_is_in_them(tmp_path: Path) -> None:
    keys = Keys([], tmp_path, program="ffmpeg 5")
    (tmp_path / "text-1.ass").write_text("Hello")
    (tmp_path / "text-2.ass").write_text("Hello")
    first = keys.of(["ffmpeg", "-filter_complex", "ass=text-1.ass", "file:a.mp4"], "a.mp4")
    assert keys.of(["ffmpeg", "-filter_complex", "ass=text-2.ass", "file:b.mp4"], "b.mp4") == first
    assert keys.of(["ffmpeg", "-filter_complex", f"ass={tmp_path}/text-2.ass", "file:b.mp4"], "b.mp4") == first
    (tmp_path / "text-1.ass").write_text("Hello!")
    assert keys.of(["ffmpeg", "-filter_complex", "ass=text-1.ass", "file:a.mp4"], "a.mp4") != first
    assert Keys([], tmp_path, program="ffmpeg 6").of(["ffmpeg"], "a.mp4") != keys.of(["ffmpeg"], "a.mp4")


def test_what_a_beginning_that_was_given_up_left_behind_is_not_written_to(
    tmp_path: Path, sources: Mapping[str, Source], shelf: Shelf
) -> None:
    """It is kept, and perhaps in use, under another name."""
    reels.make(row(31, 32, 34), sources, tmp_path / "first", cache=shelf)
    kept = {path: path.read_bytes() for path in (tmp_path / "shelf").rglob("*") if path.is_file()}
    folder = tmp_path / "second"
    folder.mkdir()
    for number, path in enumerate(kept):
        (folder / f"part-{number:05d}.mp4").hardlink_to(path)
    recipe = Recipe(format=Format.MP4, crf=16, preset="ultrafast")
    whole = row(21, 22, 24)
    film.make(whole, sources, folder, recipe=recipe, threads=2, on_progress=lambda *step: None, cache=shelf)
    assert kept and {path: path.read_bytes() for path in kept} == kept
