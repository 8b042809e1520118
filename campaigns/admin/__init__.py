"""The pages about earning for staff: receipts and returns, rules from draft to publication, segments, goods that earn nothing."""

from campaigns.admin import goods, purchases, returns, rules, segments

__all__ = ["goods", "purchases", "returns", "rules", "segments"]
