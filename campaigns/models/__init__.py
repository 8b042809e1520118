from campaigns.models.counters import CapCounter
from campaigns.models.goods import ExcludedGoods
from campaigns.models.purchases import Award, Purchase, PurchaseLine
from campaigns.models.rules import EarnRule, RuleVersion

__all__ = ["Award", "CapCounter", "EarnRule", "ExcludedGoods", "Purchase", "PurchaseLine", "RuleVersion"]
