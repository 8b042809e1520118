"""The hand-out list of a shop, and the end of a redemption by staff."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import issuing, redeeming
from catalog.issuing import Use
from catalog.models import Redemption, Reward, Voucher
from catalog.redeeming import Ask
from loyalty import queries
from members import addresses
from members.models import Member
from tests.factories import StoreFactory, give, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
PAGE = "/admin/catalog/redemption/"
LIST = f"{PAGE}hand-out/"


def rich(name: str = "Wei") -> Member:
    one = member(given_name=name, family_name="Li")
    Member.objects.filter(pk=one.pk).update(email_verified_at=timezone.now())
    one.refresh_from_db()
    give(one.holder, 1000, at=timezone.now())
    return one


def redeemed(one: Member, store: str | None = "S1", **given: Any) -> Redemption:
    """Confirmed, to be fetched."""
    reward, _made = Reward.objects.get_or_create(
        code=given.get("code", "mug"), defaults={"title": "Mug", "kind": "goods", "points": 400} | given
    )
    now = timezone.now()
    shop = queries.stores_by_code([store])[store] if store else None
    return redeeming.confirm(redeeming.reserve(Ask(one, reward, store=shop), now=now).pk, now=now)


@pytest.fixture(autouse=True)
def shops() -> None:
    StoreFactory.create()
    StoreFactory.create(code="S2", name="Hill shop")


def listed(answer: Any) -> list[str]:
    return [str(row["one"].pk) for row in answer.context["rows"]]


def test_a_manager_hands_out_what_waits_in_the_own_shop_and_nothing_else() -> None:
    wei = rich()
    here, there = redeemed(wei), redeemed(wei, "S2")
    manager, owner = signed_in("manager", stores=["S1"]), signed_in("owner")
    page = manager.get(LIST)
    assert listed(page) == [str(here.pk)]
    code = Voucher.objects.get(redemption=here).code
    assert (code[-4:] in text(page), code in text(page)) == (True, False)
    assert listed(owner.get(LIST)) == [str(here.pk), str(there.pk)]
    assert listed(owner.get(f"{LIST}?shop={there.store_id}")) == [str(there.pk)]
    assert manager.post(f"{PAGE}{there.pk}/fulfil/").status_code == 404
    done = manager.post(f"{PAGE}{here.pk}/fulfil/", {"list": "1"}, follow=True)
    assert "Handed over: Mug." in text(done)
    assert (listed(done), Redemption.objects.get(pk=here.pk).status) == ([], "fulfilled")
    assert "handed over before" in text(manager.post(f"{PAGE}{here.pk}/fulfil/", {"list": "1"}, follow=True))


def test_only_what_is_put_into_hands_stands_in_the_list() -> None:
    wei = rich()
    coupon = {"type": "amount", "amount": "5.00", "minimum_spend": "0.00", "uses": 1, "valid_for": "P30D", "categories": []}
    redeemed(wei, code="five", kind="voucher", voucher=coupon, points=1)
    redeemed(wei, code="gift", kind="donation", points=1)
    fetched = redeemed(wei, code="tea", points=1)
    redeeming.reserve(Ask(wei, Reward.objects.get(code="tea")), now=timezone.now())
    at_till = Use(queries.stores_by_code(["S1"])["S1"], "till", "R1")
    issuing.use(Voucher.objects.get(redemption=fetched).code, at_till, now=timezone.now())
    post = redeemed(wei, None, code="book", fulfilment="posted", points=1)
    owner = signed_in("owner")
    page = owner.get(LIST)
    assert listed(page) == [str(post.pk)]
    assert "Sent" in text(page)
    assert "The member has given no address yet." in text(page)
    addresses.keep(wei.pk, "Wei Chen\n<1> Harbour Road", now=timezone.now())
    assert "Wei Chen<br>&lt;1&gt; Harbour Road" in text(owner.get(LIST))
    assert "Harbour Road" not in text(signed_in("support").get(LIST))
    assert listed(owner.get(f"{LIST}?shop=")) == [str(post.pk)]
    assert listed(signed_in("manager", stores=["S1"]).get(LIST)) == []


def test_a_redemption_is_cancelled_with_a_reason_and_the_points_come_back() -> None:
    wei = rich()
    one = redeemed(wei)
    manager = signed_in("manager", stores=["S1"])
    assert "Say why" in text(manager.post(f"{PAGE}{one.pk}/cancel/", {"reason": " "}, follow=True))
    assert Redemption.objects.get().status == "confirmed"
    done = text(manager.post(f"{PAGE}{one.pk}/cancel/", {"reason": "The mug broke."}, follow=True))
    assert "The points are back." in done
    assert "The mug broke." in done
    assert "Manager" in done
    assert queries.balances([wei.holder], timezone.now())[wei.holder].available == 1000
    assert "Only a confirmed redemption" in text(manager.post(f"{PAGE}{one.pk}/fulfil/", follow=True))


@pytest.mark.parametrize("role", ["marketer", "finance", "support"])
def test_others_only_look(role: str) -> None:
    one = redeemed(rich())
    other = signed_in(role)
    assert listed(other.get(LIST)) == [str(one.pk)]
    page = text(other.get(f"{PAGE}{one.pk}/change/"))
    assert "Cancel and give" not in page
    for act in ("fulfil", "cancel"):
        assert other.post(f"{PAGE}{one.pk}/{act}/", {"reason": "x"}).status_code == 403
    assert Redemption.objects.get().status == "confirmed"
    assert signed_in("cashier").get(LIST).status_code == 403


def test_a_voucher_is_found_by_its_whole_code_and_shown_by_its_end() -> None:
    one = redeemed(rich())
    voucher = Voucher.objects.get(redemption=one)
    support = signed_in("support")
    page: Any = support.get(f"/admin/catalog/voucher/?q={voucher.code}")
    assert [row.pk for row in page.context["cl"].result_list] == [voucher.pk]
    shown = text(support.get(f"/admin/catalog/voucher/{voucher.pk}/change/"))
    assert (voucher.code in shown, voucher.code[-4:] in shown) == (False, True)
    assert "0.000" not in shown
    [shop] = queries.stores_by_code(["S1"]).values()
    issuing.use(voucher.code, Use(shop, "till", "R1"), now=timezone.now())
    used = text(support.get(f"/admin/catalog/voucher/{voucher.pk}/change/"))
    issuing.release(voucher.code, "till", "R1", now=timezone.now())
    freed = text(support.get(f"/admin/catalog/voucher/{voucher.pk}/change/"))
    used_times, freed_times = (len(re.findall(r"\d{2} \w{3} \d{4}, \d{2}:\d{2}", page)) for page in (used, freed))
    assert freed_times == used_times + 1, "a use that was given back says when"


def test_a_longer_list_costs_no_more_statements() -> None:
    owner = signed_in("owner")
    redeemed(rich())
    owner.get(LIST)
    with CaptureQueriesContext(connection) as few:
        owner.get(LIST)
    for n in range(10):
        redeemed(rich(f"Wei {n}"))
    with CaptureQueriesContext(connection) as many:
        assert len(listed(owner.get(LIST))) == 11
    assert len(many) == len(few)
