"""Small clips, made with ffmpeg, and ffprobe's word on what came out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

PICTURE = "testsrc2=size={size}:rate={rate}:duration={seconds}"
SOUND = "sine=frequency=440:duration={seconds}"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "30")


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def make_clip(
    path: Path,
    *options: str,
    size: str = "640x360",
    rate: str = "25",
    seconds: float = 2,
    sound: float | None = 0,
    codec: tuple[str, ...] = H264,
) -> Path:
    """A clip of moving bars. `sound`: its seconds; 0: as long as the picture; None: there is none."""
    inputs = ["-f", "lavfi", "-i", PICTURE.format(size=size, rate=rate, seconds=seconds)]
    if sound is not None:
        inputs += ["-f", "lavfi", "-i", SOUND.format(seconds=sound or seconds), "-c:a", "aac", "-ac", "2"]
    ffmpeg(*inputs, *codec, *options, path)
    return path


def make_rotated(path: Path, source: Path, *, degrees: int, mirrored: bool = False) -> Path:
    """The same streams with a display matrix that turns them clockwise when shown; and before, swaps left and right."""
    copy = path.with_suffix(".plain.mp4")
    ffmpeg("-i", source, "-c", "copy", copy)
    data = bytearray(copy.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40  # version 0: the matrix stands 40 bytes into the content
    one, turns = 1 << 16, {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
    across, down = turns[degrees][:2], turns[degrees][2:]
    cells = (*(-cell if mirrored else cell for cell in across), *down)
    for place, cell in zip((0, 4, 12, 16), cells, strict=True):
        data[matrix + place : matrix + place + 4] = (cell * one).to_bytes(4, signed=True)
    path.write_bytes(data)
    copy.unlink()
    return path


def look_at(path: Path, *options: str) -> dict[str, Any]:
    """ffprobe's answer about a file."""
    command = ["ffprobe", "-v", "error", "-print_format", "json", "-show_format", "-show_streams", *options]
    done = subprocess.run([*command, str(path)], check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def stream(path: Path, kind: str = "video") -> dict[str, Any]:
    found: list[dict[str, Any]] = [one for one in look_at(path)["streams"] if one["codec_type"] == kind]
    assert len(found) == 1, f"{path.name} has {len(found)} streams of {kind}"
    return found[0]


def keyframes(path: Path) -> list[float]:
    """The times of all keyframes of the picture, in seconds."""
    packets = look_at(path, "-select_streams", "v", "-show_entries", "packet=pts_time,flags")["packets"]
    return [float(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]


def frame_times(path: Path) -> list[float]:
    packets = look_at(path, "-select_streams", "v", "-show_entries", "packet=pts_time")["packets"]
    return sorted(float(packet["pts_time"]) for packet in packets)


def boxes(path: Path) -> list[str]:
    """The names of the outermost boxes of an MP4, in order."""
    data, position, names = path.read_bytes(), 0, []
    while position < len(data):
        names.append(data[position + 4 : position + 8].decode())
        position += int.from_bytes(data[position : position + 4]) or len(data)
    return names


def colour_at(path: Path, *, across: float, down: float) -> tuple[int, int, int]:
    """The colour of the first frame at a place given as shares of its sides."""
    where = f"crop=2:2:trunc(iw*{across}):trunc(ih*{down}),format=rgb24"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-frames:v", "1", "-vf", where]
    done = subprocess.run([*command, "-f", "rawvideo", "-"], check=True, capture_output=True)
    return done.stdout[0], done.stdout[1], done.stdout[2]
