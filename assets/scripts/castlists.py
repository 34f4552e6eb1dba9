"""Lists of characters at the head of a script: names, other names and descriptions, and no dialogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from assets.scripts import facts, lines, names, traditional
from assets.scripts.elements import Element, Kind, Person

_TITLE = re.compile(
    r"(?:THE\s+)?(?:MAIN\s+|PRINCIPAL\s+)?(?:CAST(?: OF CHARACTERS| LIST)?|CHARACTERS?(?: LIST| DESCRIPTIONS?| "
    r"BREAKDOWN| BIOS)?|"
    r"DRAMATIS PERSONAE|LIST OF CHARACTERS|PERSONS OF THE PLAY)\s*:?",
    re.IGNORECASE,
)
_HAN_TITLE = re.compile(
    r"(?:[一二三四五六七八九十\d]+\s*[、.．]\s*)?(?:主要|主|核心|剧中|出场)?(?:人物|角色|演员)(?:小传|表|介绍|"
    r"简介|设定|列表|关系|档案|说明|一览|小记)(?:表)?|"
    r"(?:[一二三四五六七八九十\d]+\s*[、.．]\s*)?(?:主要|核心|剧中)(?:人物|角色)"
)
_SUBTITLE = re.compile(
    r"(?:主要|次要|其他|配角|主角|反派|女性|男性|女主角?|男主角?|群演|重要)?(?:人物|角色|配角|主角|反派)"
)
_BULLET = re.compile(
    r"(?:[-*•·●■◆▪◇○]\s*|\(?\d{1,3}[.)、．]\s*|[一二三四五六七八九十]{1,3}[、．.]\s*|[（(]\d{1,2}[)）]\s*)"
)
_LABEL = re.compile(
    r"(?:姓名|名字|角色名?|人物|(?:第?[一二三四1234]?(?:女|男)(?:主角?|配角?|[一二三四1234]号?)|主角|反派|女反派|"
    r"男反派|配角))\s*[：:]\s*"
)
_FIELD = re.compile(
    r"(?P<field>年龄|性别|身份|职业|性格|外貌|外形|形象|简介|背景|人物简介|特点|声音|音色|描述|别名|关系|小传|"
    r"动机|目标|人设|标签|"
    r"age|gender|sex|role|occupation|voice|description|appearance|personality)\s*[：:]\s*(?P<value>.*)",
    re.IGNORECASE,
)
_NICKNAME = re.compile(r"[“\"](?P<name>[^“”\"]{1,30})[”\"]")
_SEPARATOR = re.compile(r"[:：,，|\t（(;；。]|\s[-–—]+\s|[—–…]+|\.{2,}")
_SPACED = re.compile(r"(?P<name>\w[\w .'’-]{0,38}?)[ \t]{2,}(?P<about>\S.*)")
_HAN_SPACED = re.compile(
    r"(?P<name>[\u4e00-\u9fff·A-Za-z]{1,10})\s+(?P<about>(?:男|女|\d{1,3}岁?|[一二三四五六七八九十]+岁).*)"
)
_LONGEST_NAME = 40
_MOST_ALIASES = 20


def is_title(text: str) -> bool:
    """CAST OF CHARACTERS, 人物小传: what follows is a list."""
    bare = text.strip(" \t*_#=【】[]<>《》:：—-~〓")
    return len(bare) <= 40 and bool(_TITLE.fullmatch(bare) or _HAN_TITLE.fullmatch(bare))


def is_subtitle(text: str) -> bool:
    """主角, 其他角色 inside of a list."""
    bare = text.strip(" \t*_#=【】[]:：—-")
    return len(bare) <= 8 and bool(_SUBTITLE.fullmatch(bare))


def recognised(elements: Iterable[Element]) -> Iterator[Element]:
    """English scripts: what stands below CAST OF CHARACTERS is persons, until the script begins."""
    inside = False
    last: Element | None = None
    for element in elements:
        if element.kind in (Kind.ACTION, Kind.DIVISION, Kind.CUE, Kind.ASIDE, Kind.TITLE) and is_title(element.text):
            inside = True
            continue
        if inside and element.kind in (Kind.HEADING, Kind.TRANSITION, Kind.DIVISION):
            inside = False
        if not inside:
            if last:
                yield last
                last = None
            yield element
            continue
        found = entry(element.text) if element.kind in (Kind.ACTION, Kind.CUE) else None
        if found:
            if last:
                yield last
            last = Element(kind=Kind.PERSON, text=element.text, line=element.line, person=found)
        elif last and last.person:
            last = replace(last, person=continued(last.person, element.text))
    if last:
        yield last


def entry(text: str) -> Person | None:
    """SARAH CONNOR, 30s, a nurse; 林晚（女，24岁）：设计师; 女主：林晚. None if it starts with no name."""
    text = text.strip()[:4_000]
    if bullet := _BULLET.match(text):
        text = text[bullet.end() :]
    text = text.replace("**", "").strip(" *_#")
    role = ""
    if label := _LABEL.match(traditional.folded(text)):
        role, text = label[0].strip(" :："), text[label.end() :]
    if text.startswith("【") and "】" in text[:_LONGEST_NAME]:
        text = text[1:].replace("】", "：", 1)
    name, about = _divided(text)
    if nickname := _NICKNAME.search(name):
        name = " ".join(name.replace(nickname[0], " ").split())
    name = name.strip(" *_“”\"'")
    if not _is_name(name, alone=not about):
        return None
    name, _, other = name.partition("/")
    about = _unbracketed(about)
    if re.search(r"[男女]", role):
        about = f"{role}，{about}" if about else role
    made = facts.person(names.read(name).name or name, about)
    others = tuple(one for one in (nickname["name"] if nickname else "", other.strip()) if one)
    return replace(made, aliases=(*others, *made.aliases)[:_MOST_ALIASES])


def continued(person: Person, text: str) -> Person:
    """With one more line about the same person: `年龄：24`, or more of the description."""
    text = text.strip()
    found = _FIELD.match(traditional.folded(text))
    field, value = (found["field"].lower(), text[found.start("value") :].strip()) if found else ("", text)
    if field in ("年龄", "age"):
        return replace(person, age=person.age or re.sub("[岁歲]$", "", value))
    if field in ("声音", "音色", "voice"):
        return replace(person, voice=person.voice or value)
    if field == "别名":
        more_names = [name for name in re.split(r"[、，,/ ]+", value[:400]) if name]
        return replace(person, aliases=(*person.aliases, *more_names)[:_MOST_ALIASES])
    more = facts.person(person.name, f"{field}：{value}" if field == "性别" else value)
    described = person.description if field in ("性别", "gender", "sex") else f"{person.description} {value}".strip()
    return replace(
        person,
        description=described[:4_000],
        gender=person.gender or (facts.gender(value) if field in ("gender", "sex") else more.gender),
        age=person.age or more.age,
        voice=person.voice or more.voice,
        aliases=person.aliases or more.aliases,
    )


def is_field(text: str) -> bool:
    """年龄：24, below somebody's name."""
    return _FIELD.match(traditional.folded(text.strip())) is not None


