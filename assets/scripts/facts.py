"""What a phrase says about a person: age, gender, voice, in English and in Chinese."""

from __future__ import annotations

import re

from assets.scripts import traditional
from assets.scripts.breakdown import Gender
from assets.scripts.elements import Person
from assets.scripts.numerals import CHINESE

_AGE = re.compile(
    r"\b(?:(?:early|mid|late)[ -](?:to[ -]late[ -])?)?(?:1\d|[2-9]0)['’]?s\b|"
    r"\b(?:(?:early|mid|late)[ -])?(?:teens|twenties|thirties|forties|fifties|sixties|seventies|eighties|"
    r"nineties)\b|"
    r"(?<![\d$#:.])\b\d{1,3}(?:[ -]years?[ -]old|\s?(?:y/o|yo))\b|\b(?:aged?|age:)\s?\d{1,3}\b",
    re.IGNORECASE,
)
_BARE_AGE = re.compile(
    r"(?:(?:early|mid|late)[ -])?(?:\d{1,3}|[1-9]0['’]?s|1\ds)(?:\s?[-–]\s?\d{1,3}s?)?\+?", re.IGNORECASE
)
_HAN_AGE = re.compile(
    rf"(?:约|年约|大约|年仅)?((?:\d{{1,3}}|[{CHINESE}]{{1,4}})(?:[-~至到—](?:\d{{1,3}}))?(?:多|来|余)?岁(?:左右|"
    rf"上下|出头)?|(?:[一二三四五六七八九]十|\d0)(?:出头|多岁|左右)|\d0后)"
)
_FEMALE = re.compile(
    r"\b(?:female|woman|girl|lady|mother|mom|mum|mommy|wife|daughter|sister|aunt|grandmother|grandma|queen|"
    r"princess|actress|waitress|widow|bride|"
    r"mrs|ms|miss|madam|madame|duchess|countess|nun|niece|heroine|girlfriend|goddess|ma'am|empress|housewife|"
    r"businesswoman|policewoman|matriarch)\b",
    re.IGNORECASE,
)
_MALE = re.compile(
    r"\b(?:male|man|boy|gentleman|father|dad|daddy|husband|son|brother|uncle|grandfather|grandpa|king|prince|"
    r"actor|waiter|widower|groom|mr|"
    r"sir|lord|duke|count|monk|nephew|boyfriend|guy|dude|emperor|businessman|policeman|fisherman|salesman|"
    r"patriarch|fireman|handyman)\b",
    re.IGNORECASE,
)
_SHE = re.compile(r"\b(?:she|her|hers|herself)\b", re.IGNORECASE)
_HE = re.compile(r"\b(?:he|him|his|himself)\b", re.IGNORECASE)
_HAN_FEMALE_WORD = re.compile(
    r"(?:^|[，,、（(；;。\s：:/|])(?:女|女性|女孩|女人|女子|少女|妇人)(?:$|[，,、）)；;。\s/|\d])|女主|女一|女二|"
    r"女配|妻子|母亲|女儿|姑娘|少女|千金|性别[:：]?\s*女|女友|未婚妻|女士"
)
_HAN_MALE_WORD = re.compile(
    r"(?:^|[，,、（(；;。\s：:/|])(?:男|男性|男孩|男人|男子|少年)(?:$|[，,、）)；;。\s/|\d])|男主|男一|男二|男配|"
    r"丈夫|父亲|儿子|少年|性别[:：]?\s*男|男友|未婚夫"
)
_HAN_FEMALE_NAME = re.compile(
    r"(?:小姐|女士|太太|夫人|妈|妈妈|母|奶奶|外婆|姥姥|姐|姐姐|妹|妹妹|婶|姨|姑|嫂|皇后|太后|贵妃|妃|公主|娘娘|"
    r"嬷嬷|丫鬟|宫女|婆婆|女儿|妻|老婆|娘|护士|婆|阿姨|女)$|^(?:女|老板娘)"
)
_HAN_MALE_NAME = re.compile(
    r"(?:先生|爸|爸爸|父|父亲|爷爷|外公|姥爷|哥|哥哥|弟|弟弟|叔|伯|舅|皇帝|太子|王爷|皇上|太监|公公|少爷|老爷|"
    r"儿子|夫|老公|爹|爷|公子|男|大叔|大爷)$|^男"
)
_VOICE = re.compile(
    r"(?:^|[.;,，。；])\s*(?P<phrase>[^.;，。；]{0,60}\b(?:voice|accent|drawl|baritone|whisper of "
    r"a)\b[^.;，。；]{0,40})",
    re.IGNORECASE,
)
_HAN_VOICE = re.compile(r"(?:声音|音色|嗓音|声线|声音特点|配音)\s*[:：]?\s*([^。；;，,\n]{1,30})")
_ALIAS = re.compile(
    r"(?:又名|别名|昵称|小名|外号|绰号|人称|化名|本名|艺名|原名|also known as|a\.?k\.?a\.?|alias|"
    r"nicknamed)\s*[:：]?\s*[“\"'‘]?([^，。；,;.（）()“”\"'’\n]{1,30})",
    re.IGNORECASE,
)
_LONGEST = 2_000


