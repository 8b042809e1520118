"""Vouchers that keep what is not used: each use takes what the receipt needs, each return gives back what that took."""

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.models import Purchase
from catalog import issuing, redeeming, telling
from catalog.issuing import Use
from catalog.models import Redemption, Voucher, VoucherUse
from catalog.redeeming import Ask
from loyalty import terms
from loyalty.problems import Problem
from members import messaging
from members.models import Member, Message
from tests.api import Till, till
from tests.catalog.selling import available, reward, rich, shop
from tests.catalog.test_receipts import receipt, slug, voucher
from tests.committing import Database
from tests.config.test_check_in import sign_in
from tests.config.tills import unlocked
from tests.factories import StoreFactory
from tests.staff import signed_in, text

GIFT = {"type": "amount", "amount": "30.00", "keeps_rest": True}


def gift(one: Member, *, quantity: int = 1, **given: Any) -> Voucher:
    sold = reward(kind="voucher", voucher=GIFT | given, points=100)
    now = timezone.now()
    held = redeeming.confirm(redeeming.reserve(Ask(one, sold, quantity), now=now).pk, now=now)
    return Voucher.objects.get(redemption=held)


@pytest.fixture
def counter(db: None) -> Till:
    StoreFactory.create()
    return till()


def told(counter: Till, one: Voucher) -> tuple[str, str, int]:
    seen = counter.get(f"/vouchers/{one.code}").json()
    return seen["remaining"], seen["status"], seen["used"]


def test_each_use_takes_what_the_receipt_needs_until_nothing_is_left(counter: Till) -> None:
    one = rich()
    mine = gift(one)
    at_till = {"store": "S1", "source": "till-1", "receipt_number": "A1"}
    path = f"/vouchers/{mine.code}/use"
    assert slug(counter.post(path, at_till), 422) == "validation"
    assert slug(counter.post(path, at_till | {"amount": "0.004"})) == "not-eligible"
    used = counter.post(path, at_till | {"amount": "12.509"}).json()
    assert (used["taken"], used["remaining"], used["value"], used["status"]) == ("12.50", "17.50", "30.00", "ready")
    assert counter.post(path, at_till | {"amount": "99.00"}).json() == used
    first = counter.post("/purchases", receipt(one, mine.code, lines=[("10.00", "", 1)])).json()
    assert (first["discount"], first["money_due"], first["points_earned"]) == ("10.00", "0.00", 0)
    assert first["voucher_uses"] == [{"code": mine.code, "amount": "10.00", "remaining": "7.50"}]
    assert Redemption.objects.get().status == "confirmed"
    body = receipt(one, mine.code, number="R2", lines=[("20.00", "", 1)])
    second = counter.post("/purchases", body).json()
    assert (second["money_due"], second["voucher_uses"][0]["remaining"]) == ("12.50", "0.00")
    assert (told(counter, mine), Redemption.objects.get().status) == (("0.00", "used", 1), "fulfilled")
    assert slug(counter.post("/purchases", receipt(one, mine.code, number="R3"))) == "already-used"
    again = counter.post("/purchases", receipt(one, mine.code, lines=[("10.00", "", 1)]) | {"occurred_at": _at(first)}).json()
    assert again["voucher_uses"] == first["voucher_uses"], "a receipt says for ever what it left"


def _at(answer: dict[str, Any]) -> str:
    return Purchase.objects.get(pk=answer["id"]).occurred_at.isoformat()