def _divided(text: str) -> tuple[str, str]:
    """The name, and what is said about it."""
    if len(text) < 500 and (spaced := _HAN_SPACED.fullmatch(text) or _SPACED.fullmatch(text)):
        return spaced["name"], spaced["about"]
    found = _SEPARATOR.search(text)
    return (text[: found.start()], text[found.start() :]) if found else (text, "")


def _is_name(name: str, *, alone: bool) -> bool:
    if (
        not name
        or len(name) > _LONGEST_NAME
        or not re.search(r"[^\W\d_]", name)
        or is_title(name)
        or is_field(name + "：")
    ):
        return False
    if re.search(r"[\u4e00-\u9fff]", name):
        return len(name) <= 12 and not re.search(r"[的了着是在]", name[:-1])
    if lines.in_capitals(name):
        return len(name.split()) <= 5 and lines.may_speak(name)
    words = re.findall(r"[^\W\d_][\w'’.-]*", name)
    small = ("the", "of", "de", "von", "van", "la", "le", "a", "and")
    named = all(word[0].isupper() or word in small for word in words) and words[0][0].isupper()
    return named and len(words) <= (3 if alone else 5)


def _unbracketed(about: str) -> str:
    """（女，24岁）：设计师 as 女，24岁，设计师."""
    about = about.strip(" :：,，|\t—–-….")
    if about.startswith(("(", "（")):
        inner, closed, rest = re.sub(r"^[(（]", "", about).replace("）", ")", 1).partition(")")
        rest = rest.strip(" :：,，|\t—–-….")
        between = "，" if re.search(r"[\u4e00-\u9fff]", about) else ", "
        return f"{inner}{between}{rest}" if closed and rest else inner
    return about
