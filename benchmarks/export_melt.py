"""The same timelines for melt, of the MLT framework: its XML, and the call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.export_timelines import CRF, HEIGHT, PRESET, RATE, SOUND_BITS, WIDTH, Shot, Tracks

PACKAGE = "melt"


def command(tracks: Tracks, clips: Sequence[Path], folder: Path, target: Path) -> list[str]:
    """The call, for the timeline that is written into the folder."""
    script = folder / "timeline.mlt"
    script.write_text(_document(tracks, clips))
    encoder = f"vcodec=libx264 preset={PRESET} crf={CRF} pix_fmt=yuv420p acodec=aac ab={SOUND_BITS} ar=48000 ac=2"
    made_by = f"real_time=-{os.cpu_count()}"  # so many threads make pictures, and none is left out
    return ["melt", "-silent", str(script), "-consumer", f"avformat:{target}", made_by, *encoder.split()]


def _document(tracks: Tracks, clips: Sequence[Path]) -> str:
    lines = [
        '<mlt root="/">',
        f'<profile width="{WIDTH}" height="{HEIGHT}" frame_rate_num="{RATE}" frame_rate_den="1" progressive="1"'
        ' sample_aspect_num="1" sample_aspect_den="1" display_aspect_num="16" display_aspect_den="9"'
        ' colorspace="709"/>',
    ]
    for number, track in enumerate(tracks):
        lines += _playlist(number, track, clips)
    lines += ["<tractor>", "<multitrack>"]
    lines += [f'<track producer="playlist{number}"/>' for number in range(len(tracks))]
    lines += ["</multitrack>"]
    for number in range(1, len(tracks)):
        lines += _laid_over(number, tracks[number][0])
    return "\n".join([*lines, "</tractor>", "</mlt>"])


def _playlist(number: int, track: Sequence[Shot], clips: Sequence[Path]) -> list[str]:
    """The producers first, each with its filters; then the order in which they come."""
    producers, entries = [], []
    at = 0
    for place, shot in enumerate(track):
        name = f"producer{number}-{place}"
        first = round(shot.first / shot.speed)
        producers += _producer(name, shot, clips[shot.clip], first)
        if shot.at > at:
            entries.append(f'<blank length="{shot.at - at}"/>')
        entries.append(f'<entry producer="{name}" in="{first}" out="{first + shot.frames - 1}"/>')
        at = shot.at + shot.frames
    return [*producers, f'<playlist id="playlist{number}">', *entries, "</playlist>"]


def _producer(name: str, shot: Shot, clip: Path, first: int) -> list[str]:
    sped = shot.speed != 1
    resource = f"{shot.speed}:{clip}" if sped else str(clip)
    lines = [
        f'<producer id="{name}">',
        f'<property name="mlt_service">{"timewarp" if sped else "avformat"}</property>',
        f'<property name="resource">{escape(resource)}</property>',
    ]
    if sped:
        lines.append('<property name="warp_pitch">1</property>')
    last = first + shot.frames - 1
    if shot.volume != 1:
        lines.append(_filter("volume", gain=shot.volume))
    if shot.fade:
        lines.append(_filter("volume", gain=0, end=1, span=(first, first + shot.fade - 1)))
        lines.append(_filter("volume", gain=1, end=0, span=(last - shot.fade + 1, last)))
    return [*lines, "</producer>"]


def _filter(service: str, *, span: tuple[int, int] | None = None, **properties: float) -> str:
    bounds = f' in="{span[0]}" out="{span[1]}"' if span else ""
    said = "".join(f'<property name="{key}">{value}</property>' for key, value in properties.items())
    return f'<filter{bounds}><property name="mlt_service">{service}</property>{said}</filter>'


def _laid_over(number: int, shot: Shot) -> list[str]:
    """A track over the lowest one, everywhere at the place of its first shot; and both heard."""
    width, height = round(WIDTH * shot.scale / 2) * 2, round(HEIGHT * shot.scale / 2) * 2
    left = round(WIDTH * (0.5 + shot.x) - width / 2)
    top = round(HEIGHT * (0.5 + shot.y) - height / 2)
    between = f'<property name="a_track">0</property><property name="b_track">{number}</property>'
    return [
        f'<transition>{between}<property name="mlt_service">composite</property>'
        f'<property name="geometry">{left}/{top}:{width}x{height}:100</property></transition>',
        f'<transition>{between}<property name="mlt_service">mix</property>'
        '<property name="always_active">1</property><property name="sum">1</property></transition>',
    ]
