"""Files that are no scripts, or meant to hurt."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial

import pytest

from assets.scripts import Limits, Script, ScriptTooLong, ScriptUnreadable, break_down, episodes, pieces, read
from assets.scripts.breakdown import Format
from tests.effort import assert_at_most


def _refused(data: bytes | str, name: str = "a.txt") -> str:
    with pytest.raises(ScriptUnreadable) as caught:
        read(data, name=name)
    assert caught.value.code == "script_unreadable"
    assert caught.value.status == 422
    assert caught.value.message.endswith(".")
    return str(caught.value.details["reason"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "pdf"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "doc"),
        (b"{\\rtf1\\ansi INT. HOUSE - DAY}", "rtf"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "picture"),
        (b"PK\x03\x04 and no archive", "damaged"),
        (bytes(range(256)) * 20, "binary"),
        (b"", "empty"),
        (b" \n\t\r\n ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
    ],
)
def test_a_file_of_another_kind_is_refused_whatever_it_is_called(data: bytes, reason: str) -> None:
    for name in ("a.txt", "a.fountain", "a.docx", "a.doc", ""):
        assert _refused(data, name) == reason


def test_a_script_that_was_typed_may_be_nothing_yet() -> None:
    assert break_down(read("")).scenes == ()


def test_long_scripts_are_refused_by_bytes_and_by_characters() -> None:
    small = Limits(data_bytes=1_000, characters=100)
    for data in (b"x" * 1_001, b"x" * 101, "x" * 101):
        with pytest.raises(ScriptTooLong) as caught:
            read(data, limits=small)
        assert caught.value.status == 413
        assert caught.value.details == {"max_bytes": 1_000, "max_characters": 100}


def test_a_hundred_megabytes_are_refused_without_being_looked_at() -> None:
    data = bytes(100 << 20)
    tracemalloc.start()
    with pytest.raises(ScriptTooLong):
        read(data, name="a.txt")
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_nul_and_lone_surrogates_do_not_get_through() -> None:
    script = read("INT. HO\0USE - DAY\n\nSA\ud800RAH\nHi\x07.\r\nThere.\r")
    assert script.text == "INT. HOUSE - DAY\n\nSA\ufffdRAH\nHi.\nThere.\n"
    assert break_down(script).scenes[0].place_name == "HOUSE"


XML_BOMB = """<?xml version="1.0"?><!DOCTYPE FinalDraft [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<FinalDraft><Content><Paragraph Type="Action"><Text>&b;</Text></Paragraph></Content></FinalDraft>"""
XML_OUTSIDE = """<?xml version="1.0"?><!DOCTYPE FinalDraft [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<FinalDraft><Content><Paragraph Type="Action"><Text>&a;</Text></Paragraph></Content></FinalDraft>"""


@pytest.mark.parametrize(
    "data",
    [
        XML_BOMB,
        XML_OUTSIDE,
        "<FinalDraft><Content>",
        "<FinalDraft>" + "<Content>" * 100_000,
        "<FinalDraft></FinalDraft>",
        "<FinalDraft><Content><Paragraph></Content></FinalDraft>",
        '<FinalDraft><Content a="1" a="2"/></FinalDraft>',
    ],
)
def test_xml_that_is_broken_or_a_bomb_is_refused(data: str) -> None:
    assert _refused(data.encode(), "a.fdx") == "xml"
    assert _refused(data, "") == "xml"


def _archive(parts: dict[str, bytes], *, packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_archives_that_are_no_documents_or_bombs_are_refused() -> None:
    assert _refused(_archive({"script.txt": b"INT. HOUSE - DAY"}), "a.docx") == "archive"
    assert _refused(_archive({"word/document.xml": b"<a/>"}), "a.docx") == "damaged"
    assert _refused(_archive({"word/document.xml": bytes(50 << 20)}), "a.docx") == "ratio"
    many = {f"word/{number}.xml": b"" for number in range(6_000)} | {"word/document.xml": b"<a/>"}
    assert _refused(_archive(many), "a.docx") == "entries"
    assert _refused(_archive({"word/document.xml": XML_BOMB.encode()}), "a.docx") == "xml"
    assert _refused(_archive({"word/document.xml": XML_BOMB.encode("utf-16")}), "a.docx") == "xml"
    whole = _archive({"word/document.xml": b"<a/>" * 1_000})
    assert _refused(whole[: len(whole) // 2], "a.docx") == "damaged"


def _long_line(size: int) -> str:
    return "字" * size


EVIL: dict[str, Callable[[int], str]] = {
    "one line of Chinese": _long_line,
    "one line of letters": lambda size: "A" * size,
    "one line of words": lambda size: "Ab " * (size // 3),
    "one line in capitals": lambda size: "INT. " + "AB, " * (size // 4),
    "blanks": lambda size: "INT. " + " " * size + "x",
    "dashes": lambda size: "INT. A" + " - " * (size // 3),
    "brackets": lambda size: "SARAH " + "(" * size,
    "closed brackets": lambda size: "SARAH" + "()" * (size // 2) + "\nHi",
    "notes": lambda size: "[[" * (size // 2),
    "half notes": lambda size: "[[a" * (size // 3),
    "boneyards": lambda size: "/*" * (size // 2),
    "colons": lambda size: "：" * size,
    "quotes": lambda size: "“" * size,
    "stops": lambda size: "A. " * (size // 3),
    "short lines": lambda size: "a\n" * (size // 2),
    "names": lambda size: "\n".join(f"NAME{number}\nhi\n" for number in range(size // 14)),
    "one name": lambda size: "SARAH\nHi.\n\n" * (size // 11),
    "Chinese names": lambda size: "\n".join(f"林{chr(0x4E00 + number % 20000)}：你好" for number in range(size // 6)),
    "headings": lambda size: "INT. A - DAY\n\n" * (size // 14),
    "Chinese headers": lambda size: "1-1 日 内 客厅\n" * (size // 11),
    "numbers": lambda size: "12. 日 内 " * (size // 9),
    "episodes": lambda size: "第一集\n" * (size // 4),
    "emphasis": lambda size: "*_" * (size // 2),
    "list": lambda size: "人物小传\n" + "林晚，" * (size // 3),
    "list of many": lambda size: (
        "CAST OF CHARACTERS\n\n" + "\n".join(f"ANNA{n}, {n % 90}, x" for n in range(size // 14))
    ),
    "page heads": lambda size: "\n".join(f"HEAD  {number}." for number in range(size // 9)),
    "tabs": lambda size: "\t" * size + "A\nb",
    "prose": lambda size: "“Go,” said Anna. " * (size // 17),
    "prose in Chinese": lambda size: "林晚说：“走。”" * (size // 9),
    "cast": lambda size: "1-1 日 内 家\n人物：" + "林晚、" * (size // 3),
}


def _seconds(text: str, form: Format | None) -> float:
    """CPU of this thread, so that others don't count."""
    began = time.thread_time()
    script = read(text) if form is None else Script(format=form, title="", text=text, encoding="")
    break_down(script)
    return time.thread_time() - began


@pytest.mark.parametrize("evil", EVIL)
def test_sixteen_times_the_text_is_about_sixteen_times_the_work(evil: str) -> None:
    """Of a quadratic rule it would be 256 times."""
    few, many = (EVIL[evil](size) for size in (2_000, 32_000))
    for form in (None, *set(Format) - {Format.FDX}):  # Final Draft's is Fountain's reader
        assert_at_most(64, partial(_seconds, few, form), partial(_seconds, many, form))


def test_one_line_of_ten_megabytes_is_read() -> None:
    text = "林晚走进房间，" * 400_000
    script = read(text)
    assert break_down(script).scenes == () or len(break_down(script).scenes) == 1
    assert len(pieces(script, characters=100_000)) == 28


def test_an_episode_of_a_hundred_thousand_characters_is_read_whole() -> None:
    scene = (
        "1-{n} 日 内 客厅{n}\n人物：林晚、陆沉\n△林晚推门进来。\n"
        + "林晚（冷笑）：签字吧，别再浪费时间。\n陆沉：你再说一遍！\n" * 20
    )
    text = "第一集\n" + "\n".join(scene.replace("{n}", str(number)) for number in range(1, 170))
    assert len(text) > 100_000
    assert len(break_down(read(text)).scenes) == 169
    assert len(episodes(read(text))) == 1
