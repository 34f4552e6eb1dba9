"""Word documents whose tables and text boxes stand in each other: each is read once."""

from __future__ import annotations

import io
import time
import zipfile

import docx
import pytest

from assets.scripts import Limits, ScriptTooLong, ScriptUnreadable, read

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _document(body: str, **parts: bytes) -> bytes:
    """A document that python-docx made, with another body; and with other parts, by the end of their names."""
    base, made = io.BytesIO(), io.BytesIO()
    docx.Document().save(base)
    with zipfile.ZipFile(base) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            data = source.read(info)
            if info.filename == "word/document.xml":
                data = f"<w:document {_W}><w:body>{body}</w:body></w:document>".encode()
            target.writestr(info.filename, parts.get(info.filename.rpartition("/")[2].split(".")[0], data))
    return made.getvalue()


def _paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def _table(*rows: tuple[str, ...]) -> str:
    cells = ("".join(f"<w:tc>{cell}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def _boxes(depth: int) -> str:
    return "<w:p><w:r><w:t>x</w:t></w:r><w:txbxContent>" * depth + "</w:txbxContent></w:p>" * depth


def test_boxes_in_boxes_are_read_once_each() -> None:
    began = time.thread_time()
    assert read(_document(_boxes(16)), name="a.docx").text.split() == ["x"] * 16
    assert time.thread_time() - began < 5  # two to the sixteenth were it twice each


def test_tables_in_tables_are_read_once_each() -> None:
    body = _paragraph("SARAH")
    for _ in range(10):
        body = _table((body,), (_paragraph("Hello."),))
    assert read(_document(body), name="a.docx").text.split() == ["SARAH", *["Hello."] * 10]


def test_a_table_in_a_cell_stands_where_it_is() -> None:
    inner = _table((_paragraph("ANN"), _paragraph("Hi.")), (_paragraph("BOB"), _paragraph("Ho.")))
    content = f"<w:sdt><w:sdtContent><w:tr><w:tc>{inner}</w:tc></w:tr></w:sdtContent></w:sdt>"
    found = read(_document(f"<w:tbl>{content}</w:tbl>" + _paragraph("End.")), name="a.docx")
    assert found.text.split("\n") == ["ANN: Hi.", "BOB: Ho.", "End."]


@pytest.mark.parametrize("body", [_boxes(60), "<w:tbl><w:tr><w:tc>" * 60 + "</w:tc></w:tr></w:tbl>" * 60])
def test_what_is_nested_deeper_than_any_document_is_refused(body: str) -> None:
    with pytest.raises(ScriptUnreadable) as caught:
        read(_document(body), name="a.docx")
    assert caught.value.details["reason"] == "nested"


def test_a_document_is_refused_as_soon_as_it_is_too_long() -> None:
    with pytest.raises(ScriptTooLong) as caught:
        read(_document(_paragraph("Hello. ") * 100), name="a.docx", limits=Limits(characters=200))
    assert caught.value.details["max_characters"] == 200


def test_every_part_that_is_xml_counts_as_the_document_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.scripts.docx._MOST_XML", 2_000_000)
    read(_document(_paragraph("Hello.")), name="a.docx")
    styles = f"<w:styles {_W}>{'<w:style/>' * 200_000}</w:styles>".encode()
    with pytest.raises(ScriptTooLong):
        read(_document(_paragraph("Hello."), styles=styles), name="a.docx")
