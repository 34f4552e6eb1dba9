"""The ffmpeg commands, as lists of arguments: pure functions of a plan.

The graph is built with ffmpeg-python and compiled, never run by it: `jobs.children` starts every program. All
outputs are named relative to the folder that the command is run in, so that playlists hold relative names and
nothing is to be escaped.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from videos.media import program, sandbox, shown
from videos.media.plan import AUDIO_BITS, AUDIO_RATE, SEGMENT_SECONDS, Plan, Rung
from videos.media.probe import AudioStream, VideoStream

PRESET = "veryfast"
AUDIO = "audio"
POSTER_WIDTH = 1280

# Above any GOP that can come up: keyframes stand where they are forced to, and nowhere else.
_LONGEST_GOP = 100_000
# Of this many channels ffmpeg guesses how they are laid out where the file does not say, and of more it may not.
_MOST_GUESSED = 8


def progressive(name: str) -> str:
    """The file to download or play as a whole."""
    return f"{name}.m4a" if name == AUDIO else f"{name}.mp4"


def segments(name: str) -> str:
    """The file that holds all HLS segments of one rung, or of the sound."""
    return f"{name}.m4s"


def playlist(name: str) -> str:
    """The HLS playlist of one rung, or of the sound."""
    return f"{name}.m3u8"


def ladder(plan: Plan, source: Path, *, threads: int, longest: float, preset: str = PRESET) -> list[str]:
    """One process that makes every file of the plan, to be run in the folder they are to stand in.

    One decode; each rung is scaled from the next larger one; every stream is encoded once and handed to its
    progressive MP4 and to its HLS file by the tee muxer. `longest`: seconds after which the output ends,
    whatever the source goes on to say; `threads`: of the decoder, and of each encoder.
    """
    given = program.opened(source, threads=threads)
    streams = [] if plan.video is None else _pictures(given, plan, plan.video)
    if plan.audio is not None:
        streams.append(given[str(plan.audio.index)])
    options = {
        "map_metadata": -1,
        "map_chapters": -1,
        # Packets wait until every stream has begun. That is bounded by the memory that the process may have.
        "max_muxing_queue_size": 2**31 - 1,
        "t": f"{longest:.3f}",
        **(_picture_options(plan, preset, threads) if plan.rungs else {}),
        **(_sound_options(plan.audio) if plan.audio is not None else {}),
    }
    output = ffmpeg.output(*streams, _tee(plan), format="tee", **options)
    return program.compiled(output, *program.PROGRESS, "-filter_complex_threads", str(threads), "-filter_threads", "1")


def poster(plan: Plan, source: Path, target: str, at: float, *, threads: int = 1) -> list[str]:
    """One JPEG of the frame shown at `at` seconds, as people see it: upright, square pixels, HDR mapped.

    It may have begun long before, or be the last one. Where a file can't be searched there may be none, which
    leaves no file; the caller tries again at 0. Sound only has no poster.
    """
    video = plan.video
    if video is None:
        raise ValueError("A file without a picture has no poster.")
    scale = min(Fraction(1), Fraction(POSTER_WIDTH, video.display_width))
    size = _even(video.display_width * scale), _even(video.display_height * scale)
    # Decoded from the keyframe before: the time of what is searched for is 0 then, and what is before it negative.
    start = max(0.0, at - plan.lead_in)
    # Matroska can't be searched for a time before its first keyframe, be it 0.
    search: dict[str, Any] = {"ss": f"{start:.3f}", "noaccurate_seek": None} if start > 0 else {}
    given = program.opened(source, threads=threads, **search)
    there = _at(shown.deinterlaced(given[str(video.index)], video), plan, at=max(0.0, at) - start)
    picture = _for_jpeg(shown.converted(there, video, size, pix_fmt="yuv420p"), video)
    # `update`: the name is a name and not a pattern, whatever it holds.
    output = ffmpeg.output(
        picture,
        sandbox.name(Path(target)),
        format="image2",
        update=1,
        vframes=1,
        map_metadata=-1,
        **{"q:v": 3},
    )
    return program.compiled(output, "-nostats")


def _even(side: Fraction) -> int:
    """zscale, which maps HDR, makes no odd sides with halved colour."""
    return max(2, round(side / 2) * 2)


def _at(picture: Any, plan: Plan, *, at: float) -> Any:
    """The last frame that begins at `at` or before, else the first, and others to follow it."""
    # Rounded up, a frame stands from its own time on. A millisecond is what times are rounded to in files.
    even = picture.filter("setpts", "round(PTS-0.001/TB)").filter("fps", fps=str(plan.rate), round="up")
    return even.filter("tpad", stop=-1, stop_mode="clone").filter("select", f"gte(t,{at:.3f})")


def _for_jpeg(picture: Any, video: VideoStream) -> Any:
    """In the colours that every JPEG has: of BT.601, in the full range, for the file can't say otherwise."""
    colours: dict[str, str] = {"out_color_matrix": "bt601", "out_range": "full"}
    if _is_made_bt709(video):
        colours["in_color_matrix"] = "bt709"
    return picture.filter("scale", **colours).filter("format", "yuvj420p")


def _is_made_bt709(video: VideoStream) -> bool:
    """Whether `_converted` chooses the colours; all others stay what they are."""
    return video.hdr is not None or shown.is_rgb(video)


