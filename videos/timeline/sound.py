"""The sound of a film: every clip put to its sample, and all of them mixed.

No process opens more than a few files. Where there are more, they are mixed in groups first, and then the groups.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import ffmpeg
from ffmpeg.nodes import InputNode

from videos.media import program
from videos.timeline import ducking, gain
from videos.timeline.formats import SOUND_RATE, Options
from videos.timeline.gain import Curve, Point
from videos.timeline.model import Clip, Sound, Timeline
from videos.timeline.sources import Source
from videos.timeline.values import SECOND

_MOST_INPUTS = 24
_BEFORE = SECOND  # microseconds that are decoded before what is wanted: codecs need a run-up
_LOUDEST = 0.97
_ROUNDED = 1 + 1e-9  # a volume of 1, as it may come out of a curve
_STRETCH = 2  # times faster or slower that the filter "rubberband" makes at once: beyond, it is off by more
# For how many seconds it has to be fed before, at a speed. (Measured with librubberband 3.1: within a millisecond.)
_RUN_UPS = ((0.5, 0.0062), (0.59, 0.0133), (0.62, 0.0115), (0.75, 0.013), (2.0, 0.013))
_FASTEST = 4  # times, beyond which it takes too long; the rest is done more coarsely before
_LONGEST_REVERSED = 10 * SOUND_RATE  # samples that are held in memory, to be played backwards
_GROUP: Options = {"format": "wav", "c:a": "pcm_f32le", "rf64": "auto"}  # in which nothing is too loud or too long


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Something that is heard: a clip of a material, or a mix that was made before. In samples of the film."""

    at: int
    length: int
    path: Path
    clip: Clip | None = None
    index: int = 0  # of the stream in the file
    mono: bool = False
    clock: Mapping[str, str | None] = field(default_factory=dict)  # as its source has it
    made: bool = False  # its file was made for this mix alone
    volume: float = 1.0
    curves: tuple[Curve, ...] = ()  # what the volume is multiplied with, sample by sample

    @property
    def end(self) -> int:
        return self.at + self.length

    @property
    def loudest(self) -> float:
        """The highest volume that it comes to."""
        return self.volume * math.prod(gain.peak(curve, self.length) for curve in self.curves)

    @property
    def taken(self) -> int:
        """Samples of the material, at the film's rate."""
        return round(self.length * (self.clip.speed if self.clip else 1))

    def along(self, curve: Curve) -> Piece:
        """The same, but as loud as a curve says; of which sample 0 is its first one."""
        curve = gain.part(curve, 0, self.length)
        value = gain.constant(curve)
        if value is None:
            return replace(self, curves=(*self.curves, curve))
        return replace(self, volume=self.volume * value)


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Pieces that one process mixes, from a sample of the film up to another."""

    name: str
    pieces: tuple[Piece, ...]
    at: int
    length: int
    limited: bool = False
    spent: tuple[str, ...] = ()  # files that nobody needs once it is made

    @property
    def seconds(self) -> float:
        return self.length / SOUND_RATE

    @property
    def decoded(self) -> float:
        """Seconds of material that are read."""
        return sum(piece.taken for piece in self.pieces) / SOUND_RATE


def samples(moment: Fraction | int) -> int:
    """How many samples there are up to a moment, in microseconds."""
    return round(Fraction(moment) * SOUND_RATE / SECOND)


def pieces(timeline: Timeline, sources: Mapping[str, Source]) -> list[Piece]:
    """Every clip that can be heard, the earliest first."""
    tracks = [track for track in timeline.tracks if not track.muted]
    heard = [[piece for clip in track.clips if (piece := _heard(clip, sources[clip.material]))] for track in tracks]
    speech = ducking.spans(
        (piece.at, piece.end) for track, own in zip(tracks, heard, strict=True) if track.ducked is None for piece in own
    )
    found = []
    for track, own in zip(tracks, heard, strict=True):
        if track.ducked is not None:
            curve = ducking.curve(speech, track.ducked)
            own = [piece.along(gain.part(curve, piece.at, piece.length)) for piece in own]
        found += [piece for piece in own if piece.loudest > 0]
    return sorted(found, key=lambda piece: (piece.at, piece.end))


def _heard(clip: Clip, source: Source) -> Piece | None:
    audio = source.probe.audio
    at, end = samples(clip.start), samples(clip.end)
    if audio is None or clip.freeze or end <= at:
        return None
    piece = Piece(
        at=at,
        length=end - at,
        path=source.path,
        clip=clip,
        index=audio.index,
        mono=audio.channels == 1,
        clock=source.clock,
    )
    if keyframes := clip.motion.volume:
        points = [Point(at=samples(one.at), value=one.value, easing=one.easing) for one in keyframes]
        piece = piece.along(gain.through(points))
    else:
        piece = replace(piece, volume=clip.sound.volume)
    return piece if piece.loudest > 0 else None


def mixes(found: Sequence[Piece], *, folder: Path, name: str, length: int) -> Iterator[Mix]:
    """All mixes in the order in which they are to be made; the last is the film's sound, named `name`."""
    ready: list[Piece] = []
    for number, piece in enumerate(found):
        if piece.clip is not None and piece.clip.reverse and piece.taken > _LONGEST_REVERSED:
            turned = yield from _turned(piece, piece.clip, folder=folder, name=f"turned-{number}.wav")
            ready.append(turned)
        else:
            ready.append(piece)
    whole = Mix(name=name, pieces=tuple(ready), at=0, length=length, limited=_too_loud(found))
    yield from _in_groups(whole, folder)


