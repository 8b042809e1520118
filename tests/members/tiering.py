"""Tier tables and what fills them, made through the verbs that pages use."""

import itertools
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from loyalty import posting
from loyalty.notice import Approval
from members import publishing, qualifying
from members.models import Member, TierMembership, TierTable
from members.qualifying import Gain, TakeBack
from members.tiers import Level

OWNER, FINANCE = uuid4(), uuid4()
LEVELS = (Level("regular", "Regular", 0), Level("silver", "Silver", 500, 50), Level("gold", "Gold", 1000, 100))
_keys = itertools.count(1)


def publish(levels: Sequence[Level] = LEVELS, *, now: datetime, starts_at: datetime | None = None, **given: Any) -> TierTable:
    """The next table, approved by a second person where it is worse."""
    version = publishing.draft(given, levels, starts_at=starts_at, actor=OWNER).version
    approval = Approval(FINANCE, publishing.review(version, now=now).fingerprint)
    return publishing.publish(version, actor=OWNER, approval=approval, now=now).version


def gain(member: Member, points: int = 0, *, at: datetime, **given: Any) -> Gain:
    fields: dict[str, Any] = {"spend": Decimal(0), "first_visit": False, "key": f"qualify:{next(_keys)}", "base_points": points}
    return Gain(member=member.pk, holder=member.holder, occurred_at=at, **fields | given)


def earn(*gains: Gain, now: datetime) -> list[UUID | None]:
    """As a purchase does it: behind the locks of the redeemable wallets."""
    with transaction.atomic():
        posting.lock({one.holder for one in gains})
        return qualifying.accrue(gains, now=now)


def give_back(of: Gain, entry: UUID | None, points: int, *, now: datetime, **given: Any) -> list[UUID | None]:
    assert entry
    fields: dict[str, Any] = {"spend": Decimal(0), "first_visit": False, "base_points": points} | given
    part = TakeBack(
        member=of.member, holder=of.holder, occurred_at=now, key=f"back:{next(_keys)}", entry=entry, **fields
    )  # fmt: skip
    with transaction.atomic():
        posting.lock([of.holder])
        return qualifying.take_back([part], now=now)


def standing(member: Member) -> TierMembership:
    return TierMembership.objects.get(member=member, ended_at=None)


def history(member: Member) -> list[tuple[str, str]]:
    return list(TierMembership.objects.filter(member=member).order_by("since", "id").values_list("tier", "reason"))
