"""What the demo chain is: its shops, what it sells, who comes."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import NAMESPACE_DNS, uuid5

from members.tiers import Level

# Under which id the demo acts in the audit trail.
ACTOR = uuid5(NAMESPACE_DNS, "demo.example")
SHOPS = {
    "harbour": ("Harbour shop", "Europe/Paris", "Coast"),
    "market": ("Market hall", "Europe/Paris", "Old town"),
    "station": ("Central station", "Europe/Paris", "Centre"),
    "garden": ("Garden street", "Europe/Paris", "Old town"),
    "campus": ("Campus", "Europe/Paris", "North"),
    "quay": ("Quay 7", "Europe/Paris", "Coast"),
}


@dataclass(frozen=True, slots=True)
class Item:
    sku: str
    category: str
    price: Decimal


MENU = (
    Item("espresso", "coffee", Decimal("2.20")),
    Item("flat-white", "coffee", Decimal("4.20")),
    Item("cappuccino", "coffee", Decimal("3.90")),
    Item("filter", "coffee", Decimal("3.20")),
    Item("green-tea", "tea", Decimal("3.60")),
    Item("croissant", "bakery", Decimal("2.40")),
    Item("cinnamon-roll", "bakery", Decimal("3.30")),
    Item("carrot-cake", "bakery", Decimal("4.60")),
    Item("sandwich", "lunch", Decimal("7.90")),
    Item("soup", "lunch", Decimal("6.50")),
    Item("beans-250", "beans", Decimal("12.90")),
    Item("beans-1000", "beans", Decimal("42.00")),
)
# How often each is ordered, in the order of the menu.
TASTE = (6, 12, 9, 7, 5, 9, 6, 4, 5, 3, 1, 0.3)

# The house's words for its tiers, from which points of a year on, and what reaching them gives.
TIERS = (
    Level("regular", "Regular", 0, names=(("fr", "Habitué"), ("zh-hans", "常客"), ("zh-hant", "常客"))),
    Level("roaster", "Roaster", 200, 20, (("fr", "Torréfacteur"), ("zh-hans", "烘焙师"), ("zh-hant", "烘豆師"))),
    Level("barista", "Barista", 500, 50, (("fr", "Barista"), ("zh-hans", "咖啡师"), ("zh-hant", "咖啡師"))),
)

GIVEN = (
    "Camille", "Wei", "Aïcha", "Marc", "Léa", "Yun", "Sam", "Nadia", "Hugo", "Mei", "Lucas", "Chloé", "Jin", "Inès",
    "Paul", "Xiu", "Jade", "Noah", "Ling", "Emma", "Louis", "Hui", "Rose", "Adam", "Lan", "Alice", "Tom", "Fang",
)  # fmt: skip
FAMILY = ("Martin", "Chen", "Bernard", "Wang", "Petit", "Li", "Durand", "Zhang", "Moreau", "Liu", "Simon", "Huang")
LANGUAGES = ("en", "en", "fr", "fr", "zh-hans", "zh-hant")

# One login for each role, and two members whose sign-in codes can be read in the admin's mail page.
STAFF = {
    "owner": "Yun Duval",
    "manager": "Marc Petit",
    "marketer": "Léa Simon",
    "finance": "Nadia Moreau",
    "support": "Sam Laurent",
    "cashier": "Aïcha Benali",
}
MEMBERS = ("camille@demo.example", "wei@demo.example")

# What members earn for beside buying: the code of each rule, and the rule as the API takes it.
ACTS = {
    "check-in": {"name": "Daily check-in", "kind": "event", "event_type": "check_in", "value": "5"},
    "check-in-week": {
        "name": "Seven days in a row", "kind": "event", "event_type": "check_in", "value": "50", "who": {"streak": 7},
    },
    "welcome": {"name": "Welcome gift", "kind": "event", "event_type": "sign_up", "value": "100"},
    "birthday": {"name": "Birthday treat", "kind": "event", "event_type": "birthday", "value": "50"},
}  # fmt: skip