def test_a_receipt_that_comes_back_gives_back_exactly_what_it_took(counter: Till) -> None:
    one = rich()
    mine = gift(one)
    bought = [
        counter.post("/purchases", receipt(one, mine.code, number=f"R{n}", lines=[(net, "", 1)])).json()
        for n, net in enumerate(("12.34", "25.00"))
    ]
    at = timezone.now().isoformat()

    def back(place: int, number: str, **what: Any) -> None:
        body = {"return_number": number, "occurred_at": at} | what
        for _ in range(2):
            assert counter.post(f"/purchases/{bought[place]['id']}/returns", body).status_code == 201

    assert told(counter, mine) == ("0.00", "used", 1)
    back(0, "B1", amount="12.33")
    assert told(counter, mine) == ("12.33", "ready", 0)
    back(0, "B2", amount="0.01")
    assert (told(counter, mine), Redemption.objects.get().status) == (("12.34", "ready", 0), "confirmed")
    counter.post(f"/vouchers/{mine.code}/use", {"store": "S1", "source": "t", "receipt_number": "A1", "amount": "2.34"})
    back(1, "B3", lines=[{"line_id": "0"}])
    assert told(counter, mine) == ("27.66", "ready", 0)
    for _ in range(2):
        counter.post(f"/vouchers/{mine.code}/release", {"source": "t", "receipt_number": "A1"})
    assert told(counter, mine) == ("30.00", "ready", 0)
    assert redeeming.cancel(Redemption.objects.get().pk, by_merchant=False, now=timezone.now()).status == "cancelled"
    assert available(one) == 1000


def test_a_part_of_the_goods_brings_their_part_back_whatever_the_order(counter: Till) -> None:
    one = rich()
    mine, coupon = gift(one, categories=["tea"]), voucher(one, {"type": "percent", "amount": "10"})
    lines = [("20.00", "tea", 3), ("10.00", "tea", 1), ("40.00", "cake", 1)]
    bought = counter.post("/purchases", receipt(one, mine.code, coupon.code, lines=lines)).json()
    assert (bought["discount"], bought["money_due"]) == ("34.00", "36.00")  # 10 % of 70.00, and the 27.00 that tea costs then
    path, at = f"/purchases/{bought['id']}/returns", timezone.now().isoformat()

    def back(number: str, *lines: dict[str, Any]) -> tuple[str, str, str]:
        body = {"return_number": number, "occurred_at": at, "lines": lines}
        answer = counter.post(path, body)
        assert answer.status_code == 201, answer.content
        return answer.json()["money_back"], counter.get(f"/vouchers/{mine.code}").json()["remaining"], told(counter, coupon)[1]

    assert told(counter, mine)[0] == "3.00"
    assert back("B1", {"line_id": "0", "quantity": 1}) == ("0.00", "8.99", "used")
    assert back("B2", {"line_id": "0"}, {"line_id": "1"}) == ("0.00", "30.00", "used")
    assert back("B3", {"line_id": "2"}) == ("36.00", "30.00", "ready")


def test_goods_that_come_back_for_less_than_they_cost_bring_no_more_than_that_back(counter: Till) -> None:
    one = rich()
    mine = gift(one)
    bought = counter.post("/purchases", receipt(one, mine.code, lines=[("20.00", "tea", 1)])).json()
    path, back = f"/purchases/{bought['id']}/returns", {"occurred_at": timezone.now().isoformat()}
    fee = {"line_id": "0", "quantity": 1, "net_amount": "15.00"}
    assert counter.post(path, back | {"return_number": "B1", "lines": [fee]}).status_code == 201
    assert told(counter, mine)[0] == "25.00"
    assert counter.post(path, back | {"return_number": "B2", "amount": "5.00"}).status_code == 201
    assert told(counter, mine)[0] == "30.00"
    assert counter.post(f"/vouchers/{mine.code}/release", {"source": "till-1", "receipt_number": "R1"}).status_code == 200


@pytest.mark.parametrize("cancelled", [True, False])
def test_what_gave_its_points_back_is_not_there_again_when_the_rest_of_the_receipt_comes_back(
    counter: Till, *, cancelled: bool
) -> None:
    one = rich()
    mine = gift(one, categories=["tea"])
    bought = counter.post("/purchases", receipt(one, mine.code, lines=[("20.00", "tea", 1), ("40.00", "cake", 1)])).json()
    for place in range(2):
        body = {"return_number": f"B{place}", "occurred_at": timezone.now().isoformat(), "lines": [{"line_id": str(place)}]}
        assert counter.post(f"/purchases/{bought['id']}/returns", body).status_code == 201
        if place == 0 and cancelled:
            redeeming.cancel(Redemption.objects.get().pk, by_merchant=False, now=timezone.now())
        elif place == 0:
            redeeming.return_unused(now=mine.valid_until)
        assert available(one) == 1000 + (40 if place == 0 else 0)
        assert told(counter, mine) == ("30.00", "expired", 0)
    assert slug(counter.post("/purchases", receipt(one, mine.code, number="R2", lines=[("9.00", "tea", 1)]))) == "expired"


