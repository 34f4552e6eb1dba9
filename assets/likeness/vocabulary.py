"""Words that stand beside names, or for them: titles, forms of address, kin, roles, ages.

Which words there are is common knowledge of the two languages; nothing here is taken from a script.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from assets.likeness.text import listed


@dataclass(frozen=True, kw_only=True)
class Title:
    """What somebody is called by beside a name. All spellings of one title are one `word`."""

    word: str
    field: str  # of work; empty: says nothing about it, as Mr.
    gender: str = ""


def _titles(field: str, gender: str, *groups: str) -> dict[str, Title]:
    """Each group is the spellings of one title, its own word first."""
    return {
        spelling: Title(word=group.split()[0], field=field, gender=gender)
        for group in groups
        for spelling in group.split()
    }


LATIN_TITLES = {
    **_titles("", "male", "mr mister", "sir", "lord", "uncle", "grandpa granddad grandfather", "brother bro", "master"),
    **_titles("", "female", "mrs missus", "ms", "miss", "madam madame maam", "lady", "aunt auntie", "dame"),
    **_titles("", "female", "grandma granny grandmother", "sister sis"),
    **_titles("medicine", "", "dr doctor doc", "nurse"),
    **_titles(
        "police", "", "det detective", "sgt sergeant sarge", "officer", "agent", "inspector", "sheriff", "deputy"
    ),
    **_titles("police", "", "lt lieutenant", "capt captain cap", "chief", "constable", "commissioner"),
    **_titles("army", "", "gen general", "col colonel", "maj major", "cpl corporal", "pvt private", "admiral"),
    **_titles("school", "", "prof professor", "coach", "principal", "teacher"),
    **_titles("church", "", "father fr", "rev reverend", "pastor", "bishop", "rabbi"),
    **_titles("law", "", "judge justice", "counselor"),
    **_titles("state", "", "president", "senator", "mayor", "governor", "congressman", "ambassador", "minister"),
    **_titles("court", "male", "king", "prince", "count", "baron", "emperor"),
    **_titles("court", "female", "queen", "princess", "duchess", "countess", "baroness", "empress"),
}

# Fields between which a person may well change, or whose titles overlap.
NEAR_FIELDS = frozenset(
    frozenset(pair)
    for pair in [
        ("police", "army"),
        ("medicine", "school"),
        ("law", "state"),
        ("business", "school"),
        ("state", "army"),
    ]
)

HAN_TITLES = {
    **_titles(
        "",
        "male",
        "先生",
        "少爷",
        "公子",
        "哥",
        "哥哥",
        "叔 叔叔",
        "伯 伯伯 伯父",
        "爷",
        "爷爷",
        "大爷",
        "舅 舅舅",
        "大叔",
    ),
    **_titles("", "male", "大哥", "少", "爸", "爸爸", "师傅", "兄"),
    **_titles(
        "", "female", "太太", "夫人", "小姐", "女士", "姐", "姐姐", "姨 阿姨", "婶 婶婶 婶子", "奶奶", "大妈", "大娘"
    ),
    **_titles("", "female", "嫂 嫂子", "姑 姑姑", "妈", "妈妈", "姑娘", "嬷嬷", "大姐", "妹", "妹妹", "婆婆"),
    **_titles(
        "business", "", "总", "董 董事长", "总裁", "经理", "总经理", "老板", "总监", "主管", "秘书", "助理", "特助"
    ),
    **_titles("business", "", "管家", "店长", "会计", "会长"),
    **_titles("medicine", "", "医生 大夫 医师", "护士", "院长", "护士长"),
    **_titles("school", "", "老师", "教授", "校长", "同学", "教练", "导师", "学长", "学姐", "博士"),
    **_titles("police", "", "警官", "警察", "队长 队", "局长 局", "探长", "警长", "所长"),
    **_titles("law", "", "律师", "法官", "检察官"),
    **_titles("state", "", "书记", "市长", "县长", "镇长", "村长", "处长", "科长", "部长", "主任", "主席", "厂长"),
    **_titles("army", "", "将军", "元帅", "连长", "团长", "营长", "班长", "司令", "统领", "参谋"),
    **_titles("court", "male", "王爷", "皇子", "太子", "公公", "大人", "侯爷", "世子", "丞相", "尚书"),
    **_titles("court", "female", "公主", "王妃", "贵妃", "娘娘", "皇后", "郡主", "贵人", "嫔"),
    **_titles("craft", "", "导演", "编剧", "记者", "司机", "道长", "大师", "掌柜", "捕头"),
}

_KIN = (
    "father 父亲 爸爸 爸 父 老爸 爹 dad daddy papa | mother 母亲 妈妈 妈 母 老妈 娘 mom mum mommy mama |"
    "grandfather grandpa granddad | grandmother grandma granny | 爷爷 祖父 | 外公 姥爷 | 奶奶 祖母 | 外婆 姥姥 |"
    "brother bro | sister sis | 哥哥 | 弟弟 | 姐姐 | 妹妹 | husband 老公 丈夫 | wife 老婆 妻子 |"
    "son 儿子 | daughter 女儿 | uncle | aunt auntie | 叔叔 | 舅舅 | 姑姑 | 阿姨 | 舅妈 | 婶婶 |"
    "assistant 助理 | secretary 秘书 | driver 司机 |"
    "bodyguard 保镖 | friend 朋友 | 闺蜜 | boss 老板 | 上司 | girlfriend 女友 女朋友 | boyfriend 男友 男朋友 |"
    "lawyer 律师 | neighbour neighbor 邻居 | maid | 丫鬟 | 侍女 | 保姆"
)
KIN = {word: group.split()[0] for group in _KIN.split("|") for word in group.split()}
"""What relative a word says; an elder brother and a younger one are two."""
KIN_GENDERS = {
    **dict.fromkeys(
        listed("father grandfather 爷爷 外公 brother 哥哥 弟弟 husband son uncle 叔叔 舅舅 boyfriend"), "male"
    ),
    **dict.fromkeys(
        listed("mother grandmother 奶奶 外婆 sister 姐姐 妹妹 wife daughter aunt 姑姑 girlfriend"), "female"
    ),
    **dict.fromkeys(listed("阿姨 舅妈 婶婶"), "female"),
}

# What stands for a person of whom no name is known: the last word of such a name.
LATIN_ROLES = frozenset(
    listed("""man woman boy girl guy lady gentleman kid child children baby teen teenager person people crowd voice
    narrator announcer guard cop officer policeman policewoman detective agent soldier waiter waitress bartender
    barista server nurse doctor paramedic surgeon patient clerk cashier receptionist secretary assistant driver
    chauffeur pilot stewardess attendant student teacher professor reporter journalist anchor host hostess guest
    customer client lawyer judge bailiff juror priest nun monk thug henchman goon gangster robber thief killer
    victim hostage worker employee manager boss owner chef cook maid butler janitor mechanic farmer fisherman hunter
    villager neighbor neighbour passenger passerby pedestrian tourist vendor shopkeeper merchant dealer delivery
    courier messenger stranger figure bystander onlooker fan protester beggar homeless prisoner inmate warden jailer
    knight archer rider sailor captain lieutenant sergeant general king queen prince princess servant slave wizard
    witch ghost monster alien robot computer operator technician engineer scientist director producer model singer
    dancer musician drummer player coach referee bouncer doorman bellhop concierge usher all everyone both mom mum
    mother mommy mama dad father daddy papa son daughter brother sister husband wife grandma grandpa grandmother
    grandfather uncle aunt friend girlfriend boyfriend bride groom landlord landlady""")
)
HAN_ROLES = frozenset(
    listed("""男人 女人 男子 女子 男孩 女孩 小孩 孩子 老人 老头 老太太 老太 大爷 大妈 大叔 阿姨 少年 少女 青年 婴儿
    路人 行人 群众 众人 村民 市民 百姓 观众 旁白 画外音 声音 人群 邻居 房东 租客 保安 警察 警官 民警 刑警 特警 士兵
    侍卫 护卫 卫兵 守卫 官兵 将士 保镖 打手 小弟 混混 流氓 歹徒 劫匪 绑匪 杀手 刺客 黑衣人 蒙面人 神秘人 小偷 服务员
    服务生 店员 店长 收银员 前台 经理 老板 老板娘 员工 职员 同事 秘书 助理 司机 快递员 外卖员 保洁 清洁工 工人 工头
    农民 医生 护士 大夫 病人 患者 家属 老师 学生 同学 教授 校长 记者 主持人 主播 律师 法官 导演 演员 歌手 摄影师
    模特 客人 顾客 客户 宾客 来宾 乘客 游客 商贩 小贩 摊主 掌柜 小二 伙计 丫鬟 侍女 宫女 太监 仆人 下人 佣人 保姆
    管家 家丁 嬷嬷 大臣 皇帝 皇上 皇后 太后 太子 公主 王爷 娘娘 将军 丞相 总裁 董事长 董事 股东 高管 主管 总监 队长
    局长 院长 主任 村长 镇长 市长 男生 女生 男声 女声 男主 女主 系统 机器人 妈妈 爸爸 母亲 父亲 爷爷 奶奶 外公 外婆
    哥哥 姐姐 弟弟 妹妹 老公 老婆 丈夫 妻子 儿子 女儿 叔叔 舅舅 姑姑 闺蜜 朋友 亲戚 长辈 媒婆 道士 和尚 弟子 长老
    掌门 师父 师兄 师弟 师姐 师妹 徒弟 大人 少爷 小姐 夫人 太太 先生 女士 美女 帅哥""")
)

STAGES = {
    **dict.fromkeys(listed("baby infant 婴儿时"), "baby"),
    **dict.fromkeys(listed("little kid child 幼年 童年 小时候 儿时 幼时"), "child"),
    **dict.fromkeys(listed("teen teenage teenaged 少年 少女 少年时 少女时"), "teen"),
    **dict.fromkeys(listed("young younger 年轻 年轻时 青年"), "young"),
    **dict.fromkeys(listed("adult 成年 中年 长大后"), "adult"),
    **dict.fromkeys(listed("old older elderly aged 老年 晚年 年老"), "old"),
}
AGES = tuple(dict.fromkeys(STAGES.values()))
"""As they follow each other."""
GENERATIONS = {
    **dict.fromkeys(("jr", "junior"), "jr"),
    **dict.fromkeys(("sr", "senior"), "sr"),
    **{numeral: numeral for numeral in ("ii", "iii", "iv")},
}

_NICKNAMES = """
    alexander alex al sasha xander | alexandra alex alexa sandra sasha lexi | andrew andy drew | anthony tony ant |
    barbara barb barbie | benjamin ben benny benji | catherine katherine kathryn kate katie kathy cathy kat kitty
    cat | charles charlie chuck chas | charlotte charlie lottie | christina christine chris chrissy tina |
    christopher chris topher kit | daniel dan danny | david dave davy | deborah debra deb debbie | donald don donny
    | dorothy dot dottie | edward ed eddie ted teddy ned | eleanor ellie nell nora | elizabeth liz lizzie beth betty
    eliza betsy lisa libby | emily em emmy | eugene gene | francis frank frankie | frederick fred freddy freddie |
    gabriel gabe | gerald gerry jerry | gregory greg | harold harry hal | henry harry hank hal | isabella isabel
    bella izzy | jacob jake | james jim jimmy jamie | janet jan | jeffrey geoffrey jeff geoff | jennifer jen jenny
    jenn | jessica jess jessie | john johnny jack jon | jonathan jon jonny | joseph joe joey | joshua josh | judith
    judy | katarina kat | kenneth ken kenny | lawrence laurence larry | leonard leo len lenny | louis lou louie |
    margaret maggie meg peggy marge greta | matthew matt matty | michael mike mikey mick mickey | nathaniel nathan
    nate nat | nicholas nick nicky | olivia liv livvy | pamela pam | patricia pat patty tricia trish | patrick pat
    paddy | penelope penny | peter pete | philip phillip phil | rachel rach | raymond ray | rebecca becca becky |
    richard rick ricky dick rich richie | robert bob bobby rob robbie bert | ronald ron ronnie | samantha sam sammy
    | samuel sam sammy | sarah sara sally sadie | sebastian seb bastian | stephanie steph stephie | stephen steven
    steve stevie | susan sue susie suzy | theodore theo ted teddy | theresa teresa tess terry | thomas tom tommy |
    timothy tim timmy | victoria vicky tori | vincent vince vinny | virginia ginny | walter walt wally | william
    will bill billy willy liam | zachary zach zack
