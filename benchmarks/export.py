"""How fast a film is made, against ffmpeg's own copying, against the same film made whole, against melt and MoviePy.

- copying: six clips end to end, which need no encoding; beside it `ffmpeg -f concat -c copy`, which checks nothing.
- a change: sixty shots, all encoded; and once more after one of them was made longer, so that half of the film moves.
- three timelines: shots in a row; two layers, at another speed and volume, one of them small; shots with gaps between
  them and with sound that fades. Beside Jointo melt and MoviePy, each with x264 of the same preset and quality.

Jointo's side is the render as a worker makes it, from its start to the file whose every frame was looked for; the
clips were looked at before, as they are when they are uploaded. The others check nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchmarks import export_melt, export_moviepy, export_timelines, measure
from benchmarks.export_timelines import CRF, HEIGHT, PRESET, RATE, SOUND_BITS, WIDTH, Tracks
from benchmarks.measure import MIB, ROOT, Figures, Rounds, Side
from jobs import children
from videos import reel
from videos.media import probe, sandbox
from videos.timeline import film
from videos.timeline.film import Format, Recipe, Source
from videos.timeline.model import Timeline
from videos.timeline.shelf import Shelf

JOINTO, FFMPEG, MELT, MOVIEPY = "Jointo", "ffmpeg -c copy", "melt", "MoviePy"
WHOLE, CHANGE = "sixty shots: all", "sixty shots: one changed"
THREADS = os.cpu_count() or 2


def main() -> None:
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="jointo-bench-") as name:
        stage = Stage(Path(name), seconds=wanted.seconds)
        found = measure.interleaved(_of_copying(stage), rounds=wanted.rounds)
        found |= measure.interleaved(_of_changes(stage, count=wanted.shots), rounds=wanted.rounds)
        peers = [MELT] if shutil.which("melt") else []
        if python := _python_with_moviepy():
            peers.append(MOVIEPY)
        tracks = export_timelines.timelines(min(60, wanted.seconds))
        for title, one in tracks.items():
            found |= measure.interleaved(_of_peers(stage, title, one, peers, python), rounds=wanted.rounds)
    ratios = {
        "copy_wall_vs_ffmpeg": measure.ratio(found, f"copying: {JOINTO}", f"copying: {FFMPEG}", column="wall s"),
        "one_change_vs_full": measure.ratio(found, CHANGE, WHOLE, column="wall s"),
    }
    for peer in peers:
        ratios[f"cpu_vs_{peer.lower()}"] = _vs(found, peer, list(tracks), column="CPU s")
        ratios[f"wall_vs_{peer.lower()}"] = _vs(found, peer, list(tracks), column="wall s")
    measure.report("Making films", [*_notes(stage, wanted, peers)], found, ratios)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=60, help="length of each of the six clips")
    parser.add_argument("--shots", type=int, default=60, help="of the timeline in which one is changed, 5 s each")
    parser.add_argument("--quick", action="store_true", help="only to see that it runs: short clips, few shots, once")
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.rounds, wanted.seconds, wanted.shots = 1, 4, 6
    return wanted


class Stage:
    """The clips, as they are after their upload, and a folder for each film."""

    def __init__(self, folder: Path, *, seconds: int) -> None:
        print("making the clips", file=sys.stderr)
        self.folder = folder
        self.clips = export_timelines.make_clips(folder, seconds=seconds)
        self.length = seconds * RATE
        self.mib = sum(clip.stat().st_size for clip in self.clips) / MIB
        self.sources = {str(number): self._source(clip) for number, clip in enumerate(self.clips)}

    def film(self, timeline: Timeline, *, shelf: Shelf | None = None) -> Figures:
        """What it takes to render the timeline."""
        recipe = Recipe(format=Format.MP4, crf=CRF, preset=PRESET)
        made_at = self._empty("film")
        return self._measured(
            made_at / "film.mp4",
            lambda: film.make(
                *(timeline, self.sources, made_at),
                recipe=recipe,
                threads=THREADS,
                on_progress=lambda *step: None,
                cache=shelf,
            ),
        )

    def program(self, make: Callable[[Path, Path], None]) -> Figures:
        """What it takes to have another program write a file, in a folder of its own."""
        folder = self._empty("other")
        return self._measured(folder / "film.mp4", lambda: make(folder, folder / "film.mp4"))

    def _measured(self, target: Path, work: Callable[[], object]) -> Figures:
        began, before = time.monotonic(), _cpu()
        work()
        wall, cpu = time.monotonic() - began, _cpu() - before
        return {"CPU s": cpu, "wall s": wall, "frames": _frames(target), "MiB": target.stat().st_size / MIB}

    def _empty(self, name: str) -> Path:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def _source(self, clip: Path) -> Source:
        said = children.run(probe.command(clip), cwd=self.folder, limits=sandbox.probing()).stdout
        return Source(path=clip, probe=probe.parse(said))


# -- copying ---------------------------------------------------------------------------------------------


def _of_copying(stage: Stage) -> list[Side]:
    row = reel.of({name: source.probe for name, source in stage.sources.items()})
    return [
        Side(f"copying: {JOINTO}", partial(stage.film, row)),
        Side(f"copying: {FFMPEG}", partial(stage.program, partial(_concat, stage.clips))),
    ]


def _concat(clips: Sequence[Path], folder: Path, target: Path) -> None:
    (folder / "clips.txt").write_text("".join(f"file {clip}\n" for clip in clips))
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-f", "concat", "-safe", "0", "-i", "clips.txt", "-c", "copy"]
    subprocess.run([*argv, "-movflags", "+faststart", str(target)], cwd=folder, check=True)


# -- a change --------------------------------------------------------------------------------------------


@dataclass
class _Cut:
    """A film of many shots, which is changed again and again."""

    stage: Stage
    count: int
    made: int = 0
    changes: int = 0

    def whole(self) -> Figures:
        """All of it, by a worker that never saw it."""
        self.made += 1
        return self.stage.film(self._timeline(), shelf=self._shelf())

    def changed(self) -> Figures:
        """After a change that nobody has made before."""
        self.changes += 1
        return self.stage.film(self._timeline(changed=self.changes), shelf=self._shelf())

    def _shelf(self) -> Shelf:
        return Shelf(self.stage.folder / f"parts-{self.made}", most=2**40)

    def _timeline(self, *, changed: int | None = None) -> Timeline:
        frames = min(5 * RATE, self.stage.length * 3 // 4)
        many = export_timelines.many(self.count, frames=frames, length=self.stage.length, changed=changed)
        return export_timelines.of_jointo(many)


def _of_changes(stage: Stage, *, count: int) -> list[Side]:
    cut = _Cut(stage, count)
    return [Side(WHOLE, cut.whole), Side(CHANGE, cut.changed)]


# -- beside other programs -------------------------------------------------------------------------------


def _of_peers(stage: Stage, title: str, tracks: Tracks, peers: Sequence[str], python: Path | None) -> list[Side]:
    makers = {MELT: partial(_melt, stage, tracks), MOVIEPY: partial(_moviepy, stage, tracks, python)}
    ours = Side(f"{title}: {JOINTO}", partial(stage.film, export_timelines.of_jointo(tracks)))
    return [ours, *(Side(f"{title}: {peer}", partial(stage.program, makers[peer])) for peer in peers)]


def _melt(stage: Stage, tracks: Tracks, folder: Path, target: Path) -> None:
    command = export_melt.command(tracks, stage.clips, folder, target)
    # Without a screen, and without what it says of drivers that are not there.
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "SDL_AUDIODRIVER": "dummy"}
    subprocess.run(command, cwd=folder, check=True, env=environment, capture_output=True)


def _moviepy(stage: Stage, tracks: Tracks, python: Path | None, folder: Path, target: Path) -> None:
    asked = {
        "tracks": [[asdict(shot) for shot in track] for track in tracks],
        "clips": [str(clip) for clip in stage.clips],
        **{"width": WIDTH, "height": HEIGHT, "rate": RATE, "threads": THREADS},
        **{"crf": CRF, "preset": PRESET, "sound_bits": SOUND_BITS},
    }
    # The same ffmpeg as everybody's, instead of the one that it would bring along.
    environment = os.environ | {"IMAGEIO_FFMPEG_EXE": shutil.which("ffmpeg") or "ffmpeg"}
    argv = [str(python), export_moviepy.__file__, str(target)]
    subprocess.run(argv, cwd=folder, check=True, env=environment, input=json.dumps(asked), text=True)


def _python_with_moviepy() -> Path | None:
    """A Python of its own for MoviePy, which wants an older Pillow than the tests; None if it can't be had."""
    home = ROOT / ".venv" / "moviepy"
    python = home / "bin" / "python"
    try:
        if not (home / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True, stdout=sys.stderr)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
            subprocess.run([*pip, export_moviepy.REQUIREMENT], check=True, stdout=sys.stderr)
            (home / "complete").touch()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"MoviePy is left out: {error}", file=sys.stderr)
        return None
    return python


