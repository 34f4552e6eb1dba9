"""A draft of the size that people make, rendered: how long it takes, and what it needs.

300 segments of pictures on two tracks, every third with a transition, the upper ones small and moved by keyframes; 150
texts; 100 stretches of sound on two tracks. It is written by pyJianYingDraft, read as any draft is, and rendered as a
worker does it, from the file's bytes to the film whose every frame was looked for.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyJianYingDraft as jianying
from pyJianYingDraft import KeyframeProperty, ScriptFile, TrackSpec, TrackType, TransitionType, trange

from benchmarks import export_timelines, measure
from benchmarks.measure import MIB, Figures, Side
from jobs import children
from videos.media import probe, sandbox
from videos.timeline import film
from videos.timeline.capcut import reading
from videos.timeline.film import Format, Recipe, Source

SEGMENTS, ABOVE, TEXTS, SOUNDS = 240, 60, 150, 100
MOMENT = 1_000_000


def main() -> None:
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="jointo-bench-") as name:
        stage = Stage(Path(name), seconds=wanted.seconds)
        found = measure.interleaved([Side("Jointo", stage.render)], rounds=wanted.rounds)
    measure.report(
        "A draft of 300 segments, 150 texts and 100 sounds",
        list(stage.notes()),
        found,
        {
            "wall_vs_real_time": measure.median(found, "Jointo", "wall s") / wanted.seconds,
            "peak_rss_mib": measure.median(found, "Jointo", "peak MiB"),
            "longest_argument_kib": measure.median(found, "Jointo", "longest argument KiB"),
        },
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=600, help="length of the film")
    return parser.parse_args()


class Stage:
    """The clips, and the draft that is made of them."""

    def __init__(self, folder: Path, *, seconds: int) -> None:
        print("making the clips", file=sys.stderr)
        self._folder = folder
        self._seconds = seconds
        self._clips = [str(clip) for clip in export_timelines.make_clips(folder, seconds=60)]
        self._sounds = [_make_sound(folder / f"sound-{number}.m4a", number) for number in range(6)]
        self._data = self._draft().dumps().encode()
        self._rounds = 0

    def notes(self) -> Iterator[str]:
        read = reading.load(self._data)
        yield f"{self._seconds} s of 1280x720 at 30 fps, x264 {export_timelines.PRESET} crf {export_timelines.CRF}"
        yield f"six clips of 60 s as in `export`; the draft has {len(self._data) / 1024:.0f} KiB"
        yield f"remarks on what comes out otherwise: {len(read.report)}"
        yield "peak: of the largest process, ours or ffmpeg's; the kernel takes no argument beyond 128 KiB"

    def render(self) -> Figures:
        self._rounds += 1
        folder = self._folder / f"film-{self._rounds}"
        folder.mkdir()
        longest = 0

        def run(command: list[str], **options: Any) -> children.Finished:
            nonlocal longest
            longest = max(longest, *map(len, command))
            return children.run(command, **options)

        began, before = time.monotonic(), _cpu()
        draft = reading.load(self._data)
        sources = {media.name: self._source(Path(media.path)) for media in draft.media}
        made = film.make(
            *(draft.timeline, sources, folder),
            recipe=Recipe(format=Format.MP4, crf=export_timelines.CRF, preset=export_timelines.PRESET),
            threads=os.cpu_count() or 2,
            run=run,
            on_progress=lambda *step: None,
        )
        return {
            "wall s": time.monotonic() - began,
            "CPU s": _cpu() - before,
            "film s": made.duration,
            "MiB": made.file.stat().st_size / MIB,
            "peak MiB": max(resource.getrusage(who).ru_maxrss for who in _WHO) / 1024,
            "longest argument KiB": longest / 1024,
        }

    def _source(self, clip: Path) -> Source:
        said = children.run(probe.command(clip), cwd=self._folder, limits=sandbox.probing()).stdout
        return Source(path=clip, probe=probe.parse(said))

    def _draft(self) -> ScriptFile:
        script = ScriptFile(
            export_timelines.WIDTH, export_timelines.HEIGHT, export_timelines.RATE, maintrack_adsorb=False
        )
        whole = self._seconds * MOMENT
        main_track = script.append_track(TrackSpec(TrackType.video, "main"))
        above = script.append_track(TrackSpec(TrackType.video, "above"))
        for number, (start, length) in enumerate(_evenly(SEGMENTS, whole)):
            speed = (1.0, 1.0, 1.25)[number % 3]
            begin = number * 7 % 40 * MOMENT
            segment = (
                jianying.VideoSegment(
                    self._clips[number % 6], trange(start, length), speed=speed, source_timerange=None
                )
                if speed != 1
                else jianying.VideoSegment(
                    self._clips[number % 6], trange(start, length), source_timerange=trange(begin, length)
                )
            )
            if number % 3 == 0 and number < SEGMENTS - 1:
                segment.add_transition(TransitionType.叠化, duration=MOMENT // 2)
            script.add_segment(segment, main_track)
        for number, (start, length) in enumerate(_evenly(ABOVE, whole)):
            place = jianying.ClipSettings(scale_x=0.3, scale_y=0.3, transform_x=0.6, transform_y=0.6)
            small = jianying.VideoSegment(self._clips[number % 6], trange(start, length // 2), clip_settings=place)
            small.add_keyframe(KeyframeProperty.position_x, 0, 0.6)
            small.add_keyframe(KeyframeProperty.position_x, length // 2, -0.6)
            script.add_segment(small, above)
        self._write(script, whole)
        return script

    def _write(self, script: ScriptFile, whole: int) -> None:
        """Texts and sounds."""
        texts = script.append_track(TrackSpec(TrackType.text, "texts"))
        for number, (start, length) in enumerate(_evenly(TEXTS, whole)):
            style = jianying.TextStyle(size=8.0, color=(1.0, 0.9, 0.3))
            script.add_segment(
                jianying.TextSegment(f"第{number}句 line {number}", trange(start, length), style=style), texts
            )
        for track in range(2):
            sounds = script.append_track(TrackSpec(TrackType.audio, f"sounds {track}"))
            for number, (start, length) in enumerate(_evenly(SOUNDS // 2, whole)):
                sound = jianying.AudioSegment(self._sounds[(number + track) % 6], trange(start, length), volume=0.4)
                sound.add_fade(MOMENT // 2, MOMENT // 2)
                script.add_segment(sound, sounds)


def _make_sound(path: Path, number: int) -> str:
    argv = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        f"sine=frequency={220 + 55 * number}:duration=60",
    ]
    subprocess.run([*argv, "-ac", "2", "-c:a", "aac", str(path)], check=True)
    return str(path)


def _evenly(count: int, whole: int) -> Iterator[tuple[int, int]]:
    """Start and length of so many stretches, one after the other, together as long as the whole."""
    for number in range(count):
        start, end = whole * number // count, whole * (number + 1) // count
        yield start, end - start


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _cpu() -> float:
    return sum(measure.cpu_of(resource.getrusage(who)) for who in _WHO)


if __name__ == "__main__":
    main()
