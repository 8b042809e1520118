from campaigns.models.goods import ExcludedGoods
from campaigns.models.purchases import Award, Purchase, PurchaseLine
from campaigns.models.rules import EarnRule, RuleVersion

__all__ = ["Award", "EarnRule", "ExcludedGoods", "Purchase", "PurchaseLine", "RuleVersion"]
