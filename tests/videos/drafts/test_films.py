"""Films of drafts, frame by frame: compared with what the drafts' words come to, counted and drawn anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyJianYingDraft as jianying
import pytest
from PIL import Image, ImageFilter
from pyJianYingDraft import (
    ClipSettings,
    KeyframeProperty,
    MaskType,
    ScriptFile,
    TrackSpec,
    TrackType,
    VideoSegment,
    trange,
)
from pyJianYingDraft import TransitionType as Change

from tests.videos.drafts import films
from tests.videos.drafts.films import BESIDE, film
from tests.videos.timeline import plainly, reels
from tests.videos.timeline.capcut.drafts import SECOND, Paper, segment
from tests.videos.timeline.reels import Array
from tests.videos.timeline.test_masking import hidden
from videos.timeline.model import Canvas, Clip, Crop, Fit, Mask, Shape
from videos.timeline.motion import Transform

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

SIZE = (320, 180)
CANVAS = Canvas(width=SIZE[0], height=SIZE[1])
WHOLE = Clip(start=0, duration=SECOND, material="-")


def drawn(width: int, height: int, blue: int = 60) -> Image.Image:
    """Colours that run from side to side, and a square that says where up and left are."""
    down, across = np.mgrid[0:height, 0:width]
    red, green = across * 200 / width + 30, down * 200 / height + 20
    square = np.where((across < width * 0.4) & (down < height * 0.3), 240, blue)
    return Image.fromarray(np.stack([red, green, square], axis=-1).astype(np.uint8))


PICTURES = {"tall.mp4": drawn(240, 320), "wide.mp4": drawn(320, 180, 120), "photo.png": drawn(400, 300, 90)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films whose frames are numbered, with a tone; two whose frames are all the same; a photo."""
    folder = tmp_path_factory.mktemp("files")
    for number in range(2):
        reels.make_numbered(folder / f"count-{number}.mp4", count=80, material=number, sound=True)
    for name, picture in PICTURES.items():
        if name.endswith(".png"):
            picture.save(folder / name)
        else:
            reels.make_film(folder / name, [np.asarray(picture)] * 12, rate=10)
    return folder


def script(rate: int = 10, *tracks: str, size: tuple[int, int] = SIZE) -> ScriptFile:
    made = ScriptFile(*size, rate, maintrack_adsorb=True)
    made.append_tracks([TrackSpec(TrackType.video, name) for name in tracks or ("main",)])
    return made


def off(frame: Array, wanted: Image.Image | Array, where: Array | None = None) -> float:
    """Of a channel of a pixel, on average."""
    difference = np.abs(np.asarray(frame, np.int16) - np.asarray(wanted, np.int16))
    return float(difference.mean() if where is None else difference[where].mean())


def changed(one: Image.Image, other: Image.Image) -> Array:
    """Where two pictures differ."""
    return np.asarray(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max(axis=-1) > 6)


# -- time ------------------------------------------------------------------------------------------------


def test_cuts_speeds_backwards_and_standing(files: Path) -> None:
    """Every frame has the number that it should have, and the tone its pitch. The last two are written by hand."""
    one, two = (str(files / f"count-{number}.mp4") for number in range(2))
    draft = script(25)
    draft.add_segment(VideoSegment(one, trange("0s", "1s"), source_timerange=trange("1s", "1s")))
    draft.add_segment(VideoSegment(one, trange("1s", "1s"), source_timerange=trange("1s", "1.5s")))
    draft.add_segment(VideoSegment(two, trange("2.4s", "1s"), speed=0.8, change_pitch=True))
    draft.add_segment(VideoSegment(two, trange("3.4s", "0.6s"), source_timerange=trange("2s", "0.6s")))
    draft.add_segment(VideoSegment(one, trange("4s", "0.4s"), source_timerange=trange("2s", "0.4s")))
    document = films.written(draft)
    backwards, standing = document["tracks"][0]["segments"][3:]
    backwards["reverse"] = True
    standing["source_timerange"]["duration"] = 0
    made = film(document, files / "count-0.mp4", files / "count-1.mp4")

    second = reels.FIRST
    assert reels.numbers(made.path) == [
        *(26 + n for n in range(25)),
        *(26 + int(1.5 * n) for n in range(25)),
        *[0] * 10,
        *(second + 1 + int(0.8 * n + 1e-6) for n in range(25)),
        *(second + 65 - n for n in range(15)),
        *[51] * 10,
    ]
    spans = {(0.1, 0.9): 440, (1.1, 1.9): 440, (2.1, 2.3): 0, (2.5, 3.3): 352, (3.5, 3.9): 440, (4.1, 4.3): 0}
    assert {span: films.pitch(made.sound, *span) for span in spans} == pytest.approx(spans, abs=3)
    assert made.codes == []


