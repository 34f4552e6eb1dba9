"""Where a picture is put: compared with what Pillow makes of the same."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.videos.media import clips
from tests.videos.timeline import plainly, reels
from videos.timeline import encoding, picture
from videos.timeline.cutting import Segment, Window
from videos.timeline.film import Format, Recipe, Source
from videos.timeline.layers import Layer
from videos.timeline.model import Canvas, Clip, Crop, Fit, Timeline
from videos.timeline.motion import Transform
from videos.timeline.values import SECOND

CANVAS = Canvas(width=320, height=180, rate=Fraction(10), background="#204080")
RED, BLUE = (200, 30, 30), (30, 30, 200)
WHOLE = Clip(start=0, duration=SECOND // 5, material="0")


@pytest.fixture(scope="module")
def drawn() -> Image.Image:
    """Colours that run from side to side, and a square that says where up and left are."""
    down, across = np.mgrid[0:240, 0:320]
    red, green = across * 200 / 320 + 30, down * 200 / 240 + 20
    blue = np.where((across < 120) & (down < 80), 220, 60)
    return Image.fromarray(np.stack([red, green, blue], axis=-1).astype(np.uint8))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, drawn: Image.Image) -> Source:
    path = tmp_path_factory.mktemp("drawn") / "drawn.mp4"
    return reels.source(reels.make_film(path, [np.asarray(drawn)] * 3, rate=10))


def first_frame(whole: Timeline, sources: dict[str, Source], folder: Path) -> Image.Image:
    made = reels.make(whole, sources, folder / "out")
    canvas = whole.canvas
    return Image.fromarray(reels.pictures(made.file, size=(canvas.width, canvas.height), form="rgb24")[0])


def composed(drawn: Image.Image, clip: Clip, canvas: Canvas = CANVAS) -> Image.Image:
    """The same, the plain way: everything at its full size, and then pasted."""
    crop, moved, (width, height) = clip.crop, clip.transform, drawn.size
    left, top = round(width * crop.left), round(height * crop.top)
    cut = drawn.crop((left, top, round(width * (1 - crop.right)), round(height * (1 - crop.bottom))))
    ratios = canvas.width / cut.width, canvas.height / cut.height
    if clip.fit is not Fit.STRETCH:
        ratios = (max(ratios),) * 2 if clip.fit is Fit.COVER else (min(ratios),) * 2
    sides = [round(side * ratio * moved.scale) for side, ratio in zip(cut.size, ratios, strict=True)]
    shaped = cut.resize((sides[0], sides[1]), Image.Resampling.BICUBIC)
    if clip.flip_x:
        shaped = shaped.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if clip.flip_y:
        shaped = shaped.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mask = Image.new("L", shaped.size, round(255 * moved.opacity))
    turned, mask = (
        one.rotate(-moved.rotation, Image.Resampling.BICUBIC, expand=True) for one in (shaped.convert("RGB"), mask)
    )
    middle = canvas.width * (0.5 + moved.x), canvas.height * (0.5 + moved.y)
    result = Image.new("RGB", (canvas.width, canvas.height), canvas.background)
    result.paste(turned, (round(middle[0] - turned.width / 2), round(middle[1] - turned.height / 2)), mask)
    return result


def difference(one: Image.Image, other: Image.Image) -> float:
    """Of a channel of a pixel, on average; from 0 to 255."""
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())


def shaped(**changes: Any) -> Clip:
    return replace(WHOLE, **changes)


CLIPS = {
    "contain": shaped(),
    "cover": shaped(fit=Fit.COVER),
    "stretch": shaped(fit=Fit.STRETCH),
    "flipped": shaped(flip_x=True),
    "upside down": shaped(flip_y=True, fit=Fit.COVER),
    "cropped": shaped(crop=Crop(left=0.25, top=0.1, right=0.125, bottom=0.3)),
    "cropped and flipped": shaped(crop=Crop(left=0.4, bottom=0.2), flip_x=True, fit=Fit.COVER),
    "small and moved": shaped(transform=Transform(x=0.2, y=-0.15, scale=0.5)),
    "large and moved": shaped(transform=Transform(x=-0.3, y=0.4, scale=2.5)),
    "large, moved and flipped": shaped(transform=Transform(x=-0.3, y=0.4, scale=3.3), flip_x=True, flip_y=True),
    "a quarter": shaped(transform=Transform(rotation=90)),
    "a half": shaped(transform=Transform(rotation=-180), fit=Fit.COVER),
    "three quarters": shaped(transform=Transform(rotation=270, x=0.1, scale=1.5)),
    "askew": shaped(transform=Transform(rotation=30, scale=0.7, x=0.1)),
    "askew the other way": shaped(transform=Transform(rotation=-75, scale=1.2, y=0.2), flip_x=True),
    "askew and large": shaped(transform=Transform(rotation=200, scale=4, x=0.5, y=-0.5)),
    "see-through": shaped(transform=Transform(opacity=0.4)),
    "see-through and askew": shaped(transform=Transform(opacity=0.6, rotation=45, scale=0.8)),
    "half outside": shaped(transform=Transform(x=0.5, y=0.5)),
    "outside": shaped(transform=Transform(x=2)),
}


def test_pictures_are_where_pillow_puts_them(tmp_path: Path, source: Source, drawn: Image.Image) -> None:
    """One after the other in one film, two frames each."""
    pieces = [replace(clip, start=number * SECOND // 5) for number, clip in enumerate(CLIPS.values())]
    made = reels.make(reels.timeline(pieces, canvas=CANVAS), {"0": source}, tmp_path / "out")
    found = reels.pictures(made.file, size=(320, 180), form="rgb24")
    off = {}
    for number, (name, clip) in enumerate(CLIPS.items()):
        for frame in found[2 * number : 2 * number + 2]:
            off[name] = difference(Image.fromarray(frame), composed(drawn, clip))
    assert {name: value for name, value in off.items() if value > 3} == {}


def test_a_see_through_picture_lies_over_the_one_below(tmp_path: Path, source: Source, drawn: Image.Image) -> None:
    above = shaped(material="1", transform=Transform(opacity=0.5, scale=0.5))
    plain = reels.source(reels.make_film(tmp_path / "1.mp4", [np.full((90, 160, 3), RED, np.uint8)] * 3, rate=10))
    whole = reels.timeline([shaped(fit=Fit.COVER)], [above], canvas=CANVAS)
    below = composed(drawn, shaped(fit=Fit.COVER))
    below.paste(Image.new("RGB", (160, 90), RED), (80, 45), Image.new("L", (160, 90), 128))
    assert difference(first_frame(whole, {"0": source, "1": plain}, tmp_path), below) < 3


def test_what_lies_below_a_picture_that_covers_all_is_not_even_decoded(source: Source) -> None:
    window = Window(first=0, frames=2, clips=(shaped(), shaped(fit=Fit.COVER), shaped(transform=Transform(scale=0.5))))
    seen = picture.layers(window, {"0": source}, CANVAS)
    assert [layer.clip for layer in seen if isinstance(layer, Layer)] == list(window.clips[1:])


def test_a_blurred_backdrop_fills_what_would_be_free(tmp_path: Path, source: Source, drawn: Image.Image) -> None:
    found = first_frame(reels.timeline([shaped(fit=Fit.BLUR)], canvas=CANVAS), {"0": source}, tmp_path)
    inner = (42, 0, 278, 180)
    assert difference(found.crop(inner), composed(drawn, shaped()).crop(inner)) < 3
    covering = composed(drawn, shaped(fit=Fit.COVER))
    blurred = covering.filter(ImageFilter.GaussianBlur(48))
    for outer in ((0, 0, 40, 180), (280, 0, 320, 180)):
        assert difference(found.crop(outer), blurred.crop(outer)) < 16
    # Blurred: the edge of the square, which is sharp in the covering picture, is soft here.
    steps = np.abs(np.diff(np.asarray(found, np.int16)[:, 10, 2]))
    assert steps.max() < 12
    assert np.abs(np.diff(np.asarray(covering, np.int16)[:, 10, 2])).max() > 60


def test_a_see_through_blurred_picture_shows_what_is_below(tmp_path: Path, source: Source) -> None:
    faint = shaped(fit=Fit.BLUR, transform=Transform(opacity=0.5, x=3))
    found = first_frame(reels.timeline([faint], canvas=CANVAS), {"0": source}, tmp_path).getpixel((318, 178))
    assert found == pytest.approx(((230 + 32) / 2, (170 + 64) / 2, (60 + 128) / 2), abs=14)


@pytest.mark.parametrize("colour", ["#204080", "#ff0000", "#c8c8c8"])
def test_the_background_has_exactly_its_colour(tmp_path: Path, source: Source, colour: str) -> None:
    canvas = replace(CANVAS, background=colour)
    moved = shaped(transform=Transform(scale=0.5))
    found = first_frame(reels.timeline([moved], canvas=canvas), {"0": source}, tmp_path)
    stated = tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))
    assert found.getpixel((5, 5)) == pytest.approx(stated, abs=3)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_file_and_pixels_that_are_not_square_are_set_right(
    tmp_path: Path, drawn: Image.Image, degrees: int, mirrored: bool
) -> None:
    """The file says by how much it is turned, and that it is mirrored."""
    squeezed = drawn.resize((160, 240))
    plain = reels.make_film(tmp_path / "plain.mp4", [np.asarray(squeezed)] * 3, "-aspect", "4:3", rate=10)
    path = clips.make_rotated(tmp_path / "turned.mp4", plain, degrees=degrees, mirrored=mirrored)
    turned = reels.source(path)
    upright = squeezed.resize(drawn.size)
    upright = upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else upright
    upright = upright.rotate(-degrees, expand=True)
    shown = [shaped(crop=Crop(left=0.25)), shaped(crop=Crop(top=0.2), transform=Transform(rotation=20, scale=0.8))]
    whole = reels.timeline(
        [replace(one, start=number * SECOND // 5) for number, one in enumerate(shown)], canvas=CANVAS
    )
    made = reels.make(whole, {"0": turned}, tmp_path / "out")
    found = reels.pictures(made.file, size=(320, 180), form="rgb24")
    for number, one in enumerate(shown):
        wanted = plainly.put(plainly.plain(CANVAS), upright, one)
        # Half as many columns, and colours: each of them is four pixels wide, and films lie on even ones.
        assert plainly.difference(found[2 * number], wanted) < 5


COLOURS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "SD, not stated": ("320x240", ("scale=out_color_matrix=smpte170m",), ()),
    "SD, stated": ("320x240", ("scale=out_color_matrix=bt601",), ("-colorspace", "bt470bg")),
    "SD of HD colours": ("320x240", ("scale=out_color_matrix=bt709",), ("-colorspace", "bt709")),
    "HD, not stated": ("1280x720", ("scale=out_color_matrix=bt709",), ()),
    "full range": (
        "320x240",
        ("scale=out_color_matrix=bt709:out_range=pc",),
        ("-colorspace", "bt709", "-color_range", "pc"),
    ),
}


@pytest.mark.parametrize("name", COLOURS)
def test_colours_come_out_the_same_whatever_the_file_holds_them_as(tmp_path: Path, name: str) -> None:
    size, filters, options = COLOURS[name]
    path = tmp_path / "colours.mp4"
    plain = f"color=0x1ec81e:size={size}:rate=10:duration=0.3,format=rgb24"
    graph = ",".join([*filters, "format=yuv420p"])
    clips.ffmpeg("-f", "lavfi", "-i", plain, "-vf", graph, *clips.H264, *options, path)
    whole = reels.timeline([shaped(fit=Fit.COVER)], canvas=CANVAS)
    made = reels.make(whole, {"0": reels.source(path)}, tmp_path / "out")
    stream = clips.stream(made.file)
    assert [stream[key] for key in ("color_space", "color_transfer", "color_primaries", "color_range")] == [
        *("bt709", "bt709", "bt709", "tv"),
    ]
    assert stream["pix_fmt"] == "yuv420p"
    assert reels.pictures(made.file, form="rgb24")[0, 90, 160].tolist() == pytest.approx([30, 200, 30], abs=4)


def test_hdr_is_mapped_even_where_it_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "hdr.mp4"
    colours = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")
    codec = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le")
    clips.make_clip(path, size="322x182", seconds=0.3, rate="10", sound=None, codec=(*codec, *colours))
    cut = shaped(crop=Crop(left=0.3), transform=Transform(rotation=20, opacity=0.8))
    made = reels.make(reels.timeline([cut], canvas=CANVAS), {"0": reels.source(path)}, tmp_path / "out")
    assert clips.stream(made.file)["color_transfer"] == "bt709"


def test_what_shines_through_a_material_shows_what_is_below(tmp_path: Path) -> None:
    path = tmp_path / "alpha.mov"
    half = "color=red:size=320x180:rate=10:duration=0.3,format=rgba,geq=r='r(X,Y)':g=0:b=0:a='if(lt(X,160),255,0)'"
    clips.ffmpeg("-f", "lavfi", "-i", half, "-c:v", "qtrle", "-pix_fmt", "argb", path)
    found = first_frame(reels.timeline([WHOLE], canvas=CANVAS), {"0": reels.source(path)}, tmp_path)
    assert found.getpixel((60, 90)) == pytest.approx((255, 0, 0), abs=8)
    assert found.getpixel((260, 90)) == pytest.approx((0x20, 0x40, 0x80), abs=4)


def test_interlaced_and_uneven_materials_come_out_whole(tmp_path: Path) -> None:
    path = tmp_path / "halves.mpg"
    codec = ("-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-top", "1")
    clips.make_clip(path, "-vf", "interlace=lowpass=0", rate="50", seconds=1, codec=codec, sound=None, size="321x181")
    made = reels.make(reels.timeline([WHOLE], canvas=CANVAS), {"0": reels.source(path)}, tmp_path / "out")
    assert made.frames == 2


def test_two_looks_at_the_same_place_of_a_file_are_two_inputs(source: Source) -> None:
    """ffmpeg-python would take them for one, which then waits for both of its readers."""
    windows = tuple(Window(first=0, frames=2, clips=(WHOLE,)) for _ in range(2))
    how = Recipe(format=Format.MP4, crf=23, preset="veryfast")
    command = encoding.command(Segment(windows=windows), "part.mp4", {"0": source}, CANVAS, how, threads=1)
    assert command.count(f"file:{source.path}") == 2


def test_a_hundred_tracks_at_once_fit_into_a_command(tmp_path: Path, source: Source) -> None:
    """Their graph is longer than what the kernel takes as one argument."""
    layers = [[shaped(transform=Transform(x=number / 100 - 0.5, scale=0.1))] for number in range(100)]
    made = reels.make(reels.timeline(*layers, canvas=CANVAS), {"0": source}, tmp_path / "out")
    assert made.frames == 2


def test_a_clip_that_is_sound_only_leaves_the_background(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(path)], check=True)
    found = first_frame(reels.timeline([WHOLE], canvas=CANVAS), {"0": reels.source(path)}, tmp_path)
    assert found.getpixel((160, 90)) == pytest.approx((0x20, 0x40, 0x80), abs=3)
