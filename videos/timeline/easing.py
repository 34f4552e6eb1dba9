"""What a property is at a moment, by its keyframes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

from videos.timeline.motion import Easing, Keyframe, Motion, Transform


def moved(transform: Transform, motion: Motion, moment: Fraction | int) -> Transform:
    """Where something stands at a moment, in microseconds from its start."""
    return Transform(
        x=value(motion.x, moment, otherwise=transform.x),
        y=value(motion.y, moment, otherwise=transform.y),
        scale=value(motion.scale, moment, otherwise=transform.scale),
        rotation=value(motion.rotation, moment, otherwise=transform.rotation),
        opacity=value(motion.opacity, moment, otherwise=transform.opacity),
    )


def value(keyframes: Sequence[Keyframe], moment: Fraction | int, *, otherwise: float) -> float:
    """The value at a moment. `otherwise`: what it is without keyframes."""
    if not keyframes:
        return otherwise
    place = bisect_right(keyframes, moment, key=lambda keyframe: keyframe.at)
    if place == 0:
        return keyframes[0].value
    one = keyframes[place - 1]
    if place == len(keyframes):
        return one.value
    other = keyframes[place]
    part = eased(one.easing, float((moment - one.at) / Fraction(other.at - one.at)))
    return one.value + (other.value - one.value) * part


def eased(easing: Easing, part: float) -> float:
    """How much of the way is done when so much of the time is."""
    match easing:
        case Easing.HOLD:
            return 0.0
        case Easing.EASE_IN:
            return part**2
        case Easing.EASE_OUT:
            return 1 - (1 - part) ** 2
        case Easing.EASE_IN_OUT:
            return 2 * part**2 if part < 0.5 else 1 - 2 * (1 - part) ** 2
        case _:
            return part
