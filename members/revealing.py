"""A member's whole contact, shown to staff: each time is written down, and there are so many an hour."""

from datetime import datetime, timedelta
from uuid import UUID

from loyalty import auditing
from members.models import Member

PERMISSION = "members.reveal_member"
AN_HOUR = 60
VERB = "member.contact_shown"


def reveal(member: UUID, *, actor: UUID, now: datetime) -> Member | None:
    """The member with contacts; None once this actor has seen sixty within the hour."""
    if auditing.acts_since(actor, VERB, now - timedelta(hours=1)) >= AN_HOUR:
        return None
    auditing.record(actor, VERB, "members.member", member, {})
    return Member.objects.get(pk=member)
