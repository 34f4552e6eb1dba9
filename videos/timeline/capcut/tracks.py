"""The tracks of a draft, from the bottom to the top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from videos.media import lenient
from videos.media.lenient import Json
from videos.timeline.capcut import canvas, clips, compounds, fields, leftovers, lineup, segments, stacking, subtitles
from videos.timeline.capcut.clips import Place
from videos.timeline.capcut.compounds import Compound
from videos.timeline.capcut.letters import Allowance
from videos.timeline.capcut.lineup import Entry
from videos.timeline.capcut.materials import Material, Materials
from videos.timeline.capcut.media import Shelf
from videos.timeline.capcut.report import Report
from videos.timeline.capcut.segments import Segment
from videos.timeline.capcut.texts import Texts
from videos.timeline.model import Canvas, Clip, Kind, Track
from videos.timeline.project import MOST_CLIPS
from videos.timeline.texts import Text

_DEEPEST = 8  # drafts within drafts
_MOST_KEYFRAMES = 100_000  # in compound clips, each time that one is shown
_KINDS = {"video": Kind.VIDEO, "audio": Kind.AUDIO}
_MUTED = 1  # the bit of a track's attribute


@dataclass
class Desk:
    """What all drafts within one draft share while they are read."""

    shelf: Shelf
    report: Report
    compounds: dict[str, Compound | None] = field(default_factory=dict)  # by the names that stand for them
    left: int = MOST_CLIPS
    keyframes: int = _MOST_KEYFRAMES
    looks: Allowance = field(default_factory=Allowance)  # of letters

    def takes(self, count: int, path: str) -> bool:
        """Whether there is room for so many more clips and texts. `path`: what has them."""
        if self.left >= 0 > self.left - count:
            self.report.problem(path, f"There may be at most {MOST_CLIPS} segments, those of compound clips included")
        self.left = max(-1, self.left - count)
        return self.left >= 0

    def moves(self, count: int, path: str) -> bool:
        """Whether there is room for so many more keyframes in compound clips."""
        if self.keyframes >= 0 > self.keyframes - count:
            self.report.problem(path, f"There may be at most {_MOST_KEYFRAMES} keyframes in all compound clips")
        self.keyframes = max(-1, self.keyframes - count)
        return self.keyframes >= 0


def read(document: Json, path: str, frame: Canvas, desk: Desk, *, depth: int = 0) -> list[Track]:
    """All that is seen or heard of a draft."""
    fields.mapping(document, "materials", path, desk.report)
    written = fields.items(document, "tracks", path, desk.report, required=True)
    count = sum(len(lenient.items(one.get("segments"))) for one in written if isinstance(one, dict))
    if not desk.takes(count, fields.joined(path, "tracks")):
        return []
    reader = _Reader(document, path, frame, desk, depth=depth)
    found = []
    is_main = True
    for place, says in enumerate(written):
        here = fields.joined(path, f"tracks[{place}]")
        if not isinstance(says, dict):
            desk.report.problem(here, "An object is wanted here")
        elif not isinstance(says.get("type"), str):
            desk.report.problem(f"{here}.type", "The kind of the track is wanted here")
        else:
            if says.get("segments") not in (None, []):
                found.append((_layer(says), reader.track(says, here, is_main=is_main)))
            is_main = is_main and says["type"] != "video"
    if all(layer is not None for layer, made in found if made):
        found.sort(key=lambda one: one[0] or 0)
    made = stacking.fewer([track for _, several in found for track in several])
    if len(made) > stacking.MOST:
        desk.report.problem(fields.joined(path, "tracks"), f"More than {stacking.MOST} tracks lie over one another")
        return []
    return made


def _layer(says: Json) -> float | None:
    """The height that newer drafts state, of the lowest segment; sound has none."""
    if says["type"] == "audio":
        return 0.0
    inside = [one for one in lenient.items(says.get("segments")) if isinstance(one, dict)]
    heights = [lenient.number(one.get("render_index")) for one in inside]
    return None if None in heights else min((height for height in heights if height is not None), default=0.0)


class _Reader:
    """Reads the tracks of one draft, one after the other."""

    def __init__(self, document: Json, path: str, frame: Canvas, desk: Desk, *, depth: int) -> None:
        self._materials = Materials(document, path)
        self._texts = Texts(self._materials, desk.report, desk.looks)
        self._frame = frame
        self._desk = desk
        self._report = desk.report
        self._depth = depth

    def track(self, says: Json, path: str, *, is_main: bool) -> list[Track]:
        """What one track becomes: several, if what is on it lies over one another."""
        sort: str = says["type"]
        found = list(self._segments(says, path))
        muted = bool((lenient.integer(says.get("attribute")) or 0) & _MUTED)
        if kind := _KINDS.get(sort):
            return self._filmed(found, Track(kind=kind, muted=muted), is_main=is_main and kind is Kind.VIDEO)
        return self._written(found, sort)

    def _segments(self, says: Json, path: str) -> Iterator[Segment]:
        for place, one in enumerate(fields.items(says, "segments", path, self._report)):
            if segment := segments.read(one, f"{path}.segments[{place}]", self._report):
                yield segment

    def _written(self, found: Sequence[Segment], sort: str) -> list[Track]:
        """Texts; on tracks of other kinds, whatever is no text is left out."""
        entries = []
        materials = []
        for segment in found:
            material = self._texts.material(segment)
            if material is None and sort != "text":
                leftovers.remark_whole(segment, sort, self._materials, self._report)
            elif text := self._texts.read(segment):
                entries.append(Entry(segment=segment, item=text))
                materials.append(material)
        written = [entry.item for entry in entries if isinstance(entry.item, Text)]
        kind = Kind.SUBTITLES if subtitles.are(written, materials) else Kind.TEXT
        lines = lineup.lines(entries, self._report)
        rows = [tuple(one.item for one in line if isinstance(one.item, Text)) for line in lines]
        return [Track(kind=kind, texts=row) for row in rows if row]

    def _filmed(self, found: Sequence[Segment], like: Track, *, is_main: bool) -> list[Track]:
        place = Place(
            kind=like.kind, is_main=is_main, materials=self._materials, shelf=self._desk.shelf, report=self._report
        )
        entries = []
        for segment in found:
            name = self._compound(segment)
            if clip := clips.read(segment, place, compound=name):
                entries.append(Entry(segment=segment, item=clip))
        lines = lineup.lines(entries, self._report)
        return [track for line in lines for track in stacking.beside(self._stacks(line, like))]

    def _stacks(self, line: Sequence[Entry], like: Track) -> Iterator[list[Track]]:
        """What each clip of a row becomes: itself, or the tracks of the draft that it stands for."""
        for place, entry in enumerate(line):
            clip = entry.item
            assert isinstance(clip, Clip)
            following = line[place + 1].item if place + 1 < len(line) else None
            ends = {one.material for one in (clip, following) if isinstance(one, Clip)}
            if clip.transition and ends & self._desk.compounds.keys():
                said = "Its transition begins or ends in a compound clip; it is left out."
                entry.segment.remark(self._report, "transition_left_out", said)
                clip = replace(clip, transition=None)
            if clip.material not in self._desk.compounds:
                yield [replace(like, clips=(self._desk.shelf.standing(clip),))]
            elif inside := self._desk.compounds[clip.material]:
                yield self._laid(clip, inside, like, entry.segment)

    def _laid(self, clip: Clip, inside: Compound, like: Track, segment: Segment) -> list[Track]:
        if not self._desk.takes(sum(1 + len(track.items) for track in inside.tracks), segment.path):
            return []
        if not self._desk.moves(compounds.keyframes(clip, inside), segment.path):
            return []
        if not compounds.is_exact(clip, inside, self._frame):
            said = "It is a compound clip, changed as a whole; what is in it is changed one by one, as far as it can."
            segment.remark(self._report, "compound_approximated", said)
        if clip.mask is not None:
            segment.remark(self._report, "mask_left_out", "Its mask is left out: it is a compound clip.")
        made = compounds.layers(clip, inside, like.kind, self._frame)
        return [
            replace(track, muted=track.muted or like.muted) for track in made if like.kind is Kind.VIDEO or track.clips
        ]

    def _compound(self, segment: Segment) -> str | None:
        """The name of the compound that a segment shows; None if it shows a file."""
        material = self._materials.find(segment.says.get("material_id"), "drafts")
        material = material or self._materials.first(segment.says, "drafts")
        if material is None or not isinstance(material.says.get("draft"), dict):
            return None
        name = f"{material.path}.draft"
        if name not in self._desk.compounds:
            self._desk.compounds[name] = self._inside(material, name)
        return name

    def _inside(self, material: Material, path: str) -> Compound | None:
        if self._depth >= _DEEPEST:
            self._report.problem(path, f"There may be drafts within drafts {_DEEPEST} deep")
            return None
        says = material.says["draft"]
        frame = canvas.read(says, path, self._report)
        tracks = read(says, path, frame, self._desk, depth=self._depth + 1)
        return Compound(canvas=frame, tracks=tuple(tracks))