"""
_names = [tuple(group.split()) for group in _NICKNAMES.split("|")]
NICKNAMES = {name: frozenset(group[0] for group in _names if name in group) for name in itertools.chain(*_names)}
"""Of each name the full names that it may be short for."""

SURNAMES = frozenset(
    """王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢姜崔
    钟谭陆汪范金石廖贾夏韦傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢
    安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路
    游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全
    佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚
    鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝阎肖付代邸郗""".replace("\n", "").replace(" ", "")
)
COMPOUND_SURNAMES = frozenset(
    listed("欧阳 上官 司马 诸葛 司徒 慕容 东方 独孤 南宫 夏侯 皇甫 尉迟 公孙 令狐 轩辕 端木 长孙 宇文 百里 西门 纳兰")
)
# Characters that are read otherwise as a family's name.
SURNAME_READINGS = {
    **{"单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "任": "ren", "查": "zha", "翟": "zhai", "缪": "miao"},
    **{
        "尉迟": "yuchi",
        "长孙": "zhangsun",
        "覃": "qin",
        "乐": "yue",
        "冼": "xian",
        "华": "hua",
        "盖": "ge",
        "区": "ou",
    },
    **{"朴": "piao", "宁": "ning", "尹": "yin", "员": "yun", "燕": "yan", "纪": "ji", "石": "shi", "阮": "ruan"},
}
