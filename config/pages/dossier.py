"""A member's points on the staff's page of the member: balance, lots, and the last lines with the receipts behind them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from campaigns.models import Event, Purchase, PurchaseReturn
from config.pages import statement
from loyalty import money, queries, terms
from loyalty.columns import moment, signed
from loyalty.terms import Terms
from members.models import Member

LINES = 20


def points_of(member: Member) -> dict[str, Any]:
    """Context of templates/admin/members/member/points.html."""
    now = timezone.now()
    contract, points = terms.current(now), queries.balances([member.holder], now)[member.holder]
    lines = statement.explained(queries.statement(member.holder, limit=LINES))
    return {
        "points": {
            "balance": signed(points.balance),
            "available": signed(points.available),
            "pending": signed(points.pending),
            "deficit": signed(points.deficit) if points.deficit else "",
            "worth": money.text(contract.worth(max(points.available, 0)), contract.currency),
        },
        "ends": _ends(member.holder, contract, now),
        "lines": [_line(line) for line in lines],
        "all_lines": f"{reverse('admin:loyalty_posting_changelist')}?wallet__holder={member.holder}",
    }


def _ends(holder: UUID, contract: Terms, now: datetime) -> list[dict[str, Any]]:
    """Open lots by the last day on which they can be used, soonest first; those that never end come last."""
    days: dict[date | None, list[int]] = {}
    for lot in queries.open_lots(holder, now):
        days.setdefault(contract.last_day(lot.expires_at) if lot.expires_at else None, []).append(lot.points)
    return [{"on": day, "lots": len(points), "points": signed(sum(points))} for day, points in days.items()]


def _line(one: statement.Explained) -> dict[str, Any]:
    cause = one.award.cause if one.award else one.returned or one.paid
    return {
        "time": moment(one.line.occurred_at),
        "title": one.title,
        "detail": one.detail,
        "points": signed(one.line.points, plus=True),
        "after": signed(one.line.balance_after),
        "url": page_of(cause) if cause else "",
        "receipt": "" if isinstance(cause, Event) else cause.receipt_number if cause else one.line.reference,
    }


def page_of(cause: Purchase | Event | PurchaseReturn) -> str:
    """Where staff look at what moved points."""
    return reverse(f"admin:campaigns_{cause._meta.model_name}_change", args=[cause.pk])
