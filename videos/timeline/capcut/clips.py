"""What a segment of pictures or sound becomes: a clip."""

from __future__ import annotations

from dataclasses import dataclass, replace

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import canvas, fields, keyframes, leftovers, masks, placing, segments, transitions
from videos.timeline.capcut.fields import SLACK
from videos.timeline.capcut.materials import Material, Materials
from videos.timeline.capcut.media import Shelf, Sort
from videos.timeline.capcut.report import Report
from videos.timeline.capcut.segments import Segment
from videos.timeline.capcut.trimming import within_clip
from videos.timeline.model import Clip, Fit, Kind, Sound, Transition
from videos.timeline.motion import Motion
from videos.timeline.values import LONGEST

_LISTS = {Kind.VIDEO: ("videos", "images", "audios"), Kind.AUDIO: ("audios", "videos")}
_STILLS = ("photo", "image")


@dataclass(frozen=True, kw_only=True)
class Place:
    """What it takes to read the segments of one track."""

    kind: Kind
    is_main: bool
    materials: Materials
    shelf: Shelf
    report: Report


def read(segment: Segment, place: Place, *, compound: str | None = None) -> Clip | None:
    """The clip of a segment; None if it has no file. `compound`: what stands for the draft inside that it shows."""
    material = place.materials.find(segment.says.get("material_id"), *_LISTS[place.kind])
    says: Json = material.says if material else {}
    sort = _sort(material)
    name = compound or (place.shelf.name(says, sort) if material else None)
    if name is None or (sort == "still" and place.kind is Kind.AUDIO and not compound):
        segment.remark(place.report, "media_missing", "The draft does not say where its file is; it is left out.")
        return None
    drawn = masks.LISTS if place.kind is Kind.VIDEO else ()
    leftovers.remark(segment, place.materials, place.report, but=drawn)
    leftovers.remark_media(says, segment, place.report)
    clip = _timed(segment, name, says, place, still=sort == "still" and not compound)
    clip = replace(clip, sound=_sound(segment, clip.duration, place.materials, says))
    return _seen(clip, segment, says, place) if place.kind is Kind.VIDEO else replace(clip, motion=_heard(clip))


def _sort(material: Material | None) -> Sort:
    if material is None or material.list == "videos":
        return "still" if material and material.type in _STILLS else "video"
    return "still" if material.list == "images" else "sound"


def _timed(segment: Segment, name: str, says: Json, place: Place, *, still: bool) -> Clip:
    speeds = place.materials.first(segment.says, "speeds")
    clip = Clip(
        start=segment.target.start,
        duration=segment.target.duration,
        material=name,
        motion=keyframes.read(segment, place.report),
    )
    if still:
        return clip
    if segment.source is not None and segment.source.duration == 0:
        return replace(clip, source_start=segment.source.start, freeze=True)
    clip = replace(
        clip,
        source_start=segment.source.start if segment.source else 0,
        speed=segments.speed(segment, speeds.says if speeds else {}, place.report),
        keep_pitch=not fields.truth(segment.says.get("is_tone_modify")),
        reverse=fields.truth(segment.says.get("reverse")),
    )
    there = lenient.number(says.get("duration"))
    if there and there > 0 and clip.source_start + clip.duration * clip.speed > there + SLACK:
        said = "It takes more of its file than there is; the last frame stands meanwhile."
        segment.remark(place.report, "source_runs_out", said)
    return clip


def _sound(segment: Segment, duration: int, materials: Materials, says: Json) -> Sound:
    attached = materials.first(segment.says, "audio_fades")
    fades = attached.says if attached else lenient.mapping(says.get("audio_fade"))
    lengths = {
        name: round(fields.within(fields.number(fades.get(f"{name}_duration"), 0), 0, LONGEST))
        for name in ("fade_in", "fade_out")
    }
    volume = fields.within(fields.number(segment.says.get("volume"), 1), *keyframes.BOUNDS["volume"])
    return within_clip(Sound(volume=volume, **lengths), duration)


def _heard(clip: Clip) -> Motion:
    return Motion(volume=clip.motion.volume)


def _seen(clip: Clip, segment: Segment, says: Json, place: Place) -> Clip:
    flip_x, flip_y = placing.flips(segment)
    backdrop, fit = None, Fit.CONTAIN
    if place.is_main:
        backdrop, fit = canvas.behind(segment, place.materials, place.report)
    return replace(
        clip,
        transform=placing.transform(segment, place.report),
        crop=placing.crop(says, segment, place.report),
        flip_x=flip_x,
        flip_y=flip_y,
        mask=masks.read(segment, says, place.materials, place.report),
        backdrop=backdrop,
        fit=fit,
        transition=_transition(segment, place),
    )


def _transition(segment: Segment, place: Place) -> Transition | None:
    attached = place.materials.first(segment.says, "transitions")
    if attached is None:
        return None
    found, same = transitions.read(attached.says)
    if not same:
        named = fields.name(attached.says.get("name"))
        said = f"The transition {named} becomes a dissolve." if named else "Its transition becomes a dissolve."
        segment.remark(place.report, "transition_replaced", said)
    return found
