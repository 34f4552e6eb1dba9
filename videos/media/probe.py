"""What is in a media file: asked of ffprobe, and read so that no odd answer surprises anybody.

Real files hold frame rates of 1000/1 and 1/0, rotations of INT64_MIN, pixels 0:1 wide. Here a value is either
sane or absent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from videos.media import errors, lengths, lenient, sandbox
from videos.media.lenient import Json

Hdr = Literal["pq", "hlg"]

_TRANSFERS: Mapping[str, Hdr] = {"smpte2084": "pq", "arib-std-b67": "hlg"}
_FIELD_ORDERS = {"tt", "bb", "tb", "bt"}
_STILL = ("attached_pic", "timed_thumbnails", "still_image")
_SLOWEST, _FASTEST = Fraction(1, 60), Fraction(500)  # frames a second; anything else is a lie
_WIDEST_PIXEL = 16
_DEPTH = re.compile(r"(?:p|gray|y|x)(?:0)?(9|10|12|14|16)(?:le|be)$")
_SHOWN = {
    "format": "format_name,start_time,duration",
    "stream": "index,codec_type,codec_name,profile,width,height,pix_fmt,sample_aspect_ratio,avg_frame_rate,"
    "r_frame_rate,bits_per_raw_sample,color_space,color_transfer,field_order,channels,sample_rate,channel_layout,start_time,"
    "duration,bit_rate",
    "stream_tags": "DURATION",
    "stream_disposition": "default,attached_pic,timed_thumbnails,still_image",
    "stream_side_data": "rotation",
}

# Of a stream, how it is encoded: what has to be the same for two to be joined as they are. And how much there is of it.
_ENCODED = (
    *("level", "coded_width", "coded_height", "color_range", "color_primaries", "time_base", "has_b_frames"),
    *("extradata_size", "extradata_hash", "is_avc", "nal_length_size", "sample_fmt", "nb_frames", "duration_ts"),
)


@dataclass(frozen=True, kw_only=True)
class VideoStream:
    """The picture. `width` and `height` are as coded; `display_*` after pixel shape and rotation."""

    index: int
    codec: str
    profile: str | None
    width: int
    height: int
    sar: Fraction  # width of a pixel over its height
    rotation: Literal[0, 90, 180, 270]  # degrees clockwise to turn the coded picture upright
    display_width: int
    display_height: int
    frame_rate: Fraction | None  # frames a second, on average; None where the file says nothing sane
    grid: Fraction | None  # frames a second of the finest grid that their times lie on, where that is sane
    variable: bool  # frames don't come evenly, or it can't be told
    pix_fmt: str | None
    bit_depth: int
    hdr: Hdr | None
    matrix: str | None = None  # of its colours, in ffmpeg's words: "bt709", "smpte170m"; None where it is not stated
    interlaced: bool
    lag: float  # seconds that it begins after the file does
    duration: float | None  # seconds
    bit_rate: int | None  # bits a second


@dataclass(frozen=True, kw_only=True)
class AudioStream:
    """The sound."""

    index: int
    codec: str
    channels: int
    sample_rate: int  # Hz
    layout: str | None  # which channel is which, e.g. "5.1"; None where the file does not say
    lag: float  # seconds that it begins after the file does
    duration: float | None  # seconds


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One file: its container, and the one picture and the one sound that are used."""

    container: str  # ffmpeg's name of the demuxer, e.g. "mov,mp4,m4a,3gp,3g2,mj2"
    duration: float | None  # seconds, from where the first stream begins to where the last one ends
    trust: lengths.Trust  # in this duration, and in those of the streams
    video: VideoStream | None
    audio: AudioStream | None
    streams: int  # how many there are, of every kind
    unusable: tuple[str, ...]  # kinds of the streams that nothing can be made of: "video", "audio"
    run_up: float = 0.0  # seconds that it begins before its clock's nought: for decoders, and not to be heard
    said: Mapping[int, Json] = field(default_factory=dict, repr=False, compare=False)  # of each stream, by its index


@dataclass(frozen=True, kw_only=True)
class Caps:
    """What is accepted at most."""

    pixels: int = 8192 * 4320
    seconds: float = 12 * 3600.0


