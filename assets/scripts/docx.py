"""Word documents: paragraphs, tables and text boxes, as text.

What is refused is refused before anything is unpacked: more parts than a document has, bombs, by the sizes that the
archive states (zipfile gives no more than that of any part), and XML with a DTD.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError
from lxml.etree import XMLSyntaxError

from assets.scripts.errors import ScriptTooLong, ScriptUnreadable
from assets.scripts.paragraphs import Paragraph, Type, as_fountain

_MARK = b"PK\x03\x04"
_MOST_PARTS = 5_000
_MOST_BYTES = 200 << 20  # unpacked, of all parts: pictures too
_MOST_XML = 60 << 20  # unpacked, of all parts that are XML, whatever they are called: a tree is built of each
_DEEPEST = 20  # tables and text boxes inside of each other
_SMALL = 10 << 20  # bytes: a part that is no larger is no bomb, however well it is packed
_RATIO = 200
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    KeyError,
    NotImplementedError,
    OverflowError,
    XMLSyntaxError,
)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_AROUND = frozenset(_W + name for name in ("sdt", "sdtContent", "customXml", "ins"))
_STYLES = {
    Type.HEADING: ("scene heading", "slugline", "scene header", "场景标题", "场景", "场次"),
    Type.CHARACTER: ("character", "character name", "角色", "人物", "人物名"),
    Type.DIALOGUE: ("dialogue", "dialog", "对白", "台词"),
    Type.PARENTHETICAL: ("parenthetical", "wryly", "括号说明"),
    Type.TRANSITION: ("transition", "转场"),
    Type.ACTION: ("action", "action/description", "shot", "动作"),
}
_BY_STYLE = {name: kind for kind, named in _STYLES.items() for name in named}
_TWIPS = 144  # of a column of twelve-point Courier


def is_one(data: bytes) -> bool:
    """Whether it is a zip archive; Word documents are."""
    return data.startswith(_MARK)


def read(data: bytes, *, characters: int) -> tuple[str, bool]:
    """The text, and whether it is Fountain, made of a screenplay's styles. `characters`: how many there may be.

    Raises ScriptUnreadable, ScriptTooLong.
    """
    _check(data)
    try:
        document = docx.Document(io.BytesIO(data))
        styles = {style.style_id: (style.name or "").lower() for style in document.styles}
        found: list[tuple[Type | None, str]] = []
        left = characters + 1
        for kind, text in _Reader(styles).blocks(document.element.body):
            left -= len(text) + 1
            if left < 0:
                raise ScriptTooLong(details={"max_characters": characters})
            found.append((kind, text))
    except (*_BROKEN, PackageNotFoundError, AttributeError, TypeError, RecursionError) as error:
        raise _damaged() from error
    kinds = {kind for kind, _ in found}
    if {Type.HEADING, Type.CHARACTER, Type.DIALOGUE} <= kinds:
        return as_fountain(Paragraph(type=kind or Type.ACTION, text=text) for kind, text in found), True
    return "\n".join(text for _, text in found), False


def _check(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            infos = file.infolist()
            if "word/document.xml" not in file.namelist():
                raise ScriptUnreadable.of(
                    "archive", "This is a zip archive and no Word document. Send the script that is in it."
                )
            if len(infos) > _MOST_PARTS:
                raise ScriptUnreadable.of(
                    "entries", "The document has more parts than any Word document needs. Save it again."
                )
            if any(info.flag_bits & 0x1 for info in infos):
                raise ScriptUnreadable.of("password", "The document has a password. Save it without one.")
            total = sum(info.file_size for info in infos)
            large = [info for info in infos if info.file_size > _SMALL]
            if any(info.file_size > _RATIO * max(1, info.compress_size) for info in large) or total > max(
                _SMALL, _RATIO * len(data)
            ):
                raise ScriptUnreadable.of("ratio", "The document would unpack to many times its size. Save it again.")
            if total > _MOST_BYTES or sum(info.file_size for info in infos if _is_xml(file, info)) > _MOST_XML:
                raise ScriptTooLong(details={"max_bytes": _MOST_BYTES})
    except _BROKEN as error:
        raise _damaged() from error


def _is_xml(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    """Whether a part could be parsed. Raises ScriptUnreadable if there is a DTD in it."""
    with file.open(info) as part:
        head = part.read(4_096).replace(b"\0", b"")
    found = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")
    if found and b"<!DOCTYPE" in head:
        raise ScriptUnreadable.of("xml", "The document has a DTD in it, which Word never writes. Save it again.")
    return found


def _damaged() -> ScriptUnreadable:
    return ScriptUnreadable.of("damaged", "The Word document is damaged. Open it in Word and save it again.")


class _Reader:
    def __init__(self, styles: dict[str, str]) -> None:
        self._styles = styles

    def blocks(self, parent: Any, depth: int = 0) -> Iterator[tuple[Type | None, str]]:
        """Type by style, and text, of all that stands in an element. Each is read once, however they are nested."""
        if depth > _DEEPEST:
            raise ScriptUnreadable.of(
                "nested", "There are tables or boxes in each other deeper than any document needs. Send it as text."
            )
        for child in _children(parent):
            if child.tag == _W + "p":
                yield self._paragraph(child)
                for box in _boxes(child):
                    yield from self.blocks(box, depth + 1)
            elif child.tag == _W + "tbl":
                for row in _children(child):
                    if row.tag == _W + "tr":
                        yield from self._row([cell for cell in _children(row) if cell.tag == _W + "tc"], depth + 1)

    def _paragraph(self, paragraph: Any) -> tuple[Type | None, str]:
        properties = paragraph.find(_W + "pPr")
        style = properties.find(_W + "pStyle") if properties is not None else None
        name = self._styles.get(style.get(_W + "val"), "") if style is not None else ""
        text = "".join(self._texts(paragraph))
        kind = _BY_STYLE.get(name.split(",")[0].strip())
        return kind, (" " * self._indent(properties) + text if text.strip() and kind is None else text)

    @staticmethod
    def _indent(properties: Any) -> int:
        """In columns: where names and speech are set in, that tells them apart."""
        if properties is None:
            return 0
        justified, indent = properties.find(_W + "jc"), properties.find(_W + "ind")
        if justified is not None and justified.get(_W + "val") == "center":
            return 30
        left = (indent.get(_W + "left") or indent.get(_W + "start") or "0") if indent is not None else "0"
        return min(40, max(0, int(left) // _TWIPS)) if left.lstrip("-").isdigit() else 0

    def _texts(self, parent: Any) -> Iterator[str]:
        for child in parent:
            if child.tag == _W + "t":
                yield child.text or ""
            elif child.tag == _W + "tab":
                yield "\t"
            elif child.tag in (_W + "br", _W + "cr"):
                yield "\n"
            elif child.tag == _W + "noBreakHyphen":
                yield "-"
            elif child.tag in (
                _W + "r",
                _W + "hyperlink",
                _W + "ins",
                _W + "smartTag",
                _W + "sdt",
                _W + "sdtContent",
                _W + "moveTo",
                _W + "fldSimple",
            ):
                yield from self._texts(child)

    def _row(self, cells: list[Any], depth: int) -> Iterator[tuple[Type | None, str]]:
        """SARAH | Hello. in two cells is SARAH: Hello. — as scripts in tables mean it. One cell is a page."""
        if len(cells) == 1:
            yield from self.blocks(cells[0], depth)
            return
        texts = [" ".join(" ".join(text for _, text in self.blocks(cell, depth)).split()) for cell in cells]
        filled = [text for text in texts if text]
        if len(texts) == 2 and len(filled) == 2 and len(texts[0]) <= 30:
            wide = any(sign > "\u2e7f" for sign in texts[0] + texts[1])
            yield None, f"{texts[0]}：{texts[1]}" if wide else f"{texts[0]}: {texts[1]}"
        else:
            yield None, " | ".join(filled)


def _children(parent: Any) -> Iterator[Any]:
    """What stands right in an element; controls, marks of others' programs and insertions are looked through."""
    for child in parent:
        if child.tag in _AROUND:
            yield from _children(child)
        else:
            yield child


def _boxes(paragraph: Any) -> Iterator[Any]:
    """The text boxes of a paragraph, but none that stands in another one, nor what is shown instead of one."""
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        if element.tag == _W + "txbxContent":
            yield element
        elif element.tag != _FALLBACK:
            waiting += reversed(element)
