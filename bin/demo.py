"""Jointo in one command: starts it, sends it a video as a browser would, and shows what becomes of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from processes import Processes, Stopped
from stack import BIN, ROOT, USER, Stack, alone, say, web_port

DATA = ROOT / "var" / "demo"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/demo", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="a video (a script, with --drama); without one, ours")
    parser.add_argument("--drama", action="store_true", help="make a film of a script, without any AI service")
    parser.add_argument("--exit", action="store_true", help="end when the video is done, instead of serving on")
    wanted = parser.parse_args()
    file = _readable(wanted.file) if wanted.file else None
    # The demo is the same everywhere: of the caller's settings it takes the port alone.
    for name in [name for name in os.environ if name.startswith("JOINTO_") and name != "JOINTO_PORT"]:
        del os.environ[name]
    port = web_port()
    with alone(DATA):
        settings = {
            "JOINTO_ENV_FILE": "",
            "JOINTO_DATA_DIR": str(DATA),
            "JOINTO_EVENTS_POLL_SECONDS": "0.2",  # one watcher: smoother than the default, which is for many
        }
        stack = Stack(port=port, data=DATA, settings=settings)
        say("Starting Jointo")
        program = _drama(file) if wanted.drama else _video(stack, file)
        return stack.run(lambda: _show(stack, program, serve_on=not wanted.exit))


def _readable(file: Path) -> Path:
    try:
        with file.open("rb") as opened:
            if opened.read(1):
                return file.resolve()
    except OSError as error:
        raise SystemExit(f"bin/demo: {file}: {error.strerror}") from None
    raise SystemExit(f"bin/demo: {file}: The file is empty")


Program = Callable[[], Sequence[Path]]
"""Gives the program that shows Jointo at work, and what it works on; called once Jointo runs."""


def _video(stack: Stack, file: Path | None) -> Program:
    return lambda: (BIN / "send.py", file or _clip(stack.processes))


def _drama(file: Path | None) -> Program:
    return lambda: (BIN / "drama.py", file or BIN / "drama.fountain")


def _show(stack: Stack, program: Program, *, serve_on: bool) -> int:
    """Have it do its work; 0 if what came out can be played. Then serve until somebody stops it."""
    script, file = program()
    send = stack.processes.start(
        *("send", sys.executable, script, stack.url, file),
        *("--user", USER, "--password-file", stack.password_file),
        logged=False,
    )
    status = stack.processes.until_ended(send)
    say(f"Admin       {stack.url}/admin/   {USER} / {stack.password}")
    say(f"Logs        {os.path.relpath(DATA / 'log')}/")
    if serve_on:
        say(f"Shell       {stack.shell}")
        say("Serving; Ctrl-C ends it.")
        try:
            stack.processes.wait()
        except Stopped:
            say("\nStopping")
    return status


def _clip(processes: Processes) -> Path:
    """Ten seconds of moving picture and a chord in stereo. Made once: a second demo finds it known."""
    clip = DATA / "clip.mp4"
    if not clip.exists():
        draft = DATA / "clip.draft.mp4"
        picture = "testsrc2=size=1280x720:rate=30:duration=10"
        sound = "aevalsrc=0.2*sin(2*PI*440*t)|0.2*sin(2*PI*554*t):sample_rate=48000:duration=10"
        processes.run(
            *("clip", "ffmpeg", "-nostdin", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound),
            *("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k"),
            *("-movflags", "+faststart", draft),
        )
        draft.rename(clip)
    return clip


if __name__ == "__main__":
    sys.exit(main())
