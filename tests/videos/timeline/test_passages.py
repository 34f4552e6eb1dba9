"""Pictures that give way to others: each frame compared with what numpy and Pillow make of the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.videos.timeline import plainly, reels
from tests.videos.timeline.reels import micro
from videos.timeline import cutting
from videos.timeline.film import Source
from videos.timeline.model import Canvas, Clip, Fit, Passage, Timeline, Track, Transition
from videos.timeline.motion import Keyframe, Motion, Transform
from videos.timeline.values import SECOND

SIZE = (160, 90)
CANVAS = Canvas(width=SIZE[0], height=SIZE[1], rate=Fraction(10), background="#404040")
Array = np.ndarray[Any, np.dtype[Any]]


def picture(material: int, number: int) -> Image.Image:
    """A ramp from left to right, or from top to bottom, whose brightness tells the frame's number."""
    down, across = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    ramp = across * 60 / SIZE[0] if material % 2 else down * 60 / SIZE[1]
    grey = (ramp + 20 + 90 * (material % 3) + number * 2).clip(0, 255)
    return Image.fromarray(np.stack([grey] * 3, axis=-1).round().astype(np.uint8))


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Source]:
    """Three of 20 frames."""
    folder = tmp_path_factory.mktemp("materials")
    return {
        str(name): reels.source(
            reels.make_film(folder / f"{name}.mp4", [np.asarray(picture(name, n)) for n in range(20)], rate=10)
        )
        for name in range(3)
    }


def drawn(clip: Clip, number: int, below: Image.Image) -> Image.Image:
    """A clip on what is below it, at a frame of the film; also before its start and after its end."""
    moment = (number / 10 - clip.start / SECOND) * float(clip.speed) + clip.source_start / SECOND
    shown = picture(int(clip.material), min(19, max(0, int(moment * 10 + 1e-6))))
    return plainly.put(below, shown, clip)