def test_drafts_shorter_than_three_seconds_are_rendered(files: Path) -> None:
    draft = script(25)
    draft.add_segment(VideoSegment(str(files / "count-0.mp4"), trange("0s", "0.2s")))
    made = film(draft, files / "count-0.mp4", home=BESIDE)
    assert reels.numbers(made.path) == [1, 2, 3, 4, 5]
    assert made.seconds == pytest.approx(0.2, abs=0.05)


# -- place -----------------------------------------------------------------------------------------------


def test_pictures_in_the_picture_lie_over_one_another_where_they_were_put(files: Path) -> None:
    draft = script(10, "below", "above", "top")
    cut = jianying.CropSettings(
        upper_left_x=0.25, lower_left_x=0.25, lower_left_y=0.9, lower_right_y=0.9, upper_right_x=1, lower_right_x=1
    )
    tall = jianying.VideoMaterial(str(files / "tall.mp4"), crop_settings=cut)
    place = ClipSettings(scale_x=0.7, scale_y=0.7, transform_x=0.5, transform_y=0.4, rotation=25, flip_horizontal=True)
    faint = ClipSettings(alpha=0.5, scale_x=0.5, scale_y=0.5, transform_x=0.2, transform_y=-0.2, flip_vertical=True)
    draft.add_segment(VideoSegment(str(files / "wide.mp4"), trange("0s", "0.6s")), "below")
    draft.add_segment(VideoSegment(tall, trange("0.2s", "0.4s"), clip_settings=place), "above")
    photo = VideoSegment(str(files / "photo.png"), trange("0.4s", "0.4s"), clip_settings=faint)
    draft.add_segment(photo, "top")
    made = film(draft, *(files / name for name in PICTURES))

    below, black = plainly.put(plainly.plain(CANVAS), PICTURES["wide.mp4"], WHOLE), plainly.plain(CANVAS)
    first = Clip(
        start=0,
        duration=1,
        material="-",
        crop=Crop(left=0.25, bottom=0.1),
        flip_x=True,
        transform=Transform(x=0.25, y=-0.2, scale=0.7, rotation=25),
    )
    second = Clip(
        start=0, duration=1, material="-", flip_y=True, transform=Transform(x=0.1, y=0.1, scale=0.5, opacity=0.5)
    )
    above = plainly.put(below, PICTURES["tall.mp4"], first)
    top = plainly.put(above, PICTURES["photo.png"], second)
    alone = plainly.put(black, PICTURES["photo.png"], second)
    assert len(made.frames) == 8
    for number, wanted in enumerate([below, below, above, above, top, top, alone, alone]):
        assert off(made.frames[number], wanted) < 2.5, number
    assert off(made.frames[2], above, changed(below, above)) < 6
    assert off(made.frames[4], top, changed(above, top)) < 6
    assert made.codes == []


def test_photos_move_by_their_keyframes_before_colours_and_blurred_pictures(files: Path) -> None:
    draft = script(10)
    photo = str(files / "photo.png")
    moving = VideoSegment(photo, trange("0s", "1s"))
    for name, begin, end in (
        (KeyframeProperty.uniform_scale, 1.0, 0.5),
        (KeyframeProperty.position_x, -0.4, 0.6),
        (KeyframeProperty.position_y, 0.0, 0.5),
        (KeyframeProperty.rotation, 0, 120),
        (KeyframeProperty.alpha, 1.0, 0.4),
    ):
        moving.add_keyframe(name, "0.1s", begin).add_keyframe(name, "0.9s", end)
    draft.add_segment(moving.add_background_filling("color", color="#20a060ff"))
    draft.add_segment(VideoSegment(photo, trange("1s", "0.3s")).add_background_filling("blur", 0.375))
    made = film(draft, files / "photo.png", home=BESIDE)

    ground = plainly.plain(CANVAS, "#20a060")
    for number in range(10):
        part = min(1.0, max(0.0, (number - 1) / 8))
        place = Transform(
            x=-0.2 + 0.5 * part,
            y=-0.25 * part,
            scale=1 - 0.5 * part,
            rotation=120 * part,
            opacity=1 - 0.6 * part,
        )
        wanted = plainly.put(ground, PICTURES["photo.png"], WHOLE, place)
        assert off(made.frames[number], wanted) < 3, number
        assert off(made.frames[number], wanted, changed(ground, wanted)) < 7, number
    sharp = plainly.put(plainly.plain(CANVAS), PICTURES["photo.png"], WHOLE)
    seen = np.zeros((SIZE[1], SIZE[0]), bool)
    seen[:, 44:276] = True
    covering = plainly.put(
        plainly.plain(CANVAS), PICTURES["photo.png"], Clip(start=0, duration=1, material="-", fit=Fit.COVER)
    )
    assert off(made.frames[11], sharp, seen) < 2.5
    assert off(made.frames[11], covering.filter(ImageFilter.GaussianBlur(48)), ~seen) < 25
    assert np.abs(np.diff(made.frames[11][:, 10, 2].astype(int))).max() < 20, "blurred"
    assert made.codes == []


