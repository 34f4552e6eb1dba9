"""Screenplays as models, and how they are written in each format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from hypothesis import strategies as st

HeaderWriter = Callable[[str, str, str, str], str]  # of number, place, 内 or 外, time


@dataclass(frozen=True)
class ModelCue:
    speaker: str
    extension: str
    mood: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class ModelScene:
    place_name: str
    place: str
    time: str
    action: str
    cues: tuple[ModelCue, ...]


@dataclass(frozen=True)
class Model:
    scenes: tuple[ModelScene, ...]

    def fountain(self) -> str:
        rows = ["Title: Model", ""]
        for scene in self.scenes:
            rows += [f"{_PREFIX[scene.place]} {scene.place_name} - {scene.time.upper()}", "", scene.action, ""]
            for cue in scene.cues:
                rows.append(cue.speaker + (f" ({cue.extension})" if cue.extension else ""))
                rows += [f"({cue.mood})"] if cue.mood else []
                rows += [*cue.lines, ""]
        return "\n".join(rows)

    def fdx(self) -> str:
        parts: list[tuple[str, str]] = []
        for scene in self.scenes:
            parts.append(("Scene Heading", f"{_PREFIX[scene.place]} {scene.place_name} - {scene.time.upper()}"))
            parts.append(("Action", scene.action))
            for cue in scene.cues:
                parts.append(("Character", cue.speaker + (f" ({cue.extension})" if cue.extension else "")))
                parts += [("Parenthetical", f"({cue.mood})")] if cue.mood else []
                parts.append(("Dialogue", "\n".join(cue.lines)))
        body = "".join(f'<Paragraph Type="{kind}"><Text>{escape(text)}</Text></Paragraph>\n' for kind, text in parts)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<FinalDraft><Content>\n{body}</Content></FinalDraft>'

    def chinese(self, header: HeaderWriter) -> str:
        rows = ["第一集", ""]
        for number, scene in enumerate(self.scenes, 1):
            time = _HAN_TIMES[scene.time]
            rows.append(header(f"1-{number}", scene.place_name, _HAN_PLACES[scene.place], time))
            speakers = dict.fromkeys(cue.speaker for cue in scene.cues)
            rows += [f"人物：{'、'.join(speakers)}"] if speakers else []
            rows.append(f"△{scene.action}")
            for cue in scene.cues:
                rows.append(f"{cue.speaker}{cue.extension}{f'（{cue.mood}）' if cue.mood else ''}：{cue.lines[0]}")
            rows.append("")
        return "\n".join(rows)


def _counted(number: str) -> str:
    return number.rpartition("-")[2]


def _in_words(number: str) -> str:
    return "零一二三四五六七八九"[int(_counted(number))]


# Each of the ways to write a header that are known from produced scripts, which has all of a scene's facts in it.
HEADERS: tuple[HeaderWriter, ...] = (
    lambda number, place, side, time: f"{number} {time} {side} {place}",
    lambda number, place, side, time: f"{number}{time}{side}{place}",
    lambda number, place, side, time: f"{number}{time}{side} {place}",
    lambda number, place, side, time: f"{number} {time}-{side}-{place}",
    lambda number, place, side, time: f"{number}场景：{place} {time} {side}",
    lambda number, place, side, time: f"{number}、{place}，{time}，{side}",
    lambda number, place, side, time: f"场{number} {place} {time} {side}",
    lambda number, place, side, time: f"场景{_in_words(number)} {place} {time} {side}",
    lambda number, place, side, time: f"场景：{place}，{time}，{side}",
    lambda number, place, side, time: f"## 场景{_in_words(number)}：{place}\n{time} {side}",
    lambda number, place, side, time: f"【场景 {_counted(number)}：{place} - {side}（{time}）】",
    lambda number, place, side, time: f"**{number} {time} {side} {place}**",
    lambda number, place, side, time: f"第{_in_words(number)}场 {place} {side} {time}",
    lambda number, place, side, time: f"第{_in_words(number)}场\n时间：{time}\n地点：{place}\n内外景：{side}",
    lambda number, place, side, time: f"{_counted(number)}. {place} {time} {side}",
    lambda number, place, side, time: f"{side}景 {place} {time}" if "/" not in side else f"内外景 {place} {time}",
    lambda number, place, side, time: f"### 场{number}\n{time} {side} {place}",
    lambda number, place, side, time: f"场次（{_counted(number)}）地点：{place}，{time}，{side}",
)

_PREFIX = {"inside": "INT.", "outside": "EXT.", "both": "INT./EXT."}
_HAN_PLACES = {"inside": "内", "outside": "外", "both": "内/外"}
_HAN_TIMES = {"day": "日", "night": "夜", "morning": "清晨", "dusk": "黄昏", "dawn": "凌晨"}

_PLACES = (
    "HOUSE",
    "O'BRIEN'S BAR",
    "ROOM 12",
    "CITY HALL - LOBBY",
    "CAR (MOVING)",
    "ROOF",
    "LAKE & JETTY",
    "A LONG WAY DOWN",
)
_SPEAKERS = (
    "SARAH",
    "DR. WU",
    "TOM",
    "O'NEIL",
    "JEAN-LUC",
    "ÉLODIE",
    "THE STRANGER",
    "MRS. VANCE",
    "K-9",
    "NIGHT CLERK",
)
_SAID = (
    "Hello.",
    "Who's there?",
    "I said: no!",
    "Wait --",
    "NEVER!",
    "It's 12:30.",
    "…",
    "Int the house, ext the yard.",
)
_ACTIONS = (
    "The door opens.",
    "Rain on the window: a slow sound.",
    "Nobody moves; 12 seconds pass.",
    "BANG! Something falls.",
)
_HAN_NAMES = ("客厅", "街边摊", "林家宴会厅", "公司大堂", "地下室", "医院走廊", "夜市", "内室", "天台", "老城茶馆")
_HAN_SPEAKERS = ("林晚", "陆沉", "顾母", "老周", "萧炎", "纳兰嫣然", "阿城", "白牡丹")
_HAN_SAID = ("你好。", "滚！", "你是谁：说！", "我在想，人物：是什么？", "（笑）好。", "……")
_HAN_ACTIONS = ("门开了。", "手机屏幕亮起：未接来电。", "雨越下越大。", "灯灭了，一片漆黑。")


@st.composite
def models(draw: st.DrawFn, *, chinese: bool) -> Model:
    """A screenplay of one to four scenes."""
    return Model(scenes=tuple(draw(st.lists(_scenes(chinese=chinese), min_size=1, max_size=4))))


@st.composite
def _scenes(draw: st.DrawFn, *, chinese: bool) -> ModelScene:
    return ModelScene(
        place_name=draw(st.sampled_from(_HAN_NAMES if chinese else _PLACES)),
        place=draw(st.sampled_from(("inside", "outside", "both"))),
        time=draw(st.sampled_from(("day", "night", "morning", "dusk", "dawn"))),
        action=draw(st.sampled_from(_HAN_ACTIONS if chinese else _ACTIONS)),
        cues=tuple(draw(st.lists(_cues(chinese=chinese), min_size=1, max_size=4))),
    )


@st.composite
def _cues(draw: st.DrawFn, *, chinese: bool) -> ModelCue:
    said = _HAN_SAID if chinese else _SAID
    return ModelCue(
        speaker=draw(st.sampled_from(_HAN_SPEAKERS if chinese else _SPEAKERS)),
        extension=draw(
            st.sampled_from(("", "OS", "VO") if chinese else ("", "V.O.", "O.S.", "CONT'D", "on the phone"))
        ),
        mood=draw(st.sampled_from(("", "笑", "压低声音") if chinese else ("", "quietly"))),
        lines=tuple(draw(st.lists(st.sampled_from(said), min_size=1, max_size=1 if chinese else 3))),
    )
