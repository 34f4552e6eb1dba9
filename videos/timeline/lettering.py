"""Letters over a picture: a script for libass, in which every line has its place already.

The script's clock counts frames. libass knows no times finer than hundredths of a second, so frame 7 is handed to it in
the middle of the seventh hundredth, whatever the film's rate: what belongs to a frame is seen in it, and in no other.

A letter's size is that of the em square, as everywhere in print and on the web. libass takes sizes for the height of a
line, as Windows does: ascent and descent together. So each run is asked for at its size times its own font's height.
(Measured with DejaVu Sans, 0.06 of 1080 lines: capitals are 47 pixels high, 0.729 em; asked for as it is, 41.)

Texts of users are never read as more than text: `typesetting` takes out what is invisible, `_escaped` the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import groupby
from typing import Any

from videos.timeline.cutting import Segment, Window, Written
from videos.timeline.easing import moved
from videos.timeline.fonts import Fonts
from videos.timeline.model import Canvas, frame_at, moment_of
from videos.timeline.motion import Motion, Transform
from videos.timeline.studio import Studio
from videos.timeline.texts import Shadow, Stroke, Text
from videos.timeline.typesetting import Block, Line, Run, compose

_LARGEST = 3.0  # times the canvas's height: beyond, hardly a part of a letter is seen, and libass draws all of it
_SIGMA = 0.85  # of the blur that libass calls 1, in pixels
_HEAD = """\
[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 2
ScaledBorderAndShadow: yes
Kerning: yes
{fonts}

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,sans-serif,10,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,7,0,0,0,-1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def name(window: Window, written: Written) -> str:
    """Of the file in the studio's folder."""
    return f"letters-{window.first}-{written.below}.ass"


def drawn(picture: Any, window: Window, written: Written) -> Any:
    """The letters over a picture, frame by frame; their script has to be there when it is drawn."""
    picture = picture.filter("format", "yuv420p")
    grey = all(_is_grey(colour) for text in written.texts for colour in _colours(text))
    # ffmpeg draws in the colours of SDTV, whatever the picture's are. Greys are the same in both.
    if not grey:
        picture = picture.filter("colormatrix", "bt709", "bt601")
    counted = picture.filter("settb", "1/200").filter("setpts", "2*N+1")
    with_letters = counted.filter("ass", filename=name(window, written))
    return with_letters if grey else with_letters.filter("colormatrix", "bt601", "bt709")


def write(segment: Segment, canvas: Canvas, fonts: Fonts, studio: Studio) -> list[str]:
    """Write the scripts of a segment; their names."""
    names = []
    for window in segment.windows:
        for written in window.written:
            names.append(name(window, written))
            with (studio.folder / names[-1]).open("w", encoding="utf-8") as file:
                file.writelines(script(written.texts, window, canvas, fonts))
    return names


def script(texts: Iterable[Text], window: Window, canvas: Canvas, fonts: Fonts) -> Iterator[str]:
    """The lines of the script: texts in their order, the first at the bottom, as they are seen in a window.

    It names the fonts by what is in them, where libass reads nothing: so a part with letters is known by those too.
    """
    blocks = [(text, compose(text, canvas, fonts)) for text in texts]
    faces = {run.face.identity for _, block in blocks for line in block.lines for run in line.runs}
    named = "\n".join(f"; {identity}" for identity in sorted(faces))
    yield _HEAD.format(width=canvas.width, height=canvas.height, fonts=named)
    for text, block in blocks:
        for first, after, place in _places(text, window, canvas.rate):
            for event in _events(text, block, place, canvas):
                yield f"Dialogue: 0,{_clock(first)},{_clock(after)},Default,,0,0,0,,{event}\n"


def _places(text: Text, window: Window, rate: Fraction) -> Iterator[tuple[int, int, Transform]]:
    """From which frame up to which, counted within the window, the text stands where."""
    first = max(window.first, frame_at(text.start, rate))
    after = min(window.first + window.frames, frame_at(text.end, rate))
    if text.motion == Motion():
        if first < after:
            yield first - window.first, after - window.first, text.transform
        return
    frames = range(first, after)
    for place, group in groupby(frames, key=lambda frame: _at(text, frame, rate)):
        same = list(group)
        yield same[0] - window.first, same[-1] + 1 - window.first, place


def _at(text: Text, frame: int, rate: Fraction) -> Transform:
    return moved(text.transform, text.motion, max(Fraction(0), moment_of(frame, rate) - text.start))


def _events(text: Text, block: Block, place: Transform, canvas: Canvas) -> Iterator[str]:
    """What is drawn of a text, the lowest first: box, shadow, letters."""
    if place.opacity <= 0:
        return
    pen = _Pen(text, place, canvas)
    if text.box:
        yield pen.box(block)
    for line in block.lines if text.shadow else ():
        yield pen.line(line, text.shadow)
    for line in block.lines:
        yield pen.line(line, None)


class _Pen:
    """Draws one text at one place. Here all is scaled."""

    def __init__(self, text: Text, place: Transform, canvas: Canvas) -> None:
        largest = max(style.size for style in (text.style, *(span.style for span in text.spans)))
        self._text = text
        self._opacity = place.opacity
        self._size = text.style.size * canvas.height
        self._scale = min(place.scale, max(1.0, _LARGEST / largest))
        self._x, self._y = canvas.width * (0.5 + place.x), canvas.height * (0.5 + place.y)
        self._turned = rf"\org({_n(self._x)},{_n(self._y)})\frz{_n(-place.rotation)}"

    def box(self, block: Block) -> str:
        box = self._text.box
        assert box is not None
        padding = box.padding * self._size
        width, height = ((side + 2 * padding) for side in (block.width, block.height))
        # Eighths of a pixel.
        right, bottom = round(width * self._scale * 8), round(height * self._scale * 8)
        tags = rf"\1c{_bgr(box.colour)}\1a{_alpha(box.opacity * self._opacity)}\bord0\shad0\p4"
        return f"{{{self._put(7, -width / 2, -height / 2)}{tags}}}m 0 0 l {right} 0 {right} {bottom} 0 {bottom}"

    def line(self, line: Line, shadow: Shadow | None) -> str:
        """The letters of a line, or their shadow."""
        x, y = (shadow.x * self._size, shadow.y * self._size) if shadow else (0.0, 0.0)
        put = self._put({"left": 7, "centre": 8, "right": 9}[self._text.align], line.x + x, line.top + y)
        return f"{{{put}}}" + "".join(self._run(run, shadow) for run in line.runs)

    def _put(self, alignment: int, x: float, y: float) -> str:
        """Where the point is that is counted from the middle of the block."""
        return rf"\an{alignment}\pos({_n(self._x + x * self._scale)},{_n(self._y + y * self._scale)}){self._turned}"

    def _run(self, run: Run, shadow: Shadow | None) -> str:
        style, size = run.style, run.size * self._scale
        stroke = style.stroke or Stroke(width=0.0)
        fill, edge = (shadow.colour, shadow.colour) if shadow else (style.colour, stroke.colour)
        alpha = _alpha(self._opacity * (shadow.opacity if shadow else 1.0))
        blur = shadow.blur * self._size * self._scale / 2 / _SIGMA if shadow else 0.0
        tags = (
            rf"\fn{run.face.family}\fs{_n(size * (run.face.ascent + run.face.descent))}\fsp{_n(style.spacing * size)}",
            rf"\b{style.bold:d}\i{style.italic:d}\u{style.underline:d}\1c{_bgr(fill)}\3c{_bgr(edge)}\alpha{alpha}",
            rf"\bord{_n(stroke.width * size)}\shad0\blur{_n(blur)}",
        )
        return f"{{{''.join(tags)}}}{_escaped(run.text)}"


def _escaped(text: str) -> str:
    r"""As libass shows it: `\{` and `\}` are braces to it, and a backslash means nothing before what is no letter."""
    return text.replace("\\", "\\\u2060").replace("{", "\\{").replace("}", "\\}")


def _clock(frame: int) -> str:
    seconds, hundredths = divmod(frame, 100)
    return f"0:{seconds // 60:02d}:{seconds % 60:02d}.{hundredths:02d}"


def _colours(text: Text) -> Iterator[str]:
    for style in (text.style, *(span.style for span in text.spans)):
        yield style.colour
        if style.stroke:
            yield style.stroke.colour
    for part in (text.shadow, text.box):
        if part:
            yield part.colour


def _is_grey(colour: str) -> bool:
    return colour[1:3].lower() == colour[3:5].lower() == colour[5:7].lower()


def _bgr(colour: str) -> str:
    return f"&H{colour[5:7]}{colour[3:5]}{colour[1:3]}&"


def _alpha(opacity: float) -> str:
    return f"&H{round(255 * (1 - opacity)):02X}&"


def _n(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".")
