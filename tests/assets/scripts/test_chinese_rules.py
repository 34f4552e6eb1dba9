"""Rules of Chinese scripts, each with what it must not take for something else."""

from __future__ import annotations

import pytest

from assets.scripts import Breakdown, break_down, chinese_headings, read
from assets.scripts.breakdown import Format, Script


def _read(text: str) -> Breakdown:
    return break_down(Script(format=Format.CHINESE, title="", text=text, encoding=""))


def _speakers(found: Breakdown) -> list[str]:
    return [cue.speaker for scene in found.scenes for cue in scene.cues]


def _names(found: Breakdown) -> set[str]:
    return {character.name for character in found.characters}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("場1：客廳（內/日）", ("1", "客廳", "inside", "day")),
        ("第1場 陳家客廳 內 日", ("1", "陳家客廳", "inside", "day")),
        ("1-3 日 內 辦公室", ("1-3", "辦公室", "inside", "day")),
        ("【场景一】客厅 日 内", ("一", "客厅", "inside", "day")),
        ("[1-1] 日 内 客厅", ("1-1", "客厅", "inside", "day")),
        ("（1-1）客厅 日内", ("1-1", "客厅", "inside", "day")),
        ("第1场（日 内 客厅）", ("1", "客厅", "inside", "day")),
        ("3场 客厅 日 内", ("3", "客厅", "inside", "day")),
        ("第一幕 第一场 客厅 日 内", ("一-一", "客厅", "inside", "day")),
        ("1-1 日 内 “雅居”酒店大堂", ("1-1", "“雅居”酒店大堂", "inside", "day")),
        ("1-2 夜 外 街道。", ("1-2", "街道", "outside", "night")),
        ("1-1 日 内 女主家；客厅", ("1-1", "女主家；客厅", "inside", "day")),
        ("第1场 客厅 夜戏", ("1", "客厅", "", "night")),
        ("第1场 街头 雨夜 外", ("1", "街头", "outside", "night")),
        ("第2场 三年前 客厅 内 日", ("2", "客厅", "inside", "day")),
        ("1-6 夜 内 客厅（回忆）", ("1-6", "客厅", "inside", "night")),
        ("第2场 梦境 夜", ("2", "梦境", "", "night")),
        ("时间：日 地点：客厅", ("", "客厅", "", "day")),
        ("场次：1 场景：客厅 时间：日 内", ("1", "客厅", "inside", "day")),
    ],
)
def test_headers_are_taken_apart(text: str, wanted: tuple[str, str, str, str]) -> None:
    found = chinese_headings.read(text)
    assert found is not None
    heading = found.heading
    assert (heading.number, heading.place_name, heading.place.value, heading.time) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "第1场 林晚走了。她哭了",
        "第1场 林晚：“你好”",
        "1-1 “你说什么”",
        "3场 比赛结束了",
        "第三场比赛开始",
        "（3）林晚走进客厅",
        "（一）客厅",
        "時間：夜",
    ],
)
def test_what_only_begins_like_a_header_is_none(text: str) -> None:
    assert chinese_headings.read(text) is None


def test_fields_on_one_line_below_a_header_are_its_own() -> None:
    found = _read("第1场 陈家\n时间：夜 地点：一楼\n林晚：你好。\n")
    assert [(scene.place_name, scene.time) for scene in found.scenes] == [("陈家", "night")]
