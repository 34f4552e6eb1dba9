"""Encodings, Word documents, episodes, and what is found out about people and things."""

from __future__ import annotations

import io

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml

from assets.scripts import Breakdown, Format, Gender, Role, break_down, episodes, numerals, pieces, read
from assets.scripts.episode_marks import heading

CHINESE = "第一集\n1-1 日 内 客厅\n人物：林晚、陆沉\n△林晚推门进来，“谁在那里”。\n林晚：你好——\n陆沉：……\n"
ENGLISH = "INT. CAFÉ - DAY\n\nRENÉE\nIt’s “late”.\n"


def _read(text: str, name: str = "a.fountain") -> Breakdown:
    return break_down(read(text, name=name))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_chinese_is_read_in_every_encoding_that_programs_save(encoding: str) -> None:
    script = read(CHINESE.encode(encoding), name="a.txt")
    assert script.text == CHINESE
    assert script.encoding.replace("-sig", "") in (encoding.replace("-sig", ""), "gb18030")
    assert break_down(script).language == "zh"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_english_is_read_in_every_encoding_that_programs_save(encoding: str) -> None:
    assert read(ENGLISH.encode(encoding), name="a.txt").text == ENGLISH


def test_a_broken_letter_does_not_make_utf8_something_else() -> None:
    data = (CHINESE * 20).encode()
    assert read(data[:-2], name="a.txt").encoding == "utf-8"
    assert read(data + b"\xff" + data, name="a.txt").text.count("\ufffd") == 1


def test_ends_of_lines_are_all_alike_and_lines_keep_their_numbers() -> None:
    text = "INT. A - DAY\r\n\r\nTOM\rHi.\u2028EXT. B - NIGHT"
    assert [scene.span.first_line for scene in _read(text, "a.txt").scenes] == [1, 5]


def _document(*paragraphs: tuple[str, str]) -> bytes:
    document = docx.Document()
    for style in {style for _, style in paragraphs if style not in document.styles}:
        document.styles.add_style(style, WD_STYLE_TYPE.PARAGRAPH)
    for text, style in paragraphs:
        document.add_paragraph(text, style=style)
    return _saved(document)


def _saved(document: docx.document.Document) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def test_a_word_document_with_a_screenplays_styles_is_read_by_them() -> None:
    data = _document(
        ("The attic", "Scene Heading"),
        ("NOTHING MOVES", "Action"),
        ("Sarah", "Character"),
        ("Hello.", "Dialogue"),
        ("softly", "Parenthetical"),
        ("Anyone?", "Dialogue"),
    )
    found = break_down(read(data, name="a.docx"))
    assert [scene.place_name for scene in found.scenes] == ["The attic"]
    assert [(character.name, character.lines) for character in found.characters] == [("Sarah", 2)]


def test_a_word_document_without_styles_is_read_as_text_with_its_tables_and_boxes() -> None:
    document = docx.Document()
    for line in ("第一集", "1-1 日 内 客厅", "人物：林晚、陆沉"):
        document.add_paragraph(line)
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, [("林晚", "你好。"), ("陆沉", "坐。")], strict=True):
        row.cells[0].text, row.cells[1].text = cells
    box = (
        '<w:p xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:v="urn:schemas-microsoft-com:vml">'
        "<w:r><w:pict><v:shape><v:textbox><w:txbxContent><w:p><w:r><w:t>林晚：再见。</w:t></w:r></w:p></w:txbxContent>"
        "</v:textbox></v:shape></w:pict></w:r></w:p>"
    )
    document.element.body.insert(-1, parse_xml(box))
    script = read(_saved(document), name="a.docx")
    assert script.format is Format.CHINESE
    assert [(one.name, one.lines) for one in break_down(script).characters] == [("林晚", 2), ("陆沉", 1)]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("第1集", (1, "")),
        ("第十二集：重逢", (12, "重逢")),
        ("# 第一百零三集 归来", (103, "归来")),
        ("【第３集】", (3, "")),
        ("第二百集", (200, "")),
        ("EPISODE 3", (3, "")),
        ("Episode One: The Door", (1, "The Door")),
        ("**EPISODE TWENTY-TWO**", (22, "")),
        ("EP01", (1, "")),
        ("第一集（完）", None),
        ("第一集的结尾", None),
        ("第1-5集", None),
        ("第1集 第2场 客厅", None),
        ("Episode of madness", None),
        ("第一集里他说：好。", None),
    ],
)
def test_lines_that_episodes_begin_with(line: str, wanted: tuple[int, str] | None) -> None:
    assert heading(line) == wanted


def test_a_script_falls_apart_into_its_episodes_and_nothing_is_lost() -> None:
    text = (
        "《雨夜》\n目录\n第一集 来\n第二集 去\n\n第一集 来\n"
        + CHINESE[4:]
        + "第二集 去\n1-1 夜 外 街\n林晚：走。\n又走。"
    )
    found = episodes(read(text))
    assert [(one.number, one.title) for one in found] == [(1, "来"), (2, "去")]
    assert "\n".join(one.text for one in found) == text
    assert found[1].text.startswith("第二集 去\n1-1 夜")
    assert text.split("\n")[found[1].span.first_line - 1] == "第二集 去"
    assert episodes(read(ENGLISH)) == []


