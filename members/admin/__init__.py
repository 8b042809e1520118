"""The pages about people for staff: members and what they were told, colleagues, keys, what waits for a second person."""

from members.admin import adjustments, approvals, keys, messages, overrides, people, staff, tiers, tills

__all__ = ["adjustments", "approvals", "keys", "messages", "overrides", "people", "staff", "tiers", "tills"]
