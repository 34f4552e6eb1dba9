"""Who speaks: names without what cues add to them, one name for its many spellings, and who is only an extra."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass

from assets.scripts import traditional
from assets.scripts.words import words

LONGEST = 60  # characters; nobody is called more

_BRACKETED = re.compile(r"\s*[(（\[]([^()（）\[\]]{0,80})[)）\]]?\s*$")
_EXTENSION = re.compile(
    r"[\s,/-]+((?:V\.?\s?/?O\.?|O\.?\s?/?[SC]\.?|O\.?S\.?V\.?|VOICE[ -]?OVER|OFF[ -]?SCREEN|OFF[ -]?CAMERA|"
    r"FILTERED|CONT(?:INUED|['’]?D)\.?|"
    r"PRE-?LAP|SUBTITLED?|ON (?:THE )?(?:PHONE|RADIO|TV|SCREEN|SPEAKER|INTERCOM)))$",
    re.IGNORECASE,
)
_CONTINUED = re.compile(r"\W*(?:CONT(?:INUED|['’‘`]?\s?D)?|CON['’]T|MORE|CONTINUING|续|继续)\W*", re.IGNORECASE)
_VOICE = re.compile(r"^(.{2,40}?)['’]S VOICE$", re.IGNORECASE)
_CHINESE_VOICE = re.compile(
    r"^(.{0,12}?[\u4e00-\u9fff·])(?:的)?(内心独白|内心OS|内心|心声|画外音|旁白|独白|心语|声音|心里话|os|vo|ov|"
    r"o\.s\.?|v\.o\.?|o\.s|v\.o)$",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\s*(?:/|&|\+|、|，|和|与|及)\s*|\s+(?:AND|et|und|y)\s+", re.IGNORECASE)
_COMMA = re.compile(rf"\s*,\s*(?:AND\s+)?|{_JOINED.pattern}", re.IGNORECASE)
_SURE_JOIN = re.compile(r"\s*[/&+、]\s*")

_CROWD_WORDS = words(
    "CROWD EVERYONE EVERYBODY ALL BOTH OTHERS TOGETHER AUDIENCE PEOPLE GUESTS VOICES CHORUS SOLDIERS COPS ",
    "OFFICERS GUARDS MEN ",
    "WOMEN KIDS CHILDREN STUDENTS REPORTERS PASSERSBY ONLOOKERS PATRONS CUSTOMERS BYSTANDERS EXTRAS VILLAGERS ",
    "TOWNSPEOPLE ",
    "TOWNSFOLK PASSENGERS WORKERS SPECTATORS DINERS PARTYGOERS MOB GANG GROUP ENSEMBLE PROTESTERS PROTESTORS FANS ",
    "JURORS ",
    "SAILORS WAITERS NURSES DOCTORS EMPLOYEES COMMUTERS PEDESTRIANS SHOPPERS MOURNERS SERVANTS COURTIERS ",
    "NEIGHBORS NEIGHBOURS ",
    "GUYS GIRLS BOYS LADIES FIREFIGHTERS POLICEMEN PARAMEDICS CLASSMATES COWORKERS COLLEAGUES DANCERS TOURISTS",
)
_ROLE_WORDS = words(
    "GUARD COP OFFICER SOLDIER MAN WOMAN BOY GIRL KID CHILD TEEN TEENAGER STUDENT REPORTER NURSE DOCTOR WAITER ",
    "WAITRESS THUG GOON ",
    "HENCHMAN AGENT WORKER VILLAGER CUSTOMER PATRON GUEST PASSENGER PEDESTRIAN BYSTANDER ONLOOKER EXTRA NEIGHBOR ",
    "NEIGHBOUR ",
    "VOICE TECH TECHNICIAN PARAMEDIC EMT FIREMAN FIREFIGHTER DRIVER CLERK CASHIER BARTENDER MOURNER JUROR FAN GUY ",
    "LADY DUDE ",
    "PROTESTER BODYGUARD PRISONER INMATE SAILOR PIRATE KNIGHT SERVANT MAID COURTIER CITIZEN TOWNSPERSON DINER ",
    "SHOPPER TOURIST ",
    "POLICEMAN DETECTIVE ASSISTANT EMPLOYEE INTERN OPERATOR DISPATCHER SCIENTIST ENGINEER MONK PRIEST DANCER ",
    "PLAYER HUNTER ",
    "ROBBER GANGSTER BIKER VENDOR MERCHANT CLASSMATE COLLEAGUE BULLY CREWMAN CREW PILOT ",
    "NUN WARRIOR REBEL CROOK BANDIT RAIDER MARINE TROOPER RANGER SPY HOOLIGAN PUNK HIPPIE NEWSMAN PHOTOGRAPHER FARMER",
)
_COUNTS = words("TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE TEN TWELVE DOZENS HUNDREDS")
_MEN = words(  # with MEN or WOMEN behind it; CARMEN and BEAMEN are names
    "AIR ANCHOR BARGE BOAT BUSINESS CAMERA CLANS CLERGY CONGRESS COUNTRY CREW DOOR FERRY FIRE FISHER FOOT FREED ",
    "FRONTIERS GENTLE GUARDS GUNS GUN HENCH HIT HORSE HUNTS LAW LINE LUMBER MAIL MILITIA MILK NEWS NOBLE NORTH ",
    "OARS PATROL POLICE REPAIR RIFLE SALES SEA SERVICE SPACE SPEAR SPOKES SPORTS STUNT SWORDS TAX TOWNS TRADES ",
    "TRIBES WATCH WAR WOODS WORK",
)
_ANYBODY = words("MAN WOMAN BOY GIRL KID CHILD GUY LADY DUDE TEEN TEENAGER VOICE PLAYER FAN")
_CROWD_FORMS = re.compile(
    r"^(?:ALL|SEVERAL|VARIOUS|SOME|OTHER|MANY)\s|^(?:A |THE )?(?:CROWD|MOB|GROUP)\b|\bCROWD$|\bVOICES$"
)
_NUMBERED = re.compile(
    r"^(?P<base>.+?)\s*(?:(?P<mark>#|NO\.?|NUMBER)\s*(?P<sure>\d{1,3}|[A-F])|\s(?P<plain>1?\d|[A-F]|ONE|TWO|THREE|"
    r"FOUR))$"
)

_HAN_ROLE = (
    "村民|员工|保镖|保安|路人|记者|宾客|群众|士兵|侍卫|护士|医生|警察|警员|同学|学生|服务员|服务生|店员|顾客|客人|"
    "工人|丫鬟|宫女|太监|大臣|"
    "家丁|手下|打手|混混|小弟|女工|男工|邻居|大妈|大爷|大叔|大婶|网友|粉丝|观众|乘客|司机|助理|秘书|男人|女人|"
    "男子|女子|男生|女生|男孩|女孩|"
    "老人|小孩|孩子|黑衣人|杀手|刺客|弟子|仆人|佣人|女佣|侍女|下人|衙役|捕快|官兵|将士|百姓|商人|股东|董事|高管|"
    "同事|职员|亲戚|族人|长老|"
    "男|女|甲方|伙计|小二|狱卒|犯人|囚犯|随从|跟班|名媛|贵妇|富太|太太|千金|公子|少爷|食客|小贩|摊主|师兄|师弟|"
    "师姐|师妹|嬷嬷|婢女|奴婢|护卫|"
    "队员|队友|选手|评委|嘉宾|模特|演员|路人男|路人女|群演|吃瓜群众|围观者|围观群众|路过者|催债人|债主|流氓|歹徒|"
    "绑匪|劫匪|保洁|前台"
)
_HAN_NUMBERED = re.compile(
    rf"^.{{0,4}}?(?:{_HAN_ROLE})(?:[甲乙丙丁戊己庚辛]|[A-Ha-h]|\d{{1,2}}|[一二三四五六七八九十]号?|[1-9]号)$"
)
_HAN_ANY_NUMBERED = re.compile(r"^[\u4e00-\u9fff]{2,5}(?:[甲乙丙丁]|[A-Ha-h]|\d{1,2}号?)$")
_HAN_MANY = re.compile(
    rf"^(?:众|群|全体|所有|其他|其余|各|一群|一众|几个|几名|几位|数名|数个|多名|两名|三名|四名|若干|部分)|(?:若干|"
    rf"数名|多名|数人|等人|们|等|群)$|"
    rf"(?:[\d一两二三四五六七八九十几数多]+[名个位人]+)$|^[\d一两二三四五六七八九十几]+[名个位](?:{_HAN_ROLE})|若干"
)
_HAN_CROWD = words(
    "众人 大家 所有人 全员 群众 群演 路人 宾客 宾客们 村民 员工 百姓 士兵 官兵 观众 围观群众 吃瓜群众 众臣 众大臣 ",
    "记者 同学们 网友 弹幕 ",
    "其他人 旁人 人群 群臣 众宾客 保镖 侍卫 宫女 手下 家丁 两人 二人 三人 俩人 众女 众男 几人 群众演员 路人们 ",
    "众弟子 众将 客人 黑衣人 学生 下人 佣人",
)
_NOBODY = words(
    "旁白 画外音 字幕 音效 特写 镜头 画面 背景音 背景音乐 音乐 BGM 系统音 提示音 广播 闪回 空镜 独白 解说 解说词 ",
    "全景 中景 近景 远景 ",
    "VO OS 黑屏 标题 片头 片尾 片名",
)
_HAN_VOICES = re.compile(
    r".{0,8}(?:提示|系统|画外|机械|电子|合成|背景|导航|广播|播报|语|录|电话|手机|铃|机器人?)(?:声|音)|"
    r"[男女童人](?:声|音)|画外|画面外|内心|心声"
)


@dataclass(frozen=True, slots=True)
class Said:
    """A cue, taken apart."""

    name: str
    extension: str = ""


def read(cue: str) -> Said:
    """SARAH (V.O.) (CONT'D), 林晚（OS）, SARAH'S VOICE: who, and how. An empty name if there is nobody in it."""
    rest = " ".join(unicodedata.normalize("NFKC", cue[:200]).split()).strip(" *_^:：【】")
    extensions: list[str] = []
    while rest and (found := _BRACKETED.search(rest) or _EXTENSION.search(rest)):
        if not rest[: found.start()].strip():
            break
        extensions.insert(0, found[1].strip())
        rest = rest[: found.start()].rstrip(" *_-,")
    for voice in (_VOICE, _CHINESE_VOICE):
        if found := voice.match(traditional.folded(rest)):
            extensions.append(rest[found.start(2) :] if voice is _CHINESE_VOICE else "VOICE")
            rest = rest[: found.end(1)]
    kept = [extension for extension in extensions if extension and not _CONTINUED.fullmatch(extension)]
    return Said(rest.strip(' *_-,.·“”"' if not rest.endswith("R.") else " *_-,"), ", ".join(kept))


def is_continued(cue: str) -> bool:
    """SARAH (CONT'D): it was she who spoke last."""
    return any(_CONTINUED.fullmatch(found) for found in re.findall(r"[(（]([^()（）]{0,80})[)）]", cue[:200]))


def key(name: str) -> str:
    """The same for all spellings of a name: width, case, dots, blanks, kinds of apostrophes, with THE and without."""
    name = re.sub(r"^(?:the|an?)\s+(?=\S{2})", "", name.strip(), flags=re.IGNORECASE)
    return re.sub(r"[\s.·•\-_'’‘`\"“”*]+", "", unicodedata.normalize("NFKC", name).casefold())


def joined(name: str, known: Container[str] = frozenset()) -> list[str]:
    """Those who speak at once, without what cues add to each; else the name itself.

    SARAH (O.S.)/TOM, 林晚、陆沉; SARAH AND TOM if one of them is known; SARAH, TOM if all of them are.
    """
    name = " ".join(name.split())
    parts = [part.strip() for part in _JOINED.split(name) if part.strip()]
    if "," in name and key(name) not in known:
        listed = [read(part).name for part in _COMMA.split(name) if part.strip()]
        if len(listed) > 1 and all(key(part) in known for part in listed):
            return listed
    if len(parts) < 2 or any(len(part) < 2 and part.isascii() for part in parts):
        return [name]
    if key(name) in known:
        return [name]
    marked = [part.strip() for part in _SURE_JOIN.split(name) if part.strip()]
    if len(marked) > 1:
        return [single for part in marked for single in joined(read(part).name or part, known)]
    return parts if any(key(part) in known for part in parts) else [name]


def may_be_joined(name: str) -> bool:
    """Whether it could be more than one name: SARAH AND TOM, but also SALT AND PEPPER."""
    return len([part for part in _COMMA.split(name) if part.strip()]) > 1


def is_nobody(name: str) -> bool:
    """A narrator without a face, a title, a sound: what stands where a name stands in Chinese scripts."""
    folded = traditional.folded(name.upper())
    return folded in _NOBODY or _HAN_VOICES.fullmatch(folded) is not None


def is_extra(name: str) -> bool:
    """村民甲, 员工B, 若干宾客, 众人; GUARD #2, CROWD, TWO COPS."""
    if re.search(r"[\u4e00-\u9fff]", name):
        bare = traditional.folded(re.sub(r"\s", "", name))
        return bool(
            bare in _HAN_CROWD or _HAN_NUMBERED.match(bare) or _HAN_MANY.search(bare) or _HAN_ANY_NUMBERED.match(bare)
        )
    upper = " ".join(name.upper().split())
    if upper in _CROWD_WORDS or _CROWD_FORMS.search(upper):
        return True
    words = upper.split()
    if words and (words[-1] in _CROWD_WORDS or _is_plural_role(words[-1])):
        return True
    if len(words) > 1 and words[0] in _COUNTS and (_is_plural_role(words[-1]) or re.search(r"[^S'’]S$", words[-1])):
        return True
    if found := _NUMBERED.match(upper):
        return bool(found["sure"]) or found["base"].split()[-1] in _ROLE_WORDS
    return False


def numbered(name: str) -> tuple[str, str]:
    """STORMTROOPER 2 as STORMTROOPER and 2; nothing and nothing if there is no number behind it."""
    found = _NUMBERED.match(" ".join(name.upper().split()))
    return (key(found["base"]), found["sure"] or found["plain"]) if found else ("", "")


def _is_plural_role(word: str) -> bool:
    """TEENAGERS, THUGS, FISHERMEN: more than one of what somebody is."""
    if word.endswith("MEN"):
        return word.removesuffix("MEN").removesuffix("WO") in _MEN
    return word.endswith("S") and any(one in _ROLE_WORDS for one in (word[:-1], word[:-2], word[:-3] + "Y"))


def is_anybody(word: str) -> bool:
    """MAN, KID: whoever is spoken of, and not only the one who is called so."""
    return word.upper() in _ANYBODY


def is_role(word: str) -> bool:
    """GUARD, WAITRESS: what somebody is, and not what he or she is called."""
    return word.upper() in _ROLE_WORDS or word.upper() in _CROWD_WORDS