def test_numbers_in_whatever_script() -> None:
    wanted = {
        "十": 10,
        "二十一": 21,
        "一百一十": 110,
        "一百零八": 108,
        "廿三": 23,
        "二〇": 20,
        "１２": 12,
        "XIV": 14,
        "Forty-two": 42,
    }
    assert {text: numerals.read(text) for text in wanted} == wanted
    assert [numerals.read(text) for text in ("", "door", "x", "9" * 99)] == [None] * 4


def test_pieces_end_where_scenes_do() -> None:
    scenes = [f"INT. ROOM {number} - DAY\n\nTOM\nLine.\n\n" for number in range(10)]
    parts = pieces(read("".join(scenes)), characters=100)
    assert "".join(parts) == "".join(scenes)
    assert all(part.startswith("INT. ROOM") for part in parts)
    with pytest.raises(ValueError, match="at least one"):
        pieces(read(ENGLISH), characters=0)


def test_a_list_of_characters_gives_names_and_facts_and_no_dialogue() -> None:
    found = _read(
        "人物小传\n林晚（女，24岁）：设计师，又名晚晚。声音：清亮\n陆沉：男，30岁，总裁。\n\n"
        "1-1 日 内 家\n晚晚：你好。\n陆沉：嗯。\n",
        "a.txt",
    )
    first, second = found.characters
    assert (first.name, first.aliases, first.age) == ("林晚", ("晚晚",), "24")
    assert (first.gender, first.voice) == (Gender.FEMALE, "清亮")
    assert (second.name, second.age, second.gender, second.lines) == ("陆沉", "30", Gender.MALE, 1)
    assert found.scenes[0].cast == ("林晚", "陆沉")


def test_introductions_give_age_gender_and_description() -> None:
    found = _read(
        "INT. BAR - NIGHT\n\nRain. MIRA SOLIS (30s), a nurse, comes in. A GUN lies there.\n\n"
        "Mira orders. She waits for her drink.\n\nMIRA (V.O.)\nI was early.\n\nMIRA (CONT'D)\nAs ever.\n"
    )
    (mira,) = found.characters
    assert (mira.name, mira.aliases, mira.age, mira.gender, mira.lines) == (
        "MIRA",
        ("MIRA SOLIS",),
        "30s",
        Gender.FEMALE,
        2,
    )
    assert mira.description == "MIRA SOLIS (30s), a nurse, comes in."
    assert mira.span.first_line == 3
    assert found.scenes[0].cues[0].extension == "V.O."


def test_extras_are_no_characters() -> None:
    found = _read(
        "1-1 日 内 家\n人物：林晚、保安若干、村民甲\n村民甲：看！\n"
        "员工B：嘘。\n众人：啊！\n林晚：走。\n旁白：她走了。\n",
        "a.txt",
    )
    assert [character.name for character in found.characters] == ["林晚"]
    assert set(found.scenes[0].extras) == {"保安若干", "村民甲", "员工B", "众人"}
    assert [cue.speaker for cue in found.scenes[0].cues] == ["村民甲", "员工B", "众人", "林晚", "旁白"]
    english = _read("INT. A - DAY\n\nGUARD #2\nStop!\n\nCROWD\nBoo!\n\nTWO COPS\nHey!\n\nANN\nNo.\n")
    assert [character.name for character in english.characters] == ["ANN"]


def test_only_who_is_there_is_in_the_cast() -> None:
    found = _read(
        "INT. A - DAY\n\nANN\nHi.\n\nBOB\nHi.\n\nINT. B - DAY\n\nA photo of Ann on Bob's desk.\n\nCY\nHm.\n\n"
        "INT. C - DAY\n\nBob's hand shakes. He waits for Ann.\n"
    )
    assert [scene.cast for scene in found.scenes] == [("ANN", "BOB"), ("CY",), ("BOB",)]


def test_props_come_from_notes_tags_and_lines_for_them() -> None:
    assert _read("INT. A - DAY [[Props: lantern, red coat]]\n\nANN\nHi.\n").props[0].name == "lantern"
    assert [prop.name for prop in _read("1-1 日 内 家\n道具：古戒、卷轴\n林晚：走。\n", "a.txt").props] == [
        "古戒",
        "卷轴",
    ]
    found = _read("INT. A - DAY\n\n[[Cast: ANN, BOB]]\n\nNobody speaks.\n")
    assert found.scenes[0].cast == ("ANN", "BOB")


def test_roles_go_by_lines_and_what_is_inferred_is_less_sure() -> None:
    cues = "".join(f"1-{n} 日 内 家\n林晚：一。\n林晚：二。\n" for n in range(1, 6)) + "顾母：好。\n"
    found = _read(cues, "a.txt")
    assert [character.role for character in found.characters] == [Role.LEAD, Role.SUPPORTING]
    assert found.scenes[0].confidence == 1
    told = _read("“走。”林晚说。\n\n“不。”陆沉说。\n\n“走！”林晚说道。\n", "a.txt")
    assert told.format is Format.PROSE
    assert [character.name for character in told.characters] == ["林晚", "陆沉"]
    assert all(character.confidence < 0.7 for character in told.characters)
    assert told.warnings
