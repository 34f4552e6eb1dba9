"""Whether what came out is what was to come out. ffmpeg ends well on files that break off in the middle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from videos.media import commands, errors, playlists
from videos.media.extent import Extent
from videos.media.plan import Plan
from videos.media.playlists import Media
from videos.media.probe import Probe

_TOLERANCE_SECONDS = 0.5
_TOLERANCE_SHARE = 0.02
# A file that is whole may play shorter than it states (edit lists, gaps), but hardly by half.
_TOLERANCE_WHOLE = 0.5


@dataclass(frozen=True, kw_only=True)
class Made:
    """What ffmpeg has written, as its playlists measured it."""

    pictures: tuple[Media, ...]  # in the order of the plan's rungs
    sound: Media | None

    @property
    def seconds(self) -> float:
        return max((media.seconds for media in (*self.pictures, self.sound) if media), default=0.0)


def outputs(plan: Plan, folder: Path) -> Made:
    """Read the playlists of all that the plan asked for.

    Raises MediaDamaged if one is missing or empty, StorageFull if a file lacks what was written to it.

    Sound that can't be decoded is left out where there is a picture: a film without its sound is still of
    use, and `Made.sound` says that there is none.
    """
    pictures = tuple(_measured(folder, rung.name) for rung in plan.rungs)
    sound = None if plan.audio is None else _measured(folder, commands.AUDIO)
    if not all(pictures) or (not pictures and sound is None):
        raise errors.MediaDamaged
    return Made(pictures=tuple(media for media in pictures if media), sound=sound)


def _measured(folder: Path, name: str) -> Media | None:
    path = folder / commands.playlist(name)
    if not path.exists():
        return None
    try:
        media = playlists.parse(path.read_text(encoding="ascii"))
    except ValueError:
        return None
    end = max((segment.offset + segment.size for segment in media.segments), default=0)
    # ffmpeg does not notice every write that fails; what a playlist promises must be there.
    if media.segments and (folder / media.file).stat().st_size < end:
        raise errors.StorageFull
    return media if media.seconds > 0 else None


def lengths(probe: Probe, made: Made, *, extent: Extent, seconds_max: float) -> None:
    """Compare when that which came out ends with when the source stated that it would.

    The picture is compared with the picture and the sound with the sound, for one may end before the other; the
    last of them with the last where streams don't state their own lengths, and nothing where those are guesses.
    The container's length counts only where no stream has its own and nothing else (subtitles) could have set
    it. What came out begins at 0, so that its length says when it ends. Raises MediaTruncated, MediaDamaged,
    MediaTooLong.
    """
    if made.seconds > seconds_max:
        raise errors.MediaTooLong
    if probe.trust == "guessed":
        return
    each = probe.trust == "each"
    pairs = [
        (stream.duration + (stream.lag if each else 0.0), media.seconds)
        for stream, media in (
            (probe.video, made.pictures[0] if made.pictures else None),
            (probe.audio, made.sound),
        )
        if stream is not None and stream.duration is not None and media is not None
    ]
    used = (probe.video is not None) + (probe.audio is not None)
    if not pairs and probe.streams == used and probe.duration is not None:
        pairs = [(probe.duration, made.seconds)]
    if pairs and not each:
        pairs = [(max(expected for expected, _ in pairs), made.seconds)]
    for expected, measured in pairs:
        if extent is Extent.WHOLE:
            if measured < expected * _TOLERANCE_WHOLE - _TOLERANCE_SECONDS:
                raise errors.MediaDamaged
        elif measured < expected - max(_TOLERANCE_SECONDS, expected * _TOLERANCE_SHARE):
            raise errors.MediaTruncated(details={"expected": expected, "measured": measured})


def h264(file: Path, head: int) -> str:
    """The codec of an H.264 rung as RFC 6381 writes it, from the first `head` bytes of its file.

    ISO/IEC 14496-15, 5.3.3.1: the box avcC holds version, profile, compatibility, level.
    """
    with file.open("rb") as opened:
        start = opened.read(head)
    profile = start.partition(b"avcC")[2][1:4]
    if len(profile) < 3:
        raise errors.MediaDamaged
    return f"avc1.{profile.hex().upper()}"
