"""What happens to redemptions, step by step: each step is written, and told to whoever listens."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from catalog.models import Redemption, RedemptionStep
from loyalty import outbox
from loyalty.outbox import Event


def move(
    some: Sequence[Redemption],
    status: Redemption.Status,
    *,
    now: datetime,
    actor: UUID | None = None,
    reason: str = "",
    by: str | None = None,
) -> None:
    """Redemptions go on to `status`, in a constant number of statements; their members' wallets are locked by the caller.

    `by` says whether the member or the merchant cancelled.
    """
    if not some:
        return
    for one in some:
        one.status = status
    Redemption.objects.filter(pk__in=[one.pk for one in some]).update(status=status)
    written = [RedemptionStep(redemption=one, status=status, at=now, actor=actor, reason=reason) for one in some]
    RedemptionStep.objects.bulk_create(written)
    outbox.tell([_event(one, by) for one in some])


def _event(one: Redemption, by: str | None) -> Event:
    facts = {"redemption": str(one.pk), "reward": one.reward.code, "status": str(one.status), "points": one.points}
    return Event("redemption.changed", one.member_id, facts | ({"by": by} if by else {}))
