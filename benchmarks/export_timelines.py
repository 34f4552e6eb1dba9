"""What `bin/bench export` makes films of: the clips, and three timelines that each program is told in its own words."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.ladder import PICTURE, SOUND
from videos.timeline.model import Canvas, Clip, Kind, Sound, Timeline, Track
from videos.timeline.motion import Transform
from videos.timeline.values import SECOND

CLIPS = 6
WIDTH, HEIGHT, RATE = 1280, 720, 30
CANVAS = Canvas(width=WIDTH, height=HEIGHT, rate=Fraction(RATE))
CRF, PRESET, SOUND_BITS = 23, "medium", 192_000


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A stretch of one clip, all times in whole frames of the film: each of the programs can say this."""

    at: int  # where it begins in the film
    frames: int
    clip: int
    first: int  # of the clip's frames
    speed: float = 1.0
    volume: float = 1.0
    fade: int = 0  # of its sound, at both ends
    scale: float = 1.0  # of the film's size
    x: float = 0.0  # of its middle, as a part of the width, from the film's middle
    y: float = 0.0


Tracks = list[list[Shot]]


def make_clips(folder: Path, *, seconds: int) -> list[Path]:
    """Six that differ in their grain and texture, and are encoded in the same way."""
    made = []
    for number in range(CLIPS):
        path = folder / f"clip-{number}.mp4"
        picture = PICTURE.format(seconds=seconds).replace("all_seed=7", f"all_seed={100 + number}")
        argv = [*shlex.split("ffmpeg -nostdin -v error -y -f lavfi -i"), picture, "-f", "lavfi", "-i"]
        argv += [
            SOUND.format(seconds=seconds),
            *shlex.split("-c:v libx264 -preset veryfast -crf 20 -c:a aac -b:a 192k"),
        ]
        subprocess.run([*argv, "-movflags", "+faststart", str(path)], check=True)
        made.append(path)
    return made


def timelines(seconds: int) -> dict[str, Tracks]:
    """Three of the kinds that people make, from clips that are so long."""
    length = seconds * RATE
    shot = length // 24
    cuts = [Shot(at=n * shot, frames=shot, clip=n % CLIPS, first=(n * 7) % 12 * shot) for n in range(12)]
    below = [Shot(at=n * 2 * shot, frames=2 * shot, clip=n, first=shot, speed=1.25, volume=0.4) for n in range(CLIPS)]
    above = [
        Shot(at=n * 3 * shot + shot, frames=2 * shot, clip=(n + 3) % CLIPS, first=4 * shot, scale=0.35, x=0.28, y=0.28)
        for n in range(4)
    ]
    gaps = [
        Shot(at=n * (shot + 15), frames=shot, clip=n % CLIPS, first=2 * shot + n, fade=min(15, shot // 3))
        for n in range(12)
    ]
    return {"cuts": [cuts], "two layers": [below, above], "gaps and fades": [gaps]}


def many(count: int, *, frames: int, length: int, changed: int | None = None) -> Tracks:
    """A row of many shots; one in the middle is longer by `changed` frames, so that half of the film moves."""
    row: list[Shot] = []
    at = 0
    for number in range(count):
        longer = changed if changed is not None and number == count // 2 else 0
        first = number // CLIPS * frames % max(1, length - 2 * frames)
        row.append(Shot(at=at, frames=frames + longer, clip=number % CLIPS, first=first))
        at += frames + longer
    return [row]


def of_jointo(tracks: Tracks) -> Timeline:
    return Timeline(
        canvas=CANVAS,
        tracks=tuple(Track(kind=Kind.VIDEO, clips=tuple(map(_clip, track))) for track in tracks),
    )


def _clip(shot: Shot) -> Clip:
    start, end = _moment(shot.at), _moment(shot.at + shot.frames)
    return Clip(
        start=start,
        duration=end - start,
        material=str(shot.clip),
        source_start=_moment(shot.first),
        speed=Fraction(str(shot.speed)),
        sound=Sound(volume=shot.volume, fade_in=_moment(shot.fade), fade_out=_moment(shot.fade)),
        transform=Transform(x=shot.x, y=shot.y, scale=shot.scale),
    )


def _moment(frame: int) -> int:
    return round(Fraction(frame, RATE) * SECOND)
