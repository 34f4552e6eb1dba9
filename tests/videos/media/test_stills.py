"""Pictures of every kind come out plain and upright; what is none, or too much, is refused in words."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from tests.videos.clips import make_clip
from videos.media import darkroom, errors, stills, transcode
from videos.media.probe import Caps

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def develop(source: Path, *, pixels: int = 1_000_000) -> tuple[stills.Still, Image.Image]:
    """What is said of a picture, and what it has become."""
    folder = source.parent / "folder"
    folder.mkdir()
    made = stills.develop(source, transcode.Workshop(folder=folder, threads=1), caps=Caps(pixels=pixels))
    with Image.open(folder / stills.FILE) as picture, Image.open(folder / stills.THUMBNAIL) as small:
        assert (picture.format, picture.mode) == ("PNG", "RGBA" if made.alpha else "RGB")
        assert picture.size == (made.width, made.height)
        assert small.format == "WEBP"
        assert max(small.size) <= 480
        picture.load()
        return made, picture


def refused(source: Path, **caps: int) -> errors.MediaError:
    with pytest.raises(errors.MediaError) as caught:
        develop(source, **caps)
    assert caught.value.message.endswith(".")
    return caught.value


def quarters() -> Image.Image:
    """Red and green over blue and white, wider than high."""
    picture = Image.new("RGB", (64, 32), WHITE)
    for place, colour in (((0, 0, 32, 16), RED), ((32, 0, 64, 16), GREEN), ((0, 16, 32, 32), BLUE)):
        picture.paste(colour, place)
    return picture


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    """The colours of the four quarters, in their order; of each channel 0 or 255."""
    width, height = picture.size
    places = [(x, y) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    colours: list[Any] = [picture.getpixel(place) for place in places]
    return [tuple(255 if channel > 127 else 0 for channel in colour) for colour in colours]


def png(width: int, height: int, *, depth: int, colour: int, data: bytes = b"", more: bytes = b"") -> bytes:
    """A PNG of raw rows, each after its byte 0 (PNG, 3rd edition)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_a_picture_is_known_by_its_content_whatever_it_is_called(tmp_path: Path, form: str) -> None:
    source = tmp_path / "-film.mp4"
    quarters().save(source, form)
    made, picture = develop(source)
    assert made == stills.Still(width=64, height=32, alpha=False)
    assert corners(picture) == [RED, GREEN, BLUE, WHITE]


STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_picture_stands_upright_however_the_camera_was_held(tmp_path: Path, form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "secret"
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](np.array(quarters()))))
    stored.save(tmp_path / "in", form, exif=exif, quality=95, subsampling=0)
    made, picture = develop(tmp_path / "in")
    assert (made.width, made.height) == (64, 32)
    assert corners(picture) == [RED, GREEN, BLUE, WHITE]
    if form == "PNG":
        assert picture.tobytes() == quarters().tobytes()
    assert b"secret" not in (tmp_path / "folder" / stills.FILE).read_bytes(), "nor where it was taken"


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_pictures_that_move_the_first_is_taken(tmp_path: Path, form: str) -> None:
    others = [Image.new("RGB", (64, 32), colour) for colour in (BLUE, GREEN)]
    Image.new("RGB", (64, 32), RED).save(tmp_path / "in", form, save_all=True, append_images=others, duration=100)
    assert corners(develop(tmp_path / "in")[1]) == [RED] * 4


def test_the_colours_of_print_become_those_of_a_screen(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "in", "JPEG", quality=95)
    made, picture = develop(tmp_path / "in")
    assert (made.alpha, corners(picture)) == (False, [RED] * 4)


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    steps = np.arange(0, 65536, 257, dtype=">u2").reshape(16, 16)
    rows = b"".join(b"\0" + row.tobytes() for row in steps)
    (tmp_path / "in").write_bytes(png(16, 16, depth=16, colour=0, data=rows))
    _, picture = develop(tmp_path / "in")
    assert np.array(picture)[:, :, 0].ravel().tolist() == list(range(256))


def test_sixteen_bits_of_colour_and_alpha_become_eight(tmp_path: Path) -> None:
    pixel = struct.pack(">HHHH", 0xFFFF, 0x8080, 0, 0x4040)
    (tmp_path / "in").write_bytes(png(2, 1, depth=16, colour=6, data=b"\0" + pixel * 2))
    made, picture = develop(tmp_path / "in")
    assert (made.alpha, picture.getpixel((1, 0))) == (True, (255, 128, 0, 64))


def see_through() -> list[Any]:
    grey = Image.new("LA", (8, 8), (100, 128))
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([*RED, 100, 100, 100])
    palette.info["transparency"] = bytes([255, 128])
    one_colour = Image.new("RGB", (8, 8), (100, 100, 100))
    return [
        pytest.param(grey, {}, 128, id="grey"),
        pytest.param(palette, {}, 128, id="palette"),
        pytest.param(one_colour, {"transparency": (100, 100, 100)}, 0, id="one colour"),
        pytest.param(Image.new("RGBA", (8, 8), (100, 100, 100, 255)), {}, None, id="nothing of it"),
        pytest.param(Image.new("1", (8, 8), 0), {}, None, id="no grey"),
    ]


