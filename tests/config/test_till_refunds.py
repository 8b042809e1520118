"""Refunds at the counter: found by receipt, foretold by the plan that is carried out, whole or in part."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Purchase, PurchaseReturn
from catalog.models import VoucherUse
from loyalty import posting
from loyalty.acts import Burn, Posted
from loyalty.models import Posting, TermsVersion
from members.models import Member, TillAct
from tests.config.test_till import has, heading, rich, sell, voucher_of, without_codes
from tests.config.tills import unlocked
from tests.staff import text

__all__ = ["without_codes"]
pytestmark = pytest.mark.django_db


def publish_terms(**given: Any) -> None:
    """As the terms that stand, but for these."""
    now = timezone.now() - timedelta(minutes=1)
    last: dict[str, Any] = dict(TermsVersion.objects.order_by("-version").values()[0])
    TermsVersion.objects.create(
        **{**last, "id": None, "version": last["version"] + 1, "starts_at": now, "published_at": now} | given
    )


def spend(one: Member, points: int) -> None:
    act = Burn(key="elsewhere", holder=one.holder, points=points, occurred_at=timezone.now())
    assert isinstance(posting.burn([act], now=timezone.now())[0], Posted)


def test_vouchers_handed_over_with_a_sale_come_back_with_its_refund() -> None:
    till, one = unlocked(), rich()
    voucher = voucher_of(one)
    sell(till, one, vouchers=[str(voucher.pk)], receipt="K-100")
    voucher.refresh_from_db()
    assert (voucher.used, has(one)) == (1, 618)
    found = till.get("/till/refund/", {"receipt": "K-100"})
    bought = Purchase.objects.get()
    assert found["Location"] == f"/till/refund/{bought.pk}/"
    page = till.get(found["Location"])
    form = page.context["form"].initial
    assert "Takes back 18 points." in text(page)
    assert "Flat white can be used again." in text(page)
    told = text(till.get(f"{found['Location']}takes/", {"amount": "8.60"}))
    assert "Takes back 8 points." in told
    assert "Flat white stays used" in told
    assert (VoucherUse.objects.filter(released_at=None).count(), has(one), PurchaseReturn.objects.count()) == (1, 618, 0)
    part = till.post(found["Location"], {"amount": "8.60", "number": form["number"]}, follow=True)
    assert heading(part) == "8 points taken back from Wei"
    voucher.refresh_from_db()
    assert (voucher.used, has(one)) == (1, 610)
    rest = till.get(found["Location"]).context["form"].initial
    assert rest["amount"] == "10.00"
    for _ in range(2):
        till.post(found["Location"], {"amount": "10.00", "number": rest["number"]})
    voucher.refresh_from_db()
    assert (voucher.used, has(one), PurchaseReturn.objects.count()) == (0, 600, 2)
    assert "All of this receipt was given back before." in text(till.get(found["Location"]))
    assert "This shop took no receipt" in text(till.get("/till/refund/", {"receipt": "K-999"}))
    assert unlocked(store="S2", name="Paul").get(found["Location"]).status_code == 404


@pytest.mark.parametrize(("policy", "spent", "after"), [("deficit", 1018, -18), ("forgive", 1010, 0), ("deficit", 500, 500)])
def test_a_refund_tells_beforehand_what_it_does(policy: str, spent: int, after: int) -> None:
    publish_terms(claw_back=policy)
    till, one = unlocked(), rich()
    sell(till, one)
    spend(one, spent)
    address = f"/till/refund/{Purchase.objects.get().pk}/"
    page, before = till.get(address), Posting.objects.count()
    assert (page.context["after"], page.context["owes"]) == (after, max(-after, 0))
    assert ("goes below zero" in text(page), "not asked for" in text(page)) == (after < 0, policy == "forgive")
    assert Posting.objects.count() == before
    done = till.post(address, {"amount": "18.60", "number": page.context["form"].initial["number"]}, follow=True)
    assert (has(one), heading(done)) == (after, f"{1018 - spent - after} points taken back from Wei")


def test_a_refund_of_what_points_paid_says_what_goes_where() -> None:
    till, one = unlocked(), rich()
    sell(till, one, points="500")
    address = f"/till/refund/{Purchase.objects.get().pk}/"
    told = till.get(address).context
    assert (told["told"].points_back, told["money_back"], told["after"]) == (500, "€13.60", 1000)
    recounted = till.post(address, {"amount": "200", "number": "R1", "recount": "1"})
    assert "Of this receipt €18.60 is left to return." in text(recounted)
    assert not PurchaseReturn.objects.exists()
    till.post(address, {"amount": "18.60", "number": "R1"})
    assert has(one) == 1000


def test_a_refund_that_the_terms_refuse_says_so_beforehand() -> None:
    publish_terms(claw_back="refuse")
    till, one = unlocked(), rich()
    sell(till, one)
    spend(one, 1010)
    address = f"/till/refund/{Purchase.objects.get().pk}/"
    assert "spent already, so it cannot be returned." in text(till.get(address))
    assert "spent already, so it cannot be returned." in text(till.post(address, {"amount": "18.60", "number": "R1"}))
    assert has(one) == 8


def test_points_that_come_back_make_up_for_what_is_owed_before_any_are_taken() -> None:
    publish_terms(claw_back="forgive")
    till, one = unlocked(), rich()
    sell(till, one, points="20")
    publish_terms(claw_back="deficit")
    sell(till, one, "30.00")
    spend(one, has(one))
    bought, other = Purchase.objects.order_by("recorded_at")
    till.post(f"/till/refund/{other.pk}/", {"amount": "15.00", "number": "R1"})
    assert has(one) == -15
    page = till.get(f"/till/refund/{bought.pk}/")
    assert (page.context["after"], page.context["forgiven"]) == (0, 13)
    till.post(f"/till/refund/{bought.pk}/", {"amount": "18.60", "number": "R2"})
    assert has(one) == 0


def test_a_refund_cannot_be_called_undone() -> None:
    till, one = unlocked(), rich()
    sell(till, one)
    till.post(f"/till/refund/{Purchase.objects.get().pk}/", {"amount": "18.60", "number": "R1"})
    refund = TillAct.objects.get(kind="return")
    till.post(f"/till/done/{refund.pk}/undo/")
    refund.refresh_from_db()
    assert (refund.undone_at, has(one)) == (None, 1000)
