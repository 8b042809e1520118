"""Vouchers on a purchase: taken off its lines, used once with it, free again when it comes back."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Purchase
from catalog import issuing, redeeming
from catalog.models import Redemption, Voucher
from catalog.redeeming import Ask
from loyalty.models import Posting
from members.models import Member
from tests.api import Till, till
from tests.catalog.selling import available, reward, rich, shop
from tests.config.test_check_in import sign_in, words
from tests.factories import StoreFactory
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
FIVE = {"type": "amount", "amount": "5.00"}


@pytest.fixture(autouse=True)
def counter() -> Till:
    StoreFactory.create()
    return till()


def voucher(one: Member, given: dict[str, Any], **more: Any) -> Voucher:
    """Bought with points."""
    sold = reward(**{"kind": "voucher", "voucher": given, "points": 100} | more)
    held = redeeming.reserve(Ask(one, sold), now=timezone.now())
    redeeming.confirm(held.pk, now=timezone.now())
    return Voucher.objects.get(redemption=held)


def receipt(one: Member, *codes: str, number: str = "R1", lines: Any = None, **more: Any) -> dict[str, Any]:
    bought = lines or [("10.00", "coffee", 1), ("20.00", "cake", 2)]
    return {
        "source": "till-1", "receipt_number": number, "store": "S1", "member": str(one.pk),
        "occurred_at": timezone.now().isoformat(), "currency": "EUR",
        "lines": [
            {"line_id": str(place), "net_amount": net, "category": kind, "quantity": count}
            for place, (net, kind, count) in enumerate(bought)
        ],
        "vouchers": list(codes),
    } | more  # fmt: skip


def slug(answer: Any, status: int = 409) -> str:
    assert answer.status_code == status, answer.content
    return str(answer.json()["type"]).rpartition("/")[2]


def test_an_amount_a_percentage_and_a_free_item_come_off_what_is_due_and_earn_nothing(counter: Till) -> None:
    one = rich()
    amount, percent, free = (
        voucher(one, FIVE),
        voucher(one, {"type": "percent", "amount": "10"}),
        voucher(one, {"type": "item", "categories": ["cake"]}),
    )
    codes = [amount.code, percent.code, free.code.lower()]
    answer = counter.post("/purchases", receipt(one, *codes))
    # One cake of 10.00 is free, 10 % of 20.00 is 2.00, then 5.00.
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["discount"], told["money_due"], told["points_earned"]) == ("17.00", "13.00", 13)
    assert counter.post("/purchases", receipt(one, *codes) | {"occurred_at": _at(told)}).json() == told
    seen = counter.get(f"/purchases/{told['id']}").json()
    assert sorted(seen["vouchers"]) == sorted([amount.code, percent.code, free.code])
    lines = seen["lines"]
    assert [(line["net_amount"], line["discount"]) for line in lines] == [("10.00", "3.50"), ("20.00", "13.50")]
    assert list(Voucher.objects.values_list("used", flat=True)) == [1, 1, 1]
    assert slug(counter.post("/purchases", receipt(one, amount.code, number="R2"))) == "already-used"


def _at(told: dict[str, Any]) -> str:
    return Purchase.objects.get(pk=told["id"]).occurred_at.isoformat()


def test_a_voucher_that_cannot_be_used_refuses_the_receipt_and_nothing_moves(counter: Till) -> None:
    one, other, now = rich(), rich(), timezone.now()
    shop("S2")
    good = voucher(one, FIVE)
    small = voucher(one, FIVE | {"minimum_spend": "30.01"})
    tea = voucher(one, FIVE | {"categories": ["tea"]})
    mug = voucher(one, FIVE, kind="goods", voucher=None)
    others = voucher(other, FIVE)
    over = voucher(one, FIVE)
    elsewhere = voucher(one, FIVE)
    Voucher.objects.filter(pk=elsewhere.pk).update(stores=["S2"])
    Voucher.objects.filter(pk=over.pk).update(valid_until=now - timedelta(seconds=1))
    lines, points = Posting.objects.count(), available(one)
    for bad, why in ((small, "not-eligible"), (tea, "not-eligible"), (mug, "not-eligible"), (others, "not-eligible"),
                     (over, "expired"), (elsewhere, "not-eligible")):  # fmt: skip
        answer = counter.post("/purchases", receipt(one, good.code, bad.code))
        assert slug(answer) == why
        assert answer.json()["errors"][0]["pointer"] == "/vouchers/1"
    for unknown in ("AAAA", "00000000000000"):
        assert slug(counter.post("/purchases", receipt(one, unknown)), 422) == "validation"
    assert slug(counter.post("/purchases", receipt(one, good.code, good.code.lower())), 422) == "validation"
    assert (Purchase.objects.count(), Posting.objects.count(), available(one)) == (0, lines, points)
    assert not Voucher.objects.exclude(used=0).exists()
    told = counter.post("/purchases/batch", {"purchases": [receipt(one, good.code), receipt(one, good.code, number="R2")]}).json()
    assert [row["status"] for row in told["results"]] == [201, 409]
    assert told["results"][1]["problem"]["type"].endswith("already-used")


def test_a_quote_names_the_vouchers_that_would_apply(counter: Till) -> None:
    one = rich()
    later, sooner = voucher(one, FIVE | {"valid_for": "P60D"}), voucher(one, FIVE)
    voucher(one, FIVE | {"minimum_spend": "100.00"})
    voucher(one, FIVE, kind="goods", voucher=None)
    voucher(rich(), FIVE)
    basket = {name: value for name, value in receipt(one).items() if name in ("store", "member", "currency", "lines")}
    assert counter.post("/purchases/quote", basket).json()["vouchers"] == [sooner.code, later.code]
    counter.post("/purchases", receipt(one, sooner.code))
    assert counter.post("/purchases/quote", basket).json()["vouchers"] == [later.code]


def test_points_pay_what_vouchers_left(counter: Till) -> None:
    one = rich(2500)
    code = voucher(one, FIVE).code
    told = counter.post("/purchases", receipt(one, code, lines=[("10.00", "", 1)], points_tender=300)).json()
    assert (told["discount"], told["money_due"], told["points_spent"], told["points_earned"]) == ("5.00", "2.00", 300, 2)
    free = voucher(one, {"type": "percent", "amount": "100"}).code
    body = receipt(one, free, number="R2", points_tender=100)
    assert slug(counter.post("/purchases", body), 422) == "validation"
    assert counter.post("/purchases", body | {"points_tender": 0}).json()["money_due"] == "0.00"


def test_a_receipt_that_comes_back_gives_back_what_was_paid_and_at_last_the_voucher(counter: Till) -> None:
    one = rich()
    mine = voucher(one, FIVE)
    bought = counter.post("/purchases", receipt(one, mine.code, lines=[("10.00", "", 2), ("15.00", "", 1)])).json()
    assert (bought["money_due"], bought["points_earned"]) == ("20.00", 20)
    path, at = f"/purchases/{bought['id']}/returns", timezone.now().isoformat()
    first = counter.post(path, {"return_number": "B1", "occurred_at": at, "lines": [{"line_id": "0", "quantity": 1}]}).json()
    assert (first["money_back"], first["points_clawed_back"]) == ("4.00", 4)
    assert slug(counter.post(f"/vouchers/{mine.code}/release", {"source": "till-1", "receipt_number": "R1"})) == "not-eligible"
    rest = [{"line_id": "0"}, {"line_id": "1"}]
    body = {"return_number": "B2", "occurred_at": at, "lines": rest}
    second = counter.post(path, body).json()
    assert (second["money_back"], second["points_clawed_back"]) == ("16.00", 16)
    assert counter.get(f"/vouchers/{mine.code}").json()["status"] == "ready"
    counter.post(path, body)
    assert Voucher.objects.get(pk=mine.pk).used == 0
    assert counter.post("/purchases", receipt(one, mine.code, number="R3")).json()["discount"] == "5.00"


def test_a_voucher_used_by_itself_is_free_when_its_receipt_comes_back(counter: Till) -> None:
    one = rich()
    mine, other, others = voucher(one, FIVE), voucher(one, FIVE), voucher(rich(), FIVE)
    at_till = {"store": "S1", "source": "till-1", "receipt_number": "R1"}
    for each, more in ((mine, {}), (other, {"source": "till-2"}), (others, {})):
        counter.post(f"/vouchers/{each.code}/use", at_till | more)
    bought = counter.post("/purchases", receipt(one)).json()
    path, at = f"/purchases/{bought['id']}/returns", timezone.now().isoformat()
    counter.post(path, {"return_number": "B1", "occurred_at": at, "amount": "29.99"})
    assert issuing.found(mine.code).used == 1
    counter.post(path, {"return_number": "B2", "occurred_at": at, "amount": "0.01"})
    assert [issuing.found(each.code).used for each in (mine, other, others)] == [0, 1, 1]


def test_a_voucher_that_ended_while_it_was_used_gives_its_points_back_when_the_receipt_comes_back(counter: Till) -> None:
    one = rich()
    mine = voucher(one, FIVE)
    bought = counter.post("/purchases", receipt(one, mine.code)).json()
    Voucher.objects.filter(pk=mine.pk).update(valid_until=timezone.now() + timedelta(seconds=0))
    assert redeeming.return_unused(now=timezone.now()) == 1
    assert Redemption.objects.get().status == "fulfilled"
    body = {"return_number": "B1", "occurred_at": timezone.now().isoformat(), "amount": "30.00"}
    assert counter.post(f"/purchases/{bought['id']}/returns", body).json()["money_back"] == "25.00"
    assert redeeming.return_unused(now=timezone.now()) == 1
    assert (Redemption.objects.get().status, available(one)) == ("returned", 1000)


def test_a_voucher_of_several_uses_is_used_once_on_each_receipt(counter: Till) -> None:
    one = rich()
    mine = voucher(one, FIVE | {"uses": 2})
    told = counter.post("/purchases/batch", {"purchases": [receipt(one, mine.code, number=f"R{n}") for n in range(3)]}).json()
    assert [row["status"] for row in told["results"]] == [201, 201, 409]
    assert issuing.found(mine.code).used == 2


def test_a_batch_with_vouchers_costs_the_same_statements_for_2_and_10_receipts(counter: Till) -> None:
    costs = []
    counter.get("/rewards")  # the key's first use is noted once
    for count in (2, 10):
        some = [rich() for _ in range(count)]
        bodies = [receipt(one, voucher(one, FIVE).code, number=f"{count}-{n}") for n, one in enumerate(some)]
        with CaptureQueriesContext(connection) as statements:
            told = counter.post("/purchases/batch", {"purchases": bodies}).json()
        assert {row["status"] for row in told["results"]} == {201}
        costs.append(len(statements))
    assert costs[0] == costs[1]


def test_a_return_that_came_before_its_sale_leaves_the_voucher_free(counter: Till) -> None:
    one = rich()
    mine = voucher(one, FIVE)
    at = timezone.now().isoformat()
    early = {"source": "till-1", "receipt_number": "R1", "return_number": "B1", "occurred_at": at, "amount": "30.00"}
    assert counter.post("/returns", early).status_code == 202
    told = counter.post("/purchases", receipt(one, mine.code) | {"occurred_at": at}).json()
    [back] = counter.get(f"/purchases/{told['id']}").json()["returns"]
    assert (told["money_due"], back["money_back"]) == ("25.00", "25.00")
    assert issuing.found(mine.code).used == 0


def test_the_receipt_says_which_voucher_took_what_off_to_member_and_staff(counter: Till) -> None:
    one = rich(2500)
    mine = voucher(one, FIVE, title="Five off", translations={"fr": {"title": "Cinq de moins"}})
    counter.post("/purchases", receipt(one, mine.code, lines=[("30.00", "", 1)], points_tender=1000))
    phone = sign_in(one)
    history = words(phone, "/history/")
    assert "€15.00 × 1 = 15; €5.00 off by the voucher “Five off”" in history
    assert "€10.00 of €25.00 paid in points" in history
    for line in re.findall(r'href="(/history/[0-9a-f-]{36}/)"', text(phone.get("/history/")))[:2]:
        assert f"/vouchers/{mine.pk}/" in text(phone.get(line))
        assert "Voucher €5.00 off, Five off To pay €25.00" in words(phone, line)
    phone.cookies["django_language"] = "fr"
    assert "avec le bon « Cinq de moins »" in words(phone, "/history/")
    shown = words(signed_in("owner"), f"/admin/campaigns/purchase/{Purchase.objects.get().pk}/change/")
    assert "€5.00: Five off" in shown
    assert "€15.00" in shown
