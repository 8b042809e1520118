from members.models.access import ApiKey, CodeAttempt, StaffProfile
from members.models.messages import Message
from members.models.people import Card, Consent, Member
from members.models.users import User

__all__ = ["ApiKey", "Card", "CodeAttempt", "Consent", "Member", "Message", "StaffProfile", "User"]
