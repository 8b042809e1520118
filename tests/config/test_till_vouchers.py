"""Vouchers that take money off, at a till that knows what the goods cost and no more."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from campaigns.models import Purchase, PurchaseReturn
from catalog.models import Voucher
from members.models import TillAct
from tests.config.test_till import has, heading, reward, rich, sell, voucher_of, without_codes
from tests.config.tills import trusted, unlocked
from tests.factories import StoreFactory
from tests.staff import text

__all__ = ["without_codes"]
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
    assert "Price before vouchers, EUR" in text(page)
    waited = text(till.get(f"/till/member/{one.pk}/", {"vouchers": str(card.pk), "amount": "30.00"}))
    assert "Left to pay: €10.00." in waited
    ticked = [str(tenth.pk), str(card.pk)]
    told = text(till.get(f"/till/member/{one.pk}/gives/", {"amount": "20.00", "vouchers": ticked}))
    assert "Gives 0 points." in told
    assert "Left to pay: €0.00." in told
    assert "Take the sale" in told
    assert heading(sell(till, one, "20.00", vouchers=ticked, receipt="K-1")) == "0 points given to Wei"
    assert "€20.00" in text(till.get("/till/")), "what was done last says for how much, where it gave no points"
    tenth.refresh_from_db()
    card.refresh_from_db()
    assert (tenth.used, card.remaining, Purchase.objects.get().discount) == (1, Decimal(2), Decimal(20))
    told = text(till.get(f"/till/member/{one.pk}/gives/", {"amount": "5.00", "vouchers": [str(card.pk)]}))
    assert "Gives 3 points." in told
    assert "Left to pay: €3.00." in told
    sell(till, one, "5.00", vouchers=ticked)  # the tenth was used
    assert (has(one), Purchase.objects.count()) == (2000, 1)
    refund = till.get(f"/till/refund/{Purchase.objects.get().pk}/")
    assert "Hand back no money: vouchers paid all of it." in text(refund)
    till.post(refund.request["PATH_INFO"], {"amount": "20.00", "number": refund.context["form"].initial["number"]})
    tenth.refresh_from_db()
    card.refresh_from_db()
    assert (tenth.used, card.remaining) == (0, Decimal(20))


def test_a_refund_says_what_to_hand_back_and_what_goes_back_onto_a_voucher() -> None:
    till, one = unlocked(), rich(3000)
    money_off = {"kind": "voucher", "points": 500}
    tenth = voucher_of(one, code="tenth", title="A tenth", voucher={"type": "percent", "amount": "10"}, **money_off)
    card = voucher_of(
        one, code="gift", title="Gift card", voucher={"type": "amount", "amount": "20.00", "keeps_rest": True}, **money_off
    )
    done = text(sell(till, one, "40.00", vouchers=[str(tenth.pk), str(card.pk)], receipt="K-1"))
    assert "Left to pay: €16.00." in done
    assert "A tenth: €4.00 taken off." in done
    assert "Gift card: €20.00 taken off, €0.00 left on it." in done
    address = f"/till/refund/{Purchase.objects.get().pk}/"
    page = text(till.get(address))
    assert re.search(r"Goods<.*€40.00.*Taken off by vouchers<.*€24.00.*Paid<.*€16.00", page, re.DOTALL)
    assert "Hand back €16.00: vouchers paid the rest." in page
    assert "€20.00 goes back onto Gift card." in page
    assert "A tenth can be used again." in page
    told = text(till.get(f"{address}takes/", {"amount": "10.00"}))
    assert "Hand back €4.00: vouchers paid the rest." in told
    assert "€5.00 goes back onto Gift card." in told
    assert "A tenth stays used, for only a part of the receipt comes back." in told
    number = till.get(address).context["form"].initial["number"]
    done = text(till.post(address, {"amount": "10.00", "number": number}, follow=True))
    assert "Hand back €4.00." in done
    card.refresh_from_db()
    assert card.remaining == Decimal(5)
    rest = text(till.get(address))
    assert "Hand back €12.00: vouchers paid the rest." in rest
    assert "€15.00 goes back onto Gift card." in rest


def test_the_money_of_a_price_is_asked_for_when_its_voucher_is_scanned() -> None:
    till, one = unlocked(), rich()
    mug = voucher_of(one, code="mug", title="Mug", money=Decimal("4.00"))
    assert "€4.00 to pay, then hand it over." in text(till.get(f"/till/voucher/{mug.pk}/"))
    done = till.post(f"/till/voucher/{mug.pk}/", {"number": "V1"}, follow=True)
    assert "Left to pay: €4.00." in text(done)
    undone = till.post(f"/till/done/{TillAct.objects.get().pk}/undo/", follow=True)
    assert heading(undone) == "Undone: Mug for Wei"
    assert "Left to pay" not in text(undone)
    assert "€4.00 to pay, then hand it over." in text(till.get(f"/till/voucher/{mug.pk}/"))
    assert "Mug: €4.00 to pay, then hand it over." in text(sell(till, one, vouchers=[str(mug.pk)]))
    refund = text(till.get(f"/till/refund/{Purchase.objects.get().pk}/"))
    assert "Mug can be used again: hand back its €4.00, too." in refund


def test_a_gift_card_that_is_redeemed_at_a_till_lives_as_long_as_its_reward_says() -> None:
    till, one = unlocked(), rich()
    gives = {"type": "amount", "amount": "20.00", "keeps_rest": True, "valid_for": "P1Y"}
    reward(code="gift", title="Gift card", kind="voucher", voucher=gives)
    page = till.get(f"/till/member/{one.pk}/rewards/")
    form = {"reward": "gift", "points": "400", "money": "0", "number": page.context["number"]}
    till.post(f"/till/member/{one.pk}/rewards/", form)
    assert Voucher.objects.get().valid_until > timezone.now() + timedelta(days=360)


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


def test_a_page_that_is_not_there_leads_back_to_the_till() -> None:
    assert 'href="/till/">Back to the till' in text(unlocked().get("/till/voucher/00000000-0000-0000-0000-000000000000/"))
