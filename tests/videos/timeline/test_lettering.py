"""Letters in a film: where, how large, when; whatever is written, and in whatever script."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.videos.timeline import reels
from tests.videos.timeline.reels import Array, micro
from videos.timeline import copying, encoding, lettering, picture
from videos.timeline.copying import NotCopied
from videos.timeline.cutting import Window, Written, windows
from videos.timeline.film import Format, Source
from videos.timeline.fonts import Fonts
from videos.timeline.model import Canvas, Clip, Fit, Kind, Timeline, Track
from videos.timeline.motion import Easing, Keyframe, Motion, Transform
from videos.timeline.texts import Align, Box, Shadow, Span, Stroke, Style, Text
from videos.timeline.typesetting import compose
from videos.timeline.values import SECOND

CANVAS = Canvas(width=320, height=180, rate=Fraction(10), background="#000000")
CAP = 1493 / 2048  # of DejaVu Sans: how high an H is, as a part of the letters' size
BIG = Style(size=0.2, font="DejaVu Sans")
FRAME = SECOND // 10
Extent = tuple[int, int, int, int]


def written(text: str = "H", **said: Any) -> Text:
    return Text(**{"start": 0, "duration": FRAME, "text": text, "style": BIG, **said})


def of(*tracks: Sequence[Text], canvas: Canvas = CANVAS) -> Timeline:
    return Timeline(canvas=canvas, tracks=tuple(Track(kind=Kind.TEXT, texts=tuple(texts)) for texts in tracks))


def shown(tmp_path: Path, *texts: Text, canvas: Canvas = CANVAS) -> list[Array]:
    """Each text by itself on black, in a frame of a film."""
    following = [replace(text, start=number * FRAME) for number, text in enumerate(texts)]
    made = reels.make(of(following, canvas=canvas), {}, tmp_path / "out")
    found = reels.pictures(made.file, size=(canvas.width, canvas.height), form="rgb24")
    assert len(found) == len(texts)
    return list(found)


def extent(frame: Array) -> Extent:
    """Left, top, right, bottom of what is not black."""
    lit = frame.max(axis=-1) > 100
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def lines(frame: Array) -> int:
    """How many rows of letters there are."""
    lit = (frame.max(axis=-1) > 100).any(axis=1)
    return int(np.count_nonzero(np.diff(lit.astype(int), prepend=0) == 1))


# -- where, and how large --------------------------------------------------------------------------------


def test_a_letter_has_its_size_and_its_place(tmp_path: Path) -> None:
    large, moved, grown = shown(
        tmp_path,
        written(style=replace(BIG, size=0.8)),
        written(transform=Transform(x=0.25, y=-0.25)),
        written(transform=Transform(scale=3)),
    )
    left, top, right, bottom = extent(large)
    assert bottom - top == pytest.approx(0.8 * 180 * CAP, abs=1.5)
    assert (left + right) / 2 == pytest.approx(160, abs=1.5)
    # The middle of the line, of which the letter takes the upper part: foot at 0.346 of its size below.
    assert bottom == pytest.approx(90 + 0.8 * 180 * 0.346, abs=1.5)
    left, top, right, bottom = extent(moved)
    assert ((left + right) / 2, bottom) == pytest.approx((240, 45 + 0.2 * 180 * 0.346), abs=1.5)
    left, top, right, bottom = extent(grown)
    assert (bottom - top, bottom) == pytest.approx((0.6 * 180 * CAP, 90 + 0.6 * 180 * 0.346), abs=1.5)


def test_letters_turn_about_their_middle_clockwise(tmp_path: Path) -> None:
    upright, turned = (
        extent(frame)
        for frame in shown(
            tmp_path,
            written("HHHH", transform=Transform(x=0.1)),
            written("HHHH", transform=Transform(x=0.1, rotation=90)),
        )
    )
    assert (turned[3] - turned[1], turned[2] - turned[0]) == pytest.approx(
        (upright[2] - upright[0], upright[3] - upright[1]), abs=2
    )
    # What was below the middle is to the left of it now.
    assert 192 - turned[0] == pytest.approx(upright[3] - 90, abs=1.5)


def test_colours_are_those_of_the_film(tmp_path: Path) -> None:
    full = "\u2588" * 4  # blocks
    colours = {"#ff0000": 1.0, "#1ec81e": 1.0, "#3030f0": 1.0, "#c8c8c8": 1.0, "#ffffff": 0.5}
    texts = [
        written(full, style=replace(BIG, colour=colour), transform=Transform(opacity=opacity))
        for colour, opacity in colours.items()
    ]
    frames = shown(tmp_path, *texts, canvas=replace(CANVAS, background="#c02040"))
    for frame, (colour, opacity) in zip(frames, colours.items(), strict=True):
        stated = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])
        below = np.array([0xC0, 0x20, 0x40])
        assert frame[90, 160].tolist() == pytest.approx((stated * opacity + below * (1 - opacity)).tolist(), abs=6)
        assert frame[10, 10].tolist() == pytest.approx(below.tolist(), abs=4), "and so are those around"


def test_lines_are_broken_at_the_width_and_lie_as_they_are_told(tmp_path: Path) -> None:
    long = "HHH HHH HHH H"
    frames = shown(
        tmp_path,
        *(written(long, width=0.4, style=replace(BIG, size=0.1), align=align) for align in Align),
        written(long, width=0.4, style=replace(BIG, size=0.1), line_height=2.0),
        written("H" * 20, width=0.4, style=replace(BIG, size=0.1)),
        written("一二三四五六七八九十。", width=0.25, style=replace(BIG, size=0.1)),
        written("H\n\nH", style=replace(BIG, size=0.1)),
    )
    assert [lines(frame) for frame in frames] == [2, 2, 2, 2, 3, 3, 2]
    for frame, side in zip(frames, ("left", "centre", "right"), strict=False):
        whole, last = extent(frame), extent(frame[90:])
        assert whole[2] - whole[0] < 0.4 * 320
        assert (whole[0] + whole[2]) / 2 == pytest.approx(160, abs=1.5)
        assert {"left": last[0] - whole[0], "right": last[2] - whole[2], "centre": sum(last[::2]) / 2 - 160}[
            side
        ] == pytest.approx(0, abs=1.5)
    height = 0.1 * 180
    assert [extent(frame)[3] - extent(frame)[1] for frame in (frames[0], frames[3], frames[6])] == pytest.approx(
        [height * (CAP + 1.2), height * (CAP + 2.0), height * (CAP + 2.4)], abs=1.5
    )


def test_strokes_shadows_and_boxes_have_their_measures(tmp_path: Path) -> None:
    plain, stroked, shadowed, boxed, spaced = (
        extent(frame)
        for frame in shown(
            tmp_path,
            written(),
            written(style=replace(BIG, stroke=Stroke(colour="#ff8000", width=0.1))),
            written(shadow=Shadow(colour="#a0a0a0", opacity=1.0, x=0.5, y=0.25)),
            written(box=Box(colour="#808080", opacity=1.0, padding=0.5)),
            written("HH", style=replace(BIG, spacing=0.5)),
        )
    )
    size = 0.2 * 180
    off = [-0.1 * size, -0.1 * size, 0.1 * size, 0.1 * size]
    assert np.subtract(stroked, plain).tolist() == pytest.approx(off, abs=1.5)
    assert np.subtract(shadowed, plain).tolist() == pytest.approx([0, 0, 0.5 * size, 0.25 * size], abs=1.5)
    advance = 1540 / 2048 * size  # of an H
    assert boxed[2] - boxed[0] == pytest.approx(advance + size, abs=1.5)
    assert (boxed[1], boxed[3]) == pytest.approx((90 - 1.1 * size, 90 + 1.1 * size), abs=1.5)
    assert spaced[2] - spaced[0] == pytest.approx(plain[2] - plain[0] + advance + 0.5 * size, abs=1.5)


def test_some_letters_look_otherwise(tmp_path: Path) -> None:
    red = replace(BIG, colour="#ff0000", size=0.4)
    underlined, bold = replace(BIG, size=0.6, underline=True), replace(BIG, bold=True)
    spanned, under, heavy, plain = shown(
        tmp_path,
        written("HHH", spans=(Span(first=1, after=2, style=red),)),
        written(style=underlined),
        written(style=bold),
        written(),
    )
    is_red = (spanned[..., 0] > 150) & (spanned[..., 1] < 60)
    rows = np.flatnonzero(is_red.any(axis=1))
    assert rows[-1] + 1 - rows[0] == pytest.approx(0.4 * 180 * CAP, abs=2)
    white = extent(np.where(is_red[..., None], 0, np.minimum(spanned[..., 1:2], spanned)))
    assert white[3] == pytest.approx(rows[-1] + 1, abs=1.5), "they stand on one line"
    assert extent(under)[3] == pytest.approx(90 + 0.6 * 180 * (0.346 + 130 / 2048), abs=4)
    assert (heavy > 128).sum() > 1.3 * (plain > 128).sum()


# -- when ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(60), Fraction(120)], ids=str)
def test_letters_are_there_from_their_first_frame_to_their_last(
    tmp_path: Path, rate: Fraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every segment, and where they go on from one to the next."""
    monkeypatch.setattr(encoding, "_SECONDS", 1)
    canvas = Canvas(width=32, height=16, rate=rate)
    bounds = [(0.0, 0.1), (0.1, 0.21), (0.3333, 0.3334), (0.5, 1.3), (1.5, 1.5 + float(1 / rate)), (2.01, 2.2)]
    texts = [
        written("\u2588\u2588", start=micro(start), duration=micro(end) - micro(start), style=replace(BIG, size=0.5))
        for start, end in bounds
    ]
    rest = written(" ", start=micro(2.3), duration=micro(0.1))
    made = reels.make(of([*texts, rest], canvas=canvas), {}, tmp_path / "out")
    found = reels.pictures(made.file, size=(32, 16))[:, 8, 16] > 100
    expected = np.zeros(made.frames, bool)
    for start, end in bounds:
        expected[round(micro(start) * rate / SECOND) : round(micro(end) * rate / SECOND)] = True
    assert found.tolist() == expected.tolist()


