"""Paying with points at the till (SEMANTICS 6)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from campaigns import quoting
from campaigns.models import Purchase
from loyalty import publishing, queries, verifying
from loyalty.models import DocumentGuard, Posting
from members.models import Member
from tests.api import till
from tests.campaigns.excluding import exclude
from tests.factories import StoreFactory, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop() -> None:
    StoreFactory.create()


def receipt(of: Member, tender: int = 0, **given: Any) -> dict[str, Any]:
    return {
        "source": "till-1", "receipt_number": f"R{uuid4()}", "store": "S1", "member": str(of.pk), "currency": "EUR",
        "occurred_at": timezone.now().isoformat(), "points_tender": tender,
        "lines": [{"line_id": "1", "net_amount": "12.50"}, {"line_id": "2", "net_amount": "7.50"}],
    } | given  # fmt: skip


def rich(points: int) -> Member:
    one = member(verified=True)
    earned: dict[str, Any] = {"lines": [{"line_id": "1", "net_amount": f"{points}.00"}]}
    assert till().post("/purchases", receipt(one, **earned)).json()["balance"] == points
    return one


def net(one: Member) -> int:
    return queries.net_balances([one.holder])[one.holder]


def test_points_pay_a_part_and_earn_nothing_on_it() -> None:
    one = rich(1000)
    answer = till().post("/purchases", receipt(one, 800)).json()
    assert (answer["points_spent"], answer["money_due"], answer["points_earned"]) == (800, "12.00", 12)
    assert answer["balance"] == 1000 - 800 + 12
    bought = Purchase.objects.get(pk=answer["id"])
    assert [(line.tender_points, str(line.tender_amount), line.points) for line in bought.lines.order_by("id")] == [
        (500, "5.000", 8), (300, "3.000", 4),
    ]  # fmt: skip
    assert not [one for one in verifying.verify() if one.bad_row]


def test_the_same_receipt_again_pays_once_and_another_payment_is_another_receipt() -> None:
    one, pos = rich(1000), till()
    body = receipt(one, 500)
    first, again = pos.post("/purchases", body), pos.post("/purchases", body)
    assert first.json()["id"] == again.json()["id"]
    assert again.json()["balance"] == 1000 - 500 + 15
    other = pos.post("/purchases", body | {"points_tender": 400})
    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (409, "duplicate-document")


@pytest.mark.parametrize(("tender", "status", "slug"), [(1001, 409, "insufficient-points"), (2000, 409, "insufficient-points")])
def test_more_than_the_member_has_is_refused_and_nothing_stands(tender: int, status: int, slug: str) -> None:
    one = rich(1000)
    before = Purchase.objects.count(), Posting.objects.count(), DocumentGuard.objects.count()
    answer = till().post("/purchases", receipt(one, tender))
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (status, slug)
    assert (Purchase.objects.count(), Posting.objects.count(), DocumentGuard.objects.count()) == before


def test_points_of_an_unproved_contact_wait() -> None:
    one, pos = member(), till()
    pos.post("/purchases", receipt(one, lines=[{"line_id": "1", "net_amount": "1000.00"}]))
    basket = {name: value for name, value in receipt(one).items() if name not in ("source", "receipt_number", "points_tender")}
    assert pos.post("/purchases/quote", basket).json()["points_tender"]["max"] == 0
    before = Purchase.objects.count(), Posting.objects.count(), DocumentGuard.objects.count(), net(one)
    answer = pos.post("/purchases", receipt(one, 500))
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "not-eligible")
    assert answer.json()["detail"] == "The member's e-mail or phone has to be verified first."
    assert (Purchase.objects.count(), Posting.objects.count(), DocumentGuard.objects.count(), net(one)) == before
    Member.objects.update(email_verified_at=timezone.now())
    assert pos.post("/purchases", receipt(one, 500)).status_code == 201


def test_whoever_was_brought_along_without_a_contact_has_none_to_prove() -> None:
    one, pos = member(email=None, external_id="old-7"), till()
    pos.post("/purchases", receipt(one, lines=[{"line_id": "1", "net_amount": "1000.00"}]))
    assert pos.post("/purchases", receipt(one, 500)).status_code == 201


def test_a_late_receipt_is_paid_by_the_terms_of_now_and_by_a_quote_of_its_moment() -> None:
    one, now = rich(3000), timezone.now()
    quote = quoting.token(now - timedelta(minutes=10), "S1", str(one.pk))
    draft = publishing.draft({"point_value": Decimal("0.02")}, actor=uuid4())
    assert publishing.publish(draft.version, actor=uuid4(), approval=None, now=now - timedelta(minutes=5)).published
    late = {"occurred_at": (now - timedelta(minutes=8)).isoformat()}
    assert till().post("/purchases", receipt(one, 500, **late)).json()["money_due"] == "10.00"
    assert till().post("/purchases", receipt(one, 500, **late, quote=quote)).json()["money_due"] == "15.00"
    assert not [row for row in verifying.verify() if row.bad_row]


def test_more_than_the_goods_cost_is_refused() -> None:
    answer = till().post("/purchases", receipt(rich(5000), 2001))
    assert answer.status_code == 422
    assert "2,000" in answer.json()["errors"][0]["detail"]


def test_the_quote_says_how_many_points_and_keeps_its_word() -> None:
    one, pos = rich(1500), till()
    basket = {name: value for name, value in receipt(one).items() if name not in ("source", "receipt_number", "points_tender")}
    quoted = pos.post("/purchases/quote", basket).json()
    assert quoted["points_tender"] == {"min": 1, "max": 1500, "step": 1, "value_per_point": "0.01"}
    with time_machine.travel(timezone.now() + timedelta(minutes=14)):
        paid = pos.post("/purchases", receipt(one, 1500, quote=quoted["quote"]))
    assert (paid.status_code, paid.json()["money_due"]) == (201, "5.00")


def test_one_receipt_that_cannot_be_paid_spoils_no_other_of_its_batch() -> None:
    one, poor = rich(1000), member(verified=True)
    batch = [receipt(one, 600), receipt(poor, 5), receipt(one, 600), receipt(poor)]
    results = till().post("/purchases/batch", {"purchases": batch}).json()["results"]
    assert [each["status"] for each in results] == [201, 409, 409, 201]
    assert net(one) == 1000 - 600 + 14
    assert net(poor) == 20


def test_the_explanation_says_what_earns_nothing_and_what_was_paid_in_points() -> None:
    exclude("category", "gift cards", now=timezone.now() - timedelta(days=1))
    one, pos = rich(1000), till()
    bought: dict[str, Any] = {
        "lines": [{"line_id": "1", "net_amount": "75.00"}, {"line_id": "2", "net_amount": "25.00", "category": "gift cards"}],
    }
    paid = pos.post("/purchases", receipt(one, 1000, **bought)).json()
    told = pos.get(f"/purchases/{paid['id']}/trace").json()
    assert told["explanation"] == [
        "€25.00 are for goods that earn nothing.", "€10.00 were paid in points.", "€65.00 × 1 = 65",
    ]  # fmt: skip
    assert [(line["excluded"], line["paid_in_points"]) for line in told["lines"]] == [(False, "10.00"), (True, "0.00")]


def test_staff_see_how_a_receipt_was_paid_in_plain_numbers() -> None:
    exclude("category", "gift cards", now=timezone.now() - timedelta(days=1))
    one, pos = rich(1000), till()
    lines = [
        {"line_id": "1", "quantity": "2.000", "net_amount": "12.50"},
        {"line_id": "2", "quantity": "0.512", "net_amount": "7.50", "category": "gift cards"},
    ]
    paid = pos.post("/purchases", receipt(one, 500, lines=lines)).json()
    back = {"return_number": "B1", "occurred_at": timezone.now().isoformat(), "lines": [{"line_id": "1", "quantity": "1"}]}
    returned = pos.post(f"/purchases/{paid['id']}/returns", back).json()
    owner = signed_in("owner")
    page = text(owner.get(f"/admin/campaigns/purchase/{paid['id']}/change/"))
    assert all(said in page for said in ("500 points worth €5.00", "€15.00", "€7.50", "0.512", "earns nothing"))
    assert not any(raw in page for raw in ("2.000", "12.500", 'alt="False"', ">cancel<"))
    other = text(owner.get(f"/admin/campaigns/purchasereturn/{returned['id']}/change/"))
    assert not any(raw in other for raw in ("1.000", "6.250", ">cancel<"))
