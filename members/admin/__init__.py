"""The pages about people for staff: members and what they were told, colleagues, keys."""

from members.admin import keys, messages, people, staff

__all__ = ["keys", "messages", "people", "staff"]
