"""What the demo chain's points buy: each reward as the API takes it, in four languages, with its picture."""

from collections.abc import Callable
from typing import Any

from config.demo import pictures
from config.demo.drawing import Sheet

PARTNER = ("REX", "Rex cinema")
CATEGORIES = {
    "drinks": ("At the bar", {"fr": "Au comptoir", "zh-hans": "吧台饮品", "zh-hant": "吧台飲品"}),
    "home": ("To take home", {"fr": "À emporter chez soi", "zh-hans": "带回家", "zh-hant": "帶回家"}),
    "more": ("And more", {"fr": "Et encore", "zh-hans": "更多", "zh-hant": "更多"}),
}
LANGUAGES = ("fr", "zh-hans", "zh-hant")

type Drawn = Callable[[], Sheet]
type Words = tuple[str, str, str]


def _reward(drawn: Drawn, called: Words, said: Words, shows: Words, **given: Any) -> tuple[Drawn, dict[str, Any]]:
    """Title, description and what the picture shows in the other languages; in English they stand in `given`."""
    words = zip(LANGUAGES, called, said, shows, strict=True)
    others = {language: {"title": a, "description": b, "picture_text": c} for language, a, b, c in words}
    return drawn, given | {"translations": others}


def _price(points: int, name: str, *called: str, **when: Any) -> dict[str, Any]:
    """Another price by its name in English and in the other languages."""
    others = {language: {"name": text} for language, text in zip(LANGUAGES, called, strict=True)}
    return when | {"points": points, "name": name, "translations": others}