def command(source: Path) -> list[str]:
    """The call of ffprobe whose output `parse` reads, which is all that it is asked for: tags may be megabytes."""
    options = [part for key, value in sandbox.input_options().items() for part in (f"-{key}", value)]
    shown = {**_SHOWN, "stream": ",".join([_SHOWN["stream"], *_ENCODED])}
    entries = ":".join(f"{section}={names}" for section, names in shown.items())
    show = ["-show_entries", entries, "-show_data_hash", "sha256", "-print_format", "json"]
    return ["ffprobe", "-hide_banner", "-v", "error", *options, *show, "-i", sandbox.name(source)]


def parse(text: str) -> Probe:
    """Read ffprobe's JSON. Raises NotAVideo if that is not what it is; nothing else."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise errors.NotAVideo from None
    if not isinstance(answer, dict) or not lenient.mapping(answer.get("format")):
        raise errors.NotAVideo
    container = lenient.mapping(answer["format"])
    streams = [lenient.mapping(stream) for stream in lenient.items(answer.get("streams"))]
    videos = [stream for stream in streams if stream.get("codec_type") == "video" and not _is_still(stream)]
    audios = [stream for stream in streams if stream.get("codec_type") == "audio"]
    video, audio = _chosen_video(videos, container), _chosen_audio(audios, container)
    kinds = (("video", videos, video), ("audio", audios, audio))
    return Probe(
        container=lenient.text(container.get("format_name")) or "unknown",
        duration=lengths.of_container(container),
        trust=lengths.trust(container),
        video=video,
        audio=audio,
        streams=len(streams),
        unusable=tuple(kind for kind, there, usable in kinds if there and usable is None),
        run_up=max(0.0, -lengths.start(container)),
        said={index: stream for stream in streams if (index := lenient.integer(stream.get("index"))) is not None},
    )


def check(probe: Probe, caps: Caps) -> None:
    """Refuse what can't or mustn't be decoded, before anything is.

    Raises MediaNoStreams, MediaDamaged, MediaTooLarge, MediaTooLong.
    """
    video = probe.video
    if "video" in probe.unusable:
        raise errors.MediaDamaged  # to publish the sound of a broken video would surprise its owner
    if video is None and probe.audio is None:
        raise errors.MediaDamaged if probe.unusable else errors.MediaNoStreams
    if video is not None and video.width * video.height > caps.pixels:
        raise errors.MediaTooLarge(
            f"The picture has {video.width}x{video.height} pixels, which is more than is accepted. "
            "Please export it in a smaller resolution.",
            details={"width": video.width, "height": video.height, "pixels_max": caps.pixels},
        )
    if probe.trust != "guessed" and longest(probe) > caps.seconds:
        raise errors.MediaTooLong(details={"seconds": longest(probe), "seconds_max": caps.seconds})


def longest(probe: Probe) -> float:
    """The longest of all the lengths that the file states, in seconds; 0 if it states none."""
    parts = (probe, probe.video, probe.audio)
    return max((part.duration for part in parts if part is not None and part.duration), default=0.0)


def _chosen_video(streams: list[Json], container: Json) -> VideoStream | None:
    found = [(_is_default(stream), _video(stream, container)) for stream in streams]
    usable = [(default, video.width * video.height, video) for default, video in found if video is not None]
    return max(usable, key=lambda entry: entry[:2])[2] if usable else None


def _chosen_audio(streams: list[Json], container: Json) -> AudioStream | None:
    found = [(_is_default(stream), _audio(stream, container)) for stream in streams]
    usable = [(default, audio.channels, audio) for default, audio in found if audio is not None]
    return max(usable, key=lambda entry: entry[:2])[2] if usable else None


def _video(stream: Json, container: Json) -> VideoStream | None:
    """The picture of one stream, or None if nothing can be decoded from it."""
    index, codec = lenient.integer(stream.get("index")), _codec(stream)
    width, height = lenient.integer(stream.get("width")), lenient.integer(stream.get("height"))
    if index is None or codec is None or not width or not height or min(width, height) < 1:
        return None
    sar, rotation = _sar(stream.get("sample_aspect_ratio")), _rotation(stream)
    across, down = max(1, round(width * sar)), height
    rate, grid, variable = _frame_rate(stream)
    pix_fmt = lenient.text(stream.get("pix_fmt"))
    return VideoStream(
        index=index,
        codec=codec,
        profile=lenient.text(stream.get("profile")),
        width=width,
        height=height,
        sar=sar,
        rotation=rotation,
        display_width=down if rotation in (90, 270) else across,
        display_height=across if rotation in (90, 270) else down,
        frame_rate=rate,
        grid=grid,
        variable=variable,
        pix_fmt=pix_fmt,
        bit_depth=_bit_depth(pix_fmt, stream),
        hdr=_TRANSFERS.get(lenient.text(stream.get("color_transfer")) or ""),
        matrix=_matrix(stream),
        interlaced=lenient.text(stream.get("field_order")) in _FIELD_ORDERS,
        lag=lengths.lag(stream, container),
        duration=lengths.of_stream(stream),
        bit_rate=lenient.integer(stream.get("bit_rate")),
    )


def _audio(stream: Json, container: Json) -> AudioStream | None:
    index, codec = lenient.integer(stream.get("index")), _codec(stream)
    channels, sample_rate = (
        lenient.integer(stream.get("channels")),
        lenient.integer(stream.get("sample_rate")),
    )
    if index is None or codec is None or not channels or not sample_rate or min(channels, sample_rate) < 1:
        return None
    return AudioStream(
        index=index,
        codec=codec,
        channels=channels,
        sample_rate=sample_rate,
        layout=_layout(stream.get("channel_layout")),
        lag=lengths.lag(stream, container),
        duration=lengths.of_stream(stream),
    )


def _layout(value: object) -> str | None:
    name = lenient.text(value)
    return None if name in (None, "", "unknown") else name


def _codec(stream: Json) -> str | None:
    name = lenient.text(stream.get("codec_name"))
    return None if name in (None, "unknown", "none") else name


def _is_still(stream: Json) -> bool:
    """Cover art and the like: a picture, but not the film."""
    disposition = lenient.mapping(stream.get("disposition"))
    return any(lenient.integer(disposition.get(kind)) for kind in _STILL)


def _is_default(stream: Json) -> bool:
    return bool(lenient.integer(lenient.mapping(stream.get("disposition")).get("default")))


def _sar(value: object) -> Fraction:
    shape = lenient.fraction(value)
    if shape is None or not Fraction(1, _WIDEST_PIXEL) <= shape <= _WIDEST_PIXEL:
        return Fraction(1)
    return shape


def _rotation(stream: Json) -> Literal[0, 90, 180, 270]:
    """Clockwise, to the right angle that ffmpeg turns the picture by when it decodes.

    From the display matrix only: a tag `rotate` without a matrix is something that ffmpeg does not act upon,
    and sizes must fit what comes out of its decoder.
    """
    for side_data in lenient.items(stream.get("side_data_list")):
        angle = lenient.number(lenient.mapping(side_data).get("rotation"))
        if angle is None or abs(angle) > 360:
            continue
        quarters = round(-angle / 90)
        if abs(-angle - 90 * quarters) <= 1:
            return (0, 90, 180, 270)[quarters % 4]
    return 0


def _frame_rate(stream: Json) -> tuple[Fraction | None, Fraction | None, bool]:
    """Frames a second, their grid, and whether they come unevenly or can't be known to come evenly.

    The average is what was counted; the "real" rate is the finest grid that all timestamps lie on.
    """
    average, grid = (_sane_rate(stream.get(key)) for key in ("avg_frame_rate", "r_frame_rate"))
    if average is None or grid is None:
        return average or grid, grid, True
    return average, grid, abs(grid - average) > average / 50


def _sane_rate(value: object) -> Fraction | None:
    rate = lenient.fraction(value)
    return rate if rate is not None and _SLOWEST <= rate <= _FASTEST else None


def _bit_depth(pix_fmt: str | None, stream: Json) -> int:
    if pix_fmt is not None:
        found = _DEPTH.search(pix_fmt)
        return int(found[1]) if found else 8
    stated = lenient.integer(stream.get("bits_per_raw_sample"))
    return stated if stated is not None and 1 <= stated <= 16 else 8


def _matrix(stream: Json) -> str | None:
    name = lenient.text(stream.get("color_space"))
    return None if name in (None, "unknown", "unspecified", "reserved") else name
