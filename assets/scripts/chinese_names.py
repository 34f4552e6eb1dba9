"""Names in Chinese scripts: before a colon, in a cast line, before 说道."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assets.scripts import chinese_headings, names, traditional

_CUE = re.compile(
    r"^(?P<name>[^：:（()）。！？!?；;“”\"「」【】〔〕\[\]\s][^：:（()）。！？!?；;“”\"「」【】〔〕\[\]\n]{0,24}?)\s*"
    r"(?P<moods>(?:[（(\[【〔][^（()）\]】〕：:]{0,60}[)）\]】〕]\s*){0,3})(?P<late>(?:OS|VO|O\.S\.?|V\.O\.?|os|"
    r"vo)?)\s*[：:](?P<said>.*)$",
    re.DOTALL,
)
_MOOD = re.compile(r"[（(\[【〔]([^（()）\]】〕]*)[)）\]】〕]")
_ALONE = re.compile(r"^(?P<name>[^\s：:，。！？、（(]{1,8})\s*(?:[（(][^（()）]{0,40}[)）])?$")
_HOW = re.compile(
    r"O\.?S\.?|V\.?O\.?|画外|旁白|内心|心声|电话|独白|广播|视频|语音|心语|回忆|对讲|"
    r"耳机",
    re.IGNORECASE,
)
_LABELS = re.compile(
    r"^(?:场景|地点|时间|人物|角色|出场|道具|服装|服化道|字幕|音效|音乐|背景|背景音乐|BGM|特写|镜头|画面|转场|"
    r"备注|注|说明|提示|注意|集数|本集|钩子|"
    r"片名|剧名|编剧|导演|作者|类型|题材|时长|简介|梗概|剧情|故事|主题|标题|大纲|概要|卡点|爽点|反转|悬念|看点|"
    r"亮点|第.{1,6}[集场幕章]|闪回|回忆|空镜|"
    r"全景|中景|近景|远景|景别|运镜|分镜|色调|光线|环境|氛围|内景|外景|动作|表情|台词|对白|系统提示|片头|片尾|"
    r"预告|下集预告|片尾曲|主题曲|插曲|"
    r"特效|花字|字卡|后期|配乐|灯光|机位|剪辑|美术|妆容|妆造|化妆|造型|服化道?|置景|布景|收音|状态|情绪|人设|时间线|参考|"
    r".{1,8}(?:视角|POV)|ps|p\.s\.?|sfx|bgm|cut|vfx)(?:[\d一二三四五六七八九十]{0,3}|提示|效果|描述|要求|概述|简介|钩子)$",
    re.IGNORECASE,
)
_THING = re.compile(
    r"(?:屏幕|短信|字幕|字样|新闻|纸条|信件|信封|内容|消息|提示|弹窗|标题|牌子|招牌|文件|合同|照片|报告|日记|特写|"
    r"画面|镜头|音效|微信|备注|来电|评论|"
    r"热搜|诊断书|遗书|告示|横幅|标语|界面|显示|通知|邮件|海报|对话框|日历|聊天记录|请柬|喜帖|铭牌|牌匾|信上|纸上|"
    r"墙上|上面|下面|如下|时间|地点|梗概|简介|名称|"
    r"价格|金额|数量|条件|规则|任务|奖励|技能|等级|属性|[上里中](?:写|印|刻)(?:着|道|明)?)[\d一二三四五六七八九十]{0,2}$"
)
# What stands before a colon in the story, and is neither a field of the production nor anybody.
_IN_STORY = re.compile(
    r"(?:结果|结论|原因|证据|真相|答案|信|另一边|另一头|(?:电话|手机|听筒|对讲机|耳机)(?:那头|那边|里)?|[门窗屋室房楼院车场厅店].?[外内里口下上]|(?:不)?远处|近处|一旁|旁边|身后)"
    r"[\d一二三四五六七八九十]{0,2}"
)
_WHEN = re.compile(
    r"(?:第.{1,3}[天日晚夜]|(?:此|这|当|那|同|与此同)时|此刻|这一刻|片刻(?:之?后)?|不久(?:之?后)?|许久(?:之?后)?|随后|最后|"
    r"突然|忽然|现在|后来|曾经|过去|.{0,4}(?:当天|当晚|当年))"
)
_BORN = re.compile(r"^\d0后")
_NO_NAME = re.compile(
    r"[，。,！？…~～<>《》=+#%$@0-9]{2,}|[，。！？…<>《》=#%$@]|(?:写着|显示|说道|写道|心想|响起|传来|看到|听到|"
    r"发现|走|拿起|打开|只见|突然|然后|于是|接着|因为|所以|如果|但是|这是|那是|就是|不是|没有|他们|她们|我们|你们|"
    r"自己)"
)
_VERB_END = re.compile(r"[着了说道问喊叫想是为上里中时后前的地得]$")
_CAST = re.compile(
    r"(?:本场|本集)?(?:出场|登场|出镜|上场|参演)?(?:人物|角色|演员)(?:表)?\s*[：:]\s*(?P<names>.*)|(?:出场|登场|"
    r"出镜|人)\s*[：:]\s*(?P<more>.*)|"
    r"(?:出场|登场)?(?:人物|角色)[ \t　]+(?P<spaced>[^：:。！？]+)"
)
_ITEMS = re.compile(r"[、，,；;/／|\s]+")
_LISTED_LABEL = re.compile(r"^(?:群演|特约|主演|主角|配角|演员|人物)\s*[：:]\s*")
_SAYS = (
    "冷冷地说|笑着说|低声说|大声说|轻声说|说道|问道|喊道|叫道|答道|怒道|笑道|冷声道|沉声道|冷笑道|"
    "低声道|开口道|回答道|回答|怒吼|吼道|心想|问|说|道|喊|叫|答"
)
_ATTRIBUTED = re.compile(
    rf"^(?P<name>[^\s，。！？：:“”]{{1,8}}?)(?P<how>[^\s，。！？：:“”]{{0,6}}?(?:{_SAYS}))\s*[：:，,]\s*(?P<said>[“「『\"].*)$",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Spoken:
    name: str
    said: str
    extension: str = ""


def cue(row: str) -> Spoken | None:
    """名：…, 名（情绪）：…, 名：（情绪）…, 名OS：…; None if nothing like a name stands before the first colon."""
    found = _CUE.match(row)
    if not found or found["said"].startswith("//"):
        return None
    moods = _MOOD.findall(found["moods"])
    said = names.read(found["name"])
    if not said.name or is_label(said.name + "：") or len(said.name) > 20:
        return None
    extension = [mood.strip() for mood in moods if tells_how(mood)]
    extension += [part for part in (said.extension, found["late"]) if part]
    return Spoken(
        said.name,
        re.sub(r"^\s*[（(][^（()）]{0,80}[)）]", "", found["said"]).strip() or found["said"].strip(),
        ", ".join(extension),
    )


def may_be(name: str) -> bool:
    """Whether it could be somebody's name, for all that can be told by itself."""
    bare = traditional.folded(re.sub(r"\s+", " ", name).strip())
    if not bare or len(bare) > 16 or not re.search(r"[^\W\d_]", bare) or is_label(bare + "："):
        return False
    if is_thing(bare) or is_when(bare) or _NO_NAME.search(_BORN.sub("", bare)):
        return False
    return not (len(bare) > 2 and _VERB_END.search(bare)) and (
        len(bare) <= 10 or "·" in bare or bare.isascii() or "、" in bare
    )