class Shopping:
    """A member with a gift of 30.00 who buys, brings back, uses it by itself and has that undone, as drawn."""

    def __init__(self, counter: Till, draw: Random) -> None:
        self.till, self.draw, self.one, self.numbers = counter, draw, rich(), itertools.count()
        self.gift = gift(self.one, categories=["tea"])
        self.left: dict[str, Decimal] = {}
        self.alone: list[str] = []

    def amount(self, most: int) -> str:
        return f"{self.draw.randrange(1, most) / 100:.2f}"

    def buy(self) -> None:
        kinds = self.draw.choices(["tea", "cake"], [2, 1], k=2)
        lines = [(self.amount(1500), kind, self.draw.randrange(1, 4)) for kind in kinds]
        body = receipt(self.one, self.gift.code, number=f"R{next(self.numbers)}", lines=lines)
        answer = self.till.post("/purchases", body)
        if answer.status_code == 201:
            self.left[answer.json()["id"]] = sum((Decimal(net) for net, _kind, _count in lines), Decimal(0))

    def bring_back(self, *, everything: bool = False) -> None:
        id_, net = self.draw.choice(sorted(self.left.items()))
        part = net if everything else Decimal(self.draw.randrange(1, int(net * 100) + 1)) / 100
        body = {"return_number": f"B{next(self.numbers)}", "occurred_at": timezone.now().isoformat(), "amount": f"{part:.2f}"}
        answer = self.till.post(f"/purchases/{id_}/returns", body)
        assert answer.status_code == 201, answer.content
        self.left[id_] = net - part
        if part == net:
            del self.left[id_]

    def use(self) -> None:
        self.alone.append(f"A{next(self.numbers)}")
        at_till = {"store": "S1", "source": "till-2", "receipt_number": self.alone[-1], "amount": self.amount(900)}
        self.till.post(f"/vouchers/{self.gift.code}/use", at_till)

    def release(self) -> None:
        body = {"source": "till-2", "receipt_number": self.alone.pop(self.draw.randrange(len(self.alone)))}
        assert self.till.post(f"/vouchers/{self.gift.code}/release", body).status_code == 200

    def something(self) -> None:
        acts: list[Callable[[], None]] = [self.buy, self.use]
        acts += [self.bring_back] * 2 if self.left else []
        acts += [self.release] if self.alone else []
        self.draw.choice(acts)()

    def adds_up(self) -> None:
        live = VoucherUse.objects.filter(released_at=None)
        out = sum(((use.taken or Decimal(0)) - use.given_back for use in live), Decimal(0))
        standing = Voucher.objects.get()
        assert (standing.remaining, standing.used) == (30 - out, int(out == 30))
        assert Redemption.objects.get().status == ("fulfilled" if standing.used else "confirmed")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_bought_and_brought_back_no_cent_is_made_or_lost(counter: Till, seed: int) -> None:
    shopping = Shopping(counter, Random(seed))  # noqa: S311  the same every time
    for _ in range(40):
        shopping.something()
        shopping.adds_up()
    while shopping.left:
        shopping.bring_back(everything=True)
    while shopping.alone:
        shopping.release()
    shopping.adds_up()
    assert Voucher.objects.get().remaining == 30
    redeeming.cancel(Redemption.objects.get().pk, by_merchant=True, now=timezone.now())
    assert available(shopping.one) == 1000


def test_what_was_used_in_part_gives_no_points_back_unless_all_of_it_comes_back(counter: Till) -> None:
    one, here = rich(), shop("S2")
    mine = gift(one)
    use = Use(here, "till", "R1", most=Decimal("0.01"))
    issuing.use(mine.code, use, now=timezone.now())
    with pytest.raises(Problem, match="was used"):
        redeeming.cancel(Redemption.objects.get().pk, by_merchant=True, now=timezone.now())
    assert redeeming.return_unused(now=mine.valid_until) == 1
    assert (Redemption.objects.get().status, available(one)) == ("fulfilled", 900)
    issuing.release(mine.code, "till", "R1", now=mine.valid_until)
    assert redeeming.return_unused(now=mine.valid_until) == 1
    assert (Redemption.objects.get().status, available(one)) == ("returned", 1000)


