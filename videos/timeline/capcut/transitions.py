"""How one picture gives way to the next: by the application's own numbers for that, for its names are translated."""

from __future__ import annotations

from videos.media.lenient import Json
from videos.timeline.capcut import fields
from videos.timeline.model import Passage, Transition
from videos.timeline.values import LONGEST

# By the number of the resource, which JianYing and CapCut share, or by that of the effect; and the names of both.
_KNOWN: dict[Passage, tuple[str, ...]] = {
    Passage.DISSOLVE: ("6724845717472416269", "322577", "叠化", "mix", "dissolve", "cross dissolve", "crossfade"),
    Passage.FADE_BLACK: ("6724239388189921806", "321493", "闪黑", "black fade", "fade to black", "dip to black"),
    Passage.FADE_WHITE: ("6724845376098013708", "322575", "闪白", "white fade", "fade to white", "dip to white"),
    Passage.WIPE_LEFT: ("6724849999336706573", "2917283", "向左擦除", "wipe left"),
    Passage.WIPE_RIGHT: ("6724849898857959950", "2917284", "向右擦除", "wipe right"),
    Passage.WIPE_UP: ("6724849456891564557", "2917281", "向上擦除", "wipe up"),
    Passage.WIPE_DOWN: ("6724849752921346573", "2917282", "向下擦除", "wipe down"),
    Passage.SLIDE_LEFT: ("6726711499676455435", "2917286", "左移", "slide left", "push left"),
    Passage.SLIDE_RIGHT: ("6726711296063967748", "2917287", "右移", "slide right", "push right"),
    Passage.SLIDE_UP: ("6724846395116753416", "2917279", "上移", "slide up", "push up"),
    Passage.SLIDE_DOWN: ("6724849276100284942", "2917280", "下移", "slide down", "push down"),
    Passage.CIRCLE_OPEN: ("circle open", "iris in"),
    Passage.CIRCLE_CLOSE: ("circle close", "iris out"),
}
_BY_NAME = {name: passage for passage, names in _KNOWN.items() for name in names}


def read(says: Json) -> tuple[Transition | None, bool]:
    """A transition, None if it takes no time; and whether it looks the same as in the editor."""
    duration = round(fields.within(fields.number(says.get("duration"), 0), 0, LONGEST))
    named = [fields.name(says.get(name)) for name in ("resource_id", "effect_id", "name")]
    passage = next((_BY_NAME[name.strip().lower()] for name in named if name.strip().lower() in _BY_NAME), None)
    if duration <= 0:
        return None, True
    return Transition(duration=duration, kind=passage or Passage.DISSOLVE), passage is not None
