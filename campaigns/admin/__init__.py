"""The pages about earning for staff: receipts, returns, events, rules and their versions, segments, goods that earn nothing."""

from campaigns.admin import events, goods, purchases, returns, rules, segments

__all__ = ["events", "goods", "purchases", "returns", "rules", "segments"]
