from members.models.access import ApiKey, ApprovalRequest, CodeAttempt, CodesSent, StaffProfile
from members.models.adjustments import Adjustment
from members.models.messages import Message
from members.models.people import Card, Consent, Member, PostalAddress
from members.models.tiers import Tier, TierMembership, TierOverride, TierTable
from members.models.tills import Device, Pin, Shift, SpendCode, TillAct, TillLimits
from members.models.users import User

__all__ = [
    "Adjustment",
    "ApiKey",
    "ApprovalRequest",
    "Card",
    "CodeAttempt",
    "CodesSent",
    "Consent",
    "Device",
    "Member",
    "Message",
    "Pin",
    "PostalAddress",
    "Shift",
    "SpendCode",
    "StaffProfile",
    "Tier",
    "TierMembership",
    "TierOverride",
    "TierTable",
    "TillAct",
    "TillLimits",
    "User",
]
