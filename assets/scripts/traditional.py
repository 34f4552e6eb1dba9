"""Chinese in traditional characters: the words that make a script one, as the patterns here have them."""

from __future__ import annotations

# Sign for sign, so that places in a line stay what they are. Only for matching: what is shown stays as written.
_FOLDED = str.maketrans(
    "與業東絲兩個為爲麼樂書於親僅僕從們價眾衆夥傳體餘傭倆債兒關內寫幾則別劇辦務動勵醫衛卻廳歷參發疊臺號後聽員響圍場墳牆聲備頭獎妝婦媽嬸嬤學寶實宮賓對尋"
    "導將屬歲師幹廣庫開彈當錄憶懷總懸戲護報撥換據攝攤數斷無時晝顯曉暫術機殺條來槍標樣檔夢橫沒潔燈靈點熱爺獨獄環現電畫監著祕筆籤簡類約級綱紙線終紹綁結"
    "給絡統繼緒續編網羣職藝節裝見觀規視覽計記講論設證評診詞話語說請調販貴資車轉輕輯邊過運這遠選遺郵鄰裏裡銘鍵鏡長門閃問間聞隊隨顧預頻題額館黃齡註佈",
    "与业东丝两个为为么乐书于亲仅仆从们价众众伙传体余佣俩债儿关内写几则别剧办务动励医卫却厅历参发叠台号后听员响围场坟墙声备头奖妆妇妈婶嬷学宝实宫宾对寻"
    "导将属岁师干广库开弹当录忆怀总悬戏护报拨换据摄摊数断无时昼显晓暂术机杀条来枪标样档梦横没洁灯灵点热爷独狱环现电画监着秘笔签简类约级纲纸线终绍绑结"
    "给络统继绪续编网群职艺节装见观规视览计记讲论设证评诊词话语说请调贩贵资车转轻辑边过运这远选遗邮邻里里铭键镜长门闪问间闻队随顾预频题额馆黄龄注布",
)


def folded(text: str) -> str:
    """場 as 场, 內 as 内: as long as the text, so that what is found in it stands at the same place there."""
    return text if text.isascii() else text.translate(_FOLDED)
