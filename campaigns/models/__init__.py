from campaigns.models.counters import CapCounter
from campaigns.models.events import Event
from campaigns.models.purchases import Award, Purchase, PurchaseLine
from campaigns.models.rules import EarnRule, RuleVersion
from campaigns.models.segments import Segment, SegmentMembership

__all__ = [
    "Award", "CapCounter", "EarnRule", "Event", "Purchase", "PurchaseLine", "RuleVersion", "Segment", "SegmentMembership",
]  # fmt: skip