def _pictures(given: Any, plan: Plan, video: VideoStream) -> list[Any]:
    """One stream for each rung, best first, each but the first made from the one before."""
    current = _evenly(shown.deinterlaced(given[str(video.index)], video), plan)
    streams = []
    for rung in plan.rungs:
        if rung is plan.rungs[0]:
            current = shown.converted(current, video, (rung.width, rung.height), pix_fmt="yuv420p")
        else:
            current = current.filter("scale", rung.width, rung.height).filter("setsar", 1)
        if rung is not plan.rungs[-1]:
            both = current.filter_multi_output("split", 2)
            streams.append(both[0])
            current = both[1]
    return [*streams, current]


def _evenly(picture: Any, plan: Plan) -> Any:
    """Frames on an even grid from 0 on: the first also stands for the time before it, each for a gap after it.

    A segment of HLS tells its length by its last frame. Where that frame stands for longer than its packet says,
    or none is there at 0, all that follows is played too early, or not at all.
    """
    # By less than half a frame, so that times which lie on a grid lie on this one: were they halfway between
    # two places, those of Matroska, rounded to milliseconds, would go to one or the other by chance.
    # Rounded, for setpts cuts off what is behind the point, be it 0.999999.
    onto_grid = f"round(PTS+(round(STARTT*{plan.rate})/({plan.rate})-STARTT)/TB)"
    return picture.filter("setpts", onto_grid).filter("fps", fps=str(plan.rate), start_time=0)


def _picture_options(plan: Plan, preset: str, threads: int) -> dict[str, str | int]:
    assert plan.video is not None
    options: dict[str, str | int] = {
        "c:v": "libx264",
        "preset:v": preset,
        "profile:v": "high",
        "threads:v": threads,
        "vsync": "vfr",  # the tee muxer would otherwise make frames come evenly
        "force_key_frames:v": f"expr:gte(t,n_forced*{SEGMENT_SECONDS})",
        "sc_threshold:v": 0,
        "g:v": _LONGEST_GOP,
        "flags:v": "+cgop+global_header",
    }
    if _is_made_bt709(plan.video):
        options |= {f"{key}:v": value for key, value in shown.BT709.items()}
    for number, rung in enumerate(plan.rungs):
        options |= _rung_options(number, rung)
    return options


def _rung_options(number: int, rung: Rung) -> dict[str, str | int]:
    return {
        f"crf:v:{number}": rung.crf,
        f"maxrate:v:{number}": rung.maxrate,
        f"bufsize:v:{number}": rung.bufsize,
        f"level:v:{number}": rung.level,
    }


def _sound_options(audio: AudioStream) -> dict[str, str | int]:
    """Its filters make a graph of their own, apart from that of the pictures.

    A graph starts once all that goes into it has begun. As one, every decoded frame would be held in memory until
    there is sound, which may begin after an hour or turn out not to be decodable.
    """
    return {
        "c:a": "aac",
        "b:a": AUDIO_BITS,
        "ac": 2,
        "flags:a": "+global_header",
        "filter:a": ",".join(_sound_filters(audio)),
        "disposition:a": "default",
    }


def _sound_filters(audio: AudioStream) -> list[str]:
    """Stereo at 48 kHz, from the very start and without holes: players close them, and fall out of step."""
    filters = [
        f"aresample={AUDIO_RATE}:async=1:first_pts=0",
        f"aformat=sample_rates={AUDIO_RATE}:channel_layouts=stereo",
    ]
    if audio.layout is None and audio.channels > _MOST_GUESSED:
        filters.insert(0, "pan=stereo|c0=c0|c1=c1")
    return filters


def _tee(plan: Plan) -> str:
    """The outputs of the tee muxer. All names and options are our own: there is nothing to escape but `:`."""
    with_sound = ["a"] if plan.audio is not None else []
    parts = []
    for number, rung in enumerate(plan.rungs):
        parts.append(_progressive([f"v:{number}", *with_sound], rung.name))
        # A rung is cut at each of its keyframes: any time that is shorter than their distance does it.
        parts.append(_hls(f"v:{number}", rung.name, seconds=1))
    if with_sound:
        parts.append(_hls("a", AUDIO, seconds=SEGMENT_SECONDS))
        if not plan.rungs:
            parts.append(_progressive(["a"], AUDIO))
    return "|".join(parts)


def _progressive(streams: list[str], name: str) -> str:
    return _part(streams, {"f": "mp4", "movflags": "+faststart"}, progressive(name))


def _hls(stream: str, name: str, *, seconds: int) -> str:
    options = {
        "f": "hls",
        "hls_time": str(seconds),
        "hls_playlist_type": "vod",
        "hls_segment_type": "fmp4",
        "hls_flags": "single_file+independent_segments",
        "hls_segment_filename": segments(name),
        # Each stream is alone in its file. Were its times moved to begin at nought, picture and sound would
        # be moved by delays of their own, and come out of step by two frames.
        "avoid_negative_ts": "disabled",
    }
    return _part([stream], options, playlist(name))


def _part(streams: list[str], options: dict[str, str], name: str) -> str:
    # Without `onfail` an output that can't be written is left out, and ffmpeg ends as if all were well.
    stated = ":".join(f"{key}={value}" for key, value in {**options, "onfail": "abort"}.items())
    return rf"[select=\'{','.join(streams)}\':{stated}]{name}"
