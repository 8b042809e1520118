from campaigns.models.counters import CapCounter
from campaigns.models.events import Event
from campaigns.models.goods import ExcludedGoods
from campaigns.models.purchases import Award, Purchase, PurchaseLine
from campaigns.models.rules import EarnRule, RuleVersion
from campaigns.models.segments import Segment, SegmentMembership

__all__ = [
    "Award", "CapCounter", "EarnRule", "Event", "ExcludedGoods", "Purchase", "PurchaseLine", "RuleVersion", "Segment",
    "SegmentMembership",
]  # fmt: skip