@pytest.mark.parametrize(("picture", "options", "alpha"), see_through())
def test_alpha_is_kept_where_anything_is_seen_through(
    tmp_path: Path, picture: Image.Image, options: dict[str, Any], alpha: int | None
) -> None:
    picture.save(tmp_path / "in", "PNG", **options)
    made, found = develop(tmp_path / "in")
    grey = (0,) * 3 if picture.mode == "1" else (100,) * 3
    assert found.getpixel((5, 5)) == (grey if alpha is None else (*grey, alpha))
    assert made.alpha is (alpha is not None)


def crossed() -> bytes:
    """A profile in which red means green: sRGB's, with two of its tags exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"____"), (b"gXYZ", b"rXYZ"), (b"____", b"gXYZ")):
        profile = profile.replace(old, new, 1)
    return profile


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_what_the_profile_inside_means(tmp_path: Path, mode: str) -> None:
    picture = quarters().convert(mode)
    if mode == "RGBA":
        picture.putalpha(77)
    picture.save(tmp_path / "in", "PNG", icc_profile=crossed())
    found = develop(tmp_path / "in")[1]
    assert corners(found.convert("RGB")) == [GREEN, RED, BLUE, WHITE]
    assert "icc_profile" not in found.info
    assert mode != "RGBA" or found.getpixel((3, 3))[3] == 77  # type: ignore[index]


@pytest.mark.parametrize("profile", [b"nonsense", crossed()], ids=["nonsense", "of colours"])
def test_a_profile_that_does_not_fit_is_passed_over(tmp_path: Path, profile: bytes) -> None:
    Image.new("L", (8, 8), 100).save(tmp_path / "in", "PNG", icc_profile=profile)
    assert develop(tmp_path / "in")[1].getpixel((1, 1)) == (100, 100, 100)


def test_an_unreadable_note_of_the_camera_does_not_cost_the_picture(tmp_path: Path) -> None:
    quarters().save(tmp_path / "in", "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\xff", subsampling=0)
    assert corners(develop(tmp_path / "in")[1]) == [RED, GREEN, BLUE, WHITE]


# -- refused ---------------------------------------------------------------------------------------------


def as_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("picture.png", b"x" * 100)
    return file.getvalue()


def as_tiff() -> bytes:
    file = io.BytesIO()
    quarters().save(file, "TIFF")
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        as_zip(),
        as_tiff(),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(/etc/passwd) run",
        b"not a picture",
        b"\x89PNG\r\n\x1a\n",
    ],
    ids=["svg", "zip", "tiff", "postscript", "text", "a head alone"],
)
def test_what_is_no_picture_or_none_of_those_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in.png").write_bytes(data)
    found = refused(tmp_path / "in.png")
    assert (found.code, "JPEG, PNG" in found.message) == ("not_a_still", True)


def test_a_film_is_no_still(tmp_path: Path) -> None:
    assert refused(make_clip(tmp_path / "in.mp4", seconds=0.2, size="160x120")).code == "not_a_still"


def test_what_apples_cameras_write_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "in.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    found = refused(tmp_path / "in.jpg")
    assert (found.code, "HEIC" in found.message) == ("not_a_still", True)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.png").touch()
    assert refused(tmp_path / "in.png").code == "media_empty"


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (40_000, 1)])
def test_a_bomb_is_refused_by_what_it_says_of_its_size(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "in.png").write_bytes(png(width, height, depth=8, colour=2, data=bytes(1_000_000)))
    found = refused(tmp_path / "in.png")
    assert (found.code, found.details["width"], found.details["height"]) == ("media_too_large", width, height)


def test_the_bound_is_that_of_the_settings(tmp_path: Path) -> None:
    quarters().save(tmp_path / "in.png")
    assert refused(tmp_path / "in.png", pixels=64 * 32 - 1).code == "media_too_large"
    (tmp_path / "folder").rmdir()
    assert develop(tmp_path / "in.png", pixels=64 * 32)[0].width == 64


def test_text_within_a_picture_does_not_grow_without_bounds(tmp_path: Path) -> None:
    body = b"Comment\0\0" + zlib.compress(bytes(200_000_000))
    text = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    (tmp_path / "in.png").write_bytes(png(1, 1, depth=8, colour=0, data=b"\0\x40", more=text))
    assert refused(tmp_path / "in.png").code == "media_damaged"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_picture_whose_end_is_missing_is_refused(tmp_path: Path, form: str) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, form)
    (tmp_path / "in").write_bytes(file.getvalue()[: len(file.getvalue()) // 2])
    assert refused(tmp_path / "in").code in {"JPEG": {"media_truncated"}, "PNG": {"media_truncated"}}.get(
        form, {"media_truncated", "media_damaged", "not_a_still"}
    )


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_whatever_the_bytes_are_there_is_a_picture_or_a_reason(tmp_path: Path, form: str) -> None:
    chance = random.Random(form)
    file = io.BytesIO()
    quarters().save(file, form)
    said = set()
    for _ in range(40):
        data = bytearray(file.getvalue())
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        (tmp_path / "in").write_bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])
        try:
            darkroom.develop(tmp_path / "in", tmp_path / "out.png", tmp_path / "small.webp", pixels=10_000)
            said.add("picture")
        except darkroom.Refused as error:
            said.add(str(error))
    assert said - {"picture"}, "some of it was damage"
