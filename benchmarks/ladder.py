"""Jointo's processing of one video, against ffmpeg commands that an expert would write for the same files.

- jointo: an attempt as a worker makes it, without the poster: claim, checksum, probe, encode, verify, publish,
  complete, with the watch over it. Measured inside a worker process that lives on from round to round, as in
  production: its own CPU and that of the programs that it starts, without the start of Python.
- one command: one ffmpeg that decodes once and encodes each rung and the sound once.
- process a rung: one ffmpeg for each rung, one after the other.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shlex
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import MIB, Figures, Side

PICTURE = (
    "testsrc2=size=1280x720:rate=30:duration={seconds}[pattern];"
    "color=gray:size=1280x720:rate=30:duration={seconds},format=yuv420p,noise=all_seed=7:alls=80,gblur=sigma=3,"
    "eq=contrast=3,scroll=horizontal=0.004:vertical=0.003[texture];"
    "[pattern][texture]blend=all_mode=average,noise=all_seed=8:alls=2:allf=t,format=yuv420p[out0]"
)
SOUND = (
    "aevalsrc=0.2*sin(2*PI*220*t+20*sin(t))|0.2*sin(2*PI*330*t)+0.05*sin(2*PI*3000*t+900*sin(2*t))"
    ":sample_rate=48000:duration={seconds}"
)
JOINTO, ONE_COMMAND, PROCESS_A_RUNG = "jointo", "one command", "process a rung"

_FFMPEG = shlex.split("ffmpeg -nostdin -v error -y")
_ENCODERS = shlex.split(
    "-c:v libx264 -preset veryfast -profile:v high -crf 23 -g 120 -keyint_min 120 -sc_threshold 0"
    " -c:a aac -b:a 128k -ac 2 -ar 48000 -flags +global_header"
)
_MP4 = "onfail=abort:f=mp4:movflags=+faststart"
_HLS = (
    "onfail=abort:f=hls:hls_time=4:hls_playlist_type=vod:hls_segment_type=fmp4"
    ":hls_flags=single_file+independent_segments"
)
_RUNGS = {  # name: size, what it may cost
    "720p": ("1280:720", "-maxrate{n} 2800k -bufsize{n} 5600k"),
    "480p": ("854:480", "-maxrate{n} 1400k -bufsize{n} 2800k"),
    "360p": ("640:360", "-maxrate{n} 800k -bufsize{n} 1600k"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=60, help="length of the clip")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jointo-bench-") as name:
        folder = Path(name)
        clip = _clip(folder / "clip.mp4", seconds=wanted.seconds)
        clip_note = f"clip: {wanted.seconds} s of 1280x720 at 30 fps, H.264 and AAC stereo, {_mib(clip):.1f} MiB"
        # A fresh interpreter, which reads Jointo's settings from its own environment.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn, initializer=_start, initargs=(folder / "jointo",)) as worker:
            sides = [
                Side(JOINTO, partial(_jointo, worker, clip)),
                Side(ONE_COMMAND, partial(_ffmpeg, [_one_command(clip)], folder / "out")),
                Side(PROCESS_A_RUNG, partial(_ffmpeg, [_of_rung(clip, rung) for rung in _RUNGS], folder / "out")),
            ]
            found = measure.interleaved(sides, rounds=wanted.rounds)
    ratios = {
        "cpu_vs_one_command": measure.ratio(found, JOINTO, ONE_COMMAND, column="CPU s"),
        "cpu_vs_process_a_rung": measure.ratio(found, JOINTO, PROCESS_A_RUNG, column="CPU s"),
    }
    notes = [
        _version(),
        clip_note,
        "made of testsrc2 over a seeded texture that scrolls, with seeded grain; the sound of two swept tones",
        "rungs 720p, 480p and 360p, each as progressive MP4 and as fMP4 HLS in a single file; no poster",
    ]
    measure.report("CPU for the ladder of one video", notes, found, ratios)


def _clip(path: Path, *, seconds: int) -> Path:
    argv = [*_FFMPEG, "-f", "lavfi", "-i", PICTURE.format(seconds=seconds)]
    argv += ["-f", "lavfi", "-i", SOUND.format(seconds=seconds)]
    argv += shlex.split("-c:v libx264 -preset veryfast -crf 20 -c:a aac -b:a 192k -movflags +faststart")
    subprocess.run([*argv, str(path)], check=True)
    return path


def _version() -> str:
    said = subprocess.run(["ffmpeg", "-version"], check=True, capture_output=True, text=True).stdout
    return said.partition(" Copyright")[0]


# -- ffmpeg by hand --------------------------------------------------------------------------------------


def _one_command(clip: Path) -> list[str]:
    graph = "[0:v]split=3[720p][a][b];[a]scale=854:480,setsar=1[480p];[b]scale=640:360,setsar=1[360p]"
    maps = shlex.split("-map [720p] -map [480p] -map [360p] -map 0:a")
    argv = [*_FFMPEG, "-i", str(clip), "-filter_complex", graph, *maps, *_ENCODERS]
    for number, (_, bounds) in enumerate(_RUNGS.values()):
        argv += shlex.split(bounds.format(n=f":v:{number}"))
    outputs = [f"[select=a:{_HLS}:hls_segment_filename=audio.m4s]audio.m3u8"]
    for number, name in enumerate(_RUNGS):
        outputs.append(rf"[select=\'v:{number},a\':{_MP4}]{name}.mp4")
        outputs.append(rf"[select=\'v:{number}\':{_HLS}:hls_segment_filename={name}.m4s]{name}.m3u8")
    return [*argv, "-f", "tee", "|".join(outputs)]


def _of_rung(clip: Path, name: str) -> list[str]:
    size, bounds = _RUNGS[name]
    argv = [*_FFMPEG, "-i", str(clip), "-map", "0:v", "-map", "0:a", "-vf", f"scale={size},setsar=1"]
    argv += [*_ENCODERS, *shlex.split(bounds.format(n="")), "-f", "tee"]
    progressive = f"[{_MP4}]{name}.mp4"
    return [*argv, f"{progressive}|[{_HLS}:hls_segment_filename={name}.m4s]{name}.m3u8"]


def _ffmpeg(commands: list[list[str]], folder: Path) -> Figures:
    """Run the commands one after the other in an empty folder."""
    folder.mkdir()
    began, before = time.monotonic(), measure.cpu_of(resource.getrusage(resource.RUSAGE_CHILDREN))
    for argv in commands:
        subprocess.run(argv, cwd=folder, check=True)
    cpu = measure.cpu_of(resource.getrusage(resource.RUSAGE_CHILDREN)) - before
    return _figures(cpu, time.monotonic() - began, folder)


def _figures(cpu: float, wall: float, folder: Path) -> Figures:
    """The sizes too, for they tell whether the sides have made the same. Removes the files."""
    sizes = {f"{name} MiB": _mib(folder / f"{name}.mp4") for name in _RUNGS}
    sizes["HLS MiB"] = sum(_mib(path) for path in folder.glob("*.m4s"))
    shutil.rmtree(folder)
    return {"CPU s": cpu, "wall s": wall} | sizes


def _mib(path: Path) -> float:
    return path.stat().st_size / MIB


# -- Jointo, in a process of its own ---------------------------------------------------------------------


def _start(data: Path) -> None:
    """Make the process a worker with a new database."""
    os.environ.clear()
    os.environ.update(measure.environment(data))
    data.mkdir()
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def _jointo(worker: ProcessPoolExecutor, clip: Path) -> Figures:
    return worker.submit(_process, clip).result()


def _process(clip: Path) -> Figures:
    from benchmarks import attempt

    made = attempt.make(clip)
    return _figures(made.cpu, made.wall, made.folder)


if __name__ == "__main__":
    main()
