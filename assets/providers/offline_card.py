"""Draws one storyboard card as a PNG: frame, palette, words, label.

A program, which `assets.providers.offline` runs in the manner of `videos.media.darkroom`: letters of strangers are
drawn by a library that has had holes, so in a process within limits. It imports nothing of ours.
"""

from __future__ import annotations

import colorsys
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_SHRINK = 0.92
_SMALLEST = 9  # pixels
_LEADING = 1.35
_PAPER, _INK = (244, 240, 230), (28, 28, 32)
_CJK = ("\u2e80", "\uffef")  # between these a line may be broken anywhere


@dataclass(frozen=True)
class Piece:
    """What stays on one line: a word, or one sign; `font` draws it."""

    text: str
    font: int
    spaced: bool  # whether a space is before it


class Letters:
    """The fonts of a card at one size."""

    def __init__(self, files: list[tuple[str, int]], size: int) -> None:
        self.size = size
        self._fonts = [_font(file, index, size) for file, index in files]

    def width(self, piece: Piece) -> float:
        return float(self._fonts[piece.font].getlength(piece.text))

    @property
    def space(self) -> float:
        return self.size * 0.3

    def draw(self, draw: ImageDraw.ImageDraw, at: tuple[float, float], piece: Piece, colour: Colour) -> None:
        draw.text(at, piece.text, font=self._fonts[piece.font], fill=colour, anchor="ls")


def _font(file: str, index: int, size: int) -> Any:
    if not file:
        return ImageFont.load_default(size)
    return ImageFont.truetype(file, size, index=index, layout_engine=ImageFont.Layout.BASIC)


def palette(seed: str) -> tuple[Colour, Colour, Colour]:
    """Sky, ground and light, of one family."""
    hue = int(seed[:4], 16) / 0xFFFF
    warm = (hue + 0.08 + 0.2 * (int(seed[4:6], 16) / 0xFF)) % 1.0
    return _colour(hue, 0.55, 0.42), _colour(hue, 0.5, 0.2), _colour(warm, 0.65, 0.93)


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def pieces(runs: list[dict[str, Any]], files: list[tuple[str, int]]) -> list[Piece]:
    """Words and signs, in their order."""
    found: list[Piece] = []
    spaced = False
    word = ""
    for run in runs:
        file = (str(run["font"][0]), int(run["font"][1]))
        font = files.index(file)
        for character in run["text"]:
            alone = _CJK[0] <= character <= _CJK[1]
            if word and (character == " " or alone):
                found.append(Piece(word, font, spaced))
                word, spaced = "", False
            if character == " ":
                spaced = True
            elif alone:
                found.append(Piece(character, font, spaced))
                spaced = False
            else:
                word += character
        if word:
            found.append(Piece(word, font, spaced))
            word, spaced = "", False
    return found


def lines(given: list[Piece], letters: Letters, width: float) -> list[list[Piece]]:
    """Broken where a line is full; a word that is wider than that is broken too."""
    broken: list[list[Piece]] = [[]]
    used = 0.0
    for piece in (part for whole in given for part in _fitting(whole, letters, width)):
        wide = letters.width(piece) + (letters.space if piece.spaced and broken[-1] else 0.0)
        if broken[-1] and used + wide > width:
            broken.append([])
            used, wide = 0.0, letters.width(piece)
        broken[-1].append(piece)
        used += wide
    return broken


def _fitting(piece: Piece, letters: Letters, width: float) -> list[Piece]:
    if letters.width(piece) <= width or len(piece.text) < 2:
        return [piece]
    half = len(piece.text) // 2
    first, second = Piece(piece.text[:half], piece.font, piece.spaced), Piece(piece.text[half:], piece.font, False)
    return [*_fitting(first, letters, width), *_fitting(second, letters, width)]


