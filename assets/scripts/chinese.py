"""Chinese short drama: a header for each scene, who is in it, △ what happens, 名：what is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from assets.scripts import (
    castlists,
    chinese_cues,
    chinese_headings,
    chinese_names,
    episode_marks,
    lines,
    names,
    traditional,
)
from assets.scripts.elements import Element, Kind

LONGEST = 2_000  # characters: of a line that is looked at closely
_MARKUP = re.compile(r"^(?:#{1,6}\s*|>\s+|[-*•]\s+|\*{3,}$|-{3,}$)")
_ACTION = re.compile(r"^[△▲▽▼◇◆∆Δ⊿▷►☆★]\s*")
_NUMBERED_ACTION = re.compile(r"^[△▲]\s*\d{1,3}[-－–—]\d{1,3}\s")
_CAST_WITHIN = re.compile(r"[\s;；，,【（(](?:出场|登场)?(?:人物|角色)\s*[：:](?P<names>[^：:]+)$")
_PROPS = re.compile(r"(?:本场|主要|重要|关键)?(?:道具|服化道|置景道具)\s*[：:]\s*(?P<names>.*)")
_BRACKETED = re.compile(r"^[【\[［（(](?P<inner>[^】\]］）)]*)[】\]］）)]$")
_NAMED = re.compile(r"^【(?P<name>[^】：:]{1,14})】\s*(?P<rest>(?:[（(][^（()）]{0,60}[)）])?\s*[：:]?.*)$", re.DOTALL)
_TABBED = re.compile(
    r"^(?P<name>[^\s：:，。]{1,8})(?:\t+\s*|[ 　]{2,}|[ "
    r"　]*(?=[“「『]))(?P<said>\S.*)$",
    re.DOTALL,
)
_MOOD = re.compile(r"^[（(][^（()）]{0,60}[)）]\s*")
_WHEN = ("时间", "日夜", "时段")  # fields
_TITLE = re.compile(r"^(?:片名|剧名|剧本名称?|作品名称?|标题|题目)\s*[：:]\s*(?P<title>.+)$")
_BOOK = re.compile(r"^《(?P<title>[^》]{1,40})》")
_HEAD_END = re.compile(
    r"^(?:[一二三四五六七八九十\d]{1,2}\s*[、.．]\s*)?(?:正文|剧本正文|分集剧本|剧情梗概|故事梗概|故事大纲|分集大纲|剧情简介|故事简介|梗概|大纲|剧本)\s*[：:]?$|"
    r"^(?:剧情梗概|故事梗概|故事大纲|剧情简介|一句话梗概|世界观|故事背景|时代背景|集数|题材|类型)\s*[：:]"
)
_TRANSITION = re.compile(
    r"^(?:【|（|\()?(?:转场|切至|切到|切换|淡入|淡出|叠化|黑屏|闪白|画面切换|切镜|化入|化出)[^：:。]{0,12}(?:】|"
    r"）|\))?$"
)


def title(text: str) -> str:
    """What the script calls itself in its first lines."""
    for row in text.split("\n", 30)[:30]:
        bare = clean(row[:200])
        if found := _TITLE.match(traditional.folded(bare)) or _BOOK.match(bare):
            return bare[found.start("title") : found.end("title")].strip("《》 ")
    return ""


def clean(row: str) -> str:
    """Without bold marks, bullets and the like."""
    text = row.strip().strip("\u200b\ufeff　")
    while found := _MARKUP.match(text):
        text = text[found.end() :]
    return text.replace("**", "").replace("__", "").strip(" \t　")


def read(text: str) -> Iterator[Element]:
    """Take a text apart."""
    return _Reader(text.split("\n")).read()


class _Reader:
    def __init__(self, rows: list[str]) -> None:
        self._rows = [clean(row) if len(row) <= LONGEST else row.strip() for row in rows]
        self._raw = rows
        self._listed_within: dict[int, str] = {}  # cast that a header has at its end, by line
        self._headings = [self._header(at, row) for at, row in enumerate(self._rows)]
        self._cues = chinese_cues.Cues(self._bare_rows(), rows, self._listed_names())
        self._listing = False  # inside of 人物小传
        self._started = not any(self._headings)  # before the first scene nobody speaks
        self._alone = False  # names in the list stand on lines of their own
        self._person: Element | None = None
        self._fresh_cast: Element | None = None
        self._fresh: Element | None = None  # a header with nothing below it yet

    def _header(self, at: int, row: str) -> chinese_headings.Found | None:
        """A header; 场次（1）地点：面馆，夜，内；出场人物：杜晨 has its cast at its end."""
        bare = _ACTION.sub("", row) if _NUMBERED_ACTION.match(row) else row
        within = _CAST_WITHIN.search(traditional.folded(bare)) if len(bare) <= 200 else None
        if within and (found := chinese_headings.read(bare[: within.start()].rstrip(" ;；，,【（("))):
            self._listed_within[at] = bare[within.start("names") :].rstrip("】）)")
            return found
        return chinese_headings.read(bare)

    def _listed_names(self) -> Iterator[str]:
        """Names that cast lines give."""
        for at, row in enumerate(self._rows):
            if listed := self._listed_within.get(at) or (chinese_names.cast_line(row) if row else None):
                yield from chinese_names.listed(listed)

    def _bare_rows(self) -> list[str]:
        """The rows that can have a name in them; of the others nothing."""
        return [
            "" if len(row) > LONGEST or heading or _ACTION.match(row) or chinese_names.cast_line(row) else row
            for row, heading in zip(self._rows, self._headings, strict=True)
        ]

    def read(self) -> Iterator[Element]:
        done = 0
        for at, row in enumerate(self._rows):
            if at < done or not row:
                continue
            found = list(self._line(row, at))
            yield from found
            if found and found[-1].kind is Kind.CUE:  # what is said stands below
                said = list(self._below_cue(at))
                yield from said
                done = said[-1].line if said else 0
        yield from self._closed()

    def _below_cue(self, at: int) -> Iterator[Element]:
        """One line, perhaps with a mood above it; where blank lines part who speaks, all lines up to the next."""
        following = self._next(at)
        while following is not None and _MOOD.fullmatch(self._rows[following]):
            yield Element(kind=Kind.PARENTHETICAL, text=self._rows[following], line=following + 1)
            following = self._next(following)
        while following is not None and self._is_speech(following):
            yield Element(kind=Kind.DIALOGUE, text=self._rows[following], line=following + 1)
            going_on = self._cues.in_blocks and following + 1 < len(self._rows) and self._rows[following + 1]
            following = following + 1 if going_on else None

    def _line(self, row: str, at: int) -> Iterator[Element]:
        if len(row) > LONGEST:
            yield from self._closed()
            yield Element(kind=Kind.ACTION, text=row, line=at + 1)
            return
        if episode_marks.starts_one(row) or (lines.is_division(row) and not row.startswith("（")):
            yield from self._closed()
            self._listing, self._started = False, True
            yield Element(kind=Kind.DIVISION, text=row, line=at + 1)
        elif castlists.is_title(traditional.folded(row)) and not (self._fresh or self._in_scene(row, at)):
            yield from self._closed()
            self._listing = True
        elif (found := self._headings[at]) and not self._joins(found.heading.number, row):
            yield from self._closed()
            self._listing, self._started = False, True
            listed = chinese_names.listed(self._listed_within.get(at, ""))
            self._fresh_cast = Element(kind=Kind.CAST, text=row, line=at + 1, names=tuple(listed)) if listed else None
            self._fresh = Element(
                kind=Kind.HEADING, text=row, line=at + 1, confidence=found.confidence, heading=found.heading
            )
        elif self._fresh and self._fresh.heading and self._below(row):
            return
        elif opened := self._opened_by_time(row, at):
            yield from self._closed()
            self._listing, self._started, self._fresh = False, True, opened
        elif self._listing and not _HEAD_END.match(traditional.folded(row)):
            yield from self._listed(row, at)
        else:
            yield from self._within(row, at)

    def _in_scene(self, row: str, at: int) -> bool:
        """`主要人物：林晚、陆沉` after a scene began is a cast line."""
        return self._started and chinese_names.cast_line(row) is not None

    def _joins(self, number: str, row: str) -> bool:
        """`场景：客厅` right below `第一场` is the same header."""
        fresh = self._fresh.heading if self._fresh else None
        field = chinese_headings.field(row)
        if not fresh or number or not (field or chinese_headings.below(row)):
            return False
        return not fresh.place_name or (field is not None and field[0] in _WHEN)

    def _below(self, row: str) -> bool:
        """Take 时间：夜 or 日 内 into the header above."""
        assert self._fresh and self._fresh.heading
        found = chinese_headings.field(row)
        more = found[1] if found else chinese_headings.below(row)
        if more is None or (not found and more.place_name and self._fresh.heading.place_name):
            return False
        if found and found[0] in _WHEN and not more.time and not self._fresh.heading.time:
            more = replace(more, time=row.partition("：")[2].strip() or row.partition(":")[2].strip(), place_name="")
        sure = 1.0 if more.time or more.place else self._fresh.confidence
        self._fresh = replace(self._fresh, heading=chinese_headings.merged(self._fresh.heading, more), confidence=sure)
        return True

    def _opened_by_time(self, row: str, at: int) -> Element | None:
        """时间：夜 above 地点：客厅."""
        found = chinese_headings.field(row)
        following = self._next(at)
        if not found or found[0] not in (*_WHEN, "内外景", "景别") or following is None:
            return None
        place = chinese_headings.field(self._rows[following])
        if not place or place[0] not in ("地点", "场景", "场地"):
            return None
        self._headings[following] = None
        return Element(kind=Kind.HEADING, text=row, line=at + 1, confidence=0.9, heading=replace(found[1], text=row))

    def _listed(self, row: str, at: int) -> Iterator[Element]:
        if castlists.is_subtitle(traditional.folded(row)):
            return
        person = None if castlists.is_field(traditional.folded(row)) or self._goes_on(at) else castlists.entry(row)
        if person and self._person and self._person.person and not person.description:
            # A line with nothing but a name: only where all names stand alone.
            person = (
                person
                if self._alone or castlists.is_field(self._rows[at + 1] if at + 1 < len(self._rows) else "")
                else None
            )
        if person:
            self._alone = not person.description
            yield from self._closed()
            for name in (person.name, *person.aliases):
                self._cues.learn(name, sure=True)
            self._person = Element(kind=Kind.PERSON, text=row, line=at + 1, person=person)
        elif self._person and self._person.person:
            self._person = replace(self._person, person=castlists.continued(self._person.person, row))

    def _goes_on(self, at: int) -> bool:
        """Set in deeper than the line with the name: more about the same person."""
        if not self._person:
            return False
        first, raw = self._raw[self._person.line - 1], self._raw[at]
        return len(raw) - len(raw.lstrip()) > len(first) - len(first.lstrip())

    def _closed(self) -> Iterator[Element]:
        """What was being put together, complete."""
        if self._person:
            yield self._person
        if self._fresh:
            yield self._fresh
        if self._fresh_cast:
            yield self._fresh_cast
        self._person = self._fresh = self._fresh_cast = None

    def _within(self, row: str, at: int) -> Iterator[Element]:
        yield from self._closed()
        self._listing = False
        number = at + 1
        if _ACTION.match(row):
            yield Element(kind=Kind.ACTION, text=_ACTION.sub("", row), line=number)
        elif not self._started:
            yield Element(kind=Kind.ASIDE, text=row, line=number)
        elif (listed := chinese_names.cast_line(row)) is not None:
            following = self._next(at) if not listed.strip() else None
            if following is not None and len(self._rows[following]) < 200 and not self._headings[following]:
                listed, self._rows[following] = self._rows[following], ""
            yield Element(kind=Kind.CAST, text=row, line=number, names=tuple(chinese_names.listed(listed)))
        elif props := _PROPS.fullmatch(traditional.folded(bare := chinese_names.unbracketed(row))):
            listed = bare[props.start("names") :]
            yield Element(kind=Kind.PROPS, text=row, line=number, names=tuple(chinese_names.listed(listed)))
        elif _TRANSITION.match(traditional.folded(row)):
            yield Element(kind=Kind.TRANSITION, text=row, line=number)
        else:
            yield from self._said(row, number)

    def _said(self, row: str, number: int) -> Iterator[Element]:
        if named := _NAMED.match(row):
            rest = named["rest"].strip()
            if chinese_names.may_be(named["name"]) and rest and not names.is_nobody(named["name"]):
                sure = rest[0] in "：:（(" or names.key(named["name"]) in self._cues.known
                if sure:
                    yield from self._cue(named["name"], _MOOD.sub("", rest).lstrip("：: "), number, 1.0)
                    return
        if found := chinese_names.cue(row):
            who, confidence = self._cues.who(found.name)
            if confidence:
                extension = f"（{found.extension}）" if found.extension else ""
                yield from self._cue(who + extension, found.said, number, confidence)
                return
        if (found := chinese_names.attributed(row, self._cues.known)) is not None:
            yield from self._cue(found.name, found.said, number, 0.8)
            return
        if (tabbed := _TABBED.match(self._raw[number - 1].strip())) and names.key(tabbed["name"]) in self._cues.known:
            yield from self._cue(tabbed["name"], tabbed["said"], number, 0.8)
            return
        if self._cues.stands_alone(number - 1) and self._speech_follows(number - 1):
            said = names.read(row)
            how = f"（{said.extension}）" if chinese_names.tells_how(said.extension) else ""
            yield Element(kind=Kind.CUE, text=said.name + how, line=number, confidence=0.8)
            return
        inner = _BRACKETED.match(row)
        kind = Kind.ASIDE if (inner and row[0] in "【[［") or chinese_names.is_label(row) else Kind.ACTION
        yield Element(kind=kind, text=inner["inner"] if inner else row, line=number)

    def _cue(self, name: str, said: str, number: int, confidence: float) -> Iterator[Element]:
        self._cues.learn(names.read(name).name)
        yield Element(kind=Kind.CUE, text=name, line=number, confidence=confidence)
        if said.strip():
            yield Element(kind=Kind.DIALOGUE, text=said.strip(), line=number)

    def _speech_follows(self, at: int) -> bool:
        following = self._next(at)
        while following is not None and _MOOD.fullmatch(self._rows[following]):
            at, following = following, self._next(following)
        return following is not None and self._is_speech(following)

    def _is_speech(self, at: int) -> bool:
        """Whether somebody whose name stands above could say this line."""
        row = self._rows[at]
        if not row or _ACTION.match(row) or self._headings[at] or _TRANSITION.match(traditional.folded(row)):
            return False
        if len(row) > LONGEST:
            return True
        spoken = chinese_names.cue(row)
        return not (spoken and self._cues.who(spoken.name)[1]) and not self._cues.stands_alone(at)

    def _next(self, at: int) -> int | None:
        """The next line that says anything."""
        return next((n for n in range(at + 1, min(at + 4, len(self._rows))) if self._rows[n]), None)