def test_masks_leave_a_part_of_a_picture(files: Path) -> None:
    """Each for two frames, on a picture that is turned. A heart can't be drawn: all is seen, and it is said."""
    width, height = PICTURES["photo.png"].size
    rectangle: dict[str, Any] = {"rect_width": 0.5, "round_corner": 40}
    wanted: dict[MaskType, tuple[dict[str, Any], Mask | None]] = {
        MaskType.线性: ({"center_y": 30, "rotation": 20}, Mask(shape=Shape.LINE, y=-0.1, rotation=20)),
        MaskType.镜面: ({"size": 0.4, "invert": True}, Mask(shape=Shape.MIRROR, height=0.4, invert=True)),
        MaskType.圆形: (
            {"size": 0.6, "center_x": 40, "feather": 20},
            Mask(shape=Shape.CIRCLE, x=0.1, width=0.6 * height / width, height=0.6, feather=0.2),
        ),
        MaskType.矩形: (
            {"size": 0.7, "rotation": -30, **rectangle},
            Mask(shape=Shape.RECTANGLE, width=0.5, height=0.7, corner=0.4, rotation=-30),
        ),
        MaskType.爱心: ({}, None),
    }
    draft = script(10, "below", "above")
    draft.add_segment(VideoSegment(str(files / "wide.mp4"), trange("0s", "1s")), "below")
    for number, (kind, (how, _)) in enumerate(wanted.items()):
        place = ClipSettings(scale_x=0.9, scale_y=0.9, rotation=10)
        one = VideoSegment(str(files / "photo.png"), trange(number * SECOND // 5, SECOND // 5), clip_settings=place)
        draft.add_segment(one.add_mask(kind, **how), "above")
    made = film(draft, files / "wide.mp4", files / "photo.png")

    below = plainly.put(plainly.plain(CANVAS), PICTURES["wide.mp4"], WHOLE)
    for number, (_, mask) in enumerate(wanted.values()):
        photo = PICTURES["photo.png"].copy()
        if mask:
            photo.putalpha(hidden(mask, photo.size))
        whole = plainly.put(below, photo, WHOLE, Transform(scale=0.9, rotation=10))
        for frame in made.frames[2 * number : 2 * number + 2]:
            assert off(frame, whole) < 3, mask
            assert off(frame, whole, changed(below, whole)) < 6, mask
    assert [(one["code"], one["path"]) for one in made.report] == [("mask_left_out", "tracks[1].segments[4]")]


# -- transitions -----------------------------------------------------------------------------------------

SMALL = (160, 96)


def lit(material: int, number: int) -> Array:
    """The picture of a film: red or blue, which tells the frame, and green, which tells where above and below are."""
    picture = np.zeros((SMALL[1], SMALL[0], 3))
    picture[..., 2 * material] = 60 + 6 * number
    picture[..., 1] = np.linspace(0, 160, SMALL[1])[:, None]
    return picture


@pytest.fixture(scope="module")
def lights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("lights")
    return [
        reels.make_film(folder / f"{name}.mp4", [lit(name, n).astype(np.uint8) for n in range(30)], rate=10)
        for name in range(2)
    ]


def crossed(old: Array, new: Array, part: float, kind: str) -> Array:
    """Two pictures, of which one gives way to the other."""
    across = np.arange(SMALL[0])
    if kind == "black":
        return (old if part < 0.5 else new) * abs(1 - 2 * part)
    if kind == "wipe":
        return np.where((across >= SMALL[0] * (1 - part))[:, None], new, old)
    if kind == "push":
        edge = round(SMALL[1] * (1 - part) / 2) * 2
        both = np.concatenate([old, new])
        return both[SMALL[1] - edge : 2 * SMALL[1] - edge]
    return old * (1 - part) + new * part


def test_pictures_give_way_to_others_whose_clips_touch(lights: list[Path]) -> None:
    kinds = {Change.叠化: "mix", Change.闪黑: "black", Change.向左擦除: "wipe", Change.上移: "push", Change.翻页: "mix"}
    draft = script(10, size=SMALL)
    for number, kind in enumerate([*kinds, None]):
        clip = VideoSegment(str(lights[number % 2]), trange(f"{number}s", "1s"), source_timerange=trange("1s", "1s"))
        draft.add_segment(clip.add_transition(kind, duration="0.6s") if kind else clip)
    made = film(draft, *lights)
    assert len(made.frames) == 60
    for cut, kind in enumerate(kinds.values(), start=1):
        for number in range(10 * cut - 5, 10 * cut + 5):
            old, new = (lit((cut + side) % 2, 10 + number - 10 * (cut + side)) for side in (-1, 0))
            part = min(1.0, max(0.0, (number - 10 * cut + 3) / 6))
            wanted = crossed(old, new, part, kind)
            assert off(made.frames[number], wanted) < 4, (number, kind)
    assert [(one["code"], one["path"]) for one in made.report] == [("transition_replaced", "tracks[0].segments[4]")]
    assert "翻页" in made.report[0]["message"]


def test_pictures_give_way_to_others_whose_clips_overlap(lights: list[Path]) -> None:
    """As older applications have it: both clips have the whole of the transition within them."""
    paper = Paper(canvas_config={"width": SMALL[0], "height": SMALL[1]}, fps=10)
    mix = paper.material("transitions", resource_id="6724845717472416269", duration=600_000, is_overlap=True)
    red, blue = (paper.video(path.name) for path in lights)
    paper.track(
        "video",
        segment(red, 0, 1_300_000, mix, source=SECOND),
        segment(blue, 700_000, 1_300_000, source=500_000),
    )
    made = film(paper, *lights)
    assert len(made.frames) == 20
    for number, frame in enumerate(made.frames):
        part = min(1.0, max(0.0, (number - 7) / 6))
        wanted = lit(0, min(29, 10 + number)) * (1 - part) + lit(1, max(0, number - 2)) * part
        assert off(frame, wanted) < 4, number
    assert made.codes == []


# -- compound clips --------------------------------------------------------------------------------------


def test_a_draft_within_a_draft_is_cut_and_put_where_its_clip_is(lights: list[Path]) -> None:
    inside = Paper(canvas_config={"width": 640, "height": 384}, fps=10)
    inside.track(
        "video",
        segment(inside.video("0.mp4"), 0, SECOND),
        segment(inside.video("1.mp4"), SECOND, SECOND, source=SECOND),
    )
    paper = Paper(canvas_config={"width": SMALL[0], "height": SMALL[1]}, fps=10)
    compound = paper.material("drafts", type="combination", draft=inside.document())
    green = paper.material("canvases", type="canvas_color", color="#00c000")
    place = {"scale": {"x": 0.5, "y": 0.5}, "transform": {"x": 0.5, "y": 0.5}}
    paper.track("video", segment(paper.video("0.mp4"), 0, 2 * SECOND, green, clip={"alpha": 0.0}))
    shown = segment(paper.video(""), SECOND // 2, SECOND, compound, source=SECOND // 2, clip=place)
    paper.track("video", shown)
    document = paper.document()
    for one in document["materials"]["drafts"][0]["draft"]["materials"]["videos"]:
        one["path"] = films.WINDOWS + one["path"]
    made = film(document, *lights)
    assert len(made.frames) == 20
    for number, frame in enumerate(made.frames):
        wanted = np.full((SMALL[1], SMALL[0], 3), (0, 192, 0))
        if 5 <= number < 15:
            picture = Image.fromarray(lit(int(number >= 10), number).astype(np.uint8))
            wanted[0:48, 80:160] = np.asarray(picture.resize((80, 48)))
        assert off(frame, wanted) < 4, number
    assert [(one["code"], one["path"]) for one in made.report] == [("compound_approximated", "tracks[1].segments[0]")]