def test_letters_move_frame_by_frame(tmp_path: Path) -> None:
    way = (Keyframe(at=0, value=-0.4), Keyframe(at=micro(1), value=0.4))
    turning = (Keyframe(at=micro(0.5), value=0.0, easing=Easing.HOLD), Keyframe(at=micro(1), value=90.0))
    fading = (Keyframe(at=0, value=1.0), Keyframe(at=micro(1), value=0.5))
    moving = written(duration=micro(2), motion=Motion(x=way, rotation=turning, opacity=fading))
    made = reels.make(of([moving]), {}, tmp_path / "out")
    frames = reels.pictures(made.file, form="rgb24")
    middles = [(extent(frame)[0] + extent(frame)[2]) / 2 for frame in frames]
    assert middles[:10] == pytest.approx([160 + 320 * (-0.4 + 0.08 * number) for number in range(10)], abs=1)
    high, wide = 0.2 * 180 * CAP, 0.2 * 180 * 1138 / 2048
    heights = [extent(frame)[3] - extent(frame)[1] for frame in frames]
    assert heights == pytest.approx([high] * 10 + [wide] * 10, abs=2), "turned by a quarter from its tenth frame on"
    assert [int(frame.max()) for frame in (frames[0], frames[5], frames[15])] == pytest.approx([255, 191, 128], abs=8)


