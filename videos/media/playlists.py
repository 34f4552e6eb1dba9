"""HLS playlists (RFC 8216): reads those of the rungs, writes the one that names them all.

ffmpeg's own master playlist states a BANDWIDTH that ignores the picture when encoding by quality, so this one
is written from what was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

AAC_LC = "mp4a.40.2"
AUDIO_GROUP = "audio"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One segment: a range of bytes of a rung's only file."""

    seconds: float
    offset: int
    size: int  # bytes


@dataclass(frozen=True, kw_only=True)
class Media:
    """What the playlist of one rung says."""

    file: str
    head: Segment  # the initialisation section, of no length in time
    segments: tuple[Segment, ...]

    @property
    def seconds(self) -> float:
        return sum(segment.seconds for segment in self.segments)

    @property
    def size(self) -> int:
        return sum(segment.size for segment in self.segments)

    @property
    def average(self) -> int:
        """Bits a second over the whole length."""
        return _bits_a_second(self.size, self.seconds)

    @property
    def peak(self) -> int:
        """Bits a second of the worst stretch, as RFC 8216 4.3.4.2 measures it.

        That is a stretch of segments of half to one and a half target durations: a last segment of a few
        frames is all keyframe, and says nothing about the line that is needed.
        """
        target = max((segment.seconds for segment in self.segments), default=0.0)
        rates = [
            _bits_a_second(sum(part.size for part in stretch), sum(part.seconds for part in stretch))
            for start in range(len(self.segments))
            for stretch in (self.segments[start : start + 1], self.segments[start : start + 2])
            if target / 2 <= sum(part.seconds for part in stretch) <= target * 1.5
        ]
        return max(rates, default=0)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One line to choose in the master playlist. Without a size it is sound only."""

    name: str
    media: Media
    codecs: str  # of the picture; of the sound, if that is all there is
    width: int = 0
    height: int = 0
    rate: Fraction | None = None  # frames a second, where they come evenly


def parse(text: str) -> Media:
    """Read a rung's playlist as ffmpeg writes it with `single_file`. Raises ValueError if it is none."""
    head: Segment | None = None
    segments: list[Segment] = []
    seconds, place, file = 0.0, "", ""
    for line in text.splitlines():
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-MAP":
            head = _range(value.partition('BYTERANGE="')[2].rstrip('"'), seconds=0.0)
        elif tag == "#EXTINF":
            seconds = float(value.partition(",")[0])
        elif tag == "#EXT-X-BYTERANGE":
            place = value
        elif line and not line.startswith("#"):
            file = line
            segments.append(_range(place, seconds=seconds))
    if head is None:
        raise ValueError("The playlist names no initialisation section.")
    return Media(file=file, head=head, segments=tuple(segments))


def master(variants: Sequence[Variant], *, audio: Media | None, playlist: Callable[[str], str]) -> str:
    """The playlist that players open: every variant, best first, and the sound that they share.

    `playlist` gives the file name of a variant's own playlist, or the sound's.
    """
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if audio is not None:
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO_GROUP}",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,'
            f'CHANNELS="2",URI="{playlist(AUDIO_GROUP)}"'
        )
    for variant in sorted(variants, key=lambda one: bandwidth(one, audio), reverse=True):
        lines += [_stream_inf(variant, audio), playlist(variant.name)]
    return "\n".join(lines) + "\n"


def bandwidth(variant: Variant, audio: Media | None) -> int:
    """Bits a second that the line must carry at worst, sound included."""
    return variant.media.peak + (audio.peak if audio else 0)


def codecs(variant: Variant, audio: Media | None) -> str:
    """The codecs of a variant with its sound, as RFC 6381 writes them."""
    return f"{variant.codecs},{AAC_LC}" if audio else variant.codecs


def _stream_inf(variant: Variant, audio: Media | None) -> str:
    average = variant.media.average + (audio.average if audio else 0)
    attributes = [
        f"BANDWIDTH={bandwidth(variant, audio)}",
        f"AVERAGE-BANDWIDTH={average}",
        f'CODECS="{codecs(variant, audio)}"',
    ]
    if variant.width:
        attributes.append(f"RESOLUTION={variant.width}x{variant.height}")
    if variant.rate is not None:
        attributes.append(f"FRAME-RATE={float(variant.rate):.3f}")
    if audio is not None:
        attributes.append(f'AUDIO="{AUDIO_GROUP}"')
    return "#EXT-X-STREAM-INF:" + ",".join(attributes)


def _range(text: str, *, seconds: float) -> Segment:
    size, _, offset = text.partition("@")
    return Segment(seconds=seconds, offset=int(offset), size=int(size))


def _bits_a_second(size: int, seconds: float) -> int:
    return round(size * 8 / seconds) if seconds > 0 else 0