def _in_groups(whole: Mix, folder: Path) -> Iterator[Mix]:
    """A mix of any number of pieces; of mixes of them, where there are more than one process opens."""
    found, spent, level = whole.pieces, whole.spent, 0
    while len(found) > _MOST_INPUTS:
        made = []
        for number, first in enumerate(range(0, len(found), _MOST_INPUTS)):
            group = found[first : first + _MOST_INPUTS]
            at, end = min(piece.at for piece in group), max(piece.end for piece in group)
            mix = Mix(name=f"mix-{level}-{number}.wav", pieces=group, at=at, length=end - at, spent=_made(group))
            yield mix
            made.append(Piece(at=at, length=mix.length, path=folder / mix.name, made=True))
        found, level = tuple(made), level + 1
    yield replace(whole, pieces=found, spent=(*spent, *_made(found)))


def _made(group: Sequence[Piece]) -> tuple[str, ...]:
    return tuple(piece.path.name for piece in group if piece.made)


def _turned(piece: Piece, clip: Clip, *, folder: Path, name: str) -> Generator[Mix, None, Piece]:
    """What a long clip takes of its material, written down backwards; returns the piece that it is then.

    It is decoded once, to a file in which every sample can be found. That is read backwards, a little at a time.
    """
    straight = f"straight-{name}"
    plain = replace(clip, speed=Fraction(1), sound=Sound(), reverse=False)
    given = replace(piece, at=0, length=piece.taken, clip=plain, volume=1.0, curves=())
    yield Mix(name=straight, pieces=(given,), at=0, length=piece.taken)
    chunks = []
    for first in range(0, piece.taken, _LONGEST_REVERSED):
        length = min(_LONGEST_REVERSED, piece.taken - first)
        back = replace(plain, source_start=first * SECOND // SOUND_RATE, reverse=True)
        chunks.append(Piece(at=piece.taken - first - length, length=length, path=folder / straight, clip=back))
    chunks.reverse()
    yield from _in_groups(Mix(name=name, pieces=tuple(chunks), at=0, length=piece.taken, spent=(straight,)), folder)
    forth = replace(clip, source_start=0, reverse=False)
    return replace(piece, path=folder / name, clip=forth, index=0, mono=False, clock={}, made=True)


def command(mix: Mix, options: Options | None = None) -> list[str]:
    """The call that makes one mix, of exactly its length. `options` are the encoder's; without them it is a group's."""
    # Silence of that length, which all else is added to: where nothing is heard, there is silence to be encoded.
    streams = [_uniform(_silence("stereo").filter("atrim", end_sample=mix.length))]
    for number, piece in enumerate(mix.pieces):
        stream = _clip(piece, piece.clip, number) if piece.clip else _file(piece, number)
        streams.append(_delayed(stream, piece.at - mix.at))
    mixed = ffmpeg.filter(streams, "amix", inputs=len(streams), duration="first", dropout_transition=0, normalize=0)
    if mix.limited and options:
        mixed = mixed.filter("alimiter", limit=_LOUDEST, level=0, latency=1)
    output = ffmpeg.output(mixed, f"file:{mix.name}", map_metadata=-1, ac=2, ar=SOUND_RATE, **(options or _GROUP))
    return program.compiled(output, *program.PROGRESS)


def _clip(piece: Piece, clip: Clip, number: int) -> Any:
    """A clip's sound, from its first sample to its last, as it is heard."""
    if clip.speed == 1:
        stream = _cut(piece, clip, number)
    else:
        sped = _sped(piece, clip, number) if clip.keep_pitch else _wound(piece, clip, number)
        stream = _of_length(sped, piece.length)
    if piece.volume != 1:
        stream = stream.filter("volume", piece.volume, precision="float")
    if piece.curves:
        stream = ffmpeg.filter([stream, _gain(piece, number)], "amultiply")
    if fade := samples(clip.sound.fade_in):
        stream = stream.filter("afade", type="in", start_sample=0, nb_samples=fade)
    if fade := samples(clip.sound.fade_out):
        stream = stream.filter("afade", type="out", start_sample=max(0, piece.length - fade), nb_samples=fade)
    return stream


def _gain(piece: Piece, number: int) -> Any:
    """What every sample is multiplied with; computed once for both sides."""
    said = "*".join(f"({gain.expression(curve)})" for curve in piece.curves)
    curve = _silence("mono", number).filter("atrim", end_sample=piece.length).filter("aeval", said)
    return _uniform(curve.filter("pan", args="stereo|c0=c0|c1=c0"))


def _cut(piece: Piece, clip: Clip, number: int, *, before: int = 0, after: int = 0) -> Any:
    """The part of a material that a clip takes, and so many samples around it; at the material's own speed."""
    if clip.reverse:
        before, after = after, before
    seek = max(0, clip.source_start - _BEFORE)
    options: dict[str, str | None] = {"ss": f"{seek}us", "noaccurate_seek": None} if seek else {}
    given = program.opened(piece.path, threads=1, number=number, **options, **piece.clock)[str(piece.index)]
    if piece.mono:
        given = given.filter("pan", args="stereo|c0=c0|c1=c0")  # or it would come out more softly than it is
    # To the film's rate first, in whose samples the next one counts: it fills gaps, and what is missing at the start.
    stream = given.filter("aresample", SOUND_RATE)
    first = samples(clip.source_start - seek) - before
    stream = _uniform(stream.filter("aresample", SOUND_RATE, first_pts=first, **{"async": 1}))
    count = before + piece.taken + after
    stream = _of_length(stream, count)
    if not clip.reverse:
        return stream
    # Filled up to its end, or what stands there would be heard before its time.
    return stream.filter("apad", whole_len=count).filter("areverse").filter("asetpts", "N/SR/TB")


def _sped(piece: Piece, clip: Clip, number: int) -> Any:
    """Faster or slower, at the same pitch."""
    coarse = max(0, math.ceil(math.log2(clip.speed / _FASTEST)))
    speed = float(clip.speed) / 2**coarse
    steps = max(1, math.ceil(abs(math.log(speed, _STRETCH)) - 1e-9))
    speed **= 1 / steps
    before = run_up(speed)
    # Silence without an end: what comes after the end of its input makes the filter fail.
    stream = _cut(piece, clip, number, before=before * 2**coarse, after=SOUND_RATE // 2).filter("apad")
    for _ in range(coarse):
        stream = stream.filter("atempo", 2.0)
    for _ in range(steps):
        stream = stream.filter("rubberband", tempo=speed, window="short")
    return stream.filter("atrim", start_sample=before)


def run_up(speed: float) -> int:
    """The sample that comes out of the filter "rubberband" where it went in: all others are off, by their way to it."""
    place = min(bisect_left(_RUN_UPS, (speed, 0.0)), len(_RUN_UPS) - 1)
    (one, early), (other, late) = _RUN_UPS[max(0, place - 1)], _RUN_UPS[max(1, place)]
    return round((early + (late - early) * (speed - one) / (other - one)) * SOUND_RATE)


def _wound(piece: Piece, clip: Clip, number: int) -> Any:
    """Faster or slower as a tape is: the pitch goes with the speed."""
    speed = clip.speed.limit_denominator(SOUND_RATE)
    # Rates are whole numbers. Of these two, one is as many times the other as the speed says, to the last digit.
    share = math.ceil(Fraction(SOUND_RATE, speed.denominator))
    stream = _cut(piece, clip, number, after=SOUND_RATE // 2).filter("aresample", speed.denominator * share)
    return _uniform(stream.filter("asetrate", speed.numerator * share).filter("aresample", SOUND_RATE))


def _file(piece: Piece, number: int) -> Any:
    return _uniform(program.opened(piece.path, threads=1, number=number)["0"])


def _silence(layout: str, number: int = 0) -> Any:
    given = {"filename": f"anullsrc=r={SOUND_RATE}:cl={layout}", "format": "lavfi"}
    return InputNode(ffmpeg.input.__name__, args=[number], kwargs=given).stream()


def _uniform(stream: Any) -> Any:
    return stream.filter("aformat", sample_fmts="fltp", sample_rates=SOUND_RATE, channel_layouts="stereo")


def _of_length(stream: Any, count: int) -> Any:
    return stream.filter("asetpts", "N/SR/TB").filter("atrim", end_sample=count).filter("asetpts", "N/SR/TB")


def _delayed(stream: Any, count: int) -> Any:
    return stream.filter("adelay", f"{count}S", all=1) if count else stream


def _too_loud(found: Sequence[Piece]) -> bool:
    """Whether the sum may be louder than any file can hold: clips sound at once, or are made louder."""
    louder = any(piece.loudest > _ROUNDED for piece in found)
    return louder or any(other.at < one.end for one, other in pairwise(found))
