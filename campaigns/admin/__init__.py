"""The pages about earning for staff: receipts, events, rules from draft to publication, segments, goods that earn nothing."""

from campaigns.admin import events, goods, purchases, rules, segments

__all__ = ["events", "goods", "purchases", "rules", "segments"]
