"""Where a film is made: runs ffmpeg and ffprobe in its folder, and tells how far it is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.children import ChildFailed, Limits
from videos.media import errors, sandbox
from videos.media.progress import Progress
from videos.media.transcode import Run
from videos.timeline import meter
from videos.timeline.reuse import Cache

_LONGEST_GRAPH = 4096  # characters; beyond, it is handed over in a file
_ASKING = Limits(wall_seconds=1800, file_bytes=0)  # reads the whole file


@dataclass(frozen=True, kw_only=True)
class Studio:
    """A private folder, what may be used, and whom to tell."""

    folder: Path
    threads: int
    run: Run
    meter: meter.Progress
    on_log: Callable[[str], None] | None = None
    on_tick: Callable[[], None] | None = None  # called while a program runs; what it raises ends the program
    cache: Cache | None = None

    def ffmpeg(
        self, command: list[str], *, limits: Limits, seconds: float, step: str, span: tuple[float, float]
    ) -> Sequence[str]:
        """Run one encoding of so many seconds, which is a span of the step (from 0 to 1). Returns its last words."""
        progress = Progress(seconds)
        begin, end = span

        def on_line(line: str) -> bool:
            moved = progress.feed(line)
            if moved:
                self.meter.at(step, begin + (end - begin) * (progress.seconds / seconds if seconds else 1.0))
            return moved

        self.meter.at(step, begin)
        graph = f"graph-{uuid.uuid4()}.txt"
        command = self._with_short_graph(command, graph)
        try:
            finished = self.run(
                command, cwd=self.folder, limits=limits, on_line=on_line, on_log=self.on_log, on_tick=self.on_tick
            )
        except ChildFailed as error:
            raise errors.from_child(error, probed=True) from error
        finally:
            self.remove(graph)
        if errors.speaks_of_full_storage(finished.tail):
            raise errors.StorageFull
        self.meter.at(step, end)
        return finished.tail

    def ffprobe(self, name: str, *show: str, on_line: Callable[[str], bool] | None = None) -> str:
        """Ask about a file that was made here."""
        command = ["ffprobe", "-hide_banner", "-v", "error", *show, "-i", f"file:{name}"]
        return self.run(command, cwd=self.folder, limits=_ASKING, on_line=on_line, on_log=self.on_log).stdout

    def version(self) -> str:
        """What ffmpeg says of itself: ffprobe is built and installed together with it."""
        command = ["ffprobe", "-version"]
        return self.run(command, cwd=self.folder, limits=sandbox.probing(), on_log=self.on_log).stdout

    def remove(self, *names: str) -> None:
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def _with_short_graph(self, command: list[str], graph: str) -> list[str]:
        """The kernel takes no argument beyond 128 KiB."""
        option = "-filter_complex"
        if option not in command or len(command[command.index(option) + 1]) <= _LONGEST_GRAPH:
            return command
        place = command.index(option)
        (self.folder / graph).write_text(command[place + 1], encoding="utf-8")
        return [*command[:place], "-filter_complex_script", graph, *command[place + 2 :]]
