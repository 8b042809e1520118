"""Rewards, confirmations and vouchers as a member walks them, without JavaScript."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import issuing, redeeming
from catalog.issuing import Use
from catalog.models import Code, CodePool, Redemption, Reward, RewardPrice, Stock, Voucher, Waiting
from loyalty import queries, verifying
from members.models import Member
from tests.config.test_check_in import sign_in, words
from tests.factories import NOW, StoreFactory, give, member
from tests.members.tiering import publish
from tests.staff import text

pytestmark = pytest.mark.django_db
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def rich(points: int = 500) -> Member:
    one = member(verified=True)
    give(one.holder, points, at=NOW - DAY)
    return one


def reward(code: str = "flat-white", points: int = 80, **given: Any) -> Reward:
    return Reward.objects.create(
        **{"code": code, "title": code.replace("-", " ").capitalize(), "kind": "goods", "points": points} | given
    )


def has(one: Member) -> int:
    return queries.balances([one.holder], NOW)[one.holder].available


def form(client: Client, page: str) -> dict[str, str]:
    """What the first form that redeems on a page would send."""
    found = re.findall(r'name="(token|points|money)" value="([^"]*)"', text(client.get(page)))
    return dict(found[:3])


def redeem(client: Client, code: str = "flat-white", **given: str) -> Any:
    return client.post(f"/rewards/{code}/redeem/", form(client, f"/rewards/{code}/") | given, follow=True)


def test_what_can_be_had_comes_first_then_what_points_are_missing_for() -> None:
    one = rich(100)
    publish(now=NOW - DAY)
    for code, points in (("tea", 90), ("cup", 40), ("beans", 160), ("mug", 120)):
        reward(code, points)
    reward("gold-class", 10, tiers=["gold"])
    Stock.objects.create(reward=reward("flask", 20), left=0)
    reward("gone", 5, ends_at=NOW - DAY)
    with time_machine.travel(NOW, tick=False):
        page = words(sign_in(one), "/rewards/")
    order = ["You can have", "Cup", "Tea", "Soon", "Mug", "20 more points", "Beans", "60 more points", "Not at the moment"]
    places = [page.index(f" {word} ") for word in order]
    assert places == sorted(places)
    assert "Only for Gold members." in page
    assert "Out of stock at the moment. Your points are still yours. " in page
    assert "Gone" not in page


def test_a_better_price_strikes_the_old_one_and_says_until_when() -> None:
    one = rich(100)
    RewardPrice.objects.create(reward=reward(), points=60, name="Flash week", ends_at=NOW + 3 * DAY)
    with time_machine.travel(NOW, tick=False):
        page = text(sign_in(one).get("/rewards/"))
    assert re.search(r"<s>.*before: .*80</s>", page)
    assert "Flash week, until 18 June 2026" in page


def test_shop_and_points_narrow_the_list() -> None:
    one = rich(100)
    StoreFactory.create()
    quay = StoreFactory.create(code="S2", name="Quay 7")
    here = reward("here", 50)
    here.stores.set([quay])
    reward("dear", 400)
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        assert "Here" not in words(phone, "/rewards/?shop=S1")
        page = words(phone, "/rewards/?shop=S2")
        assert "Here" in page
        assert "At Quay 7." in page
        assert "Dear" not in words(phone, "/rewards/?points=mine")
        assert "Dear" not in words(phone, "/rewards/?points=200")
        assert "No reward fits this choice." in words(phone, "/rewards/?points=10")
        assert phone.get("/rewards/?shop=nowhere&points=lots").status_code == 200


def test_from_the_card_to_the_code_and_back() -> None:
    one = rich()
    reward()
    with time_machine.travel(NOW, tick=False) as clock:
        phone = sign_in(one)
        assert "Flat white 80 points" in words(phone, "/card/")
        page = phone.post("/rewards/flat-white/redeem/", form(phone, "/card/"), follow=True)
        said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text(page)))
        assert "You had 500 This takes minus − 80 You will have 420" in said
        assert "Use it now or keep it until 15 July 2026." in said
        assert "Set aside for you until 14:15." in said
        where = page.redirect_chain[-1][0]
        assert "Flat white is set aside for you" in words(phone, "/card/")
        shown = phone.post(where, {"choice": "now"}, follow=True)
        assert "15 minutes left, until 14:15" in text(shown)
        voucher = Voucher.objects.get()
        assert voucher.code in re.sub(r"\s", "", text(shown))
        clock.shift(6 * MINUTE)
        address = f"/vouchers/{voucher.pk}/"
        assert "9 minutes left" in words(phone, address)
        assert "80 points come back." in words(phone, address)
        gone = phone.post(address, follow=True)
        assert "80 points are back on your card." in text(gone)
        assert "You gave it back on 15 June 2026." in text(gone)
        history = words(phone, "/history/")
        assert "Points back: Flat white Given back by you" in history
        entry = Redemption.objects.get().entry
        assert f"/redemptions/{Redemption.objects.get().pk}/" in text(phone.get(f"/history/{entry}/"))
    assert has(one) == 500
    assert not [each for each in verifying.verify() if each.bad_row]


def test_double_clicks_two_tabs_and_the_back_button_take_points_once_and_say_so() -> None:
    one = rich()
    reward()
    with time_machine.travel(NOW, tick=False) as clock:
        phone = sign_in(one)
        first, second = form(phone, "/rewards/flat-white/"), form(phone, "/rewards/flat-white/")
        assert first["token"] != second["token"]
        address = phone.post("/rewards/flat-white/redeem/", first)["Location"]
        for sent in (first, second):
            clock.shift(1)
            again = phone.post("/rewards/flat-white/redeem/", sent, follow=True)
            assert "your points were taken once, not twice" in text(again)
            assert again.redirect_chain[-1][0] == address
        phone.post(address, {"choice": "keep"})
        both = phone.post(address, {"choice": "now"}, follow=True)
        assert "your points were taken once, not twice" in text(both)
        back = phone.post("/rewards/flat-white/redeem/", first, follow=True)
        assert "your points were taken once, not twice" in text(back)
        assert back.redirect_chain[-1][0] == f"/vouchers/{Voucher.objects.get().pk}/"
        assert phone.post("/rewards/flat-white/redeem/", second | {"points": "80"}).status_code == 302
    assert (Redemption.objects.count(), has(one)) == (2, 340)  # the last was a new wish, from a page of its own


def test_another_price_or_a_foreign_form_takes_nothing() -> None:
    one, other = rich(), rich()
    reward()
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        asked = form(phone, "/rewards/flat-white/")
        Reward.objects.update(points=90)
        told = text(phone.post("/rewards/flat-white/redeem/", asked, follow=True))
        assert "The price has changed: it is 90 points now. No points were taken." in told
        for wrong in ({"token": "x"}, {"points": "?"}, {"money": "a"}, {"points": ""}):
            told = text(phone.post("/rewards/flat-white/redeem/", asked | wrong, follow=True))
            assert "This page was too old." in told
        theirs = Redemption.objects.create(
            member=other, reward=Reward.objects.get(), points=0, reserved_at=NOW, reserved_until=NOW + MINUTE
        )
        assert "No points were taken." in text(redeem(phone, token=str(theirs.pk)))
        assert phone.get(f"/redemptions/{theirs.pk}/").status_code == 404
        assert phone.get(f"/vouchers/{uuid4()}/").status_code == 404
        assert phone.get("/rewards/nothing/").status_code == 404
    assert (has(one), has(other)) == (500, 500)


def test_somebody_else_took_the_last_one() -> None:
    one, other, last = rich(), rich(), reward()
    Stock.objects.create(reward=last, left=1)
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        asked = form(phone, "/rewards/flat-white/")
        redeeming.reserve(redeeming.Ask(other, last), now=NOW)
        told = phone.post("/rewards/flat-white/redeem/", asked, follow=True)
        assert "Somebody else took the last one. No points were taken." in text(told)
        assert has(one) == 500
        for said in ("we send you a message when it is back", "you are on the list already"):
            assert said in text(phone.post("/rewards/flat-white/wait/", follow=True))
        page = words(phone, "/rewards/")
    assert "We send you a message when it is back." in page
    assert Waiting.objects.filter(member=one, told_at=None).count() == 1


def test_what_is_counted_shop_by_shop_asks_for_the_shop() -> None:
    one, cake = rich(), reward("cake")
    shop = StoreFactory.create()
    Stock.objects.create(reward=cake, store=shop, left=1)
    Stock.objects.create(reward=cake, store=StoreFactory.create(code="S2", name="Quay 7"), left=0)
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        assert "Choose a shop" in words(phone, "/rewards/")
        page = words(phone, "/rewards/cake/")
        assert "Harbour shop · 1 left" in page
        assert "Quay 7 · none left" in page
        assert "Choose the shop where you fetch it." in text(redeem(phone, "cake"))
        assert "You will have" in text(redeem(phone, "cake", store="S1"))
    assert (has(one), Stock.objects.get(store=shop).left) == (420, 0)


def test_unverified_members_are_told_to_verify_first() -> None:
    one = member()
    give(one.holder, 500, at=NOW - DAY)
    reward()
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        Member.objects.filter(pk=one.pk).update(email_verified_at=None)
        page = words(phone, "/rewards/")
        assert "To use them, verify your card first." in page
        assert "Yours once your card is verified." in page
        assert "To use them, verify your card first." in words(phone, "/rewards/flat-white/")
        sent = {"token": str(uuid4()), "points": "80", "money": "0"}
        answer = phone.post("/rewards/flat-white/redeem/", sent)
        assert answer["Location"] == "/sign-in/code/"
    assert (has(one), Redemption.objects.count()) == (500, 0)
    assert Client().get("/rewards/").status_code == 302


def test_a_blocked_card_has_nothing() -> None:
    one = rich()
    reward()
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        asked = form(phone, "/rewards/flat-white/")
        Member.objects.filter(pk=one.pk).update(status=Member.Status.BLOCKED)
        assert "This card is blocked or closed" in text(phone.post("/rewards/flat-white/redeem/", asked, follow=True))
        assert "This card is blocked or closed" in words(phone, "/rewards/")
    assert has(one) == 500


def test_a_partners_code_is_shown_once_confirmed_and_stays_to_be_found() -> None:
    one, pool = rich(), CodePool.objects.create(code="REX", name="Rex")
    Code.objects.create(pool=pool, text="REX-0001")
    reward("cinema", 300, kind="code", code_pool=pool)
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        page = redeem(phone, "cinema")
        assert "Once you have seen the code, it cannot be given back." in text(page)
        assert "REX-0001" not in text(page)
        shown = phone.post(page.redirect_chain[-1][0], {"choice": "keep"}, follow=True)
        assert "REX-0001" in text(shown)
        assert "Give the points back" not in text(shown)
        assert "Cinema Yours since 15 June 2026." in words(phone, "/vouchers/")
        assert "REX-0001" not in text(phone.get("/vouchers/"))
        asked = "it cannot be cancelled"
        assert asked in text(phone.post(page.redirect_chain[-1][0], {"choice": "back"}, follow=True))


def test_vouchers_say_when_where_and_why_they_are_over() -> None:
    one, shop = rich(), queries.stores_by_code([StoreFactory.create().code])["S1"]
    used, late, lost, off = (
        reward(code, 50, voucher={"type": "item", "valid_for": "P2D"}) for code in ("used", "late", "lost", "off")
    )
    for each in (used, late, lost):
        redeeming.confirm(redeeming.reserve(redeeming.Ask(one, each), now=NOW - DAY).pk, now=NOW - DAY)
    redeeming.reserve(redeeming.Ask(one, off), now=NOW - DAY)
    code = Voucher.objects.get(redemption__reward=used).code
    issuing.use(code, Use(shop, "till-1", "R77"), now=NOW)
    redeeming.cancel(Redemption.objects.get(reward=lost).pk, by_merchant=True, reason="Sold out", now=NOW)
    with time_machine.travel(NOW + 3 * DAY, tick=False):
        phone = sign_in(one)
        page = words(phone, "/vouchers/")
        assert "Late Not used in time. Your points come back by themselves." in page
        redeeming.return_unused(now=NOW + 3 * DAY)
        assert redeeming.lapse(now=NOW + 3 * DAY) == 1
        page = words(phone, "/vouchers/")
        assert "Used on 15 June 2026, 14:00 at Harbour shop, receipt R77." in page
        assert "Late Not used in time. 50 points are back on your card." in page
        assert "Lost Cancelled by the shop on 15 June 2026: Sold out. Your points are back." in page
        history = words(phone, "/history/")
        for line in (
            "Used at Harbour shop",
            "Points back: Late Voucher not used in time",
            "Points back: Lost Cancelled by the shop: Sold out",
            "Points back: Off Not confirmed within 15 minutes",
        ):
            assert line in history


def test_giving_back_says_before_what_has_expired_meanwhile() -> None:
    one = member(verified=True)
    give(one.holder, 30, at=NOW - DAY, days=2)
    give(one.holder, 70, at=NOW - DAY, days=100)
    reward()
    with time_machine.travel(NOW, tick=False) as clock:
        phone = sign_in(one)
        page = redeem(phone)
        phone.post(page.redirect_chain[-1][0], {"choice": "keep"})
        clock.shift(5 * DAY)
        address = f"/vouchers/{Voucher.objects.get().pk}/"
        said = words(phone, address)
        assert "50 points come back." in said
        assert "30 points expired on 16 June 2026 meanwhile and do not come back." in said
        assert "They keep the dates they had: 50 expire on 22 September 2026." in said
        assert "50 points are back on your card." in text(phone.post(address, follow=True))
        now = NOW + 5 * DAY
    assert queries.balances([one.holder], now)[one.holder].available == 70


def test_a_reservation_that_is_over_says_so() -> None:
    one = rich()
    reward()
    with time_machine.travel(NOW, tick=False) as clock:
        phone = sign_in(one)
        address = redeem(phone).redirect_chain[-1][0]
        clock.shift(16 * MINUTE)
        assert "The 15 minutes are over." in words(phone, address)
        assert "The 15 minutes are over." in text(phone.post(address, {"choice": "now"}, follow=True))
        redeeming.lapse(now=NOW + 16 * MINUTE)
        assert "Not confirmed within 15 minutes, so nothing was redeemed." in words(phone, address)
    assert has(one) == 500


def test_texts_come_in_the_language_of_the_reader_or_as_they_were_written() -> None:
    one = rich()
    reward(translations={"fr": {"title": "Café crème", "description": "Au comptoir"}}, description="At the bar")
    with time_machine.travel(NOW, tick=False):
        phone = sign_in(one)
        for language, title, said in (("fr", "Café crème", "Au comptoir"), ("zh-hans", "Flat white", "At the bar")):
            phone.cookies["django_language"] = language
            page = words(phone, "/rewards/flat-white/")
            assert title in page
            assert said in page
            assert title in words(phone, "/card/")


def test_pages_cost_the_same_for_many_rewards_and_vouchers() -> None:
    one = rich(5000)
    pages = ("/card/", "/rewards/", "/vouchers/", "/history/")

    def cost() -> list[int]:
        counts = []
        for page in pages:
            with CaptureQueriesContext(connection) as asked:
                assert phone.get(page).status_code == 200
            counts.append(len(asked))
        return counts

    def take(first: int, last: int) -> None:
        for n in range(first, last):
            held = redeeming.reserve(redeeming.Ask(one, reward(f"r{n}", 10 + n)), now=NOW)
            redeeming.confirm(held.pk, now=NOW)

    with time_machine.travel(NOW, tick=False):
        take(0, 2)
        phone = sign_in(one)
        cost()
        few = cost()
        take(2, 20)
        assert cost() == few


@time_machine.travel(NOW, tick=False)
def test_what_is_used_bit_by_bit_is_never_for_a_quarter_of_an_hour_and_tells_its_uses() -> None:
    one = rich()
    client = sign_in(one)
    gives = {"type": "amount", "amount": "20.00", "keeps_rest": True, "valid_for": "P1Y"}
    reward("gift", kind="voucher", title="Gift card", voucher=gives, money="1.50")
    page = redeem(client, "gift")
    assert "Use now" not in text(page)
    client.post(page.redirect_chain[-1][0], {"choice": "now"})
    voucher = Voucher.objects.get()
    assert voucher.valid_until > NOW + 360 * DAY
    fresh = text(client.get(f"/vouchers/{voucher.pk}/"))
    assert "€20.00, for one receipt or several, €1.50 to pay at the till" in fresh
    assert "Used so far" not in fresh
    store = StoreFactory.create()
    [shop] = queries.stores_by_code([store.code]).values()
    issuing.use(voucher.code, Use(shop, "till-1", "R7", Decimal("8.30"), most=Decimal("8.30")), now=NOW)
    begun = text(client.get(f"/vouchers/{voucher.pk}/"))
    assert "€11.70 of €20.00 left" in begun
    assert "€11.70 of €20.00 left" in text(client.get("/vouchers/"))
    assert "to pay at the till" not in begun
    assert re.search(rf"Used so far.*at {store.name}: €8.30", begun, re.DOTALL)
