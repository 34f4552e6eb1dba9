"""Texts in films of drafts: where their ink is, how much of it, and in which colour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyJianYingDraft as jianying
import pytest
from pyJianYingDraft import (
    ClipSettings,
    KeyframeProperty,
    ScriptFile,
    TextSegment,
    TextStyle,
    TrackSpec,
    TrackType,
    trange,
)

from tests.videos.drafts.films import film
from tests.videos.timeline.capcut.drafts import Paper, segment
from tests.videos.timeline.reels import Array

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

WIDTH, HEIGHT = 640, 360
FRAME = 100_000
SIZE = 0.2 * HEIGHT  # of letters of size 20, in pixels
CAP, FOOT, ADVANCE = 1493 / 2048, 0.346, 1540 / 2048  # of an H of DejaVu Sans: its height, its foot below the middle
FONT = "C:/Windows/Fonts/DejaVu Sans.ttf"
WHITE, RED, GREEN, BLUE, ORANGE = (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 128, 0)


class Ink(NamedTuple):
    """The extent of a colour on a frame."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def sides(self) -> tuple[int, int]:
        return self.right - self.left, self.bottom - self.top


def ink(frame: Array, *colour: int, close: int = 70) -> Ink:
    """Where a colour is; halves of what is drawn over black are too dark to be it."""
    found = np.abs(frame.astype(int) - colour).max(axis=-1) < close
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert len(rows), f"nothing is {colour}"
    return Ink(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def solid(*colour: float, **says: Any) -> dict[str, Any]:
    return {"fill": {"content": {"solid": {"color": list(colour)}}}, "font": {"path": FONT}, "size": 20} | says


def shown(*texts: tuple[dict[str, Any], dict[str, Any]]) -> tuple[Sequence[Array], list[str]]:
    """Each for a frame, on black; what their materials say, and their segments."""
    paper = Paper(canvas_config={"width": WIDTH, "height": HEIGHT}, fps=10)
    segments = [
        segment(paper.material("texts", **material), number * FRAME, FRAME, source=None) | says
        for number, (material, says) in enumerate(texts)
    ]
    paper.track("text", *segments)
    made = film(paper)
    assert len(made.frames) == len(texts)
    return list(made.frames), made.codes


def test_texts_of_three_generations_look_as_they_say() -> None:
    bold = {"text_color": "#ff8000", "border_color": "#0000ff", "border_width": 0.1, "font_size": 20, "font_path": FONT}
    tags = (
        f'<font id="" path="{FONT}"><color=(0.0, 1.0, 0.0, 1.0)><size=10>[HH]</size></color>'
        "<color=(1.0, 0.0, 0.0, 1.0)><size=20>[HH]</size></color></font>"
    )
    styles = [
        solid(1, 0, 0, range=[0, 1]),
        solid(0, 1, 0, range=[1, 2], strokes=[{"width": 0.08, "content": {"solid": {"color": [1, 1, 1]}}}]),
        solid(0, 0, 1, range=[2, 3]),
    ]
    frames, codes = shown(
        ({"content": "HH", **bold}, {}),
        ({"content": tags}, {}),
        ({"content": json.dumps({"text": "永H永", "styles": styles})}, {}),
    )
    first, second, third = frames
    assert codes == []

    inside, around = ink(first, *ORANGE), ink(first, *BLUE)
    assert inside.sides[1] == pytest.approx(SIZE * CAP, abs=2)
    assert inside.bottom == pytest.approx(HEIGHT / 2 + SIZE * FOOT, abs=2)
    assert inside.middle[0] == pytest.approx(WIDTH / 2, abs=2)
    assert np.subtract(around, inside).tolist() == pytest.approx([-7.2, -7.2, 7.2, 7.2], abs=2)

    small, large = ink(second, *GREEN), ink(second, *RED)
    assert (small.sides[1], large.sides[1]) == pytest.approx((SIZE / 2 * CAP, SIZE * CAP), abs=2)
    assert small.bottom == pytest.approx(large.bottom, abs=1), "they stand on one line"
    assert large.left - small.right == pytest.approx(SIZE * 0.15, abs=4)

    red, green, blue = (ink(third, *colour) for colour in (RED, GREEN, BLUE))
    assert red.sides == pytest.approx((SIZE * 0.9, SIZE * 0.9), abs=SIZE * 0.1), "a Chinese sign fills its square"
    assert blue.middle[0] - red.middle[0] == pytest.approx(SIZE * (1 + ADVANCE), abs=3)
    assert green.middle[0] == pytest.approx((red.middle[0] + blue.middle[0]) / 2, abs=3)
    assert ink(third, *WHITE).left < green.left - 3


def test_texts_are_put_turned_and_moved_as_clips_are() -> None:
    plain = {"content": "HHHH", "font_size": 10, "font_path": FONT}
    move = [
        {
            "property_type": name,
            "keyframe_list": [{"time_offset": 0, "values": [0]}, {"time_offset": 400_000, "values": [to]}],
        }
        for name, to in (("KFTypePositionX", 0.8), ("KFTypePositionY", 0.4))
    ]
    paper = Paper(canvas_config={"width": WIDTH, "height": HEIGHT}, fps=10)
    text = paper.material("texts", **plain)
    put = {"transform": {"x": 0.5, "y": -0.4}, "scale": {"x": 2, "y": 2}, "rotation": 90, "alpha": 0.5}
    paper.track(
        "text",
        segment(text, 0, FRAME, source=None),
        segment(text, FRAME, FRAME, source=None, clip=put),
        segment(text, 2 * FRAME, 5 * FRAME, source=None, common_keyframes=move),
    )
    made = film(paper)
    upright, turned = ink(made.frames[0], *WHITE), ink(made.frames[1], 128, 128, 128)
    assert upright.middle[0] == pytest.approx(WIDTH / 2, abs=2)
    assert turned.sides == pytest.approx((2 * upright.sides[1], 2 * upright.sides[0]), abs=3)
    # Its middle is where it was put: the foot, which was below that, is to its left.
    assert turned.left == pytest.approx(WIDTH * 0.75 - 2 * (upright.bottom - HEIGHT / 2), abs=3)
    assert turned.middle[1] == pytest.approx(HEIGHT * 0.7, abs=3)
    for number in range(5):
        x, y = ink(made.frames[2 + number], *WHITE).middle
        assert x - upright.middle[0] == pytest.approx(0.4 * WIDTH * number / 4, abs=2)
        assert y - upright.middle[1] == pytest.approx(-0.2 * HEIGHT * number / 4, abs=2)
    assert made.codes == []


def script() -> ScriptFile:
    return ScriptFile(WIDTH, HEIGHT, 10, maintrack_adsorb=True)


def test_strokes_shadows_boxes_and_alignment_are_drawn() -> None:
    draft = script()
    draft.append_track(TrackSpec(TrackType.text))
    shadow = jianying.TextShadow(color=(1.0, 0.0, 0.0), alpha=1.0, distance=20, angle=-90, diffuse=0)
    style = TextStyle(size=20, align=1)
    looks: list[dict[str, Any]] = [
        {"border": jianying.TextBorder(color=(0, 0, 1), width=50), "shadow": shadow},
        {"background": jianying.TextBackground(color="#00a000", width=0.3, height=0.3)},
    ]
    for number, look in enumerate(looks):
        draft.add_segment(TextSegment("HH", trange(number * FRAME, FRAME), style=style, **look))
    for align in (0, 1, 2):
        style = TextStyle(size=10, align=align, color=(1, 0.5, 0))
        draft.add_segment(TextSegment("HHHHHH\nHH", trange((2 + align) * FRAME, FRAME), style=style))
    made = film(draft)
    assert made.codes == []

    edged, boxed, *aligned = made.frames
    inside, around, behind = ink(edged, *WHITE), ink(edged, *BLUE), ink(edged, *RED)
    assert np.subtract(around, inside).tolist() == pytest.approx([-7.2, -7.2, 7.2, 7.2], abs=2)
    assert behind.bottom - around.bottom == pytest.approx(0.2 * SIZE, abs=2), "below, for the angle says so"
    assert behind.middle[0] == pytest.approx(inside.middle[0], abs=2)

    box, letters = ink(boxed, 0, 160, 0, close=30), ink(boxed, *WHITE)
    assert box.middle == pytest.approx((WIDTH / 2, HEIGHT / 2), abs=2)
    assert box.sides[1] == pytest.approx(SIZE * (1.2 + 0.6), abs=2)
    assert (letters.left - box.left, box.right - letters.right) == pytest.approx((0.4 * SIZE,) * 2, abs=0.1 * SIZE)

    for side, frame in zip(("left", "centre", "right"), aligned, strict=True):
        whole, last = ink(frame, *ORANGE), ink(frame[HEIGHT // 2 :], *ORANGE)
        off = {
            "left": last.left - whole.left,
            "centre": last.middle[0] - whole.middle[0],
            "right": last.right - whole.right,
        }
        assert off[side] == pytest.approx(0, abs=2)
        assert whole.middle[0] == pytest.approx(WIDTH / 2, abs=2)


def test_subtitles_are_seen_while_they_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(
        "1\n00:00:00,200 --> 00:00:00,500\nHHHH\n\n2\n00:00:00,500 --> 00:00:00,800\n永永永\nHH\n", encoding="utf-8"
    )
    draft = script()
    draft.import_srt(str(tmp_path / "a.srt"), "subtitles")
    made = film(draft)
    assert [bool(frame.max() > 200) for frame in made.frames] == [False] * 2 + [True] * 6
    one, two = ink(made.frames[3], *WHITE), ink(made.frames[6], *WHITE)
    assert one.middle == pytest.approx((WIDTH / 2, HEIGHT * 0.9), abs=4)
    assert one.sides[1] == pytest.approx(0.05 * HEIGHT * CAP, abs=3)
    assert two.middle == pytest.approx((WIDTH / 2, HEIGHT * 0.9), abs=4)
    assert two.sides[1] == pytest.approx(0.05 * HEIGHT * 2.1, abs=4), "two lines"
    assert made.codes == []


def test_a_text_moves_by_the_keyframes_of_a_program() -> None:
    draft = script()
    draft.append_track(TrackSpec(TrackType.text))
    place = ClipSettings(transform_y=0.5)
    text = TextSegment("HH", trange(0, 5 * FRAME), style=TextStyle(size=10), clip_settings=place)
    text.add_keyframe(KeyframeProperty.position_x, 0, -0.5).add_keyframe(KeyframeProperty.position_x, 4 * FRAME, 0.5)
    text.add_keyframe(KeyframeProperty.uniform_scale, 0, 1.0).add_keyframe(KeyframeProperty.uniform_scale, 4 * FRAME, 2)
    draft.add_segment(text)
    made = film(draft)
    found = [ink(frame, *WHITE) for frame in made.frames]
    assert [one.middle[0] for one in found] == pytest.approx([WIDTH * (0.25 + 0.125 * n) for n in range(5)], abs=2)
    assert found[4].sides[1] == pytest.approx(2 * found[0].sides[1], abs=2)
    assert found[0].bottom == pytest.approx(HEIGHT * 0.25 + 0.1 * HEIGHT * FOOT, abs=2)
