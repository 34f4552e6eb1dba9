"""Files of subtitles: read as players read them, refused with the line that is wrong, written as they are shown."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from videos.timeline import project, subtitles
from videos.timeline.model import Kind, Timeline, Track
from videos.timeline.subtitles import SubtitlesInvalid
from videos.timeline.texts import Text

Shown = list[tuple[float, float, str]]

SUBRIP = """\
1
00:00:01,000 --> 00:00:02,500
Hello <i>there</i>,
{\\an8}<font color="#ff0000">世界</font> &amp; all

2
00:01:00,040 --> 00:01:02,000 X1:0
<b><i>both</i></b> a < b
"""

WEB = """\
WEBVTT - a title
Kind: captions

STYLE
::cue { color: red }

NOTE
nothing of this

intro
00:01.000 --> 00:02.500 align:start line:0
<v.loud Ann>Hello <i.x>there</i></v>,
<00:00:01.500>世界 &lt;3 &amp; all

01:00:00.000 --> 01:00:01.000
last
"""


def shown(texts: tuple[Text, ...]) -> Shown:
    return [(text.start / 1e6, text.end / 1e6, text.text) for text in texts]


def test_subrip() -> None:
    first, second = subtitles.read(SUBRIP)
    assert shown((first, second)) == [(1, 2.5, "Hello there,\n世界 &amp; all"), (60.04, 62, "both a < b")]
    assert [(span.first, span.after, span.style.italic, span.style.bold) for span in first.spans] == [
        (6, 11, True, False)
    ]
    assert [(span.first, span.after, span.style.italic, span.style.bold) for span in second.spans] == [
        (0, 4, True, True)
    ]


def test_webvtt() -> None:
    first, second = subtitles.read(WEB)
    assert shown((first, second)) == [(1, 2.5, "Hello there,\n世界 <3 & all"), (3600, 3601, "last")]
    assert [(span.first, span.after) for span in first.spans] == [(6, 11)]


def test_ends_of_lines_and_marks_of_encodings_make_no_difference() -> None:
    for document in (
        SUBRIP.replace("\n", "\r\n"),
        SUBRIP.replace("\n", "\r"),
        "\ufeff" + SUBRIP,
        "\n\n" + SUBRIP + "\n",
    ):
        assert subtitles.read(document) == subtitles.read(SUBRIP)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"):
        assert subtitles.decoded(SUBRIP.encode(encoding)).removeprefix("\ufeff") == SUBRIP


def test_cues_at_the_same_time_are_one_text() -> None:
    document = "\n\n".join(
        [
            "00:00:05,000 --> 00:00:06,000\nlater",
            "00:00:00,000 --> 00:00:03,000\none",
            "00:00:01,000 --> 00:00:02,000\ntwo",
            "00:00:03,000 --> 00:00:03,000\nnever",
            "00:00:03,000 --> 00:00:04,000\n<i></i>",
        ]
    )
    found = subtitles.read(document)
    assert shown(found) == [(0, 1, "one"), (1, 2, "one\ntwo"), (2, 3, "one"), (5, 6, "later")]
    timeline = Timeline(tracks=(Track(kind=Kind.SUBTITLES, texts=found),))
    assert project.parse(project.dump(timeline)) == timeline


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ("1\n00:00:01,000 -> 00:00:02,000\na", 1),
        ("1\n00:00:01,000 --> 00:00:02\na", 2),
        (SUBRIP + "\n3\n00:00:05,000 --> 00:00:04,000\na\n", 11),
        (SUBRIP + "\nand more\n", 10),
        ("1\n99:00:01,000 --> 99:00:02,000\na", 2),
        ("00:00:01,000 --> 00:00:02,000\n" + "a" * 5001, 1),
    ],
)
def test_what_is_no_subtitle_is_named_by_its_line(document: str, line: int) -> None:
    with pytest.raises(SubtitlesInvalid, match=f"^Line {line}: ") as raised:
        subtitles.read(document)
    assert raised.value.details == {"line": line}


def test_chinese_with_rare_and_traditional_signs_is_read() -> None:
    said = SUBRIP.replace(
        "世界", "世界和平，朱镕基的𠮷祥之夜；我們走吧，再見了，你好不好？今天天气很好，明天也是这样的。"
    )
    assert subtitles.decoded(said.encode("gb18030")) == said


@pytest.mark.parametrize(
    ("said", "encoding"), [("été à Noël, où ça", "latin-1"), ("日本語の字幕", "shift-jis"), ("Привет", "cp1251")]
)
def test_another_encoding_is_named_by_its_line(said: str, encoding: str) -> None:
    with pytest.raises(SubtitlesInvalid, match=r"^Line 4: .*UTF-8"):
        subtitles.decoded(SUBRIP.replace("世界", said).encode(encoding))


def cues(count: int, said: str, *, seconds: int = 1, step: int = 1) -> str:
    """So many, each beginning so many milliseconds after the one before."""
    times = [(number * step, number * step + seconds * 1000) for number in range(count)]
    return "\n\n".join(f"{clock(start)} --> {clock(end)}\n{said}" for start, end in times)


def clock(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},{thousandths:03d}"


@pytest.mark.parametrize(
    ("document", "line", "word"),
    [
        (cues(21, "a", seconds=9), 61, "at once"),
        (cues(20_001, "a", seconds=1, step=1000), 60_001, "subtitles"),
        (cues(201, "a" * 5000, step=1000), 601, "characters"),
        (cues(1, "a" * 4999, seconds=900) + "\n\n" + cues(300, "b", step=2000), 304, "characters"),
        ("00:00:01,000 --> 00:00:02,000\na\nb\0", 3, "NUL"),
    ],
    ids=range(5),
)
def test_what_would_take_all_memory_is_refused(document: str, line: int, word: str) -> None:
    with pytest.raises(SubtitlesInvalid, match=word) as raised:
        subtitles.read(document)
    assert raised.value.details == {"line": line}


@pytest.mark.parametrize("head", ["", "WEBVTT\n\n"])
@pytest.mark.parametrize("said", ["<" + "a" * 10**6, "<a " * 10**5, "{\\" * 10**5, "<b>" * 10**5, "&" * 10**5])
def test_marks_that_never_end_take_no_time(head: str, said: str) -> None:
    with suppress(SubtitlesInvalid):
        subtitles.read(f"{head}00:00:01.000 --> 00:00:02.000\n{said}")


def test_what_is_written_has_the_times_of_the_frames() -> None:
    text = subtitles.read("00:00:01,010 --> 00:00:02,020\na <b>&lt;b&gt;</b>\n\n")[0]
    rate = Fraction(30000, 1001)
    assert subtitles.written([text], rate, web=True) == (
        "WEBVTT\n\n00:00:01.001 --> 00:00:02.035\na <b>&amp;lt;b&amp;gt;</b>\n"
    )
    assert subtitles.written([text], rate, web=False) == "00:00:01,001 --> 00:00:02,035\na <b>&lt;b&gt;</b>\n"


@given(some.lists(some.text(alphabet="ab<>&-{}\\\n é世", min_size=1, max_size=20), max_size=5))
def test_what_is_written_is_read_again(said: list[str]) -> None:
    texts = [Text(start=number * 1_000_000, duration=500_000, text=text) for number, text in enumerate(said)]
    again = subtitles.read(subtitles.written(texts, Fraction(10), web=True))
    wanted = {text.start: text.text for text in texts if text.text.strip()}
    assert {text.start: text.text.split() for text in again} == {start: text.split() for start, text in wanted.items()}
