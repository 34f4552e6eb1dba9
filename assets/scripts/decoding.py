"""Bytes become text: UTF-8 if they are that, what a byte order mark says, UTF-16 by its zeros, else GB18030 if it reads
like Chinese, else Windows-1252. Nothing is guessed from statistics of languages: a wrong guess ruins a script, and
these cover what programs for writing scripts save.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from assets.scripts.errors import ScriptUnreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 200_000
_WORD = "This file is an old Word document (.doc). Open it in Word or LibreOffice and save it as .docx."
_FILES = (  # how files begin that are no text, and what to do then
    (b"%PDF", "pdf", "This is a PDF. Save the script as text, Fountain, Final Draft or Word, and send that."),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "doc", _WORD),
    (b"{\\rtf", "rtf", "This is rich text (.rtf). Save it as .docx or as plain text, and send that."),
    (b"\x89PNG", "picture", ""),
    (b"\xff\xd8\xff", "picture", ""),
    (b"GIF8", "picture", ""),
    (b"RIFF", "media", ""),
    (b"\x00\x00\x00\x18ftyp", "media", ""),
    (b"\x00\x00\x00\x20ftyp", "media", ""),
    (b"ID3", "media", ""),
    (b"OggS", "media", ""),
    (b"\x1aE\xdf\xa3", "media", ""),
    (b"\x1f\x8b", "archive", ""),
    (b"7z\xbc\xaf", "archive", ""),
    (b"Rar!", "archive", ""),
    (b"\x7fELF", "program", ""),
    (b"MZ\x90", "program", ""),
    (b"SQLite format 3", "database", ""),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_USUAL = re.compile(
    r"[\t\n\r -~\u00a0-\u024f\u0370-\u04ff\u2010-\u2026\u25a0-\u25ff\u3000-\u30ff\u4e00-\u9fa5"
    r"\uac00-\ud7a3\uff00-\uff5e]"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n?|[\x0b\x85\u2028\u2029]|\f(?=\n)|\f")


def refuse_files(data: bytes) -> None:
    """What is a file of another kind, whatever its name. Raises ScriptUnreadable."""
    for mark, reason, sentence in _FILES:
        if data.startswith(mark):
            raise ScriptUnreadable.of(reason, sentence or f"{ScriptUnreadable.message} This file is none of them.")


def decode(data: bytes) -> tuple[str, str]:
    """The text, and the encoding's name. Raises ScriptUnreadable."""
    refuse_files(data)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data, "utf-8-sig" if encoding == "utf-8" else encoding), encoding
    if encoding := _wide(data[:_SAMPLE]):
        return _strictly(data, encoding), encoding
    if _is_binary(data[:_SAMPLE]):
        raise ScriptUnreadable.of("binary", f"{ScriptUnreadable.message} This file holds no text.")
    for encoding, text in _attempts(data):
        return text, encoding
    raise ScriptUnreadable.of(
        "encoding", "It can't be told how the letters in this file are encoded. Save it as UTF-8 and send that."
    )


def clean(text: str) -> str:
    """Lines that end in \\n, and nothing in it that is no character."""
    text = _LINE_END.sub("\n", text.removeprefix("\ufeff"))
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))


def _attempts(data: bytes) -> Iterator[tuple[str, str]]:
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            # A file that was cut off in the middle of a character, or has a broken one, is UTF-8 all the same.
            if encoding == "utf-8" and _mostly_utf8(data, error):
                yield "utf-8", data.decode("utf-8", "replace")
            continue
        if encoding == "utf-8" or _is_chinese(text):
            yield encoding, text
    if _is_western(data):
        yield "windows-1252", data.decode("cp1252", "replace")
    text = data.decode("gb18030", "replace")
    if text.count("\ufffd") * 100 < len(text) and _is_chinese(text):
        yield "gb18030", text


def _strictly(data: bytes, encoding: str) -> str:
    text = data.decode(encoding, "replace")
    if text.count("\ufffd") * 20 > len(text):
        raise ScriptUnreadable.of("encoding", "The letters in this file are damaged. Save it as UTF-8 and send that.")
    return text


def _mostly_utf8(data: bytes, error: UnicodeDecodeError) -> bool:
    sample = data[: _SAMPLE + error.start]
    text = sample.decode("utf-8", "ignore")
    lost = len(sample) - len(text.encode())
    return sum(1 for sign in text[:_SAMPLE] if sign > "\x7f") > 20 * lost


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: there are NULs, and read two by two all but a few are characters that scripts have."""
    pairs = len(sample) // 2
    if pairs < 4 or b"\0" not in sample:
        return ""
    usual = {}
    for encoding in ("utf-16-le", "utf-16-be"):
        text = sample[: pairs * 2].decode(encoding, "replace")
        usual[encoding] = 0 if _CONTROL.search(text) else len(_USUAL.findall(text))
    best = max(usual, key=lambda encoding: usual[encoding])
    return best if usual[best] >= 0.95 * pairs else ""


def _is_binary(sample: bytes) -> bool:
    """NUL here and there is dirt; more of it, or of other control characters, is no text."""
    control = sum(sample.count(byte) for byte in (*range(9), *range(14, 27), *range(28, 32)))
    return control * 50 > len(sample)


def _is_chinese(text: str) -> bool:
    """Of what is not ASCII, nearly all is common Han, its punctuation or full width: chance makes rare characters."""
    sample = text[:_SAMPLE]
    foreign = sum(1 for sign in sample if sign > "\x7f")
    usual = 0
    for sign in sample:
        if (
            "\u4e00" <= sign <= "\u9fa5"
            or "\u3000" <= sign <= "\u303f"
            or "\uff00" <= sign <= "\uff5e"
            or sign in "“”‘’—…·△▲×○●■◆①②③④⑤"
        ):
            usual += 1
    return foreign > 0 and usual >= 0.95 * foreign and _level_one(sample) >= 0.7 * max(1, usual)


def _level_one(sample: str) -> int:
    """Characters of GB 2312's first level, the 3,755 in daily use, and punctuation."""
    count = 0
    for sign in sample:
        if sign > "\x7f":
            pair = sign.encode("gb18030", "ignore")
            count += len(pair) == 2 and pair[1] >= 0xA1 and (0xB0 <= pair[0] <= 0xD7 or 0xA1 <= pair[0] <= 0xA3)
    return count


def _is_western(data: bytes) -> bool:
    """Latin letters with a few accents and typographic quotes among them."""
    sample = data[:_SAMPLE]
    high = sum(1 for byte in sample if byte > 0x7F)
    return high * 5 < len(sample) and not any(byte in sample for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
