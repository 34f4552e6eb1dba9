"""第N集, EPISODE 3: lines that an episode begins with."""

from __future__ import annotations

import re

from assets.scripts import numerals, traditional

_LONGEST = 80  # characters of the line
_MARKS = re.compile(r"^[\s#*_>=【\[（(《<~\-—]+|[\s*_=】\]）)》>~\-—]+$")
_HAN = re.compile(rf"第\s*(?P<number>\d{{1,4}}|[{numerals.CHINESE}]{{1,7}})\s*[集话回](?P<rest>.*)")
_ENGLISH = re.compile(
    rf"(?:(?:EPISODE|EP\.?)\s*#?(?P<number>\d{{1,4}}|(?<=\s)(?:{numerals.ENGLISH}|[IVXLC]{{1,7}}))|"
    rf"E(?P<short>\d{{2,3}}|\d(?=\s*[:：\-–—])))(?P<rest>\s*$|\s*[:：.\-–—|\"“].*|\s+\D.*)",
    re.IGNORECASE,
)
_UNMARKED = re.compile(r"\s+[^\W\d_]")  # a title with nothing between it and the number
_ENDS = re.compile(r"^\s*[（(【\-—]*\s*(?:完|终|结束|END|未完待续|剧终)", re.IGNORECASE)
_NO_TITLE = re.compile(r"[。！？；;]|第.{1,6}场|^\s*[的中里]|^\s*[-~至到—]\s*第?\d")


def starts_one(line: str) -> bool:
    """Whether an episode begins with this line."""
    return heading(line) is not None


def heading(line: str) -> tuple[int, str] | None:
    """Number and title of the episode that begins with this line."""
    if not 2 <= len(line.strip()) <= _LONGEST:
        return None
    bare = line.strip()
    while (stripped := _MARKS.sub("", bare)) != bare:
        bare = stripped
    found = _HAN.fullmatch(traditional.folded(bare)) or _ENGLISH.fullmatch(bare)
    if not found:
        return None
    number = numerals.read(next(part for part in found.groups()[:-1] if part))
    rest = bare[found.start("rest") :]
    said = _UNMARKED.match(rest) and _is_said(rest)
    if number is None or said or _ENDS.match(rest) or _NO_TITLE.search(traditional.folded(rest)):
        return None
    if rest and not re.match(r"[\s：:·.、\-–—|《【「\"“（(，,】\])）*]", rest):
        return None
    return number, rest.strip(' \t　：:·.、-–—|《》【】「」"“”（）()，,*')


def _is_said(rest: str) -> bool:
    """Episode two was better: a title begins with a capital, and is no sentence."""
    return rest.strip()[0].islower() or rest.rstrip()[-1] in ".!?…"