def scene(size: tuple[int, int], seed: str) -> Image.Image:
    """A sky, a light and some hills, as the seed has them."""
    sky, ground, light = palette(seed)
    chance = random.Random(seed)  # noqa: S311  the same seed has to give the same picture
    width, height = size
    column = Image.new("RGB", (1, height))
    for row in range(height):
        part = row / max(1, height - 1)
        column.putpixel((0, row), tuple(round(a + (b - a) * part) for a, b in zip(sky, light, strict=True)))
    picture = column.resize(size)
    draw = ImageDraw.Draw(picture)
    radius = height * chance.uniform(0.08, 0.16)
    x, y = width * chance.uniform(0.15, 0.85), height * chance.uniform(0.2, 0.45)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=light)
    for layer in range(3):
        base = height * (0.62 + 0.12 * layer)
        steps = 6 + 2 * layer
        tops = [(width * step / steps, base + height * chance.uniform(-0.1, 0.05)) for step in range(steps + 1)]
        shade = tuple(round(a + (b - a) * (0.4 + 0.3 * layer)) for a, b in zip(sky, ground, strict=True))
        draw.polygon([(0, height), *tops, (width, height)], fill=(shade[0], shade[1], shade[2]))
    return picture


def card(order: dict[str, Any]) -> Image.Image:
    """The whole card: scene above, words below on paper, label in the corner."""
    width, height = size = (int(order["size"][0]), int(order["size"][1]))
    files = sorted({(str(run["font"][0]), int(run["font"][1])) for run in [*order["words"], *order["label"]]})
    unit = min(size) / 100
    if not order["card"]:
        picture = Image.new("RGBA", size, (0, 0, 0, 0))
    else:
        picture = Image.new("RGB", size, _PAPER)
        margin, split = round(4 * unit), round(height * 0.56)
        inner = (width - 2 * margin, split - margin)
        picture.paste(scene((max(1, inner[0]), max(1, inner[1])), order["seed"]), (margin, margin))
        draw = ImageDraw.Draw(picture)
        line = max(1, round(0.6 * unit))
        draw.rectangle((margin, margin, width - margin - 1, split - 1), outline=_INK, width=line)
        _write(draw, pieces(order["words"], files), files, (2 * margin, split, width - 2 * margin, height - 2 * margin))
    if order["label"]:
        _label(picture, pieces(order["label"], files), files, unit)
    return picture


def _write(
    draw: ImageDraw.ImageDraw, given: list[Piece], files: list[tuple[str, int]], box: tuple[int, int, int, int]
) -> None:
    """The words in the box, as large as they fit; what does not fit at the smallest size is left out."""
    left, top, right, bottom = box
    size = max(_SMALLEST, round((bottom - top) * 0.3))
    while True:
        letters = Letters(files, size)
        broken = lines(given, letters, right - left)
        if len(broken) * size * _LEADING <= bottom - top or size <= _SMALLEST:
            break
        size = max(_SMALLEST, int(size * _SHRINK))
    shown = broken[: max(1, int((bottom - top) // (size * _LEADING)))]
    y: float = top + ((bottom - top) - len(shown) * size * _LEADING) / 2 + size
    for line in shown:
        x = float(left)
        for number, piece in enumerate(line):
            x += letters.space if piece.spaced and number else 0.0
            letters.draw(draw, (x, y), piece, _INK)
            x += letters.width(piece)
        y += size * _LEADING


def _label(picture: Image.Image, given: list[Piece], files: list[tuple[str, int]], unit: float) -> None:
    """What the card is, in the lower right corner, on a ground of its own."""
    draw = ImageDraw.Draw(picture)
    size = max(_SMALLEST, round(3 * unit))
    while True:
        letters = Letters(files, size)
        gap, edge = size * 0.6, size * 0.5
        wide = sum(letters.width(piece) + (letters.space if piece.spaced else 0.0) for piece in given)
        if wide + 2 * gap + 2 * edge <= picture.width or size <= 3:
            break
        size -= 1
    right, bottom = picture.width - edge, picture.height - edge
    left, top = right - wide - 2 * gap, bottom - letters.size * 1.6
    draw.rectangle((left, top, right, bottom), fill=_INK)
    x = left + gap
    for piece in given:
        x += letters.space if piece.spaced else 0.0
        letters.draw(draw, (x, bottom - letters.size * 0.45), piece, _PAPER)
        x += letters.width(piece)


def main(arguments: list[str]) -> None:
    """`offline_card.py ORDER`"""
    order = json.loads(Path(arguments[0]).read_text(encoding="ascii"))
    card(order).save(order["target"], "PNG", compress_level=6)


if __name__ == "__main__":
    main(sys.argv[1:])
