"""Whether the sound of a timeline can be joined as it is, beside pictures that are.

AAC comes in packets of 1024 samples, each of which fades into the next one. A file's first packet fades in out of
silence before anything is heard, and whatever follows a packet fades it out. So whole packets may follow one another
without a click. Each clip is put to the packet that is nearest to its place: at most 11 ms beside it, which does not
add up. What it costs is the clip's end, up to 32 ms of which are not there or fade out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from videos.media import lenient
from videos.timeline.joining import SAMPLES, Copied, Joint, Stretch
from videos.timeline.model import Clip, Sound
from videos.timeline.sound import Piece
from videos.timeline.sources import Source
from videos.timeline.values import SECOND

_SAME = (
    *("codec_name", "profile", "sample_fmt", "sample_rate", "channels", "channel_layout", "time_base"),
    *("extradata_size", "extradata_hash"),
)


def copied(clips: Sequence[Clip], heard: Sequence[Piece], sources: Mapping[str, Source], joint: Joint) -> Copied | None:
    """The sound of the clips whose pictures are joined; None if it has to be mixed."""
    if [piece.clip for piece in heard] != list(clips) or any(_is_changed(clip) for clip in clips):
        return None
    looks = [_look(sources[clip.material]) for clip in clips]
    if not all(looks) or len({_signature(look) for look in looks}) != 1 or not all(map(_is_plain, looks)):
        return None
    rate = lenient.integer(looks[0].get("sample_rate")) or 0
    places = [round(_packets(clip.start, rate)) for clip in clips]
    counts = [other - one for one, other in pairwise(places)]
    counts.append(math.ceil(_packets(clips[-1].duration, rate)) + 1)
    there = [lenient.integer(look.get("nb_frames")) or 0 for look in looks]
    if any(not 2 <= count <= most for count, most in zip(counts, there, strict=True)):
        return None
    stretches = [Stretch(name=part.name, packets=count) for part, count in zip(joint.parts, counts, strict=True)]
    return Copied(stretches=stretches, rate=rate, index=lenient.integer(looks[0].get("index")) or 0)


def _is_changed(clip: Clip) -> bool:
    return clip.sound != Sound() or bool(clip.motion.volume)


def _packets(moment: int, rate: int) -> Fraction:
    """How many packets a time in microseconds takes."""
    return Fraction(moment * rate, SECOND * SAMPLES)


def _look(source: Source) -> Mapping[str, Any]:
    """What ffprobe says of the sound."""
    return source.probe.said.get(source.probe.audio.index, {}) if source.probe.audio else {}


def _signature(look: Mapping[str, Any]) -> tuple[Any, ...]:
    return (look.get("index"), *(look.get(name) for name in _SAME))


def _is_plain(look: Mapping[str, Any]) -> bool:
    """Stereo, and what is heard of it begins where the picture does, in the second packet."""
    if (look.get("codec_name"), look.get("profile"), look.get("channels")) != ("aac", "LC", 2):
        return False
    packets, length = lenient.integer(look.get("nb_frames")), lenient.integer(look.get("duration_ts"))
    if packets is None or length is None or look.get("time_base") != f"1/{look.get('sample_rate')}":
        return False
    # Before it stands one packet, after it the rest of the last one: other numbers of samples tell of other run-ups.
    return lenient.number(look.get("start_time")) == 0 and SAMPLES <= packets * SAMPLES - length < 2 * SAMPLES