def tells_how(mood: str) -> bool:
    """OS, 电话里: how somebody is heard; and not 哽咽, in what mood."""
    return _HOW.search(traditional.folded(mood)) is not None


def is_thing(folded: str) -> bool:
    """短信, 合同上写, 门外, 结果: what shows text, or where and how something is."""
    return bool(_THING.search(folded) or _IN_STORY.fullmatch(folded))


def is_when(folded: str) -> bool:
    """第二天, 此时, 三年前."""
    return _WHEN.fullmatch(folded) is not None or (len(folded) > 1 and chinese_headings.is_time(folded))


def is_label(row: str) -> bool:
    """字幕：…, 备注：…: names nobody."""
    head = re.split(r"[：:]", traditional.folded(row[:40]), maxsplit=1)
    return len(head) > 1 and _LABELS.match(head[0].strip(" （()）【】")) is not None


def attributed(row: str, known: set[str]) -> Spoken | None:
    """林晚冷冷地说：“…”"""
    found = _ATTRIBUTED.match(traditional.folded(row[:400]))
    if not found:
        return None
    whole = row[: found.end("how")]
    says = re.search(rf"(?:{_SAYS})$", found["name"] + found["how"])
    unsaid = whole[: says.start()] if says else whole
    name = next((whole[:size] for size in range(min(8, len(whole)), 0, -1) if names.key(whole[:size]) in known), unsaid)
    sure = names.key(name) in known or (2 <= len(unsaid) <= 4 and not re.search(r"[地着]", unsaid))
    return Spoken(name, row[found.start("said") :]) if sure and may_be(name) else None


def alone(row: str) -> str | None:
    """The name that a line has for itself, perhaps with a mood behind it; None if it is more than that."""
    found = _ALONE.match(row)
    return names.read(found["name"]).name if found else None


def listed(text: str) -> list[str]:
    """The names in a cast line: 林晚、陆沉（30岁，总裁）、宾客若干."""
    found: list[str] = []
    bare, depth = [], 0
    for sign in text[:1_000]:
        depth += sign in "（([【"
        if not depth:
            bare.append(sign)
        depth = max(0, depth - (sign in "）)]】"))
    for item in _ITEMS.split(re.sub(r"[。.;；]+$", "", "".join(bare).strip())):
        label = _LISTED_LABEL.match(traditional.folded(item))
        name = names.read(item[label.end() :] if label else item).name
        name = re.sub(r"(?:等人|等)$", "", name) if len(name) > 3 else name
        if name and len(name) <= 20 and name not in ("无", "等", "和", "及", "与", "暂无", "等等"):
            found += [part for part in re.split(r"(?<=[\u4e00-\u9fff]{2})[和与及](?=[\u4e00-\u9fff]{2})", name) if part]
    return list(dict.fromkeys(found))


def cast_line(row: str) -> str | None:
    """What stands behind 人物： on a line, with or without brackets around it; None if it is no such line."""
    bare = unbracketed(row) if len(row) <= 400 else ""
    found = _CAST.fullmatch(traditional.folded(bare))
    return bare[found.start(found.lastgroup or 0) :] if found else None


def unbracketed(row: str) -> str:
    """【人物：林晚】 without its brackets."""
    found = re.match(r"^[【\[［（(]", row)
    return row[1:-1] if found and row[-1] in "】]］）)" else row
