"""Who speaks in a Chinese script: names are judged by all that the script has them for.

A name that is listed, or comes again, is one; 林晚放下茶杯：… is such a name with a deed behind it. What is unknown and
comes but once has to look like a name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from assets.scripts import chinese_names, names, traditional
from assets.scripts.words import words

_LONGEST_NAME = 8
_ALONE = re.compile(r"(?P<name>[^\W\d_][\w·]{1,3})\s*(?:[（(〔][^（()）〔〕]{0,40}[)）〕])?")
_NO_CUE = re.compile(
    r"静场|停顿|沉默|安静|暗场|黑场|亮场|收光|起光|落幕|幕[落启起]|转场|黑屏|空镜|全剧终|剧终|未完待续"
)
_PRONOUN = re.compile(r"[我你您他她它咱]")
_KIN_OR_JOB = (
    r"[妈爸母父哥姐弟妹爷奶叔伯姨姑婶舅嫂娘爹婆公妻夫媳婿孙][妈爸哥姐弟妹爷奶叔伯姨姑婶舅娘爹婆公妻夫亲]?|闺蜜|替身|前任|"
    r"助理|秘书|保镖|司机|管家|同学|小姐|先生|太太|夫人|少爷|老爷|王爷|公主|殿下|娘娘|大人|陛下|将军|丫鬟|侍卫|侍女|随从|"
    r"手下|下属|属下|粉丝|老板|经理|教授|主任|律师|医生|护士|警官|队长|同事|邻居|亲戚|上司|代表|机器人|太监|宫女|嬷嬷|护卫|师父|徒弟"
)
_SURNAMES = words("欧阳 司马 上官 诸葛 慕容 夏侯 皇甫 东方 南宫 司徒 令狐 公孙 宇文 长孙 独孤 西门 百里 端木 轩辕 尉迟")
_BEGINS_PERSON = re.compile(_KIN_OR_JOB)
_PERSON = re.compile(rf"(?:{_KIN_OR_JOB}|[人员师生手长者们家友子女男儿亲总董])[甲乙丙丁A-Da-d\d]?$")
_DOES = re.compile(r"[着了过向对看把给朝望走说问喊叫笑哭拿放抬低转推拉抱扶跪站坐起]")
_TOLD = re.compile(  # of her, and nothing that she does as she speaks
    r"知道|明白|觉得|记得|意识到|发现|看到|看见|听到|听见|只[有能想剩]|有[一个了]|没有|是|手[里中上机]|身上|面前"
)
_SHOWN = re.compile(r"(?:写着|显示|写道|看到|看见|发现|听到|听见|听着|响起|传来|想起|意识到|明白|知道|收到)$")
_MOODS = frozenset("怒笑哭急惊喜悲冷喊吼叹泣嗔")


def _is_told(folded: str) -> bool:
    """的手机, 只有一个办法: behind a name. Not 的母亲, who is somebody."""
    return _TOLD.match(folded) is not None or (folded.startswith("的") and not _PERSON.search(folded))


class Cues:
    """What a script's rows tell about who speaks."""

    def __init__(self, rows: Sequence[str], raw: Sequence[str], listed: Iterable[str]) -> None:
        """`rows` are bare, `raw` as they were written. `listed`: names that cast lines give."""
        self._rows, self._raw = rows, raw
        self._counts: Counter[str] = Counter()
        found = [chinese_names.cue(row) if ":" in row or "：" in row else None for row in rows]
        self._spoken = [spoken is not None for spoken in found]
        for spoken in found:
            if spoken:
                self._counts[names.key(spoken.name)] += 1
        self.known = {names.key(name) for name in listed}
        often = (key for key, count in self._counts.items() if count > 1)
        self._sure = self.known | {key for key in often if chinese_names.may_be(key)}
        self.in_blocks = self._by_layout()

    def learn(self, name: str, *, sure: bool = False) -> None:
        """A name that a list gives, or that spoke."""
        key = names.key(name)
        self.known.add(key)
        if sure:
            self._sure.add(key)

    def who(self, name: str) -> tuple[str, float]:
        """Who speaks where that stands before a colon, and how sure it is; 0 if nobody does."""
        key = names.key(name)
        if key in self.known or names.is_nobody(name) or names.is_extra(name):
            return name, 1.0
        parts = names.joined(name, self.known)
        if len(parts) > 1 and any(names.key(part) in self.known for part in parts):
            heads = [self._doer(part) or part for part in parts]
            return (name, 1.0) if heads == parts else ("、".join(heads), 0.6)
        head, rest = self._known_head(name)
        if len(rest) > 1 and names.key(rest) in self._sure:
            return f"{head}、{rest}", 0.6
        if doer := self._doer(name):
            return doer, 0.6
        if (head and _is_told(traditional.folded(rest))) or not chinese_names.may_be(name):
            return name, 0.0
        once = self._counts[key] < 2
        if once and (re.search(r"(?<![男女童])[音声聲]$", name) or (len(name) > 1 and _PRONOUN.search(name))):
            return name, 0.0
        return name, min(1.0, 0.7 + 0.1 * self._counts[key]) if len(name) <= 8 or not once else 0.0

    def _known_head(self, name: str) -> tuple[str, str]:
        """The longest sure name that it begins with, and what stands behind: 林晚 and 看向陆沉."""
        for size in range(min(_LONGEST_NAME, len(name) - 1), 1, -1):
            if names.key(name[:size]) in self._sure and not name[size - 1].isspace():
                return name[:size], name[size:].strip()
        return "", ""

    def _doer(self, name: str) -> str:
        """林晚 of 林晚看向陆沉; empty if it is no known name with a deed behind it."""
        head, rest = self._known_head(name) if names.key(name) not in self.known else ("", "")
        once = self._counts[names.key(name)] < 2 and head not in _SURNAMES
        return head if head and self._is_deed(rest, apart=name[len(head)].isspace(), once=once) else ""

    @staticmethod
    def _is_deed(rest: str, *, apart: bool, once: bool) -> bool:
        folded = traditional.folded(rest)
        if re.search(r"^的|[^\u3400-\u9fff]", folded) or chinese_names.is_label(folded + "："):
            return False
        if _BEGINS_PERSON.match(folded) or _is_told(folded) or _SHOWN.search(folded):
            return False
        if chinese_names.is_thing(folded) or chinese_names.is_when(folded):
            return False
        if len(folded) == 1:
            return folded in _MOODS
        if _PERSON.search(folded) and (len(folded) <= 3 or not _DOES.search(folded)):
            return False
        return once or apart or folded[-1] in _MOODS

    def stands_alone(self, at: int) -> bool:
        """Whether a line is nothing but a name that is known, perhaps with a mood in brackets."""
        found = chinese_names.alone(self._rows[at])
        return found is not None and names.key(found) in self.known

    def _by_layout(self) -> bool:
        """Learn names that stand on lines of their own, as films have them. Whether blank lines part who speaks.

        A short line without marks, a blank line before it or set in deeper than what is around it, with text right
        under it, is a name if it comes again.
        """
        found = {at: name for at in range(len(self._rows)) if (name := self._apart(at))}
        counts = Counter(names.key(name) for name in found.values())
        self.known.update(key for key, count in counts.items() if count > 1)
        self._sure.update(key for key, count in counts.items() if count > 1)
        alone = [at for at in range(len(self._rows)) if len(self._rows[at]) <= 50 and self.stands_alone(at)]
        return sum(1 for at in alone if at in found and self._blank(at - 1)) > 0.5 * len(alone)

    def _apart(self, at: int) -> str:
        """The name that this line could be; empty if it could be none."""
        row = self._rows[at]
        found = _ALONE.fullmatch(row) if 2 <= len(row) <= 50 else None
        if not found or self._blank(at + 1) or self._spoken[at + 1] or not self._rows[at + 1]:
            return ""
        indent = self._indent(at)
        if not (self._blank(at - 1) or indent > self._indent(at + 1) or indent > self._indent(at - 1)):
            return ""
        name = found["name"]
        folded = traditional.folded(name)
        if _NO_CUE.fullmatch(folded) or folded[-1] in "音声" or names.is_nobody(name) or name.isascii():
            return ""
        return name if chinese_names.may_be(name) else ""

    def _blank(self, at: int) -> bool:
        return not 0 <= at < len(self._raw) or not self._raw[at].strip()

    def _indent(self, at: int) -> int:
        raw = self._raw[at]
        return len(raw) - len(raw.lstrip())
