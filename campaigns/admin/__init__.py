"""The pages about earning for staff: receipts, rules from draft to publication, segments, goods that earn nothing."""

from campaigns.admin import goods, purchases, rules, segments

__all__ = ["goods", "purchases", "rules", "segments"]
