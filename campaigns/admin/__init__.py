"""The pages about earning for staff: receipts, events, rules from draft to publication, segments."""

from campaigns.admin import events, purchases, rules, segments

__all__ = ["events", "purchases", "rules", "segments"]
