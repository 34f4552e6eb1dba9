"""Reads one uploaded picture and writes it plainly: 8 bits of sRGB, upright, with or without alpha.

A program, which `videos.media.stills` runs: decoders of pictures have had holes, and here they can hurt nobody but a
process within limits. It imports nothing of ours, and prints what came of it as one line of JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

READABLE = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
_LONGEST_SIDE = 32_767  # pixels
_THUMBNAIL = (480, 480)
# As EXIF 2.3 has them, in 4.6.4: what makes a picture upright that was stored so.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Refused(Exception):
    """Why the picture is not taken, in a word; and its size where that is known."""

    def __init__(self, why: str, **size: int) -> None:
        super().__init__(why)
        self.said = {"refused": why, **size}


def develop(source: Path, target: Path, thumbnail: Path, *, pixels: int) -> dict[str, Any]:
    """Write the picture as a PNG, and small as a WebP; its size, and whether anything of it is see-through."""
    Image.MAX_IMAGE_PIXELS = None  # we count ourselves, before anything is decoded
    try:
        with Image.open(source, formats=READABLE) as image:
            if image.width * image.height > pixels or max(image.size) > _LONGEST_SIDE:
                raise Refused("too_large", width=image.width, height=image.height)
            image.load()
            picture = plain(image)
    except Refused:
        raise
    except UnidentifiedImageError:
        raise Refused("unknown") from None
    except MemoryError:
        raise Refused("too_large") from None
    except Exception as error:  # decoders stumble in every way over what is not as it should be
        cut = isinstance(error, EOFError) or (isinstance(error, OSError) and "truncated" in str(error))
        raise Refused("truncated" if cut else "damaged") from error
    picture.info.clear()  # neither profile nor note of the camera goes on with it
    picture.save(target, "PNG", compress_level=1)
    small = picture.copy()
    small.thumbnail(_THUMBNAIL)
    small.save(thumbnail, "WEBP", quality=80)
    return {"width": picture.width, "height": picture.height, "alpha": picture.mode == "RGBA"}


def plain(image: Image.Image) -> Image.Image:
    """The same picture as RGB, or as RGBA if any of it is see-through."""
    turn, profile = _TURNS.get(_orientation(image)), image.info.get("icc_profile")
    with_alpha = image.has_transparency_data
    if image.mode.startswith("I"):  # 16 bits of grey
        image, with_alpha = image.point(lambda value: value * (1 / 257)).convert("L"), False
    elif image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK") or (with_alpha and image.mode in ("L", "RGB")):
        image = image.convert("RGBA" if with_alpha else "RGB")
    alpha = image.getchannel("A") if with_alpha else None
    picture = _in_srgb(image.convert("L" if image.mode == "LA" else "RGB") if alpha else image, profile)
    if alpha is not None and alpha.getextrema() != (255, 255):
        picture.putalpha(alpha)
    return picture.transpose(turn) if turn is not None else picture


def _orientation(image: Image.Image) -> int:
    with contextlib.suppress(Exception):  # what cameras and programs wrote may be anything; then it says nothing
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as the picture's profile means them; without one that can be used, as they are."""
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            found = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
            assert found is not None  # it is not changed in place
            return found
    return image.convert("RGB")


def main(arguments: list[str]) -> None:
    """`darkroom.py SOURCE TARGET THUMBNAIL PIXELS`"""
    source, target, thumbnail = map(Path, arguments[:3])
    try:
        said = develop(source, target, thumbnail, pixels=int(arguments[3]))
    except Refused as refused:
        traceback.print_exception(refused)
        said = refused.said
    sys.stdout.write(f"{json.dumps(said)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
