"""One uploaded file becomes everything that a browser needs to play it.

    check the file ─► probe ─► plan ─► encode all rungs at once ─► verify ─► master playlist ─► poster

Works in a private folder, and leaves there only what is to be published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jobs import children
from jobs.children import ChildFailed
from videos.media import commands, errors, extent, playlists, probe, sandbox, verify
from videos.media.extent import Extent
from videos.media.plan import AUDIO_BITS, Plan, plan
from videos.media.playlists import Media, Variant
from videos.media.probe import Caps, Probe
from videos.media.progress import Progress
from videos.media.verify import Made

MASTER = "master.m3u8"
POSTER = "poster.jpg"
_POSTER_AT = 0.1  # of the length: past the black, before the ending
_LONGEST_GUESS = 3600.0  # seconds to allow for where the source does not surely say how long it is

OnProgress = Callable[[float, float, str], None]


class Run(Protocol):
    """How a program is started; `jobs.children.run` is the one that is."""

    def __call__(
        self,
        argv: list[str],
        /,
        *,
        cwd: Path,
        limits: children.Limits,
        on_line: Callable[[str], bool] | None = None,
        on_log: Callable[[str], None] | None = None,
        on_tick: Callable[[], None] | None = None,
    ) -> children.Finished: ...


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """One size of the video, or its sound alone (name "audio", no width, no height)."""

    name: str
    width: int
    height: int
    file: str  # progressive MP4, relative to the folder
    playlist: str  # HLS, relative to the folder
    bytes: int  # of `file`
    bandwidth: int  # peak bits a second over HLS, sound included
    codecs: str  # RFC 6381


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What stands in the folder now."""

    duration: float  # seconds, as measured
    width: int  # of the best rendition
    height: int
    renditions: tuple[Rendition, ...]  # best first
    playlist: str
    poster: str | None
    probe: Probe


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where and with what a file is worked on."""

    folder: Path  # programs are run in it
    threads: int
    run: Run = children.run
    on_log: Callable[[str], None] | None = None


def transcode(
    source: Path,
    folder: Path,
    *,
    run: Run = children.run,
    on_progress: OnProgress,
    on_log: Callable[[str], None] | None = None,
    caps: Caps,
    threads: int,
    preset: str = commands.PRESET,
    poster: bool = True,
) -> Outcome:
    """Make everything from `source` in `folder`, which is private, exists and is empty.

    `on_progress` gets seconds done, seconds expected (0: unknown), and the step in a word. Raises what
    `videos.media.errors` names, and what `run` raises where that says nothing about the file.
    """
    workshop = Workshop(folder=folder, threads=threads, run=run, on_log=on_log)
    found = inspect(source, workshop, caps=caps)
    planned = plan(found)
    _encode(planned, source, workshop, caps=caps, preset=preset, on_progress=on_progress)
    made = verify.outputs(planned, folder)
    verify.lengths(found, made, extent=extent.of(source), seconds_max=caps.seconds)
    variants = _variants(planned, made, folder)
    _write_master(variants, made, folder)
    with_poster = poster and planned.video is not None
    if with_poster:
        on_progress(made.seconds, made.seconds, "poster")
        with_poster = _poster(planned, source, workshop, at=made.seconds * _POSTER_AT)
    on_progress(made.seconds, made.seconds, "done")
    return Outcome(
        duration=made.seconds,
        width=variants[0].width,
        height=variants[0].height,
        renditions=tuple(_rendition(variant, made, folder) for variant in variants),
        playlist=MASTER,
        poster=POSTER if with_poster else None,
        probe=found,
    )


def inspect(source: Path, workshop: Workshop, *, caps: Caps) -> Probe:
    """Look at a file without decoding it, and refuse what can't or mustn't be.

    Raises NotAVideo, MediaEmpty, MediaTruncated, MediaDamaged, MediaNoStreams, MediaTooLarge, MediaTooLong.
    """
    found = look(source, workshop)
    probe.check(found, caps)
    return found


def look(source: Path, workshop: Workshop) -> Probe:
    """What is in a file, whatever it is worth. Raises NotAVideo, MediaEmpty, MediaTruncated, MediaDamaged."""
    if source.stat().st_size == 0:
        raise errors.MediaEmpty
    if extent.of(source) is Extent.CUT:
        raise errors.MediaTruncated
    command = probe.command(source.absolute())
    try:
        said = workshop.run(command, cwd=workshop.folder, limits=sandbox.probing(), on_log=workshop.on_log).stdout
    except ChildFailed as error:
        raise errors.from_child(error, probed=False) from error
    return probe.parse(said)


def _poster(planned: Plan, source: Path, workshop: Workshop, *, at: float) -> bool:
    """Whether there is one now. A video that plays is not to be refused for its poster."""
    try:
        thumbnail(planned, source, workshop, target=POSTER, at=at)
    except (errors.MediaError, ChildFailed) as error:
        (workshop.folder / POSTER).unlink(missing_ok=True)
        if workshop.on_log is not None:
            workshop.on_log(f"There is no poster: {error}")
        return False
    return True


def thumbnail(planned: Plan, source: Path, workshop: Workshop, *, target: str, at: float) -> None:
    """Write one JPEG named `target` in the workshop's folder: the frame shown at `at` seconds, else the first.

    Raises MediaDamaged if there is none at all.
    """
    limits = _limits(planned, seconds=60.0, threads=workshop.threads)
    for moment in (at, 0.0):
        command = commands.poster(planned, source.absolute(), target, moment, threads=workshop.threads)
        try:
            workshop.run(command, cwd=workshop.folder, limits=limits, on_log=workshop.on_log)
        except ChildFailed as error:
            reason = errors.from_child(error, probed=True)
            if not isinstance(reason, errors.MediaError):
                raise reason from error
        picture = workshop.folder / target
        if picture.exists() and picture.stat().st_size:
            return
    raise errors.MediaDamaged


def _encode(
    planned: Plan, source: Path, workshop: Workshop, *, caps: Caps, preset: str, on_progress: OnProgress
) -> None:
    meter = Progress(planned.duration)

    def on_line(line: str) -> bool:
        moved = meter.feed(line)
        if moved:
            on_progress(meter.seconds, planned.duration or 0.0, "encoding")
        return moved

    on_progress(0.0, planned.duration or 0.0, "encoding")
    # A little beyond what is accepted, so that what is too long can be told from what is just short enough.
    command = commands.ladder(
        planned, source.absolute(), threads=workshop.threads, longest=caps.seconds + 5, preset=preset
    )
    limits = _limits(planned, seconds=_most_seconds(planned), threads=workshop.threads)
    try:
        finished = workshop.run(command, cwd=workshop.folder, limits=limits, on_line=on_line, on_log=workshop.on_log)
    except ChildFailed as error:
        raise errors.from_child(error, probed=True) from error
    if errors.speaks_of_full_storage(finished.tail):
        raise errors.StorageFull


def _most_seconds(planned: Plan) -> float:
    """What to allow for; where the length is a guess, it may also be far too short."""
    seconds = planned.duration or _LONGEST_GUESS
    return max(seconds, _LONGEST_GUESS) if planned.guessed else seconds


def _limits(planned: Plan, *, seconds: float, threads: int) -> children.Limits:
    video = planned.video
    return sandbox.encoding(
        seconds=seconds,
        pixels=video.width * video.height if video else 0,
        rate=float(video.frame_rate or 60) if video else 0.0,
        peak=max((rung.maxrate for rung in planned.rungs), default=0) + AUDIO_BITS,
        outputs=len(planned.rungs),
        threads=threads,
    )


def _variants(planned: Plan, made: Made, folder: Path) -> list[Variant]:
    if not planned.rungs:
        assert made.sound is not None
        alone = Variant(name=commands.AUDIO, media=made.sound, codecs=playlists.AAC_LC)
        return [alone]
    return [
        Variant(
            name=rung.name,
            media=media,
            codecs=verify.h264(folder / media.file, media.head.size),
            width=rung.width,
            height=rung.height,
            rate=planned.rate,
        )
        for rung, media in zip(planned.rungs, made.pictures, strict=True)
    ]


def _write_master(variants: list[Variant], made: Made, folder: Path) -> None:
    text = playlists.master(variants, audio=_shared(made), playlist=commands.playlist)
    (folder / MASTER).write_text(text, encoding="ascii")


def _rendition(variant: Variant, made: Made, folder: Path) -> Rendition:
    file = commands.progressive(variant.name)
    return Rendition(
        name=variant.name,
        width=variant.width,
        height=variant.height,
        file=file,
        playlist=commands.playlist(variant.name),
        bytes=(folder / file).stat().st_size,
        bandwidth=playlists.bandwidth(variant, _shared(made)),
        codecs=playlists.codecs(variant, _shared(made)),
    )


def _shared(made: Made) -> Media | None:
    """The sound that all pictures share; there is nothing to share it with where it is alone."""
    return made.sound if made.pictures else None