def test_a_hundred_and_fifty_texts(tmp_path: Path) -> None:
    """At once as many as there may be tracks, the others one after the other."""
    places = [Transform(x=(number % 10 - 4.5) / 10, y=(number // 10 - 4.5) / 10) for number in range(99)]
    tracks = [[written("\u2588", style=replace(BIG, size=0.03), transform=place)] for place in places]
    following = [written("\u2588", start=number * FRAME, transform=Transform(y=5)) for number in range(51)]
    made = reels.make(of(*tracks, following), {}, tmp_path / "out")
    assert made.frames == 51
    frame = reels.pictures(made.file)[0] > 100
    assert all(frame[round(180 * (0.5 + place.y)), round(320 * (0.5 + place.x))] for place in places)


# -- what ------------------------------------------------------------------------------------------------


def test_chinese_is_written_with_its_own_signs(tmp_path: Path) -> None:
    """A font without them would draw the same box for each."""
    frames = [frame.astype(int) for frame in shown(tmp_path, *(written(sign) for sign in "你好国の한"))]
    assert all((frame > 128).sum() > 200 for frame in frames)
    for number, frame in enumerate(frames):
        assert all(np.abs(frame - other).max() > 200 for other in frames[:number])


ATTACKS = [
    r"{\p1}m 0 0 l 100 0 100 100 0 100{\p0}",
    r"a\Nb\nc\hd",
    r"{\an8}up{\pos(0,0)}",
    r"\{\an8}up\\{\an8}\}",
    "\\\u200b{\\an8\u202e}a\x00b\u0085c",
]


def test_what_is_written_is_read_as_nothing_but_text(tmp_path: Path) -> None:
    frames = shown(tmp_path, *(written(text, style=replace(BIG, size=0.05), width=1.0) for text in ATTACKS))
    assert [lines(frame) for frame in frames] == [1, 1, 1, 1, 2]
    for frame, text in zip(frames[:4], ATTACKS, strict=False):
        left, top, right, bottom = extent(frame)
        assert bottom - top < 14
        assert (top + bottom) / 2 == pytest.approx(90, abs=3)
        width = compose(written(text, style=replace(BIG, size=0.05), width=1.0), CANVAS, SYSTEM).width
        assert right - left == pytest.approx(width, abs=3), "all of it is there"


def _match(pattern: str) -> str:
    said = "%{file}\\n%{index}\\n%{color}\\n%{family}\\n"
    return subprocess.run(["fc-match", "-f", said, pattern], check=True, capture_output=True, text=True).stdout


SYSTEM = Fonts(_match)


@given(some.text(alphabet=some.sampled_from("a {}\\Nhn\n\r\x00\u202e\u200b🙂\ud800你p1&,;!"), min_size=1, max_size=30))
def test_no_text_adds_a_tag_or_a_line_to_the_script(text: str) -> None:
    window = Window(first=0, frames=1, clips=())
    events = "".join(lettering.script([written(text)], window, CANVAS, SYSTEM)).split("Text\n")[1].splitlines()
    assert all(event.startswith("Dialogue: 0,0:00:00.00,0:00:00.01,Default,,0,0,0,,{") for event in events)
    for event in events:
        said = event.split(",,", 2)[2].removeprefix("0,0,0,,")
        without = re.sub(r"\\[{}]", "", said)
        tags = re.findall(r"\{([^{}]*)\}", without)
        assert without.count("{") == without.count("}") == len(tags)
        assert all(tag.startswith((r"\an8\pos(", r"\fn")) for tag in tags)
        assert not re.search(r"\\[Nnh]", re.sub(r"\{[^{}]*\}", "", without))


def test_a_machine_that_knows_no_fonts_still_makes_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fonts, "of", lambda studio: Fonts(lambda pattern: ""))
    (frame,) = shown(tmp_path, written("H你🙂"))
    assert extent(frame)


def test_signs_that_no_font_has_are_left_out() -> None:
    block = compose(written("a\U0010ffff\U000e0041🏴b"), CANVAS, SYSTEM)
    text = "".join(run.text for line in block.lines for run in line.runs)
    assert text.strip("🏴") in ("ab", "a🏴b")


# -- with what -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    path = tmp_path_factory.mktemp("materials") / "grey.mp4"
    return {"grey": reels.source(reels.make_film(path, [np.full((90, 160), 128, np.uint8)] * 5, rate=10))}


def over_and_under(below: Text, above: Text, clip: Clip) -> Timeline:
    tracks = (
        Track(kind=Kind.TEXT, texts=(below,)),
        Track(kind=Kind.VIDEO, clips=(clip,)),
        Track(kind=Kind.SUBTITLES, texts=(above,)),
        Track(kind=Kind.TEXT, texts=(above,), hidden=True),
    )
    return Timeline(canvas=CANVAS, tracks=tracks)


def test_a_picture_covers_the_letters_below_it_and_none_above(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    full = "\u2588" * 9
    small = Clip(start=0, duration=2 * FRAME, material="grey", transform=Transform(scale=0.5))
    below = written(full, duration=3 * FRAME, transform=Transform(y=0.15))
    above = written(full, start=FRAME, duration=FRAME, transform=Transform(y=-0.15), style=replace(BIG, size=0.1))
    made = reels.make(over_and_under(below, above, small), sources, tmp_path / "out")
    found = reels.pictures(made.file)
    assert found[:, 117, 160].tolist() == pytest.approx([128, 128, 255], abs=6), "under the picture"
    assert found[:, 117, 40].tolist() == pytest.approx([255, 255, 255], abs=6), "beside it"
    assert found[:, 63, 160].tolist() == pytest.approx([128, 255, 0], abs=6), "over it"


def test_windows_say_how_many_clips_lie_below_the_letters(sources: Mapping[str, Source]) -> None:
    clip = Clip(start=0, duration=2 * FRAME, material="grey", fit=Fit.COVER)
    whole = over_and_under(written(duration=3 * FRAME), written(start=FRAME, duration=2 * FRAME), clip)
    first, after = windows(whole, longest=100)
    assert [(one.below, len(one.texts)) for one in first.written] == [(0, 1), (1, 1)]
    assert [(one.below, len(one.texts)) for one in after.written] == [(0, 2)]
    kinds = [type(one) for one in picture.layers(first, sources, CANVAS)]
    assert kinds == [picture.Layer, Written], "what is covered is not drawn"


def test_a_picture_with_letters_is_not_copied(sources: Mapping[str, Source]) -> None:
    whole = over_and_under(written(), written(), Clip(start=0, duration=2 * FRAME, material="grey"))
    with pytest.raises(NotCopied, match="letters"):
        copying.sequence(whole, Format.MP4)
