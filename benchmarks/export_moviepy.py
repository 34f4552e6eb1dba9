"""The same timelines for MoviePy. Run by a Python that has it: export_moviepy.py TARGET < a request as JSON.

Imports nothing of Jointo, which is not there.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

REQUIREMENT = "moviepy==2.2.1"


def main() -> None:
    asked = json.load(sys.stdin)
    layers = [_layer(shot, asked) for track in asked["tracks"] for shot in track]
    whole = moviepy().CompositeVideoClip(layers, size=(asked["width"], asked["height"]))
    whole.write_videofile(
        sys.argv[1],
        fps=asked["rate"],
        codec="libx264",
        preset=asked["preset"],
        ffmpeg_params=["-crf", str(asked["crf"]), "-pix_fmt", "yuv420p"],
        audio_codec="aac",
        audio_bitrate=str(asked["sound_bits"]),
        audio_fps=48_000,
        threads=asked["threads"],
        logger=None,
    )


def moviepy() -> Any:
    return importlib.import_module("moviepy")


def _layer(shot: dict[str, Any], asked: dict[str, Any]) -> Any:
    rate, width, height = asked["rate"], asked["width"], asked["height"]
    first, seconds = shot["first"] / rate, shot["frames"] / rate
    clip = moviepy().VideoFileClip(asked["clips"][shot["clip"]]).subclipped(first, first + seconds * shot["speed"])
    if shot["speed"] != 1:
        clip = clip.with_speed_scaled(shot["speed"])
    effects = [moviepy().afx.MultiplyVolume(shot["volume"])] if shot["volume"] != 1 else []
    if shot["fade"]:
        effects += [moviepy().afx.AudioFadeIn(shot["fade"] / rate), moviepy().afx.AudioFadeOut(shot["fade"] / rate)]
    if effects:
        clip = clip.with_effects(effects)
    if shot["scale"] != 1:
        size = [round(side * shot["scale"] / 2) * 2 for side in (width, height)]
        middle = width * (0.5 + shot["x"]), height * (0.5 + shot["y"])
        place = tuple(round(centre - side / 2) for centre, side in zip(middle, size, strict=True))
        clip = clip.resized(tuple(size)).with_position(place)
    return clip.with_start(shot["at"] / rate)


if __name__ == "__main__":
    main()
