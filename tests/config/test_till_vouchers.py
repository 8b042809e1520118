"""Vouchers that take money off, at a till that knows what the goods cost and no more."""

from decimal import Decimal

import pytest

from campaigns.models import Purchase, PurchaseReturn
from catalog.models import Voucher
from members.models import TillAct
from tests.config.test_till import has, heading, rich, sell, voucher_of
from tests.config.tills import trusted, unlocked
from tests.factories import StoreFactory
from tests.staff import text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop() -> None:
    StoreFactory.create()


def test_vouchers_take_money_off_a_sale_and_one_that_keeps_its_rest_keeps_it() -> None:
    till, one = unlocked(), rich(3000)
    money_off = {"kind": "voucher", "points": 500}
    tenth = voucher_of(one, code="tenth", title="A tenth", voucher={"type": "percent", "amount": "10"}, **money_off)
    card = voucher_of(
        one, code="gift", title="Gift card", voucher={"type": "amount", "amount": "20.00", "keeps_rest": True}, **money_off
    )
    scanned = text(till.get(f"/till/voucher/{card.pk}/"))
    assert "Take up to €20.00 off." in scanned
    assert "Accept reward" not in scanned
    page = till.get(f"/till/member/{one.pk}/", {"vouchers": str(card.pk)})
    assert page.context["form"].initial["vouchers"] == [str(card.pk)]
    ticked = [str(tenth.pk), str(card.pk)]
    told = text(till.get(f"/till/member/{one.pk}/gives/", {"amount": "20.00", "vouchers": ticked}))
    assert "Gives 0 points." in told
    assert "Left to pay: €0.00." in told
    assert heading(sell(till, one, "20.00", vouchers=ticked, receipt="K-1")) == "0 points given to Wei"
    tenth.refresh_from_db()
    card.refresh_from_db()
    assert (tenth.used, card.remaining, Purchase.objects.get().discount) == (1, Decimal(2), Decimal(20))
    told = text(till.get(f"/till/member/{one.pk}/gives/", {"amount": "5.00", "vouchers": [str(card.pk)]}))
    assert "Gives 3 points." in told
    assert "Left to pay: €3.00." in told
    sell(till, one, "5.00", vouchers=ticked)  # the tenth was used
    assert (has(one), Purchase.objects.count()) == (2000, 1)
    refund = till.get(f"/till/refund/{Purchase.objects.get().pk}/")
    assert "Hand back €0.00." in text(refund)
    till.post(refund.request["PATH_INFO"], {"amount": "20.00", "number": refund.context["form"].initial["number"]})
    tenth.refresh_from_db()
    card.refresh_from_db()
    assert (tenth.used, card.remaining) == (0, Decimal(20))


def test_a_refund_says_how_much_money_goes_back_and_what_goes_back_on_a_voucher() -> None:
    till, one = unlocked(), rich(3000)
    given = {"type": "amount", "amount": "8.00", "keeps_rest": True}
    card = voucher_of(one, code="gift", title="Gift card", kind="voucher", points=500, voucher=given)
    sell(till, one, "20.00", vouchers=[str(card.pk)], receipt="K-1")
    address = f"/till/refund/{Purchase.objects.get().pk}/"
    assert "Hand back €12.00." in text(till.get(address))
    half = text(till.get(f"{address}takes/", {"amount": "10.00"}))
    assert "Hand back €6.00." in half
    assert "What it paid of these goods goes back on Gift card." in half
    till.post(address, {"amount": "10.00", "number": "R-1"})
    card.refresh_from_db()
    assert card.remaining == 4


@pytest.mark.parametrize("undone", [True, False])
def test_what_somebody_else_was_handed_under_the_number_of_a_sale_stays_used(*, undone: bool) -> None:
    till, one, other = unlocked(), rich(), rich()
    coffee = voucher_of(other)
    till.post(f"/till/voucher/{coffee.pk}/", {"number": "K-1"})
    sell(till, one, "20.00", receipt="K-1")
    bought = Purchase.objects.get()
    if undone:
        till.post(f"/till/done/{TillAct.objects.get(thing=bought.pk).pk}/undo/")
    else:
        till.post(f"/till/refund/{bought.pk}/", {"amount": "20.00", "number": "R-1"})
    coffee.refresh_from_db()
    assert (has(one), coffee.used) == (1000, 1)


def test_a_number_that_stands_for_one_voucher_hides_no_other() -> None:
    till, one = unlocked(), rich()
    coffees = [voucher_of(one, code=f"coffee-{n}") for n in range(2)]
    for each in coffees:
        till.post(f"/till/voucher/{each.pk}/", {"number": "N-1"})
    assert {act.thing for act in TillAct.objects.all()} == {one.pk for one in Voucher.objects.filter(used=1)}


@pytest.mark.parametrize("pieces", [None, ["20.00"], ["0.01", "6.66", "13.33"], ["19.99", "0.01"]])
def test_what_a_gift_card_points_and_money_paid_goes_back_to_each_whatever_the_pieces(pieces: list[str] | None) -> None:
    trusted()
    till, one = unlocked(), rich(3000)
    given = {"type": "amount", "amount": "8.00", "keeps_rest": True}
    card = voucher_of(one, code="gift", title="Gift card", kind="voucher", points=500, voucher=given)
    before = has(one)
    sell(till, one, "20.00", vouchers=[str(card.pk)], points="500")
    bought = Purchase.objects.get()
    card.refresh_from_db()
    assert (card.remaining, has(one)) == (Decimal(0), before - 500 + 7)
    if pieces is None:
        till.post(f"/till/done/{TillAct.objects.get().pk}/undo/")
    for place, piece in enumerate(pieces or ()):
        till.post(f"/till/refund/{bought.pk}/", {"amount": piece, "number": f"R-{place}"})
    card.refresh_from_db()
    back = sum(one.money_back or Decimal(0) for one in PurchaseReturn.objects.all())
    assert (card.remaining, card.used, has(one), back) == (Decimal(8), 0, before, Decimal(7))