def age(text: str) -> str:
    """As written: 30s, mid-40s, 24, 二十出头; empty if nothing tells."""
    text = text[:_LONGEST]
    if found := _HAN_AGE.search(traditional.folded(text)):
        whole = text[found.start(1) : found.end(1)]
        return whole[:-1] if re.fullmatch(r"\d{1,3}岁", found[1]) else whole
    if found := _AGE.search(text):
        return re.sub(r"(?:[ -]years?[ -]old|\s?(?:y/o|yo))$|^aged?:?\s?", "", found[0], flags=re.IGNORECASE)
    return ""


def is_age(text: str) -> bool:
    """Whether a phrase is nothing but an age: 30s, 24, mid-40s."""
    text = text.strip()
    if not text or len(text) > 30:
        return False
    han = _HAN_AGE.fullmatch(traditional.folded(text))
    return bool(_BARE_AGE.fullmatch(text) or _AGE.fullmatch(text) or han) and not re.fullmatch(r"0\d*|1\d{3}", text)


def gender(text: str, *, name: str = "") -> Gender:
    """By what somebody is called and how he or she is spoken of. The phrase should be about nobody else."""
    text, name = traditional.folded(text[:_LONGEST]), traditional.folded(name)
    for female, male, where in (
        (_HAN_FEMALE_WORD, _HAN_MALE_WORD, text),
        (_FEMALE, _MALE, name),
        (_HAN_FEMALE_NAME, _HAN_MALE_NAME, name),
        (_SHE, _HE, text),
        (_FEMALE, _MALE, text[:80]),
    ):
        her, him = len(female.findall(where)), len(male.findall(where))
        if her != him:
            return Gender.FEMALE if her > him else Gender.MALE
    her, him = text.count("她"), text.count("他")
    return Gender.UNKNOWN if her == him else Gender.FEMALE if her > him else Gender.MALE


def pronouns(text: str) -> tuple[int, int]:
    """How often she and he are said in a text."""
    text = text[:_LONGEST]
    her = len(_SHE.findall(text)) + text.count("她")
    return her, len(_HE.findall(text)) + text.count("他") - text.count("其他")


def voice(text: str) -> str:
    """What is said about how somebody sounds."""
    text = text[:_LONGEST]
    if found := _HAN_VOICE.search(text):
        return found[1].strip()
    found = _VOICE.search(text)
    return found["phrase"].strip() if found else ""


def aliases(text: str) -> tuple[str, ...]:
    """也叫: names that a description gives besides."""
    found = (name for match in _ALIAS.findall(text[:_LONGEST]) for name in re.split(r"[/、]|\bor\b", match))
    return tuple(dict.fromkeys(name.strip() for name in found if name.strip()))


def person(name: str, about: str) -> Person:
    """What a list of characters says about one."""
    about = about.strip(" \t-–—:：,，.|。")
    parts = [part.strip() for part in re.split(r"[,，、;；|/（）()\s]+", about[:200])]
    bare = next((part for part in parts[:6] if is_age(part)), "")
    return Person(
        name=name,
        aliases=aliases(about),
        description=about,
        gender=gender(about, name=name),
        age=age(about) or bare,
        voice=voice(about),
    )
