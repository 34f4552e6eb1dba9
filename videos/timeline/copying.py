"""Whether the pictures of a timeline can be joined as they are: nothing is lost then, and it takes no time.

They can if the film shows whole materials one after the other, unchanged, and all are encoded in the very same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from videos.media import lenient
from videos.media.probe import VideoStream
from videos.timeline import formats, samples
from videos.timeline.formats import Format
from videos.timeline.joining import Joint, Part
from videos.timeline.model import Canvas, Clip, Crop, Kind, Timeline, frame_at
from videos.timeline.motion import Motion, Transform
from videos.timeline.samples import Unfit
from videos.timeline.sources import Source
from videos.timeline.studio import Studio

_SAME = (
    *("codec_name", "profile", "level", "width", "height", "coded_width", "coded_height", "pix_fmt"),
    *("sample_aspect_ratio", "field_order", "color_range", "color_space", "color_transfer", "color_primaries"),
    *("r_frame_rate", "time_base", "has_b_frames", "extradata_size", "extradata_hash", "is_avc", "nal_length_size"),
)


class NotCopied(Exception):
    """Why the pictures have to be encoded: what can stand after "because"."""


class Trimmed(NotCopied):
    """A part of a material is seen."""


class NotSpliced(NotCopied):
    """What can be copied does not become one film with what has to be encoded."""


def joint(timeline: Timeline, sources: Mapping[str, Source], form: Format, studio: Studio) -> Joint:
    """The materials, by names in the studio's folder. Raises NotCopied."""
    canvas = timeline.canvas
    clips = sequence(timeline, form)
    for number, clip in enumerate(clips, start=1):
        if problem := differs(clip, sources[clip.material], canvas):
            raise NotCopied(f"clip {number} {problem}")
        if clip.transition:
            raise NotCopied(f"clip {number} gives way to the next one by and by")
        if clip.source_start:
            raise Trimmed(f"clip {number} does not show the whole of its material")
    looks = {name: look(sources[name]) for name in dict.fromkeys(clip.material for clip in clips)}
    first = looks[clips[0].material]
    for number, clip in enumerate(clips, start=1):
        if signature(looks[clip.material]) != signature(first):
            raise NotCopied(f"clip {number} is not encoded in the same way as clip 1")
        if _frames(clip, canvas) != lenient.integer(looks[clip.material].get("nb_frames")):
            raise Trimmed(f"clip {number} does not show the whole of its material")
    _check_packets(clips, sources)
    names = linked(looks, sources, studio)
    base = lenient.fraction(first.get("time_base"))
    return Joint(
        parts=[Part(name=names[clip.material], frames=_frames(clip, canvas)) for clip in clips],
        rate=canvas.rate,
        timescale=base.denominator if base else formats.timescale(canvas.rate),
        index=lenient.integer(first.get("index")) or 0,
    )


def _check_packets(clips: Sequence[Clip], sources: Mapping[str, Source]) -> None:
    """Raise NotCopied unless each one's packets can follow those of another file."""
    follows: dict[str, bool] = {}
    for number, clip in enumerate(clips, start=1):
        source = sources[clip.material]
        try:
            if clip.material not in follows:
                follows[clip.material] = samples.begins(source.path, index=source.video.index)
        except Unfit as error:
            raise NotCopied(f"clip {number} {error}") from error
        if number > 1 and not follows[clip.material]:
            raise NotCopied(f"clip {number} begins with a frame that needs others before it")


def linked(materials: Iterable[str], sources: Mapping[str, Source], studio: Studio) -> dict[str, str]:
    """The names of materials in the studio's folder."""
    names = {name: f"material-{number:05d}.mp4" for number, name in enumerate(materials)}
    for name, link in names.items():
        if not (studio.folder / link).is_symlink():  # from the time before, when it was joined with its own sound
            (studio.folder / link).symlink_to(sources[name].path.absolute())
    return names


def sequence(timeline: Timeline, form: Format) -> Sequence[Clip]:
    """The clips that follow one another. Raises NotCopied if they don't, or if that is not all there is to see."""
    check(form)
    if any(track.texts and not track.hidden for track in timeline.tracks):
        raise NotCopied("there are letters in the picture")
    tracks = [track for track in timeline.tracks if track.kind is Kind.VIDEO and track.clips and not track.hidden]
    if len(tracks) != 1:
        raise NotCopied("there is not exactly one track with pictures")
    rate, at = timeline.canvas.rate, 0
    for number, clip in enumerate(tracks[0].clips, start=1):
        if frame_at(clip.start, rate) != at:
            raise NotCopied(f"there is a gap before clip {number}")
        at = frame_at(clip.end, rate)
    if at != timeline.frames:
        raise NotCopied("it ends before the sound does")
    return tracks[0].clips


def check(form: Format) -> None:
    """Raise NotCopied if a film of this format can hold nothing that is copied."""
    if form not in (Format.MP4, Format.MOV):
        raise NotCopied(f"{form.value.upper()} is wanted")


def _frames(clip: Clip, canvas: Canvas) -> int:
    return frame_at(clip.end, canvas.rate) - frame_at(clip.start, canvas.rate)


def differs(clip: Clip, source: Source, canvas: Canvas) -> str | None:
    """What is done to a clip's picture, or what it is that can't be copied.

    Its backdrop does not matter: nothing of it is seen behind a picture of the film's size.
    """
    video = source.probe.video
    if video is None:
        return "has no picture"
    return _played(clip, source) or _shaped(clip) or _made(video, canvas)


def _played(clip: Clip, source: Source) -> str | None:
    if clip.freeze or source.still:
        return "stands still"
    if clip.reverse:
        return "is played backwards"
    return None if clip.speed == 1 else "is not played at its own speed"


def _shaped(clip: Clip) -> str | None:
    motion = replace(clip.motion, volume=())  # sound is mixed anew
    if motion != Motion():
        return "moves by keyframes"
    if clip.transform != Transform() or clip.crop != Crop() or clip.flip_x or clip.flip_y:
        return "is moved, cut, turned or blended"
    if clip.mask is not None:
        return "is seen through a mask"
    return None


def _made(video: VideoStream, canvas: Canvas) -> str | None:
    if video.codec != "h264" or video.pix_fmt != "yuv420p" or video.hdr or video.interlaced:
        return "is not encoded as plain H.264"
    upright = video.sar == 1 and video.rotation == 0
    if not upright or (video.width, video.height) != (canvas.width, canvas.height):
        return f"is not of the film's size, {canvas.width}x{canvas.height}"
    if video.variable or _even(video.frame_rate) != canvas.rate:
        return f"has not the film's {float(canvas.rate):g} frames a second"
    return None


def _even(rate: Fraction | None) -> Fraction | None:
    """The rate as a canvas has it: 29.97003 is written for 30000/1001."""
    return rate and rate.limit_denominator(1001)


def look(source: Source) -> Mapping[str, Any]:
    """What ffprobe says of the picture, and of the set-up data of its decoder."""
    if "mp4" not in source.probe.container:
        raise NotCopied("the materials are not all MP4 files")
    return source.probe.said.get(source.video.index, {})


def signature(look: Mapping[str, Any]) -> tuple[Any, ...]:
    """What has to be the same for two pictures to be joined."""
    return (look.get("index"), *(look.get(name) for name in _SAME))
