"""Receipts out of order and by a quote: what was promised is given, and no order of telling brings more (SEMANTICS 1.7)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from campaigns import drafting, publishing, purchases, quoting
from campaigns.awarding import Recorded
from campaigns.models import Award, Purchase
from campaigns.ruleschemas import RuleIn
from campaigns.schemas import PurchaseIn
from loyalty import terms
from members.models import Member, TierMembership
from members.tiers import Level
from tests.factories import NOW, StoreFactory, member
from tests.members import tiering

pytestmark = pytest.mark.django_db
LONG_AGO = NOW - timedelta(days=400)


@pytest.fixture(autouse=True)
def shop() -> None:
    StoreFactory.create()


def bonus(code: str, points: int, *, now: datetime = LONG_AGO, starts_at: datetime | None = None, **given: Any) -> None:
    """A published bonus for a purchase."""
    when = {"when": {"starts_at": starts_at.isoformat()}} if starts_at else {}
    body = {"kind": "bonus", "per": "purchase", "value": points, "name": code} | when | given
    draft, _is_new = drafting.put(code, RuleIn.model_validate(body), actor=uuid4())
    assert publishing.publish(draft.pk, actor=uuid4(), now=now).published


def receipt(of: Member, at: datetime, **given: Any) -> PurchaseIn:
    fields = {
        "source": "till-1", "receipt_number": f"R{uuid4()}", "store": "S1", "member": str(of.pk), "currency": "EUR",
        "occurred_at": at.isoformat(), "lines": [{"line_id": "1", "net_amount": "10.00"}],
    }  # fmt: skip
    return PurchaseIn.model_validate(fields | given)


def earned(receipts: Sequence[PurchaseIn], *, now: datetime = NOW) -> list[int]:
    """Told together."""
    answers = purchases.record(receipts, now=now)
    found = Purchase.objects.in_bulk([one.id for one in answers if isinstance(one, Recorded)])
    return [found[one.id].points_earned for one in answers if isinstance(one, Recorded)]


def test_a_quote_holds_what_was_replaced_since_whatever_the_tills_clock_says() -> None:
    one = member(now=LONG_AGO)
    bonus("gift", 100)
    bonus("gift", 50, now=NOW - timedelta(days=1), starts_at=NOW - timedelta(minutes=12))
    quote = quoting.token(NOW - timedelta(minutes=14), "S1", str(one.pk))
    ahead = NOW + timedelta(minutes=4)
    assert earned([receipt(one, ahead, quote=quote)]) == [110]
    assert earned([receipt(one, ahead)]) == [60]


@pytest.mark.parametrize("order", ["as they were", "backwards", "from the middle"])
@pytest.mark.parametrize("together", [False, True])
def test_every_second_visit_pays_as_often_in_any_order_of_telling(order: str, together: bool) -> None:
    one = member(now=LONG_AGO)
    bonus("second", 100, who={"every_visit": 2})
    days = [NOW - timedelta(days=ago, hours=hour) for ago in range(9, 0, -1) for hour in (1, 0)]
    told = {"as they were": days, "backwards": days[::-1], "from the middle": days[7:] + days[:7]}[order]
    receipts = [receipt(one, at) for at in told]
    got = earned(receipts) if together else [earned([each])[0] for each in receipts]
    assert sum(got) == 18 * 10 + 4 * 100
    assert sorted(Purchase.objects.values_list("visit", flat=True)) == sorted([*range(1, 10)] * 2)


@pytest.mark.parametrize("by_quote", [False, True])
def test_a_day_is_one_visit_in_any_order_of_telling_and_by_one_quote(by_quote: bool) -> None:
    tiering.publish([Level("regular", "Regular", 0), Level("silver", "Silver", 2)], now=LONG_AGO, basis="visits")
    one = member(now=LONG_AGO)
    quote = quoting.token(NOW - timedelta(minutes=10), "S1", str(one.pk)) if by_quote else None
    for minutes in range(9):
        earned([receipt(one, NOW - timedelta(minutes=minutes), quote=quote)])
    assert not TierMembership.objects.exists()
    earned([receipt(one, NOW - timedelta(days=1))])
    assert tiering.standing(one).tier == "silver"


@pytest.mark.parametrize("pending", [None, "P20D", "P30D"])
def test_points_with_an_end_of_their_own_count_from_the_day_they_were_told(pending: str | None) -> None:
    one = member(now=LONG_AGO)
    bonus("short", 5, expires="P14D", pending=pending)
    sold, told = NOW - timedelta(days=21), NOW
    earned([receipt(one, sold)], now=told)
    usable = max(told, sold + timedelta(days=int(pending[1:-1]))) if pending else told
    contract = terms.current(told)
    [award] = Award.objects.filter(rule_version__rule__code="short")
    assert award.expires_at
    assert contract.last_day(award.expires_at) == contract.day_of(usable) + timedelta(days=14)
    [base] = Award.objects.exclude(pk=award.pk)
    assert base.expires_at == contract.ends(contract.usable_from(sold)), "the terms count from the receipt"


def test_an_import_of_history_counts_from_the_receipts_moment() -> None:
    one = member(now=LONG_AGO)
    bonus("short", 5, expires="P14D")
    sold = NOW - timedelta(days=40)
    purchases.record([receipt(one, sold)], now=NOW, history=True)
    contract, award = terms.current(NOW), Award.objects.get(rule_version__rule__code="short")
    assert award.expires_at
    assert contract.last_day(award.expires_at) == contract.day_of(sold) + timedelta(days=14)
