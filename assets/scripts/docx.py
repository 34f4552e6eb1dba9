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
_MOST_XML = 60 << 20  # unpacked, of the document itself
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


def read(data: bytes) -> tuple[str, bool]:
    """The text, and whether it is Fountain, made of a screenplay's styles.

    Raises ScriptUnreadable, ScriptTooLong.
    """
    _check(data)
    try:
        document = docx.Document(io.BytesIO(data))
        styles = {style.style_id: (style.name or "").lower() for style in document.styles}
        found = list(_Reader(styles).blocks(document.element.body))
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
            if total > _MOST_BYTES or file.getinfo("word/document.xml").file_size > _MOST_XML:
                raise ScriptTooLong(details={"max_bytes": _MOST_BYTES})
            for info in infos:
                if info.filename.endswith((".xml", ".rels")):
                    with file.open(info) as part:
                        if b"<!DOCTYPE" in part.read(4_096).replace(b"\0", b""):
                            raise ScriptUnreadable.of(
                                "xml", "The document has a DTD in it, which Word never writes. Save it again."
                            )
    except _BROKEN as error:
        raise _damaged() from error


def _damaged() -> ScriptUnreadable:
    return ScriptUnreadable.of("damaged", "The Word document is damaged. Open it in Word and save it again.")


class _Reader:
    def __init__(self, styles: dict[str, str]) -> None:
        self._styles = styles

    def blocks(self, parent: Any) -> Iterator[tuple[Type | None, str]]:
        """Type by style, and text, of all that stands in an element."""
        for child in parent:
            if child.tag == _W + "p":
                yield self._paragraph(child)
                for box in child.iter(_W + "txbxContent"):
                    if not any(above.tag == _FALLBACK for above in box.iterancestors()):
                        yield from self.blocks(box)
            elif child.tag == _W + "tbl":
                for row in child.iter(_W + "tr"):
                    yield None, self._row(row)
            elif child.tag in (_W + "sdt", _W + "sdtContent", _W + "customXml", _W + "ins"):
                yield from self.blocks(child)

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

    def _row(self, row: Any) -> str:
        """SARAH | Hello. in two cells is SARAH: Hello. — as scripts in tables mean it."""
        cells = []
        for cell in row.iter(_W + "tc"):
            cells.append(" ".join(" ".join("".join(self._texts(one)).split()) for one in cell.iter(_W + "p")).strip())
        filled = [cell for cell in cells if cell]
        if len(cells) == 2 and len(filled) == 2 and len(cells[0]) <= 30:
            wide = any(sign > "\u2e7f" for sign in cells[0] + cells[1])
            return f"{cells[0]}：{cells[1]}" if wide else f"{cells[0]}: {cells[1]}"
        return " | ".join(filled)