def test_several_are_one_with_as_much_on_it_and_a_batch_uses_it_in_turn(counter: Till) -> None:
    one = rich()
    mine = gift(one, quantity=2)
    bodies = [receipt(one, mine.code, number=f"R{n}", lines=[("25.00", "", 1)]) for n in range(4)]
    answer = counter.post("/purchases/batch", {"purchases": bodies}).json()
    assert [row["status"] for row in answer["results"]] == [201, 201, 201, 409]
    uses = VoucherUse.objects.order_by("id").values_list("taken", "remaining")
    assert [(f"{taken:.2f}", f"{left:.2f}") for taken, left in uses] == [
        ("25.00", "35.00"),
        ("25.00", "10.00"),
        ("10.00", "0.00"),
    ]


def test_the_reminder_says_what_is_left(counter: Till) -> None:
    one = rich()
    mine, whole = gift(one), gift(one)
    issuing.use(mine.code, Use(shop("S2"), "till", "R1", most=Decimal("12.50")), now=timezone.now())
    assert telling.remind_of_vouchers(now=mine.valid_until - timedelta(days=1)) == 2
    rows = Message.objects.filter(member=one, kind="voucher_expiring", channel=Message.Channel.INBOX)
    texts = {row.facts["redemption"]: messaging.rendered(row, terms.published(), timezone.now())[1] for row in rows}
    begun, untouched = texts[str(mine.redemption_id)], texts[str(whole.redemption_id)]
    assert ("€17.50" in begun, "come back" in begun) == (True, False)
    assert ("€30.00" in untouched, "100 points come back" in untouched) == (True, True)


def test_only_money_is_used_little_by_little(counter: Till) -> None:
    owner = till("configure")

    def put(**given: Any) -> Any:
        return owner("PUT", "/rewards/gift", {"title": "Gift", "kind": "voucher", "points": 100, "voucher": GIFT | given})

    for given, pointer in (({"type": "percent"}, "keeps_rest"), ({"uses": 2}, "uses"), ({"keeps_rest": "yes"}, "keeps_rest")):
        answer = put(**given)
        assert slug(answer, 422) == "validation"
        assert [one["pointer"] for one in answer.json()["errors"]] == [f"/voucher/{pointer}"]
    assert put().json()["voucher"]["keeps_rest"] is True


def test_the_member_the_till_and_the_shop_see_what_is_left(counter: Till) -> None:
    one = rich()
    mine = gift(one)
    issuing.use(mine.code, Use(shop("S2"), "till", "R1", most=Decimal("12.50")), now=timezone.now())
    look = signed_in("support").get(f"/admin/catalog/voucher/{mine.pk}/change/")
    assert "€17.50 of €30.00" in text(look)
    member_page = text(sign_in(one).get(f"/vouchers/{mine.pk}/"))
    assert "€17.50 of €30.00 left" in member_page
    assert "What is left on it ends with it" in member_page
    assert "Give the points back" not in member_page
    cashier = text(unlocked().get(f"/till/voucher/{mine.pk}/"))
    assert ("Take up to €17.50 off." in cashier, "Accept reward" in cashier) == (True, False)


@pytest.mark.timeout(300)
def test_no_cent_is_taken_twice_by_tills_at_the_same_moment(committing_db: Database) -> None:
    one, here = rich(), shop()
    mine, now = gift(one), timezone.now()
    start, refused = threading.Barrier(8), list[str]()

    def use(number: int) -> None:
        start.wait(60)
        try:
            issuing.use(mine.code, Use(here, "till", f"R{number}", most=Decimal("7.00")), now=now)
        except Problem as problem:
            refused.append(problem.slug)
        finally:
            connection.close()

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(240)
    taken = sorted(f"{each:.2f}" for each in VoucherUse.objects.values_list("taken", flat=True))
    assert (taken, refused) == (["2.00", *["7.00"] * 4], ["already-used"] * 3)
    assert Voucher.objects.get().remaining == 0
