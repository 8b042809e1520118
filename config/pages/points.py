"""Balance and statement through the API: ledger, members and campaigns together."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import P, QueryEx, Router

from catalog.offers import reserved_points
from config.pages import statement
from config.pages.tiertable import units
from loyalty import money, queries, terms
from loyalty.paging import LIMIT_MAX, decode, page
from loyalty.problems import Problem
from members.access import Key
from members.api import found
from members.models import Member
from members.progress import progress_of

router = Router(tags=["Members"])
READ = Key("pos", "read", "configure")


@router.get("/members/{uuid:member}/balance", auth=READ)
def balance(request: HttpRequest, member: UUID) -> Any:
    one, now = found(member), timezone.now()
    holder = one.holder
    contract, points = terms.current(now), queries.balances([holder], now)[holder]
    ending = queries.expiring(after=now, until=terms.FOREVER, holders=[holder])
    worth = money.plain(contract.worth(points.available), contract.currency)
    return {
        "available": points.available,
        "pending": points.pending,
        "reserved": reserved_points([one.pk]).get(one.pk, 0),
        "deficit": points.deficit,
        "value": {"amount": worth, "currency": contract.currency},
        "expiring": [{"points": one.points, "expires_at": one.expires_at.isoformat()} for one in ending],
        **_tiers(one, now),
    }


def _tiers(member: Member, now: datetime) -> dict[str, Any]:
    """The tier that is held, and the next one with what is missing to it."""
    one = progress_of([member], now=now).get(member.pk)
    level, above = (one.level, one.next) if one else (None, None)
    ends = one.until.isoformat() if one and one.until else None
    return {
        "tier": {"code": level.code, "name": level.name, "valid_until": ends} if level else None,
        "next_tier": one and above and {
            "code": above.code,
            "name": above.name,
            "missing": units(one.missing, one.table.basis, one.currency),
            "unit": one.currency if one.table.basis == "spend" else one.table.basis,
        },
    }  # fmt: skip


@router.get("/members/{uuid:member}/statement", auth=READ)
def lines(request: HttpRequest, member: UUID, limit: QueryEx[int, P(ge=1, le=LIMIT_MAX)] = 50, cursor: str | None = None) -> Any:
    """Newest first; `next` continues below the last line shown."""
    position = decode(cursor, 1)
    if position and not isinstance(position[0], int):
        raise Problem("validation", "The cursor is not one that a list answered.")
    rows = queries.statement(found(member).holder, before=position[0] if position else None, limit=limit + 1)
    return page(statement.explained(rows), limit, lambda one: [one.line.seq], _item)


def _item(one: statement.Explained) -> dict[str, Any]:
    line = one.line
    return {
        "id": str(line.entry),
        "kind": line.kind,
        "points": line.points,
        "balance_after": line.balance_after,
        "occurred_at": line.occurred_at.isoformat(),
        "recorded_at": line.recorded_at.isoformat(),
        "store": line.store,
        "reference": line.reference,
        "explanation": ": ".join(part for part in (one.title, one.detail) if part),
        "hash": line.hash,
    }
