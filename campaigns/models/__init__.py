from campaigns.models.counters import CapCounter
from campaigns.models.events import Event
from campaigns.models.goods import ExcludedGoods
from campaigns.models.purchases import Award, Purchase, PurchaseLine
from campaigns.models.returns import ClawBack, PurchaseReturn, PurchaseReturnLine
from campaigns.models.rules import EarnRule, RuleVersion
from campaigns.models.segments import Segment, SegmentMembership

__all__ = [
    "Award", "CapCounter", "ClawBack", "EarnRule", "Event", "ExcludedGoods", "Purchase", "PurchaseLine", "PurchaseReturn",
    "PurchaseReturnLine", "RuleVersion", "Segment", "SegmentMembership",
]  # fmt: skip
