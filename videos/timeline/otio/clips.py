"""The clips of one layer, as documents of `videos.timeline.project`."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import opentimelineio as otio

from videos.timeline.model import Kind, Passage
from videos.timeline.otio import times
from videos.timeline.otio.laying import Layer, Piece
from videos.timeline.otio.media import Media
from videos.timeline.otio.notes import noted
from videos.timeline.otio.report import Report
from videos.timeline.values import LONGEST

Json = dict[str, Any]

KEPT = ("keep_pitch", "sound", "fit", "transform", "crop", "flip_x", "flip_y", "mask", "backdrop", "motion")
"""What OTIO has no word for."""

_SLOWEST, _FASTEST = Fraction(1, 100), Fraction(100)


def documents(layer: Layer, media: Media, report: Report) -> list[Json]:
    """The layer's clips in their order, with their transitions."""
    shown = [(piece, clip) for piece in layer.pieces if (clip := _clip(piece, media, report))]
    _add_transitions(shown, layer.kind, report)
    return [clip for _, clip in shown]


def _clip(piece: Piece, media: Media, report: Report) -> Json | None:
    if isinstance(piece.item.media_reference, otio.schema.GeneratorReference):
        kind = piece.item.media_reference.generator_kind[:50]
        report.remark(piece.path, "generator_left_out", f"The generator {kind} is left out: nothing here makes it.")
        return None
    start, end = times.moment(piece.at), times.moment(piece.end)
    if start == end:
        report.remark(piece.path, "clip_left_out", "It is shorter than a microsecond, and left out.")
        return None
    ours = noted(piece.item)
    speed = _Speed(piece, ours, report)
    found = {name: ours[name] for name in KEPT if name in ours}
    _fit_fades(found, end - start, piece.path, report)
    return found | {
        "start": start,
        "duration": end - start,
        "material": media.of(piece.item).name,
        "source_start": _source_start(piece, speed, report),
        "speed": str(speed.value),
        "reverse": speed.backwards,
        "freeze": speed.stands,
    }


class _Speed:
    """How fast a clip plays its medium, by its effects."""

    def __init__(self, piece: Piece, ours: Json, report: Report) -> None:
        scalars = []
        for effect in piece.item.effects:
            if isinstance(effect, otio.schema.LinearTimeWarp):
                scalars.append(effect.time_scalar)
            else:
                report.remark(piece.path, "effect_left_out", f"Its effect {effect.effect_name} is left out.")
        scalar = math.prod(scalars, start=1.0)
        self.stands = scalar == 0
        self.backwards = scalar < 0
        self.value = self._noted(ours, scalar) or self._played(abs(scalar) or 1.0, piece.path, report)

    def _noted(self, ours: Json, scalar: float) -> Fraction | None:
        """The very fraction, where we wrote it and nobody has changed it since."""
        try:
            speed = Fraction(str(ours.get("speed", ""))[:30])
            same = self.stands or math.isclose(speed, abs(scalar), rel_tol=1e-12)  # the library's last digit is off
            return speed if same else None
        except (ValueError, ArithmeticError):
            return None

    def _played(self, scalar: float, path: str, report: Report) -> Fraction:
        speed = Fraction(min(scalar, 1e9)).limit_denominator(100_000)
        if not _SLOWEST <= speed <= _FASTEST:
            report.remark(path, "speed_limited", f"Its speed is {scalar:g}; here it is from 1/100 to 100.")
        return min(max(speed, _SLOWEST), _FASTEST)


def _source_start(piece: Piece, speed: _Speed, report: Report) -> int:
    """Where in its file begins what a clip takes of it. What OTIO says counts by the file's own clock."""
    clip, available = piece.item, piece.item.media_reference.available_range
    clock = times.grains(available.start_time) if available else 0
    taken = clip.source_range or available
    start = times.grains(taken.start_time) - clock
    if not speed.stands:
        left = times.grains(taken.duration) - piece.skipped - piece.length
        start += round((left if speed.backwards else piece.skipped) * speed.value)
    found = times.moment(start)
    if not 0 <= found <= LONGEST:
        said = "It begins where its file has nothing; here it begins with the file."
        report.remark(piece.path, "source_start_moved", said)
        return 0
    return found


def _fit_fades(found: Json, duration: int, path: str, report: Report) -> None:
    """Some other program may have shortened a clip that we wrote."""
    sound = found.get("sound")
    if not isinstance(sound, dict):
        return
    fades = {name: sound[name] for name in ("fade_in", "fade_out") if isinstance(sound.get(name), int)}
    whole = sum(fades.values())
    if whole > duration > 0 and all(fade >= 0 for fade in fades.values()):
        found["sound"] = {**sound, **{name: fade * duration // whole for name, fade in fades.items()}}
        report.remark(path, "fades_shortened", "Its fades are longer than it is; they are shortened.")


# -- transitions -----------------------------------------------------------------------------------------


def _add_transitions(shown: list[tuple[Piece, Json]], kind: Kind, report: Report) -> None:
    taken = 0  # of the clip, by the transition before it
    for (piece, clip), (_, following) in pairwise(shown):
        after = 0
        if piece.transition is not None:
            meets = clip["start"] + clip["duration"] == following["start"]
            if kind is Kind.VIDEO and meets:
                room = min(2 * (clip["duration"] - taken) + 1, 2 * following["duration"])
                clip["transition"], after = _transition(piece, room, report)
            else:
                said = "The transition after it is left out: only pictures that meet have one."
                report.remark(piece.path, "transition_left_out", said)
        taken = after
    if shown and shown[-1][0].transition is not None:
        said = "The transition after it is left out, as what it leads to is."
        report.remark(shown[-1][0].path, "transition_left_out", said)


def _transition(piece: Piece, room: int, report: Report) -> tuple[Json | None, int]:
    transition, path = piece.transition, f"{piece.path}: transition"
    before, after = (
        times.moment(times.grains(one)) if one else 0 for one in (transition.in_offset, transition.out_offset)
    )
    duration = before + after
    if before < 0 or after < 0 or duration == 0:
        report.remark(path, "transition_left_out", "It takes no time, and is left out.")
        return None, 0
    if not 0 <= after - before <= 1:
        report.remark(path, "transition_moved", "It does not lie evenly about the cut; here it does.")
    if duration > room:
        report.remark(path, "transition_shortened", "It is longer than its clips have room for, and is shortened.")
        duration = room
    passage = noted(transition).get("kind")
    if not isinstance(passage, str) or passage not in set(Passage):
        passage = Passage.DISSOLVE
        if transition.transition_type != otio.schema.TransitionTypes.SMPTE_Dissolve:
            said = f"It is of the type {transition.transition_type[:50]}; here it is a dissolve."
            report.remark(path, "transition_replaced", said)
    if duration <= 0:
        return None, 0
    return {"duration": duration, "kind": str(passage)}, duration - duration // 2