ITEM = {"type": "item", "valid_for": "P3M"}
REWARDS = {
    "espresso": _reward(
        pictures.espresso,
        ("Espresso", "意式浓缩咖啡", "義式濃縮咖啡"),
        ("Court et corsé, au comptoir.", "小杯浓香，吧台现做。", "小杯濃香，吧台現做。"),
        ("Une tasse d’espresso fumante", "一杯热气腾腾的意式浓缩咖啡", "一杯熱氣蒸騰的義式濃縮咖啡"),
        title="Espresso", description="Short and strong, at the bar.", picture_text="A steaming cup of espresso",
        kind="goods", category="drinks", points=40, cost="0.45", voucher=ITEM,
        prices=[_price(30, "Members’ Tuesday", "Mardi des membres", "会员星期二", "會員星期二", weekdays=[2])],
    ),
    "flat-white": _reward(
        pictures.flat_white,
        ("Flat white", "澳白咖啡", "澳白咖啡"),
        ("Un double espresso sous une fine couche de lait.", "双份浓缩，覆以细腻奶泡。", "雙份濃縮，覆以細緻奶泡。"),
        (
            "Un flat white vu de dessus, une feuille dans le lait",
            "俯视的澳白咖啡，奶泡上有叶形拉花",
            "俯視的澳白咖啡，奶泡上有葉形拉花",
        ),
        title="Flat white", description="A double shot under silky milk.",
        picture_text="A flat white from above, with a leaf in the milk",
        kind="goods", category="drinks", points=80, cost="0.95", voucher=ITEM,
        prices=[
            _price(
                60, "Quiet hours", "Heures creuses", "闲时优惠", "離峰優惠",
                weekdays=[1, 2, 3, 4, 5], hours=["14:00", "17:00"],
            ),
        ],
    ),
    "carrot-cake": _reward(
        pictures.carrot_cake,
        ("Part de carrot cake", "胡萝卜蛋糕一块", "胡蘿蔔蛋糕一塊"),
        (
            "Cuit chaque matin par nos deux boutiques à four.",
            "每天清晨在两家带烤炉的门店新鲜烘焙。",
            "每天清晨在兩家有烤爐的門市新鮮烘焙。",
        ),
        ("Une part de carrot cake sur une assiette", "盘中的一块胡萝卜蛋糕", "盤中的一塊胡蘿蔔蛋糕"),
        title="Slice of carrot cake", description="Baked every morning in our two shops with an oven.",
        picture_text="A slice of carrot cake on a plate", kind="goods", category="drinks", points=90, cost="1.20",
        stores=["garden", "market"], stock_by_store={"garden": 6, "market": 4}, low_water=2, voucher=ITEM | {"valid_for": "P7D"},
        prices=[_price(50, "Birthday cake", "Gâteau d’anniversaire", "生日蛋糕价", "生日蛋糕價", birthday_month=True)],
    ),
    "cold-brew": _reward(
        pictures.cold_brew,
        ("Cold brew, première gorgée", "冷萃咖啡尝鲜", "冷萃咖啡嚐鮮"),
        ("Un petit verre de notre nouveauté de la saison.", "一小杯本季新品，抢先品尝。", "一小杯本季新品，搶先品嚐。"),
        ("Un verre de café glacé avec une paille", "一杯插着吸管的冰咖啡", "一杯插著吸管的冰咖啡"),
        title="Cold brew, a first taste", description="A small glass of what is new this season.",
        picture_text="A glass of iced coffee with a straw", kind="trial", category="drinks", points=10, cost="0.60", per_member=1,
        voucher=ITEM | {"valid_for": "P14D"},
    ),
    "five-off": _reward(
        pictures.five_off,
        ("5\xa0€ de remise", "立减 5 欧元", "折抵 5 歐元"),
        ("Sur tout ce que nous vendons.", "适用于店内全部商品。", "適用於店內全部商品。"),
        ("Un bon vert de 5 euros", "一张绿色的 5 欧元券", "一張綠色的 5 歐元券"),
        title="€5 off", description="Off anything we sell.", picture_text="A green ticket for 5 euros",
        kind="voucher", category="more", points=200, cost="5.00",
        voucher={"type": "amount", "amount": "5.00", "minimum_spend": "15.00", "valid_for": "P3M"},
    ),
    "gift-card": _reward(
        pictures.gift_card,
        ("Carte cadeau, 10\xa0€", "10 欧元礼品卡", "10 歐元禮品卡"),
        (
            "Paie petit à petit ce que nous vendons\xa0; le reste demeure sur la carte.",
            "可用于店内全部商品，分次使用，余额留在卡上。",
            "可用於店內全部商品，分次使用，餘額留在卡上。",
        ),
        ("Une carte cadeau vert foncé au ruban rouge", "一张系着红丝带的深绿色礼品卡", "一張繫著紅絲帶的深綠色禮品卡"),
        title="Gift card, €10", description="Pays for anything we sell, bit by bit; the rest stays on the card.",
        picture_text="A dark green gift card with a red ribbon",
        kind="voucher", category="more", points=400, cost="10.00",
        voucher={"type": "amount", "amount": "10.00", "keeps_rest": True, "valid_for": "P1Y"},
    ),
    "ten-percent": _reward(
        pictures.ten_percent,
        ("10\xa0% sur les grains", "咖啡豆九折", "咖啡豆九折"),
        ("Sur tous nos cafés en grains.", "适用于所有袋装咖啡豆。", "適用於所有袋裝咖啡豆。"),
        ("Un bon rouge de 10 %", "一张红色的九折券", "一張紅色的九折券"),
        title="10% off beans", description="Off every bag of beans.", picture_text="A red ticket for 10 percent",
        kind="voucher", category="more", points=60, cost="2.00",
        voucher={"type": "percent", "amount": "10", "categories": ["beans"], "valid_for": "P2M"},
    ),
    "beans": _reward(
        pictures.beans,
        ("Grains du mois, 250\xa0g", "本月咖啡豆，250\xa0克", "本月咖啡豆，250\xa0公克"),
        ("Torréfiés cette semaine, moulus pour vous si vous voulez.", "本周烘焙，可代为研磨。", "本週烘焙，可代為研磨。"),
        ("Un sachet de café en grains", "一袋咖啡豆", "一袋咖啡豆"),
        title="Beans of the month, 250\xa0g", description="Roasted this week, ground for you if you like.",
        picture_text="A bag of coffee beans", kind="goods", category="home", points=280, cost="6.10", voucher=ITEM,
        prices=[{"tier": "barista", "points": 220}, {"tier": "roaster", "points": 250}],
    ),
    "beans-by-post": _reward(
        pictures.beans,
        ("Grains chez vous, 250\xa0g", "咖啡豆邮寄到家，250\xa0克", "咖啡豆寄到府，250\xa0公克"),
        ("Envoyés par la poste le lendemain de la torréfaction.", "烘焙次日邮寄到家。", "烘焙翌日郵寄到府。"),
        ("Un sachet de café en grains", "一袋咖啡豆", "一袋咖啡豆"),
        title="Beans sent home, 250\xa0g", description="By post, the day after they are roasted.",
        picture_text="A bag of coffee beans", kind="goods", category="home", points=360, cost="8.90", fulfilment="posted",
    ),
    "house-mug": _reward(
        pictures.house_mug,
        ("Mug de la maison", "品牌马克杯", "品牌馬克杯"),
        (
            "Grès émaillé, 30\xa0cl, passe au lave-vaisselle.",
            "釉面炻器，300 毫升，可用洗碗机清洗。",
            "釉面炻器，300 毫升，可用洗碗機清洗。",
        ),
        ("Un mug vert à vagues claires", "绿色马克杯，饰有浅色波纹", "綠色馬克杯，飾有淺色波紋"),
        title="House mug", description="Glazed stoneware, 30\xa0cl, safe in the dishwasher.",
        picture_text="A green mug with pale waves", kind="goods", category="home", points=180,
        money="4.00", cost="6.40", stock=40, low_water=10, voucher=ITEM,
    ),
    "cinema": _reward(
        pictures.cinema,
        ("Place au cinéma Rex", "雷克斯影院电影票", "雷克斯影院電影票"),
        (
            "Un code pour une séance, à saisir chez le partenaire.",
            "一个兑换码，可在合作影院换取任意场次一张票。",
            "一組兌換碼，可在合作影院換取任一場次一張票。",
        ),
        ("Un billet et du pop-corn", "电影票与爆米花", "電影票與爆米花"),
        title="Ticket for the Rex cinema", description="A code for any showing, to type in at our partner’s.",
        picture_text="A ticket and popcorn", kind="code", category="more", points=350, cost="5.50",
        code_pool=PARTNER[0], per_member=2,
    ),
    "tree": _reward(
        pictures.tree,
        ("Planter un caféier", "种一棵咖啡树", "種一棵咖啡樹"),
        (
            "Nous le plantons en votre nom chez nos producteurs.",
            "我们以您的名义，在合作咖啡园种下。",
            "我們以您的名義，在合作咖啡園種下。",
        ),
        ("Un arbre aux fruits rouges", "一棵结着红果的树", "一棵結著紅果的樹"),
        title="Plant a coffee tree", description="We plant it in your name with our growers.",
        picture_text="A tree with red fruit", kind="donation", category="more", points=25, cost="0.50",
    ),
    "latte-class": _reward(
        pictures.latte_class,
        ("Atelier latte art", "拉花课程", "拉花課程"),
        ("Une heure derrière le comptoir, le samedi matin.", "周六上午，一小时吧台实操。", "週六上午，一小時吧台實作。"),
        ("Du lait versé dans une tasse", "牛奶正倒入杯中", "牛奶正倒入杯中"),
        title="Latte art class", description="An hour behind the bar, on Saturday morning.",
        picture_text="Milk being poured into a cup", kind="service", category="more", points=300, cost="9.00",
        tiers=["barista"], stores=["harbour"], per_member=1, stock=12, voucher=ITEM | {"valid_for": "P6M"},
    ),
    "flask": _reward(
        pictures.flask,
        ("Gourde isotherme", "保温瓶", "保溫瓶"),
        ("Garde au chaud pendant huit heures.", "保温八小时。", "保溫八小時。"),
        ("Une gourde bleu nuit", "深蓝色保温瓶", "深藍色保溫瓶"),
        title="Insulated flask", description="Keeps hot for eight hours.", picture_text="A dark blue flask",
        kind="goods", category="home", points=320, cost="9.80", stock=0, voucher=ITEM,
    ),
}  # fmt: skip
# How often each is chosen, by whoever has the points.
WISHES = {
    "espresso": 5, "flat-white": 10, "carrot-cake": 2, "cold-brew": 2, "five-off": 4,
    "ten-percent": 2, "beans": 3, "house-mug": 2,
    "cinema": 2, "tree": 2, "latte-class": 1,
}  # fmt: skip
