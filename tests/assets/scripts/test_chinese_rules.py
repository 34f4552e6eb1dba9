"""Rules of Chinese scripts, each with what it must not take for something else."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from assets.scripts import Breakdown, break_down, chinese_headings, read
from assets.scripts.breakdown import Format, Script
from tests.effort import assert_at_most


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
        "1-1 夜，林晚：“你说什么”",
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


def test_traditional_characters_are_shown_as_they_were_written() -> None:
    found = _read(
        "第一集\n場1：客廳（內/日）\n登場人物：陳大文、李小美、護士甲\n道具：鑰匙\n陳大文：我回來了。\n眾人：恭喜！\n護士甲：請。\n"
        "備註：夜戲\n李小美內心獨白：又是他。\n李小美說道：“走。”\n場2：街道\n時間：夜\n陳大文（電話）：喂？\n"
    )
    assert [(scene.place_name, scene.time) for scene in found.scenes] == [("客廳", "day"), ("街道", "night")]
    assert _names(found) == {"陳大文", "李小美"}
    assert found.scenes[0].extras == ("護士甲", "眾人")
    assert found.scenes[0].props == ("鑰匙",)
    assert [(cue.speaker, cue.extension) for cue in found.scenes[0].cues[3:]] == [
        ("李小美", "內心獨白"),
        ("李小美", ""),
    ]
    assert found.scenes[1].cues[0].extension == "電話"


def test_lists_in_traditional_characters_are_read() -> None:
    found = _read(
        "人物小傳\n姓名：林晚\n性別：女\n年齡：24歲\n陸母：五十多歲，陸沉的母親\n第一集\n1-1 日 內 家\n林晚：好。\n"
    )
    assert [(one.name, one.age, one.gender.value) for one in found.characters] == [
        ("林晚", "24", "female"),
        ("陸母", "五十多歲", "female"),
    ]


LISTED = "1-1 日 内 家\n人物：林晚、陆沉\n"


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ("林晚放下茶杯：说。", "林晚"),
        ("林晚冷笑：你也配？", "林晚"),
        ("林晚看向陆沉：走吧。", "林晚"),
        ("林晚对陆沉：走吧。", "林晚"),
        ("林晚 怒：滚！", "林晚"),
        ("林晚喊了一声：谁！", "林晚"),
        ("林晚一字一句：滚！", "林晚"),
        ("林晚有气无力：滚……", "林晚"),
        ("林晚陆沉：好！", "林晚/陆沉"),
        ("林晚、陆沉异口同声：好！", "林晚/陆沉"),
        ("林晚 陆沉：好！", "林晚/陆沉"),
        ("林晚〔OS〕：他来了。", "林晚"),
        ("林晚妈：回来了？", "林晚妈"),
        ("林晚助理：林总。", "林晚助理"),
        ("林晚助理小王：林总。", "林晚助理小王"),
        ("林晚的母亲：林总。", "林晚的母亲"),
        ("林晚晴：姐。", "林晚晴"),
        ("00后女孩：好帅！", "00后女孩"),
    ],
)
def test_a_known_name_with_a_deed_behind_it_speaks_and_one_with_kin_is_somebody_else(row: str, wanted: str) -> None:
    assert _speakers(_read(LISTED + row + "\n")) == [wanted]


@pytest.mark.parametrize(
    "row", ["林晚只有一个办法：离开。", "林晚手里的请柬：婚礼", "林晚发现：门开着。", "林晚的手机：来电"]
)
def test_what_is_told_of_somebody_is_not_said(row: str) -> None:
    found = _read(LISTED + row + "\n")
    assert not _speakers(found)
    assert _names(found) == {"林晚", "陆沉"}


def test_a_name_that_comes_again_is_known_without_any_list() -> None:
    found = _read("1-1 日 内 家\n林晚：一。\n林晚：二。\n林晚转身：三。\n")
    assert _speakers(found) == ["林晚"] * 3
    assert [cue.lines for cue in found.scenes[0].cues] == [1, 1, 1]


@pytest.mark.parametrize(
    "row",
    [
        *("特效：时间定格", "花字：惊！", "灯光：渐暗", "时间线：三年前", "情绪：紧张", "状态：战甲", "PS：可删"),
        *("第二天：天亮了", "此时：门开了", "三年后：她回来了", "结果：他没来", "证据一：录音", "信：见字如面"),
        *("任务一：活着", "电话那头：出事了"),
        *("合同上写：甲方", "门外：脚步声", "他说：走", "敲门声：咚咚咚", "林晚视角：黑暗", "林晚POV：黑暗"),
        *("画外：一声枪响", "系统提示音：恭喜", "机械音：启动", "女声：您好"),
    ],
)
def test_labels_times_sounds_and_pronouns_are_nobody(row: str) -> None:
    found = _read(LISTED + "林晚：好。\n" + row + "\n陆沉：好。\n")
    assert _names(found) == {"林晚", "陆沉"}
    assert found.scenes[0].cast == ("林晚", "陆沉")


def test_a_surname_of_two_signs_is_no_name_with_a_deed_behind_it() -> None:
    assert _speakers(_read("1-1 日 内 家\n人物：上官\n上官云飞：姐。\n上官：嗯。\n")) == ["上官云飞", "上官"]


def test_whoever_is_called_like_a_sound_may_speak_again() -> None:
    found = _read("1-1 日 内 家\n沈知音：你好。\n陆沉：你好。\n沈知音：再见。\n电话女声：您好。\n")
    assert _names(found) == {"沈知音", "陆沉", "电话女声"}


FILM = """第1场 客厅 内 日

