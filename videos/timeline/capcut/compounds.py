"""Compound clips: drafts within a draft, whose tracks are laid into those around them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from videos.timeline.capcut.fields import within
from videos.timeline.capcut.keyframes import BOUNDS, later, moving
from videos.timeline.capcut.lineup import fitting
from videos.timeline.capcut.trimming import Item, trimmed, within_clip
from videos.timeline.model import Canvas, Clip, Fit, Kind, Sound, Track
from videos.timeline.motion import Keyframe, Motion, Transform
from videos.timeline.texts import Text
from videos.timeline.values import LONGEST

_SLOWEST, _FASTEST = Fraction(1, 100), Fraction(100)
_DIGITS = 1_000_000
_PLACES = ("x", "y", "scale", "rotation")


@dataclass(frozen=True, kw_only=True)
class Compound:
    """A draft that stands in another one like a clip."""

    canvas: Canvas
    tracks: tuple[Track, ...]


def layers(clip: Clip, compound: Compound, kind: Kind, canvas: Canvas) -> Iterator[Track]:
    """The tracks of a compound, cut to the clip that stands for it, and put where that is."""
    for track in compound.tracks:
        items = [put for item in track.items if (put := _put(item, clip, compound.canvas, canvas))]
        if kind is Kind.AUDIO:
            items = [replace(item, transition=None) for item in items if isinstance(item, Clip)]
            track = replace(track, kind=Kind.AUDIO)
        items = fitting(items)
        clips = tuple(item for item in items if isinstance(item, Clip))
        texts = tuple(item for item in items if isinstance(item, Text))
        if items:
            yield replace(track, clips=clips, texts=texts)


def is_exact(clip: Clip, compound: Compound, canvas: Canvas) -> bool:
    """Whether all of what the clip does with the compound can be done with what is in that."""
    shapes = {Fraction(one.width, one.height) for one in (compound.canvas, canvas)}
    plain = (False, False, False, Clip(start=0, duration=1, material="-").crop, None, Fit.CONTAIN)
    said = (clip.reverse, clip.flip_x, clip.flip_y, clip.crop, clip.backdrop, clip.fit)
    still = not any(name in _PLACES for name, _ in moving(clip.motion))
    return len(shapes) == 1 and said == plain and clip.transform == Transform() and still


def keyframes(clip: Clip, compound: Compound) -> int:
    """How many there may be in what is laid: the clip's own come to all that is in the compound."""
    items = [item for track in compound.tracks for item in track.items]
    return sum(len(found) for item in items for _, found in moving(item.motion)) + len(items) * sum(
        len(found) for _, found in moving(clip.motion)
    )


def _put(item: Item, clip: Clip, inside: Canvas, canvas: Canvas) -> Item | None:
    """One of its items where the clip shows it; None if that does not."""
    first, last = clip.source_start, round(clip.source_start + clip.duration * clip.speed)
    if item.end <= first or item.start >= last:
        return None
    cut = trimmed(item, head=max(0, first - item.start), tail=max(0, item.end - last))
    start, end = (min(clip.end, clip.start + round((at - first) / clip.speed)) for at in (cut.start, cut.end))
    if end <= start:
        return None
    part = min(canvas.width / inside.width, canvas.height / inside.height)
    shares = inside.width * part / canvas.width, inside.height * part / canvas.height
    motion = _motion(cut, clip, shares, late=start - clip.start)
    cut = replace(cut, start=start, duration=end - start, motion=motion)
    if isinstance(cut, Text):
        place = _composed(cut.transform, clip.transform, shares, canvas)
        larger = within(place.scale * shares[1], *BOUNDS["scale"])
        return replace(cut, transform=replace(place, scale=larger), motion=replace(motion, volume=()))
    return replace(_sped(cut, clip), transform=_composed(cut.transform, clip.transform, shares, canvas))


def _sped(cut: Clip, clip: Clip) -> Clip:
    speed = min(max(cut.speed * clip.speed, _SLOWEST), _FASTEST).limit_denominator(_DIGITS)
    changed = cut.transition
    if changed and clip.speed != 1:
        changed = replace(changed, duration=min(LONGEST, max(1, round(changed.duration / clip.speed))))
    ends = cut.start == clip.start, cut.end == clip.end
    sound = Sound(
        volume=within(cut.sound.volume * clip.sound.volume, *BOUNDS["volume"]),
        fade_in=max(round(cut.sound.fade_in / clip.speed), clip.sound.fade_in * ends[0]),
        fade_out=max(round(cut.sound.fade_out / clip.speed), clip.sound.fade_out * ends[1]),
    )
    keep_pitch = cut.keep_pitch and clip.keep_pitch
    return replace(cut, speed=speed, transition=changed, sound=within_clip(sound, cut.duration), keep_pitch=keep_pitch)


def _composed(own: Transform, outer: Transform, shares: tuple[float, float], canvas: Canvas) -> Transform:
    """What was placed on the canvas inside, when that is placed itself. Angles are those of pixels, not of parts."""
    x, y = own.x * shares[0] * canvas.width, own.y * shares[1] * canvas.height
    angle = math.radians(outer.rotation)
    across = (x * math.cos(angle) - y * math.sin(angle)) * outer.scale / canvas.width
    down = (x * math.sin(angle) + y * math.cos(angle)) * outer.scale / canvas.height
    return Transform(
        x=within(outer.x + across, *BOUNDS["x"]),
        y=within(outer.y + down, *BOUNDS["y"]),
        scale=within(own.scale * outer.scale, *BOUNDS["scale"]),
        rotation=within(own.rotation + outer.rotation, *BOUNDS["rotation"]),
        opacity=own.opacity * outer.opacity,
    )


def _motion(item: Item, clip: Clip, shares: tuple[float, float], *, late: int) -> Motion:
    """Its own motion on the clip's terms; and the clip's, as far as it has none itself."""
    outer, found = clip.transform, {}
    terms = {
        "x": (shares[0] * outer.scale, outer.x),
        "y": (shares[1] * outer.scale, outer.y),
        "scale": (outer.scale, 0.0),
        "rotation": (1.0, outer.rotation),
        "opacity": (outer.opacity, 0.0),
        "volume": (clip.sound.volume, 0.0),
    }
    for name, keyframes in moving(item.motion):
        found[name] = _valued(_retimed(keyframes, clip.speed), name, *terms[name])
    volume = item.sound.volume if isinstance(item, Clip) else 1.0
    centred = replace(item.transform, opacity=1.0) == Transform() and not any(name in found for name in _PLACES)
    for name, keyframes in moving(clip.motion):
        factor = {"opacity": item.transform.opacity, "volume": volume}.get(name, 1.0)
        if name not in found and (centred or name not in _PLACES):
            found[name] = _valued(later(keyframes, late), name, factor, 0.0)
    return Motion(**found)


def _retimed(keyframes: tuple[Keyframe, ...], speed: Fraction) -> tuple[Keyframe, ...]:
    times = {round(one.at / speed): one for one in keyframes}
    return tuple(replace(one, at=at) for at, one in times.items() if at <= LONGEST)


def _valued(keyframes: tuple[Keyframe, ...], name: str, factor: float, more: float) -> tuple[Keyframe, ...]:
    return tuple(replace(one, value=within(one.value * factor + more, *BOUNDS[name])) for one in keyframes)
