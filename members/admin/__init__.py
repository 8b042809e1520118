"""The pages about people for staff: members and what they were told, colleagues, keys, what waits for a second person."""

from members.admin import approvals, keys, messages, overrides, people, staff, tiers

__all__ = ["approvals", "keys", "messages", "overrides", "people", "staff", "tiers"]