def _vs(found: Rounds, peer: str, titles: Sequence[str], *, column: str) -> float:
    """All timelines together."""
    ours, theirs = (sum(measure.median(found, f"{title}: {who}", column) for title in titles) for who in (JOINTO, peer))
    return ours / theirs


def _notes(stage: Stage, wanted: argparse.Namespace, peers: Sequence[str]) -> Iterator[str]:
    yield subprocess.run(["ffmpeg", "-version"], check=True, capture_output=True, text=True).stdout.partition(" Copy")[
        0
    ]
    yield f"six clips of {wanted.seconds} s, {WIDTH}x{HEIGHT} at {RATE} fps, H.264 and AAC stereo, {stage.mib:.0f} MiB"
    yield "made of testsrc2 over a seeded texture that scrolls, with seeded grain; the sound of two swept tones"
    yield f"films: {WIDTH}x{HEIGHT} at {RATE} fps, x264 {PRESET} crf {CRF}, AAC at {SOUND_BITS // 1000} kbit/s"
    yield f"each with {THREADS} threads"
    if MELT in peers:
        said = subprocess.run(["melt", "--version"], check=True, capture_output=True, text=True)
        yield next(line for line in (said.stdout + said.stderr).splitlines() if line.startswith("melt "))
    else:
        yield f"melt is not installed, and left out: apt-get install {export_melt.PACKAGE}"
    yield export_moviepy.REQUIREMENT if MOVIEPY in peers else f"left out: {export_moviepy.REQUIREMENT}"


def _frames(path: Path) -> float:
    argv = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=nb_frames", "-of", "csv=p=0"]
    return float(subprocess.run([*argv, str(path)], check=True, capture_output=True, text=True).stdout)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(map(measure.cpu_of, used))


if __name__ == "__main__":
    main()