林晚推门进来，放下行李。

    林晚
  你回来了。
  我等了你很久。

    陆沉
  （疑惑）
  等我？

她点点头。

    林晚
  是你。

    陆沉
  嗯。

三天后

第2场 街道 外 夜

    林晚（哽咽）
  再见。
"""


@pytest.mark.parametrize("dedented", [False, True])
def test_names_on_lines_of_their_own_speak_where_they_come_again(dedented: bool) -> None:
    text = "\n".join(row.strip() for row in FILM.split("\n")) if dedented else FILM
    found = _read(text)
    assert _names(found) == {"林晚", "陆沉"}
    assert [(cue.speaker, cue.extension, cue.lines) for scene in found.scenes for cue in scene.cues] == [
        ("林晚", "", 2),
        ("陆沉", "", 1),
        ("林晚", "", 1),
        ("陆沉", "", 1),
        ("林晚", "", 1),
    ]


def test_film_layout_below_english_headings_is_read() -> None:
    text = FILM.replace("第1场 客厅 内 日", "INT. 客厅 - 日").replace("第2场 街道 外 夜", "EXT. 街道 - 夜")
    found = {scene.place_name: scene.cast for scene in break_down(read(text)).scenes}
    assert found == {"客厅": ("林晚", "陆沉"), "街道": ("林晚",)}


def test_short_lines_that_are_no_names_speak_not() -> None:
    found = _read(
        "第1场 客厅 内 日\n\n停顿\n他看着她。\n\n林晚：一。\n\n停顿\n她笑了。\n\n第二天\n下雨了。\n\n第二天\n下雪了。\n"
    )
    assert _names(found) == {"林晚"}


def test_a_heading_below_an_empty_cue_is_not_said() -> None:
    found = _read(LISTED + "林晚：\n1-2 夜 外 街\n陆沉：\n△陆沉走了。\n")
    assert [scene.place_name for scene in found.scenes] == ["家", "街"]


def test_the_title_of_the_text_itself_describes_nobody() -> None:
    found = _read(
        "一、人物小传\n姜离：女，22岁，庶女\n姜若雪：女，20岁，白莲花\n\n二、正文\n第1场 柴房 日 内\n姜离：水……\n"
    )
    assert {one.name: one.description for one in found.characters}["姜若雪"] == "女，20岁，白莲花"


def test_a_mood_behind_a_name_is_no_way_of_being_heard() -> None:
    found = _read(LISTED + "林晚（哽咽）\n我不能。\n陆沉（画外音）\n走吧。\n")
    assert [cue.extension for cue in found.scenes[0].cues] == ["", "画外音"]


EVIL: dict[str, Callable[[int], str]] = {
    "many names with one head": lambda size: "\n".join(
        f"林晚{chr(0x4E00 + n % 20000)}：你好" for n in range(size // 8)
    ),
    "many deeds of one": lambda size: "林晚：好\n林晚：好\n" + "林晚看向陆沉放下茶杯：好\n" * (size // 13),
    "names alone": lambda size: "\n林晚\n（笑）\n" * (size // 9),
    "moods alone": lambda size: "\n林晚\n好\n\n林晚\n" + "（笑）\n" * (size // 4),
    "one speech": lambda size: "\n林晚\n好\n\n林晚\n" + "很好很好\n" * (size // 5),
    "brackets around nothing": lambda size: "【" * size,
    "fields": lambda size: "时间：日 地点：" * (size // 8),
    "fields by line": lambda size: "时间：日 地点：家\n" * (size // 10),
}


@pytest.mark.parametrize("evil", EVIL)
def test_work_grows_with_the_text_and_no_faster(evil: str) -> None:
    def seconds(size: int) -> float:
        began = time.thread_time()
        _read("1-1 日 内 家\n" + EVIL[evil](size))
        return time.thread_time() - began

    assert_at_most(64, lambda: seconds(3_000), lambda: seconds(48_000))