def crossed(old: Clip, new: Clip, number: int, below: Image.Image) -> Image.Image:
    assert old.transition is not None
    length = old.transition.duration
    part = min(1, max(0, (number / 10 * SECOND - (old.end - length // 2)) / length))
    kind = old.transition.kind
    if kind in (Passage.FADE_BLACK, Passage.FADE_WHITE):
        colour = 0 if kind is Passage.FADE_BLACK else 255
        one = old if number < round(old.end * 10 / SECOND) else new
        seen = Image.fromarray((drawn_mask(one) * 255 * (1 - abs(1 - 2 * part))).round().astype(np.uint8))
        return plainly.mixed(drawn(one, number, below), Image.new("RGB", SIZE, (colour,) * 3), seen)
    if "slide" in kind:
        return slid(old, new, number, below, part)
    first, second = drawn(old, number, below), drawn(new, number, below)
    return plainly.mixed(first, second, Image.fromarray((share(kind, part) * 255).round().astype(np.uint8)))


def drawn_mask(clip: Clip) -> Array:
    """Where a clip is seen, from 0 to 1."""
    white = plainly.put(Image.new("RGB", SIZE), Image.new("RGB", SIZE, "white"), clip)
    return np.asarray(white, float)[..., 0] / 255


def slid(old: Clip, new: Clip, number: int, below: Image.Image, part: float) -> Image.Image:
    way = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
    assert old.transition is not None
    x, y = way[old.transition.kind.value.removeprefix("slide_")]
    result = np.asarray(below, float).copy()
    for clip, behind in ((old, 0), (new, 1)):
        left, top = (round((part - behind) * side / 2) * 2 * step for side, step in zip(SIZE, (x, y), strict=True))
        seen, mask = np.asarray(drawn(clip, number, below), float), drawn_mask(clip)[..., None]
        into = np.zeros((SIZE[1] * 3, SIZE[0] * 3, 4))
        into[SIZE[1] + top : 2 * SIZE[1] + top, SIZE[0] + left : 2 * SIZE[0] + left] = np.dstack([seen, mask])
        cut = into[SIZE[1] : 2 * SIZE[1], SIZE[0] : 2 * SIZE[0]]
        result = result * (1 - cut[..., 3:]) + cut[..., :3] * cut[..., 3:]
    return Image.fromarray(result.round().astype(np.uint8))


def share(kind: Passage, part: float) -> Array:
    """How much of each pixel the new one has, by 16 points in it."""
    points = np.mgrid[0 : SIZE[1] * 4, 0 : SIZE[0] * 4] / 4 + 0.125
    down, across = points
    (width, height), away = SIZE, np.hypot(across - SIZE[0] / 2, down - SIZE[1] / 2)
    whole = {
        Passage.DISSOLVE: np.full_like(across, part),
        Passage.WIPE_LEFT: across > width * (1 - part),
        Passage.WIPE_RIGHT: across < width * part,
        Passage.WIPE_UP: down > height * (1 - part),
        Passage.WIPE_DOWN: down < height * part,
        Passage.CIRCLE_OPEN: away < part * np.hypot(*SIZE) / 2,
        Passage.CIRCLE_CLOSE: away > (1 - part) * np.hypot(*SIZE) / 2,
    }[kind].astype(float)
    return np.asarray(whole.reshape(height, 4, width, 4).mean(axis=(1, 3)))


def wanted(whole: Timeline, number: int) -> Image.Image:
    result = plainly.plain(whole.canvas)
    for track in whole.tracks:
        result = with_track(result, track, number)
    return result


def with_track(below: Image.Image, track: Track, number: int) -> Image.Image:
    for old, new in zip(track.clips, track.clips[1:], strict=False):
        if old.transition:
            begin = old.end - old.transition.duration // 2
            if round(begin * 10 / SECOND) <= number < round((begin + old.transition.duration) * 10 / SECOND):
                return crossed(old, new, number, below)
    for clip in track.clips:
        if round(clip.start * 10 / SECOND) <= number < round(clip.end * 10 / SECOND):
            return drawn(clip, number, below)
    return below


def off(whole: Timeline, materials: Mapping[str, Source], folder: Path) -> list[float]:
    made = reels.make(whole, materials, folder / "out")
    found = reels.pictures(made.file, size=SIZE, form="rgb24")
    assert len(found) == whole.frames
    return [round(plainly.difference(frame, wanted(whole, number)), 1) for number, frame in enumerate(found)]


def clip(start: float, seconds: float, material: int, **changes: Any) -> Clip:
    return replace(Clip(start=micro(start), duration=micro(seconds), material=str(material)), **changes)


def pair(kind: Passage, seconds: float = 0.8, **changes: Any) -> list[Clip]:
    gives_way = Transition(duration=micro(seconds), kind=kind)
    old = clip(0, 0.6, 0, source_start=micro(0.3), transition=gives_way, **changes)
    return [old, clip(0.6, 0.6, 1, source_start=micro(0.5), **changes)]


@pytest.mark.parametrize("kind", Passage)
def test_one_picture_gives_way_to_the_next(tmp_path: Path, materials: Mapping[str, Source], kind: Passage) -> None:
    """Of the whole canvas; and small ones over another track, which is seen beside them and changes in the middle."""
    (tmp_path / "small").mkdir()
    found = off(reels.timeline(pair(kind), canvas=CANVAS), materials, tmp_path)
    # In a slide a half may be rounded to either side, by two pixels.
    assert max(found) < (2 if "slide" in kind else 1.1), found
    small = pair(kind, transform=Transform(scale=0.6, x=0.15))
    small[1] = replace(small[1], transform=Transform(scale=0.5, x=-0.2, y=0.1))
    below = [clip(0, 0.5, 2), clip(0.5, 0.2, 0, source_start=micro(1)), clip(0.8, 0.4, 2, source_start=micro(0.2))]
    found = off(reels.timeline(below, small, canvas=CANVAS), materials, tmp_path / "small")
    assert max(found) < 2, found


CASES = {
    "odd lengths and moments": [
        clip(0, 0.437, 0, transition=Transition(duration=micro(0.533), kind=Passage.WIPE_LEFT)),
        replace(clip(0, 0.7, 1), start=micro(0.437)),
    ],
    "one frame long": pair(Passage.DISSOLVE, 0.1),
    "shorter than a frame": pair(Passage.SLIDE_UP, 0.000_001),
    "clips of one frame": [
        clip(0, 0.1, 0, transition=Transition(duration=micro(0.1))),
        clip(0.1, 0.1, 1, transition=Transition(duration=micro(0.1), kind=Passage.CIRCLE_OPEN)),
        clip(0.2, 0.1, 2),
    ],
    "one after the other, to the last moment": [
        clip(0, 0.4, 0, transition=Transition(duration=micro(0.4))),
        clip(0.4, 0.4, 1, source_start=micro(0.2), transition=Transition(duration=micro(0.4), kind=Passage.FADE_WHITE)),
        clip(0.8, 0.4, 2),
    ],
    "to a frozen one, faster": [
        clip(0, 0.5, 0, speed=Fraction(2), transition=Transition(duration=micro(0.6), kind=Passage.WIPE_DOWN)),
        clip(0.5, 0.5, 1, fit=Fit.COVER),
    ],
    "to what lies beside the canvas": [
        clip(0, 0.5, 0, transition=Transition(duration=micro(0.6))),
        clip(0.5, 0.5, 1, transform=Transform(x=5)),
    ],
    "where the materials have no more": [
        clip(0, 0.5, 0, source_start=micro(1.8), transition=Transition(duration=micro(0.8))),
        clip(0.5, 0.5, 1),
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_at_every_length_and_moment(tmp_path: Path, materials: Mapping[str, Source], name: str) -> None:
    found = off(reels.timeline(CASES[name], canvas=CANVAS), materials, tmp_path)
    assert max(found) < 2, found


@pytest.mark.parametrize("kind", [Passage.DISSOLVE, Passage.SLIDE_LEFT, Passage.FADE_BLACK])
def test_a_segment_may_end_in_the_middle_of_it(materials: Mapping[str, Source], tmp_path: Path, kind: Passage) -> None:
    """And then its second part is made by itself."""
    whole = reels.timeline(pair(kind), canvas=CANVAS)
    found = cutting.windows(whole, longest=3)
    assert [(window.first, window.frames, window.passages) for window in found[:4]] == [
        *((0, 2, ()), (2, 3, (0,)), (5, 1, (0,)), (6, 3, (0,))),
    ]
    slow = replace(CANVAS, rate=Fraction(10))
    long = [
        clip(0, 10, 0, speed=Fraction(1, 10), transition=Transition(duration=micro(1), kind=kind)),
        clip(10, 0.6, 1, source_start=micro(0.6)),
    ]
    off_by = off(reels.timeline(long, canvas=slow), materials, tmp_path)
    assert max(off_by) < 2, off_by


def test_pictures_move_on_while_they_give_way(tmp_path: Path, materials: Mapping[str, Source]) -> None:
    """Their keyframes count from their own starts, beyond their ends."""
    old, new = pair(Passage.DISSOLVE)
    motion = Motion(x=(Keyframe(at=0, value=-0.2), Keyframe(at=micro(1), value=0.3)))
    moving = replace(old, motion=motion, transform=Transform(scale=0.5))
    made = reels.make(reels.timeline([moving, new], canvas=CANVAS), materials, tmp_path / "out")
    found = reels.pictures(made.file, size=SIZE, form="rgb24")
    for number in (0, 4, 8, 9):
        at = replace(moving, motion=Motion(), transform=Transform(scale=0.5, x=-0.2 + number / 20))
        whole = reels.timeline([at, new], canvas=CANVAS)
        assert plainly.difference(found[number], wanted(whole, number)) < 2


def test_a_backdrop_slides_with_its_clip(tmp_path: Path, materials: Mapping[str, Source]) -> None:
    old, new = pair(Passage.SLIDE_LEFT, transform=Transform(scale=0.3), backdrop="#808080")
    made = reels.make(
        reels.timeline([replace(old, backdrop="#ffffff"), new], canvas=CANVAS), materials, tmp_path / "out"
    )
    found = reels.pictures(made.file, size=SIZE)
    for number in (3, 6, 9):
        edge = round(160 * (1 - (number / 10 - 0.2) / 0.8))
        assert found[number][4, edge - 4] == pytest.approx(255, abs=3)
        assert found[number][4, edge + 4] == pytest.approx(128, abs=3)


@pytest.mark.parametrize("kind", [Passage.DISSOLVE, Passage.WIPE_UP, Passage.SLIDE_DOWN, Passage.FADE_WHITE])
@pytest.mark.parametrize("first", [True, False])
def test_a_backdrop_of_one_of_them_hides_what_is_below_that_one(
    tmp_path: Path, materials: Mapping[str, Source], kind: Passage, first: bool
) -> None:
    clips = pair(kind, transform=Transform(scale=0.5))
    clips[0 if first else 1] = replace(clips[0 if first else 1], backdrop="#a0a0a0")
    for number, below in enumerate([[[clip(0, 1.2, 2)]], []]):
        made = reels.make(reels.timeline(*below, clips, canvas=CANVAS), materials, tmp_path / str(number))
        corner = reels.pictures(made.file, size=SIZE)[:, 3, 3].astype(int)
        assert abs(int(corner[1 if first else -1]) - 0xA0) < 4
        assert abs(int(corner[-1 if first else 1]) - 0xA0) > 30
