"""Where members want what they redeemed to be sent."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from members.models import PostalAddress


def of(members: Iterable[UUID]) -> dict[UUID, str]:
    """By member; who has given none is left out."""
    return dict(PostalAddress.objects.filter(member__in=set(members)).values_list("member", "text"))


def keep(member: UUID, text: str, *, now: datetime) -> None:
    """In the place of the one before."""
    PostalAddress.objects.update_or_create(member_id=member, defaults={"text": text, "at": now})
