"""Final Draft's files: XML, whose paragraphs have types, scenes their cast, and words the tags of a breakdown.

    FinalDraft > Content > Paragraph[@Type, @Number] > Text[@TagNumber]
    Paragraph > DualDialogue > Paragraph …
    Paragraph > SceneProperties > SceneArcBeats > CharacterArcBeat[@Name]
    FinalDraft > TagData > TagCategories, TagDefinitions, Tags > Tag[@Number] > DefId
    FinalDraft > TitlePage > Content > Paragraph …

Seen in files of public projects; nothing of it is published. It is read as a stream: no tree of strange XML is built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from assets.scripts.errors import ScriptUnreadable
from assets.scripts.paragraphs import Paragraph, Type, as_fountain

_DEEPEST = 100
_TYPES = {
    "scene heading": Type.HEADING,
    "character": Type.CHARACTER,
    "dialogue": Type.DIALOGUE,
    "singing": Type.DIALOGUE,
    "lyrics": Type.DIALOGUE,
    "parenthetical": Type.PARENTHETICAL,
    "transition": Type.TRANSITION,
    "new act": Type.SECTION,
    "end of act": Type.SECTION,
    "cold opening": Type.SECTION,
    "act": Type.SECTION,
    "cast list": Type.CAST,
    "outline 1": Type.SYNOPSIS,
    "outline 2": Type.SYNOPSIS,
    "outline 3": Type.SYNOPSIS,
    "outline 4": Type.SYNOPSIS,
    "outline body": Type.SYNOPSIS,
    "synopsis": Type.SYNOPSIS,
}
_LEFT_OUT = ("note", "more", "page number")
_WITHIN = frozenset(("FinalDraft", "Content", "Paragraph", "DualDialogue"))
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")


def is_one(head: str) -> bool:
    """Whether text that begins so is Final Draft's."""
    return head.lstrip().startswith("<") and "<FinalDraft" in head


def read(text: str) -> str:
    """The script as Fountain. Raises ScriptUnreadable."""
    target = _Target()
    parser = DefusedXMLParser(target=target, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(_DECLARATION.sub("", text, count=1))
        parser.close()
    except DefusedXmlException as error:
        raise ScriptUnreadable.of(
            "xml", "The file has a DTD or entities in it, which Final Draft never writes. Save it again from there."
        ) from error
    except (ParseError, ValueError) as error:
        raise ScriptUnreadable.of(
            "xml", "The file is damaged: its XML can't be read. Save it again from Final Draft."
        ) from error
    if not target.content:
        raise ScriptUnreadable.of("xml", "There is no script in the file. Save it again from Final Draft.")
    return as_fountain(target.paragraphs(), title=target.title)


@dataclass(slots=True)
class _Open:
    """A paragraph, or a part of one that other paragraphs stand in."""

    type: str
    number: str
    parts: list[str] = field(default_factory=list)
    cast: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


class _Target:
    """What the parser tells of the file."""

    def __init__(self) -> None:
        self.content = False
        self.title = ""
        self._path: list[str] = []
        self._open: list[_Open] = []
        self._done: list[_Open] = []
        self._title_part: list[str] = []
        self._categories: dict[str, str] = {}
        self._definitions: dict[str, tuple[str, str]] = {}  # id: category and label
        self._tags: dict[str, str] = {}  # number: id of its definition
        self._tag = ""
        self._text: list[str] = []
        self._capitals = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._path.append(tag)
        if len(self._path) > _DEEPEST:
            raise ValueError("nested too deep")
        if tag == "Content" and self._path == ["FinalDraft", "Content"]:
            self.content = True
        elif tag == "Paragraph" and self._in_script():
            self._open.append(_Open(type=attributes.get("Type", "Action"), number=attributes.get("Number", "")))
        elif tag == "CharacterArcBeat" and self._open and attributes.get("Name", "").strip():
            self._open[-1].cast.append(attributes["Name"].strip())
        elif tag == "Text":
            self._capitals = "AllCaps" in attributes.get("Style", "")
            if self._open and attributes.get("TagNumber"):
                self._open[-1].tags.append(attributes["TagNumber"])
        elif tag == "TagCategory":
            self._categories[attributes.get("Id", "")] = attributes.get("Name", "")
        elif tag == "TagDefinition":
            self._definitions[attributes.get("Id", "")] = (attributes.get("CatId", ""), attributes.get("Label", ""))
        elif tag == "Tag":
            self._tag = attributes.get("Number", "")
        elif tag == "DefId":
            self._text = []

    def data(self, data: str) -> None:
        path = self._path
        if not path:
            return
        if path[-1] == "Text" and path[-2:-1] == ["Paragraph"]:
            if self._open and self._in_script(path[:-1]):
                self._open[-1].parts.append(data.upper() if self._capitals else data)
            elif path[:2] == ["FinalDraft", "TitlePage"] and not self.title:
                self._title_part.append(data)
        elif path[-1] == "DefId":
            self._text.append(data)

    def end(self, tag: str) -> None:
        if tag == "Paragraph" and self._in_script():
            self._done.append(self._open.pop())
        elif tag == "Paragraph" and self._title_part:
            self.title = self.title or " ".join("".join(self._title_part).split())
            self._title_part = []
        elif tag == "DefId" and self._tag:
            self._tags[self._tag] = "".join(self._text).strip()
        self._path.pop()

    def close(self) -> None:
        """Nothing is left to do."""

    def paragraphs(self) -> list[Paragraph]:
        """All of them, in order."""
        made = []
        for one in self._done:
            kind = one.type.strip().lower()
            if kind in _LEFT_OUT:
                continue
            made.append(
                Paragraph(
                    type=_TYPES.get(kind, Type.ACTION),
                    text="".join(one.parts),
                    number=one.number.strip()[:20].replace("#", ""),
                    cast=list(dict.fromkeys([*one.cast, *self._tagged(one, "cast")])),
                    props=self._tagged(one, "prop"),
                )
            )
        return made

    def _in_script(self, path: list[str] | None = None) -> bool:
        path = self._path if path is None else path
        return path[:2] == ["FinalDraft", "Content"] and _WITHIN.issuperset(path)

    def _tagged(self, paragraph: _Open, category: str) -> list[str]:
        """Labels of the tags in a paragraph whose category is called so."""
        found = []
        for number in dict.fromkeys(paragraph.tags):
            category_id, label = self._definitions.get(self._tags.get(number, ""), ("", ""))
            if label.strip() and self._categories.get(category_id, "").lower().startswith(category):
                found.append(label.strip().replace(",", " "))
        return list(dict.fromkeys(found))
