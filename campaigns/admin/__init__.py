"""The pages about earning for staff: receipts, rules from draft to publication, segments."""

from campaigns.admin import purchases, rules, segments

__all__ = ["purchases", "rules", "segments"]
